//! `connect backups = s3(bucket: "backups")`

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use jiff::SignedDuration;

use super::credentials::{Environment, Given, Identity, Keys, Machine};
use super::place::{Place, Region, endpoint};
use crate::builtins::dial::gate::Gate;
use crate::builtins::dial::system_of;
use crate::builtins::dial::tls::Trust;
use crate::builtins::dial::way::{THROUGH, Way};
use crate::builtins::http::client::{Pool, Proxies, Target, by_proxy};
use crate::builtins::plain_text::plain_or_secret;
use crate::builtins::reaches;
use crate::builtins::settings::{at_once, limit, setup};
use crate::catalog::need::{Argument, Endpoint, Written};
use crate::catalog::{Accepts, Args, ByHand, Cx, Driver, DriverKind, Example, Judge, Open, Opened, Param, Presence};
use crate::types::{Connection, Fault, FaultKind, SecretText, Value};

const BUCKET: Param<String> = Param::required("bucket", "The bucket, by its name.");
const REGION: Param<Option<String>> = Param::optional(
    "region",
    "Where the bucket is. Left out, AWS_REGION, AWS_DEFAULT_REGION or the profile says it, or the bucket itself when it is asked.",
);
const ENDPOINT: Param<Option<String>> = Param::optional(
    "endpoint",
    "The URL of the server, where that is not AWS. Left out, AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or the profile may say it.",
)
.judged(Judge::Text(|text, _| endpoint(text, "`endpoint`").map(drop)));
const PATH_STYLE: Param<Option<bool>> = Param::optional(
    "path_style",
    "Whether the bucket is a part of the path and not of the host: what servers other than AWS's are taken to want.",
);
const PROFILE: Param<Option<String>> =
    Param::optional("profile", "The profile of the AWS tools to ask with. It goes before keys in the environment.");
const READ: Param<Option<String>> = Param::optional("read", "The profile to read with, where that is another one.");
const CHANGE: Param<Option<String>> =
    Param::optional("change", "The profile to change with, where that is another one. It is of no use to a read.");
const ACCESS_KEY: Param<Option<Value>> =
    Param::new("access_key", "The id of an access key, with `secret_key`.", Accepts::TextOrSecret, Presence::Optional);
const SECRET_KEY: Param<Option<SecretText>> = Param::optional("secret_key", "The secret of the access key.");
const SESSION_TOKEN: Param<Option<SecretText>> =
    Param::optional("session_token", "The token that goes with keys that are good for a while only.");
const ANONYMOUS: Param<bool> =
    Param::or("anonymous", "Asks without credentials, as a public bucket lets anybody.", || Value::Bool(false));
const CA: Param<Option<String>> = Param::optional(
    "ca",
    "A PEM file with the authorities to trust instead of the system's. Left out, AWS_CA_BUNDLE may say it.",
);
const PROXY: Param<String> = Param::or(
    "proxy",
    "`env` takes the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, `none` takes none, a URL is that proxy.",
    || Value::string("env"),
);
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long one request may take, with its repetitions; a long list takes several.", || {
        Value::Duration(SignedDuration::from_secs(10))
    });
const AT_ONCE: Param<i64> = Param::or("at_once", "How many calls go out side by side.", || Value::Int(8));

