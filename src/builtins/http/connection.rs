//! `connect api = http("https://api.example.com")`

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use http::header::{ACCEPT, AUTHORIZATION, HeaderName, USER_AGENT};
use http::{HeaderMap, HeaderValue};
use jiff::SignedDuration;
use url::Url;

use super::client::{Pool, Proxies, Target, basic, by_proxy, sensitive, written_proxy};
use super::reads::Rule;
use crate::builtins::dial::tls::Trust;
use crate::builtins::dial::way::{THROUGH, Way};
use crate::builtins::dial::{Place, system_of};
use crate::builtins::plain_text::{plain_or_secret, plain_text};
use crate::builtins::reaches;
use crate::builtins::settings::{self, at_once, limit, no_url, setup};
use crate::catalog::{Args, ByHand, Cx, Driver, DriverKind, Example, Judge, Open, Opened, Param, ParamInfo};
use crate::types::{Connection, Fault, FaultKind, Record, SecretText, Size, Value};

const URL: Param<Option<String>> =
    Param::optional("url", "Where the paths of the calls start from. Left out only with `through:`.")
        .judged(Judge::Text(|text, driver| url(text, driver).map(drop)));
const PORT: Param<Option<i64>> =
    Param::optional("port", "The port of what `through:` names, where no URL says it.").judged(settings::PORT);
const READS: Param<Vec<String>> = Param::or(
    "reads",
    "Which of the changing methods only look, by path: `POST /query`. A `*` stands for one part of a path.",
    || Value::list(Vec::new()),
);
const BEARER: Param<Option<SecretText>> = Param::optional("bearer", "A token, sent as `Authorization: Bearer …`.");
const BASIC: Param<Option<SecretText>> = Param::optional("basic", "`user:password`, sent as `Authorization: Basic …`.");
const HEADERS: Param<Option<Arc<Record>>> =
    Param::fields("headers", "Headers of every request. They are not sent along to another host.", true);
const CA: Param<Option<String>> = Param::optional(
    "ca",
    "A PEM file with the authorities to trust instead of the system's, from the runbook's own folder.",
);
const INSECURE: Param<bool> =
    Param::or("insecure", "Takes any certificate: nobody knows who answers.", || Value::Bool(false));
const REDIRECTS: Param<i64> =
    Param::or("redirects", "How many redirects are followed. With 0 the redirect is the answer.", || Value::Int(10));
const DOWNGRADE: Param<bool> = Param::or("downgrade", "Follows a redirect from https to http.", || Value::Bool(false));
const PROXY: Param<String> = Param::or(
    "proxy",
    "`env` takes the proxy from HTTP_PROXY, HTTPS_PROXY and NO_PROXY, `none` takes none, a URL is that proxy.",
    || Value::string("env"),
)
.judged(Judge::Text(|text, _| written_proxy(text)));
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long one request may take, redirects and body included.", || {
        Value::Duration(SignedDuration::from_secs(10))
    });
const AT_MOST: Param<Size> = Param::or("at_most", "How large a body may be.", || Value::Size(1 << 20));
/// The same for a product whose answers are data.
const AT_MOST_DATA: Param<Size> = Param::or("at_most", "How large an answer may be.", || Value::Size(16 << 20));
const AT_ONCE: Param<i64> = Param::or("at_once", "How many requests go out side by side.", || Value::Int(16));

