//! The driver: what `connect cache = redis(…)` takes.

use std::sync::Arc;

use jiff::SignedDuration;

use super::address::{Address, PORT as STANDARD};
use super::client::Redis;
use super::needs;
use super::session::{Login, Server};
use crate::builtins::dial::Place;
use crate::builtins::dial::tls::Trust;
use crate::builtins::dial::way::{THROUGH, Way};
use crate::builtins::reaches;
use crate::builtins::settings::{self, at_once, limit, setup};
use crate::catalog::{Args, ByHand, Cx, Driver, DriverKind, Example, Judge, Open, Opened, Param};
use crate::types::{Connection, Fault, SecretText, Size, Value};
const HOST: Param<Option<String>> = Param::optional(
    "host",
    "Its name or address: `cache.example`, `cache.example:6380`, or a URL as `rediss://cache.example:6380/2`. Left out only with `through:`.",
)
.judged(Judge::Text(|text, _| Address::parse(text).map(drop)));
const PORT: Param<Option<i64>> = Param::optional("port", "Its port, where that is not 6379.").judged(settings::PORT);
const USER: Param<Option<String>> = Param::optional("user", "As whom to read, where that is not `default`.");
const PASSWORD: Param<Option<SecretText>> = Param::optional("password", "The password of who reads.");
const CHANGE_USER: Param<Option<String>> =
    Param::optional("change_user", "As whom to change, where that is another user than the one who reads.");
const CHANGE_PASSWORD: Param<Option<SecretText>> =
    Param::optional("change_password", "The password of who changes. It is first used for a change.");
const DATABASE: Param<Option<i64>> = Param::optional("database", "The number of the database, where that is not 0.");
const TLS: Param<Option<bool>> = Param::optional("tls", "Speaks TLS, as `rediss://` does.");
const CA: Param<Option<String>> = Param::optional(
    "ca",
    "With TLS: a PEM file with the authorities to trust instead of the system's, from the runbook's own folder.",
);
const INSECURE: Param<bool> =
    Param::or("insecure", "With TLS: takes any certificate, so that nobody knows who answers.", || Value::Bool(false));
const WITHIN: Param<SignedDuration> = Param::or("within", "How long one call may take, connecting included.", || {
    Value::Duration(SignedDuration::from_secs(10))
});
const AT_MOST: Param<Size> = Param::or("at_most", "How long one answer may be.", || Value::Size(4 << 20));
const AT_ONCE: Param<i64> =
    Param::or("at_once", "How many calls go out side by side, each on a connection of its own.", || Value::Int(4));