pub(super) static DRIVER: Driver = Driver {
    name: "s3",
    kind: DriverKind::Connection,
    summary: "A bucket of S3 or of a server that speaks it. Credentials are found as the AWS tools find them.",
    params: &[
        BUCKET.info(),
        REGION.info(),
        ENDPOINT.info(),
        THROUGH.info(),
        PATH_STYLE.info(),
        PROFILE.info(),
        READ.info(),
        CHANGE.info(),
        ACCESS_KEY.info(),
        SECRET_KEY.info(),
        SESSION_TOKEN.info(),
        ANONYMOUS.info(),
        CA.info(),
        PROXY.info(),
        WITHIN.info(),
        AT_ONCE.info(),
    ],
    open: Open::Now(|cx, args| Box::pin(async move { open(&cx, &args).await })),
    needs: &[],
    reaches,
    by_hand: ByHand {
        connection: "[--endpoint-url {endpoint}] [--profile {profile}] [--region {region}] [anonymous? --no-sign-request] [--ca-bundle {ca}]",
        environment: "[AWS_ACCESS_KEY_ID={access_key}] [AWS_SECRET_ACCESS_KEY={secret_key}] [AWS_SESSION_TOKEN={session_token}]",
        port: None,
    },
    examples: &[
        Example::call(r#"connect backups = s3(bucket: "example-backups", region: "eu-central-1")"#),
        Example::call(
            r#"connect archive = s3(bucket: "archive", endpoint: "https://minio.example.com", profile: "minio")"#,
        ),
    ],
};

fn reaches(written: &Written<'_>) -> Vec<Endpoint> {
    let given = |param: &str| (written.argument)(param) != Argument::Absent;
    if given(THROUGH.name()) || given(ENDPOINT.name()) {
        return reaches::url(written, ENDPOINT.name());
    }
    let regions = (written.argument)(REGION.name());
    let host = match regions.patterns() {
        [region] => format!("s3.{region}.amazonaws.com"),
        _ => "s3.*.amazonaws.com".to_owned(),
    };
    // A bucket is a part of the name, where its own name can be one.
    vec![Endpoint { host: format!("*.{host}"), port: Some(443) }, Endpoint { host, port: Some(443) }]
}

/// An opened connection.
pub(super) struct S3 {
    pub(super) place: Place,
    pub(super) within: Duration,
    pub(super) target: Target,
    read: Arc<Identity>,
    change: Arc<Identity>,
    /// Where the bucket is, as far as it is known.
    region: Mutex<Region>,
}

impl S3 {
    /// What a connection value of this driver holds.
    pub(super) fn of(connection: &Connection) -> Result<&Self, Fault> {
        connection.handle.downcast_ref().ok_or_else(|| {
            let message = format!("`{}` is a connection of `{}`, not of `s3`", connection.name, connection.driver);
            Fault::new(FaultKind::Setup, message)
        })
    }

    /// Who asks for a read or a change.
    pub(super) fn identity(&self, changes: bool) -> &Identity {
        if changes { &self.change } else { &self.read }
    }

    pub(super) fn region(&self) -> Region {
        self.region.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The bucket said where it is.
    pub(super) fn is_in(&self, region: Region) {
        *self.region.lock().unwrap_or_else(PoisonError::into_inner) = region;
    }
}

async fn open(cx: &Cx, args: &Args<'static>) -> Result<Opened, Fault> {
    let bucket = Place::bucket(&args.get(&BUCKET)?)?;
    let environment = Environment::read(cx)?;
    let (keys, anonymous) = (keys(args)?, args.get(&ANONYMOUS)?);
    let (profile, read, change) = (args.get(&PROFILE)?, args.get(&READ)?, args.get(&CHANGE)?);
    let several = [anonymous, keys.is_some(), profile.is_some() || read.is_some() || change.is_some()];
    if several.iter().filter(|given| **given).count() > 1 {
        return Err(setup("`anonymous`, `access_key` and `profile` say in three ways who asks: keep one of them"));
    }
    let bundle = args.get(&CA)?.or_else(|| environment.get("AWS_CA_BUNDLE").map(str::to_owned));
    let trust = bundle.map_or(Ok(Trust::System), |path| Trust::file(cx, &path))?;
    let word = args.get(&PROXY)?;
    let through = args.get(&THROUGH)?;
    let proxies = Proxies::of(cx, &word)?;
    let region = args.get(&REGION)?;
    let main = profile.as_deref().or(read.as_deref());
    let gate = Gate::of(cx);
    let machine = Machine::look(&gate, &environment, &trust, &proxies, region.as_deref(), main).await?;
    let endpoint = server(args.get(&ENDPOINT)?, &machine, main)?;
    let way = match &through {
        None => Way::Direct(gate),
        Some(value) => {
            let Some(endpoint) = &endpoint else {
                return Err(setup("nothing says which port of it is meant")
                    .help("write the endpoint as well: `s3(bucket: …, through: …, endpoint: \"http://minio:9000\")`"));
            };
            Way::through(value, endpoint.host_str().map(|host| host.trim_matches(['[', ']'])))?
        }
    };
    let style = args.get(&PATH_STYLE)?;
    if through.is_some() && style == Some(false) {
        return Err(setup("`through` leads to one host: with `path_style: false` each bucket is another one"));
    }
    let path_style = style.unwrap_or(endpoint.is_some() || !Place::is_host(&bucket));
    let place = Place { bucket, endpoint, path_style };
    let at_once = at_once(args.get(&AT_ONCE)?)?;
    let (read, change) = identities(&machine, anonymous, keys, profile, read, change)?;
    let shown = target(&place, &machine, &way, &read, &change);
    let system = match &place.endpoint {
        Some(url) => format!("s3://{} at {}", place.bucket, system_of(url)),
        None => format!("s3://{}", place.bucket),
    };
    let system = way.system(&system);
    let proxies = if way.is_direct() { proxies } else { Proxies::default() };
    let asked = place.url(machine.region(), None, &[])?;
    way.pass(asked.host_str().unwrap_or_default())?;
    let proxy = proxies.of_url(&asked);
    if let Some(proxy) = proxy {
        way.pass(&proxy.host)?;
    }
    let (shown, place_of_it) = (by_proxy(&shown, proxy), by_proxy(&system, proxy));
    let s3 = S3 {
        within: limit(args.get(&WITHIN)?)?,
        target: Target {
            trust,
            proxies,
            way,
            pool: Pool::new(at_once),
            redirects: 0,
            downgrade: false,
            config: OnceLock::new(),
        },
        read,
        change,
        region: Mutex::new(machine.region().clone()),
        place,
    };
    Ok(Opened { target: shown, place: place_of_it, server: system, handle: Arc::new(s3), at_once })
}

fn keys(args: &Args<'static>) -> Result<Option<Keys>, Fault> {
    let session = args.get(&SESSION_TOKEN)?;
    match (args.get(&ACCESS_KEY)?, args.get(&SECRET_KEY)?, session) {
        (Some(access), Some(secret), session) => {
            let access = plain_or_secret(&access, "`access_key`")?;
            if access.is_empty() || secret.expose().is_empty() {
                return Err(setup("an access key and its secret are not empty"));
            }
            Ok(Some(Keys { access, secret, session }))
        }
        (None, None, None) => Ok(None),
        _ => Err(setup("`access_key` and `secret_key` go together, `session_token` goes with both")),
    }
}

/// The server that was named; `None` for AWS.
fn server(given: Option<String>, machine: &Machine<'_>, profile: Option<&str>) -> Result<Option<url::Url>, Fault> {
    if let Some(text) = given {
        return endpoint(&text, "`endpoint`").map(Some);
    }
    for name in ["AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"] {
        if let Some(text) = machine.environment.get(name) {
            return endpoint(text, &format!("the environment variable `{name}`")).map(Some);
        }
    }
    let configured = machine.setting(profile, "endpoint_url");
    configured.map(|text| endpoint(text, "`endpoint_url` of the profile")).transpose()
}

/// Who reads and who changes. What is only for changes is opened by a change.
fn identities(
    machine: &Machine<'_>,
    anonymous: bool,
    keys: Option<Keys>,
    profile: Option<String>,
    read: Option<String>,
    change: Option<String>,
) -> Result<(Arc<Identity>, Arc<Identity>), Fault> {
    let of = |profile: Option<String>| machine.identity(Given { anonymous: false, keys: None, profile }).map(Arc::new);
    if anonymous || keys.is_some() {
        let one = Arc::new(machine.identity(Given { anonymous, keys, profile: None })?);
        return Ok((Arc::clone(&one), one));
    }
    if read == change {
        let one = of(read.or(profile))?;
        return Ok((Arc::clone(&one), one));
    }
    Ok((of(read.or_else(|| profile.clone()))?, of(change.or(profile))?))
}

/// `s3://backups (eu-central-1) as access key AKIA…MPLE`
fn target(place: &Place, machine: &Machine<'_>, way: &Way, read: &Arc<Identity>, change: &Arc<Identity>) -> String {
    let region = machine.named_region().map(|region| region.name().to_owned());
    let server = place.endpoint.as_ref().map(|url| url.as_str().trim_end_matches('/').to_owned());
    let facts: Vec<String> = region.into_iter().chain(server).collect();
    let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join(", ")) };
    let shown = format!("s3://{}{facts}", place.bucket);
    let shown = format!("{} as {}", way.shown(&shown), read.who);
    if Arc::ptr_eq(read, change) { shown } else { format!("{shown}, for changes as {}", change.who) }
}