pub(super) static DRIVER: Driver = Driver {
    name: "http",
    kind: DriverKind::Connection,
    summary: "A web server or API. It is first asked when a call needs it, and its connections are kept for the next read.",
    params: &[
        URL.info(),
        THROUGH.info(),
        PORT.info(),
        READS.info(),
        BEARER.info(),
        BASIC.info(),
        HEADERS.info(),
        CA.info(),
        INSECURE.info(),
        REDIRECTS.info(),
        DOWNGRADE.info(),
        PROXY.info(),
        WITHIN.info(),
        AT_MOST.info(),
        AT_ONCE.info(),
    ],
    open: Open::Now(|cx, args| {
        Box::pin(async move {
            let reads = args.get(&READS)?.iter().map(|rule| Rule::parse(rule)).collect::<Result<_, _>>()?;
            open(&cx, &args, Own { driver: "http", reads, login: None })
        })
    }),
    needs: &[],
    reaches: |written| reaches::url(written, "url"),
    by_hand: BY_HAND,
    examples: &[
        Example::call(r#"connect api = http("https://api.example.com", reads: ["POST /query"])"#),
        Example::call(r#"connect tracker = http("https://tracker.example.com", bearer: tracker_token)"#),
    ],
};

/// How curl is told where to go: the URL comes last, so that a path can stand behind it.
pub(in crate::builtins) const BY_HAND: ByHand = ByHand {
    connection: "[-m {within:seconds}] [--max-redirs {redirects}] [insecure? -k] [--cacert {ca}] [-u {basic}] [-H 'Authorization: Bearer {bearer}'] [{headers:headers}] [-x {proxy}] [--connect-to {way}] {url}",
    ..ByHand::NONE
};

/// What the driver of every product behind HTTP takes.
pub(in crate::builtins) const PARAMS: [ParamInfo; 14] = [
    URL.info(),
    THROUGH.info(),
    PORT.info(),
    BEARER.info(),
    BASIC.info(),
    HEADERS.info(),
    CA.info(),
    INSECURE.info(),
    REDIRECTS.info(),
    DOWNGRADE.info(),
    PROXY.info(),
    WITHIN.info(),
    AT_MOST_DATA.info(),
    AT_ONCE.info(),
];

/// What a driver brings to the parameters that all share.
pub(in crate::builtins) struct Own {
    /// Its name, for messages.
    pub(in crate::builtins) driver: &'static str,
    pub(super) reads: Vec<Rule>,
    /// The whole of `Authorization`, where that is another login than `bearer` and `basic`.
    login: Option<SecretText>,
}

impl Own {
    /// A driver that has nothing of its own.
    pub(in crate::builtins) const fn named(driver: &'static str) -> Self {
        Self { driver, reads: Vec::new(), login: None }
    }

    /// With a login of its own, where there is one.
    pub(in crate::builtins) fn login(self, login: Option<SecretText>) -> Self {
        Self { login, ..self }
    }
}

/// An opened connection.
pub(super) struct Http {
    pub(super) base: Url,
    pub(super) reads: Vec<Rule>,
    pub(super) headers: HeaderMap,
    pub(super) within: Duration,
    pub(super) at_most: usize,
    /// What must not be repeated in a message.
    pub(super) secrets: Vec<SecretText>,
    pub(super) target: Target,
}

impl Http {
    /// What a connection value of this driver holds.
    pub(super) fn of(connection: &Connection) -> Result<&Self, Fault> {
        connection.handle.downcast_ref().ok_or_else(|| {
            Fault::new(
                FaultKind::Setup,
                format!("`{}` is a connection of `{}`, not of `http`", connection.name, connection.driver),
            )
        })
    }
}

/// Opens a connection of a driver with these parameters.
pub(in crate::builtins) fn open(cx: &Cx, args: &Args<'static>, own: Own) -> Result<Opened, Fault> {
    let (base, way) = base(cx, args, own.driver)?;
    let mut secrets = Vec::new();
    let headers = headers(args, own.login, &mut secrets)?;
    let trust = match (args.get(&CA)?, args.get(&INSECURE)?) {
        (Some(_), true) => {
            return Err(setup("`ca` says whom to trust and `insecure` to trust anybody: keep one of them"));
        }
        (Some(path), false) => Trust::file(cx, &path)?,
        (None, true) => Trust::Anybody,
        (None, false) => Trust::System,
    };
    let at_once = at_once(args.get(&AT_ONCE)?)?;
    let target = Target {
        trust,
        proxies: proxies(cx, &args.get(&PROXY)?, &way)?,
        way,
        pool: Pool::new(at_once),
        redirects: usize::try_from(args.get(&REDIRECTS)?).map_err(|_| setup("`redirects` cannot be negative"))?,
        downgrade: args.get(&DOWNGRADE)?,
        config: OnceLock::new(),
    };
    let http = Http {
        reads: own.reads,
        headers,
        within: limit(args.get(&WITHIN)?)?,
        at_most: usize::try_from(args.get(&AT_MOST)?.0).map_err(|_| setup("`at_most` cannot be negative"))?,
        secrets,
        target,
        base,
    };
    let (way, base) = (&http.target.way, http.base.as_str());
    let proxy = http.target.proxies.of_url(&http.base);
    if let Some(proxy) = proxy {
        way.pass(&proxy.host)?;
    }
    let target = by_proxy(&way.shown(base.strip_suffix('/').unwrap_or(base)), proxy);
    let place = by_proxy(&way.system(&system_of(&http.base)), proxy);
    // Two APIs at one address may be two views of the same things.
    let server = Place::of_url(&http.base).map_or_else(|| base.to_owned(), |place| place.system().to_string());
    let server = way.system(&server);
    Ok(Opened { target, place, server, handle: Arc::new(http), at_once })
}

/// What is carried to its server goes through no proxy.
fn proxies(cx: &Cx, word: &str, way: &Way) -> Result<Proxies, Fault> {
    match (way, word) {
        (Way::Direct(_), _) => Proxies::of(cx, word),
        (Way::Through { .. }, "env" | "none") => Ok(Proxies::default()),
        (Way::Through { .. }, _) => Err(setup("`through` and `proxy` are two ways to one server: keep one of them")),
    }
}

/// Where the paths of the calls start from, and the way there.
fn base(cx: &Cx, args: &Args<'static>, driver: &str) -> Result<(Url, Way), Fault> {
    let (text, through, port) = (args.get(&URL)?, args.get(&THROUGH)?, args.get(&PORT)?);
    match (text, through, port) {
        (Some(text), None, None) => {
            let url = url(&text, driver)?;
            let way = Way::direct(cx, url.host_str().unwrap_or_default())?;
            Ok((url, way))
        }
        (Some(text), Some(value), None) => {
            let url = url(&text, driver)?;
            let way = Way::through(&value, url.host_str().map(|host| host.trim_matches(['[', ']'])))?;
            Ok((url, way))
        }
        (None, Some(value), Some(port)) => {
            let port = settings::port(port)?;
            let way = Way::through(&value, None)?;
            let Way::Through { host, .. } = &way else { return Err(setup("`through` leads nowhere")) };
            Ok((url(&format!("http://{host}:{port}"), driver)?, way))
        }
        (None, Some(_), None) => Err(setup("nothing says which port of it is meant")
            .help(format!("write `{driver}(through: cluster.pod(\"name\"), port: 8080)`, or a URL: `{driver}(\"https://name:8443\", through: …)`"))),
        (Some(_), _, Some(_)) => Err(setup("the URL says the port: leave out `port`")),
        (None, None, _) => Err(setup(format!("a connection of `{driver}` needs its URL")).help(example(driver))),
    }
}

fn example(driver: &str) -> String {
    format!("write `{driver}(\"https://api.example.com\")`")
}

fn url(text: &str, driver: &str) -> Result<Url, Fault> {
    // The text may hold a password: no message repeats it before that is known.
    let url = Url::parse(text).map_err(|error| {
        setup(format!("the URL of a connection cannot be read: {}", no_url(error))).help(example(driver))
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(setup(format!(
            "the URL of {} has credentials in it, where everybody sees them",
            url.host_str().unwrap_or("a server")
        ))
        .help(r#"take them out: `secret login = env("LOGIN")` with `user:password`, and `basic: login`"#));
    }
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(setup(format!("`{url}` is no http or https URL")).help(example(driver)));
    }
    if url.query().is_some() || url.fragment().is_some() {
        let fault = setup(format!("`{url}` has more than a path, and the paths of the calls come behind it"));
        return Err(match driver {
            "http" => fault.help("write the query where it is asked: `api.get(\"/search\", query: { q: \"x\" })`"),
            _ => fault.help("leave out what follows the `?`"),
        });
    }
    Ok(url)
}

fn headers(args: &Args<'static>, login: Option<SecretText>, secrets: &mut Vec<SecretText>) -> Result<HeaderMap, Fault> {
    let mut headers = HeaderMap::new();
    headers.insert(USER_AGENT, HeaderValue::from_static(concat!("runbook/", env!("CARGO_PKG_VERSION"))));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    let (bearer, user) = (args.get(&BEARER)?, args.get(&BASIC)?);
    match (&bearer, &user) {
        (Some(_), Some(_)) => return Err(setup("`bearer` and `basic` are two ways to log in: keep one of them")),
        (Some(token), None) => {
            headers.insert(AUTHORIZATION, sensitive(&format!("Bearer {}", token.expose()))?);
        }
        (None, Some(login)) => {
            if !login.expose().contains(':') {
                return Err(setup("the secret of `basic` is no login: it has no `:`").help("it holds `user:password`"));
            }
            let header = basic(login.expose())?;
            // A server that repeats the header repeats the login in another spelling.
            secrets.extend(
                header
                    .to_str()
                    .ok()
                    .and_then(|text| text.split(' ').nth(1))
                    .map(|text| SecretText::new(text.to_owned())),
            );
            headers.insert(AUTHORIZATION, header);
        }
        (None, None) => {}
    }
    if let Some(login) = login {
        if headers.insert(AUTHORIZATION, sensitive(login.expose())?).is_some() {
            return Err(setup("there are two ways to log in: keep one of them"));
        }
        secrets.extend(login.expose().split(' ').nth(1).map(|text| SecretText::new(text.to_owned())));
    }
    secrets.extend(bearer.into_iter().chain(user));
    if let Some(record) = args.get(&HEADERS)? {
        insert_fields(&mut headers, &record, secrets)?;
    }
    Ok(headers)
}

/// The fields of a record as headers.
pub(in crate::builtins) fn insert_fields(
    headers: &mut HeaderMap,
    record: &Record,
    secrets: &mut Vec<SecretText>,
) -> Result<(), Fault> {
    for (name, value) in record.iter() {
        let place = format!("the header `{name}`");
        let header =
            HeaderName::from_bytes(name.as_bytes()).map_err(|_| setup(format!("`{name}` is no name of a header")))?;
        let text = if let Value::Secret(secret) = value {
            secrets.push(secret.clone());
            sensitive(&plain_or_secret(value, &place)?)?
        } else {
            HeaderValue::from_str(&plain_text(value, &place)?)
                .map_err(|_| setup(format!("{place} has characters that no header can hold")))?
        };
        headers.insert(header, text);
    }
    Ok(())
}
