//! dns.lookup

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use jiff::SignedDuration;

use crate::builtins::dial::gate::Gate;
use crate::builtins::dial::{self, Place, Progress, Trouble, name::resolve};
use crate::builtins::settings::limit;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Judge, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

const NAME: Param<String> =
    Param::required("name", "The name, always a whole one. For `PTR` an address may stand here.");
const TYPE: Param<String> = Param::word("type", "Which records.", TYPES, Some(|| Value::string("A")));
const SERVER: Param<Option<String>> = Param::optional(
    "server",
    "The name server to ask, with a port where it is not 53: `192.0.2.53`. Otherwise those of this machine.",
)
.judged(Judge::Text(|text, _| place(text).map(drop).map_err(|trouble| trouble.fault)));
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long the answer may take.", || Value::Duration(SignedDuration::from_secs(5)));

const TYPES: &[&str] = &[
    "A", "AAAA", "CAA", "CNAME", "DNSKEY", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SRV", "SVCB", "TLSA",
    "TXT",
];

// The hosts file is not asked, as `dig` does not: `dns.resolves` says what a program on this machine would find.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "dns.lookup",
    summary: "The records of a name, as a name server has them. No record of that type is an empty list; a name that does not exist is a fault, `not_found`.",
    params: &[NAME.info(), TYPE.info(), SERVER.info(), WITHIN.info()],
    returns: Returns::Type(Vec::<DnsRecord>::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(lookup(cx, args))),
    needs: &[Need::Words("port 53 of the name server")],
    by_hand: "dig +short [@{server}] {name} {type}",
    examples: &[
        Example::call(r#"dns.lookup("example.com", type: "MX") | count > 0"#),
        Example::call(r#"dns.lookup("example.com", server: "192.0.2.53") | any(.value == "192.0.2.1")"#),
    ],
};

records! {
    /// A record of the DNS.
    struct DnsRecord "dns_record" {
        /// The name it is for, without the dot at its end.
        name: Arc<str>,
        /// Its type, such as `A`.
        r#type: Arc<str>,
        /// What it says, written as `dig +short` does: `10 mail.example.com.` for an `MX`. The text of a `TXT` has no quotes.
        value: Arc<str>,
        /// How long it may be remembered.
        ttl: SignedDuration,
    }
}

async fn lookup(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let wanted = args.get(&TYPE)?;
    let kind: RecordType =
        wanted.parse().map_err(|_| Fault::new(FaultKind::Setup, format!("`{wanted}` is no type of a DNS record")))?;
    let written = args.get(&NAME)?;
    let name = whole_name(&written, kind)?;
    let within = limit(args.get(&WITHIN)?)?;
    let server = args.get(&SERVER)?;
    let asked = server
        .clone()
        .map_or_else(|| "this machine's name server".to_owned(), |server| format!("the name server {server}"));
    let progress = Progress::default();
    let query = async {
        let resolver = resolver(&cx, server.as_deref(), within).await?;
        progress.now(format!("looking up the {wanted} of {written}"));
        match resolver.lookup(name, kind).await {
            Ok(found) => Ok(found.answers().to_vec()),
            Err(error) if error.is_no_records_found() && !error.is_nx_domain() => Ok(Vec::new()),
            Err(error) => Err(failed(&written, &asked, &error)),
        }
    };
    let found = dial::within(within, &asked, &progress, query).await?;
    // The aliases on the way are not what was asked for.
    let records = found.into_iter().filter(|record| record.record_type() == kind).map(|record| DnsRecord {
        name: record.name.to_string().trim_end_matches('.').into(),
        r#type: wanted.as_str().into(),
        value: record.data.to_string().into(),
        ttl: SignedDuration::from_secs(i64::from(record.ttl)),
    });
    Ok(records.collect::<Vec<_>>().into())
}

/// The name as it is, never with this machine's own domain behind it.
fn whole_name(written: &str, kind: RecordType) -> Result<Name, Fault> {
    if let (RecordType::PTR, Ok(address)) = (kind, written.parse::<IpAddr>()) {
        return Ok(Name::from(address));
    }
    let mut name = Name::from_utf8(written)
        .map_err(|error| Fault::new(FaultKind::Setup, format!("`{written}` is no name of the DNS: {error}")))?;
    name.set_fqdn(true);
    Ok(name)
}

async fn resolver(cx: &Cx, server: Option<&str>, within: Duration) -> Result<TokioResolver, Trouble> {
    let unusable = |error: &NetError| {
        Trouble::ours(FaultKind::Setup, format!("this machine's name servers are not known: {error}"))
            .help("see /etc/resolv.conf, or name one: `server: \"192.0.2.53\"`")
    };
    let mut builder = match server {
        None => TokioResolver::builder_tokio().map_err(|error| unusable(&error))?,
        Some(server) => {
            let place = place(server)?;
            Gate::of(cx).pass(&place.host)?;
            let address = resolve(&place).await?.into_iter().next();
            let ip = address.map(|address| address.ip());
            let ip = ip.ok_or_else(|| Trouble::ours(FaultKind::Setup, format!("`{server}` has no address")))?;
            let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
                connection.port = place.port;
                connection
            });
            let config = NameServerConfig::new(ip, true, connections.to_vec());
            let config = ResolverConfig::from_name_servers(vec![config]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    let options = builder.options_mut();
    options.use_hosts_file = ResolveHosts::Never;
    options.cache_size = 0;
    options.attempts = 2;
    // A lost packet is asked again before the time is over.
    options.timeout = (within / 3).max(Duration::from_millis(100));
    builder.build().map_err(|error| unusable(&error))
}

fn place(server: &str) -> Result<Place, Trouble> {
    if let Ok(ip) = server.parse::<IpAddr>() {
        return Ok(Place { host: ip.to_string(), port: 53 });
    }
    Place::parse(server, 53).ok_or_else(|| {
        Trouble::ours(FaultKind::Setup, format!("`{server}` is no name server"))
            .help("write `192.0.2.53` or `192.0.2.53:5353`")
    })
}

fn failed(name: &str, asked: &str, error: &NetError) -> Trouble {
    if error.is_nx_domain() {
        return Trouble::theirs(FaultKind::NotFound, format!("the name `{name}` does not exist, says {asked}"));
    }
    match error {
        NetError::Dns(DnsError::ResponseCode(ResponseCode::Refused)) => {
            Trouble::theirs(FaultKind::Denied, format!("{asked} refuses to look up `{name}`"))
        }
        NetError::Dns(DnsError::ResponseCode(code)) => {
            Trouble::theirs(FaultKind::BadAnswer, format!("{asked} could not look up `{name}`: {code}"))
        }
        NetError::Timeout => Trouble::theirs(FaultKind::Timeout, format!("no answer from {asked} about `{name}`")),
        NetError::Io(_) | NetError::NoConnections => {
            Trouble::theirs(FaultKind::Unreachable, format!("{asked} cannot be reached: {error}"))
        }
        other => {
            Trouble::theirs(FaultKind::BadAnswer, format!("{asked} gave no proper answer about `{name}`: {other}"))
        }
    }
}