pub(super) static DRIVER: Driver = Driver {
    name: "redis",
    kind: DriverKind::Connection,
    summary: "A Redis or Valkey server. It is first asked when a call needs it, and its connections are kept for the next read.",
    params: &[
        HOST.info(),
        PORT.info(),
        THROUGH.info(),
        USER.info(),
        PASSWORD.info(),
        CHANGE_USER.info(),
        CHANGE_PASSWORD.info(),
        DATABASE.info(),
        TLS.info(),
        CA.info(),
        INSECURE.info(),
        WITHIN.info(),
        AT_MOST.info(),
        AT_ONCE.info(),
    ],
    open: Open::Now(|cx, args| Box::pin(open(cx, args))),
    needs: &[needs::SELECT],
    reaches: |written| reaches::host(written, 6379, "localhost"),
    by_hand: ByHand {
        connection: "[-h {host}] [-p {port}] [--user {user}] [-n {database}] [tls? --tls] [--cacert {ca}] [insecure? --insecure]",
        environment: "[REDISCLI_AUTH={password}]",
        port: Some(6379),
    },
    examples: &[
        Example::call(r#"connect cache = redis("cache.example", user: "ops", password: redis_password)"#),
        Example::call(r#"connect sessions = redis("rediss://cache.example:6380/2", ca: "./ca.pem")"#),
    ],
};

/// What a connection value of this driver holds.
pub(super) fn of(connection: &Connection) -> Result<&Redis, Fault> {
    connection.handle.downcast_ref().ok_or_else(|| {
        setup(format!("`{}` is a connection of `{}`, not of `redis`", connection.name, connection.driver))
    })
}

async fn open(cx: Cx, args: Args<'static>) -> Result<Opened, Fault> {
    let server = server(&cx, &args)?;
    let reads = Login { user: args.get(&USER)?, password: args.get(&PASSWORD)? };
    if reads.user.is_some() && reads.password.is_none() {
        return Err(setup("`user` says who, and nothing says with which password")
            .help("give it `password: redis_password`, with `secret redis_password = env(\"REDIS_PASSWORD\")`"));
    }
    let changes = match (args.get(&CHANGE_USER)?, args.get(&CHANGE_PASSWORD)?) {
        (None, None) => None,
        (Some(user), Some(password)) => Some(Login { user: Some(user), password: Some(password) }),
        (None, Some(_)) => return Err(setup("`change_password` is of a `change_user`, and there is none")),
        (Some(_), None) => {
            return Err(setup("`change_user` says who changes, and nothing says with which password")
                .help("give it `change_password: …`, with a declared secret"));
        }
    };
    let at_once = at_once(args.get(&AT_ONCE)?)?;
    let at_most = u64::try_from(args.get(&AT_MOST)?.0).ok().filter(|most| *most > 0);
    let at_most = at_most.ok_or_else(|| setup("`at_most` is at least 1B"))?;
    let redis = Redis::new(server, reads, changes, limit(args.get(&WITHIN)?)?, at_most);
    let target = redis.greeted().await?;
    let place = redis.place();
    Ok(Opened { target, server: place.clone(), place, handle: Arc::new(redis), at_once })
}

fn server(cx: &Cx, args: &Args<'static>) -> Result<Server, Fault> {
    let address = args.get(&HOST)?.map(|text| Address::parse(&text)).transpose()?;
    let host = address.as_ref().map(|address| address.host.as_str());
    let (way, host) = match (args.get(&THROUGH)?, host) {
        (None, Some(host)) => (Way::direct(cx, host)?, host.to_owned()),
        (None, None) => {
            return Err(setup("a connection of `redis` needs its host")
                .help("write `redis(\"cache.example\")`, or `redis(through: cluster.pod(\"redis-0\"))`"));
        }
        (Some(value), host) => {
            let way = Way::through(&value, host)?;
            let Way::Through { host, .. } = &way else { return Err(setup("`through` leads nowhere")) };
            let host = host.clone();
            (way, host)
        }
    };
    let (mut port, mut database, mut tls) = (None, None, None);
    if let Some(address) = address {
        (port, database, tls) = (address.port, address.database, address.tls);
    }
    let port = once("port", port.map(i64::from), args.get(&PORT)?)?.unwrap_or_else(|| i64::from(STANDARD));
    let port = settings::port(port)?;
    let database = once("database", database, args.get(&DATABASE)?)?.unwrap_or(0);
    if database < 0 {
        return Err(setup("`database` is a number from 0 on"));
    }
    let tls = once("tls", tls, args.get(&TLS)?)?.unwrap_or(false);
    Ok(Server { place: Place { host, port }, way, trust: trust(cx, args, tls)?, database })
}

/// What may stand in the URL or beside it, not in both.
fn once<T: PartialEq>(name: &str, in_url: Option<T>, beside: Option<T>) -> Result<Option<T>, Fault> {
    match (in_url, beside) {
        (Some(one), Some(other)) if one != other => {
            Err(setup(format!("the address says another thing than `{name}`: keep one of them")))
        }
        (one, other) => Ok(one.or(other)),
    }
}

fn trust(cx: &Cx, args: &Args<'static>, tls: bool) -> Result<Option<Trust>, Fault> {
    match (tls, args.get(&CA)?, args.get(&INSECURE)?) {
        (_, Some(_), true) => Err(setup("`ca` says whom to trust and `insecure` to trust anybody: keep one of them")),
        (false, Some(_), _) => Err(setup("`ca` is for TLS, which is not spoken here").help("add `tls: true`")),
        (false, None, true) => Err(setup("`insecure` is for TLS, which is not spoken here").help("add `tls: true`")),
        (false, None, false) => Ok(None),
        (true, Some(path), false) => Trust::file(cx, &path).map(Some),
        (true, None, true) => Ok(Some(Trust::Anybody)),
        (true, None, false) => Ok(Some(Trust::System)),
    }
}
