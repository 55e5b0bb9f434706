//! Where the clusters are and who we are there: the files that kubectl reads, or the pod that the program runs in.
//!
//! The environment is asked through the world. The files are read by kube's own loader, for paths in them start at the
//! folder of the file that names them.

use std::path::PathBuf;
use std::sync::Arc;

use kube::Config;
use kube::config::{ExecConfig, KubeConfigOptions, Kubeconfig, KubeconfigError};

use super::faults::words;
use super::kubectl::Kubectl;
use crate::builtins::dial::Place;
use crate::builtins::dial::gate::Gate;
use crate::builtins::http::client::proxy_named_for;
use crate::builtins::settings::setup;
use crate::catalog::Cx;
use crate::types::Fault;

/// What there is to choose a context from.
pub(super) enum Source {
    Files {
        config: Box<Kubeconfig>,
        /// For messages.
        names: String,
        /// The one that the runbook names.
        named: Option<Arc<str>>,
    },
    /// The service account of the pod that this runs in.
    InCluster,
}

/// One context: a server, and whose credentials are shown to it.
pub(super) struct Chosen {
    pub(super) context: Arc<str>,
    /// What the kubeconfig calls the user.
    pub(super) user: Arc<str>,
    pub(super) server: Arc<str>,
    pub(super) namespace: Arc<str>,
    /// Without the plugin, which is not left to kube.
    pub(super) config: Config,
    pub(super) exec: Option<ExecConfig>,
    pub(super) kubectl: Kubectl,
}

impl Chosen {
    /// Where the proxy is that its server is asked through, if there is one.
    pub(super) fn proxy(&self) -> Option<Place> {
        let url = self.config.proxy_url.as_ref()?;
        let host = url.host()?.trim_matches(['[', ']']).to_owned();
        let port = url.port_u16().unwrap_or(match url.scheme_str() {
            Some("https") => 443,
            Some("socks5") => 1080,
            _ => 80,
        });
        Some(Place { host, port })
    }
}

impl Source {
    /// The file that the runbook names, or those of `KUBECONFIG`, or `~/.kube/config`, or else the pod's own account.
    pub(super) fn read(cx: &Cx, named: Option<&str>) -> Result<Self, Fault> {
        if let Some(path) = named {
            let path = cx.run.directory.join(path);
            let named = path.display().to_string().into();
            return Self::files(&[path], Some(named));
        }
        if let Some(list) = cx.world.env("KUBECONFIG")?.filter(|list| !list.is_empty()) {
            let all: Vec<PathBuf> = std::env::split_paths(&list).filter(|path| !path.as_os_str().is_empty()).collect();
            // As kubectl has it: of several files some may not be there.
            let there: Vec<PathBuf> = all.iter().filter(|path| path.exists()).cloned().collect();
            return Self::files(if there.is_empty() { &all } else { &there }, None);
        }
        let home = cx.world.env("HOME")?.map(|home| PathBuf::from(home).join(".kube/config"));
        match home.filter(|path| path.exists()) {
            Some(path) => Self::files(&[path], None),
            None if cx.world.env("KUBERNETES_SERVICE_HOST")?.is_some() => Ok(Self::InCluster),
            None => Err(setup("there is no kubeconfig: `KUBECONFIG` is not set and `~/.kube/config` is not there")
                .help("name the file: `kubernetes(kubeconfig: \"./cluster.yaml\")`, or set `KUBECONFIG`")),
        }
    }

    fn files(paths: &[PathBuf], named: Option<Arc<str>>) -> Result<Self, Fault> {
        let mut config = Kubeconfig::default();
        for path in paths {
            let read = Kubeconfig::read_from(path).and_then(|next| config.clone().merge(next));
            config = read.map_err(|error| unreadable(path, &error))?;
        }
        let names: Vec<String> = paths.iter().map(|path| path.display().to_string()).collect();
        Ok(Self::Files { config: Box::new(config), names: names.join(", "), named })
    }

    /// A context by its name, or the current one.
    ///
    /// # Errors
    /// Where there is none, or where it leads to a host that is not allowed.
    pub(super) fn choose(&self, cx: &Cx, named: Option<&str>) -> Result<Chosen, Fault> {
        let chosen = match self {
            Self::Files { config, names, named: kubeconfig } => {
                let mut chosen = Self::chosen(config, names, cx, named)?;
                chosen.kubectl.kubeconfig.clone_from(kubeconfig);
                chosen
            }
            Self::InCluster => in_cluster(named)?,
        };
        let gate = Gate::of(cx);
        for host in [chosen.config.cluster_url.host(), chosen.proxy().as_ref().map(|place| &*place.host)] {
            host.map_or(Ok(()), |host| gate.pass(host))?;
        }
        Ok(chosen)
    }

    fn chosen(config: &Kubeconfig, names: &str, cx: &Cx, named: Option<&str>) -> Result<Chosen, Fault> {
        let name = named.or(config.current_context.as_deref().filter(|name| !name.is_empty())).ok_or_else(|| {
            setup(format!("the kubeconfig ({names}) has no current context"))
                .help(format!("name one: `kubernetes(context: \"…\")`; it has {}", listed(config)))
        })?;
        let context = config.contexts.iter().find(|one| one.name == name).and_then(|one| one.context.as_ref());
        let context = context.ok_or_else(|| {
            setup(format!("the kubeconfig ({names}) has no context `{name}`"))
                .help(format!("it has {}; `kubectl config get-contexts` lists them", listed(config)))
        })?;
        let user = context.user.clone().unwrap_or_default();
        if !user.is_empty() && !config.auth_infos.iter().any(|one| one.name == user) {
            return Err(setup(format!("the kubeconfig ({names}) has no user `{user}`, as its context `{name}` says")));
        }
        let options = KubeConfigOptions { context: Some(name.to_owned()), ..KubeConfigOptions::default() };
        let bad = |error: KubeconfigError| setup(format!("the context `{name}` is of no use: {}", words(&error)));
        // Only what this context needs is read, and what the plugin gives is not there yet.
        let mut only = config.clone();
        only.contexts.retain(|one| one.name == name);
        let loaded = load(only, &options).map_err(bad)?;
        let server: Arc<str> = loaded.cluster_url.to_string().trim_end_matches('/').into();
        let mut chosen = Chosen {
            context: name.into(),
            user: user.into(),
            namespace: loaded.default_namespace.as_str().into(),
            server,
            config: loaded,
            exec: None,
            kubectl: Kubectl { kubeconfig: None, context: Some(name.into()) },
        };
        chosen.exec = chosen.config.auth_info.exec.take();
        chosen.config.proxy_url = proxy(cx, config, &context.cluster, &chosen.config.cluster_url)?;
        Ok(chosen)
    }
}

/// kube's loader is asynchronous by its signature only: it waits for nothing.
fn load(config: Kubeconfig, options: &KubeConfigOptions) -> Result<Config, KubeconfigError> {
    let loading = std::pin::pin!(Config::from_custom_kubeconfig(config, options));
    futures_util::FutureExt::now_or_never(loading).unwrap_or(Err(KubeconfigError::FindPath))
}

fn in_cluster(named: Option<&str>) -> Result<Chosen, Fault> {
    if let Some(name) = named {
        return Err(setup(format!("there is no kubeconfig, so there is no context `{name}`"))
            .help("in a pod leave `context` out: its own service account is used"));
    }
    let config = Config::incluster().map_err(|error| {
        setup(format!("the service account of this pod cannot be used: {error}"))
            .help("does its spec say `automountServiceAccountToken: false`?")
    })?;
    Ok(Chosen {
        context: "in-cluster".into(),
        user: "the pod's service account".into(),
        server: config.cluster_url.to_string().trim_end_matches('/').into(),
        namespace: config.default_namespace.as_str().into(),
        config,
        exec: None,
        kubectl: Kubectl::default(),
    })
}

/// What the cluster's entry says, or the environment. kube would ask whether the proxy itself is in `NO_PROXY`.
fn proxy(cx: &Cx, config: &Kubeconfig, cluster: &str, server: &http::Uri) -> Result<Option<http::Uri>, Fault> {
    let entry = config.clusters.iter().find(|one| one.name == cluster).and_then(|one| one.cluster.as_ref());
    let own = entry.and_then(|cluster| cluster.proxy_url.clone()).filter(|url| !url.is_empty());
    let named = if own.is_some() {
        own
    } else {
        let host = server.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let loopback = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        let place = Place { host, port: server.port_u16().unwrap_or(443) };
        // No proxy leads to this machine, which is how kubectl sees it as well.
        if loopback { None } else { proxy_named_for(cx, &place)? }
    };
    // The text may hold a password: it is in no message.
    let parsed = named.map(|url| url.parse().map_err(|_| setup("the proxy of the cluster is no URL"))).transpose();
    parsed.map_err(|fault: Fault| fault.help("write it as `proxy-url: http://proxy.example:3128`"))
}

fn listed(config: &Kubeconfig) -> String {
    const MOST: usize = 12;
    let names: Vec<String> = config.contexts.iter().take(MOST).map(|one| format!("`{}`", one.name)).collect();
    match config.contexts.len() {
        0 => "none at all".to_owned(),
        all if all > MOST => format!("{}, and {} more", names.join(", "), all - MOST),
        _ => names.join(", "),
    }
}

fn unreadable(path: &std::path::Path, error: &KubeconfigError) -> Fault {
    let path = path.display();
    match error {
        KubeconfigError::ReadConfig(error, _) if error.kind() == std::io::ErrorKind::NotFound => {
            setup(format!("there is no kubeconfig `{path}`"))
        }
        KubeconfigError::ReadConfig(error, _) => setup(format!("the kubeconfig `{path}` cannot be read: {error}")),
        // A message of the parser may show the line that it stumbles over, and that may hold a token.
        KubeconfigError::Parse(_) => setup(format!("the kubeconfig `{path}` is no YAML of a kubeconfig"))
            .help(format!("see what is wrong with it: `kubectl --kubeconfig {path} config view`")),
        other => setup(format!("the kubeconfig `{path}` is of no use: {}", words(other))),
    }
}
