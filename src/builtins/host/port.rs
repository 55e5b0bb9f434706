//! `host.port`

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use jiff::SignedDuration;
use tokio::net::TcpStream;

use crate::builtins::dial::gate::Gate;
use crate::builtins::settings;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};

const PORT: Param<i64> = Param::required("port", "The TCP port.").judged(settings::PORT);
const HOST: Param<String> = Param::or("host", "The name or address it is at.", || Value::string("127.0.0.1"));
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long an answer may take.", || Value::Duration(SignedDuration::from_secs(3)));

records! {
    /// What a TCP port answered.
    struct Port "port" {
        /// Whether something listens: false where the machine refused the connection.
        open: bool,
        /// The address that answered.
        address: Arc<str>,
        /// How long the connection took.
        took: SignedDuration,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.port",
    summary: "Whether something listens at a TCP port; no answer at all is a fault, since it says neither.",
    params: &[PORT.info(), HOST.info(), WITHIN.info()],
    returns: Returns::Type(Port::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(port(cx, args))),
    needs: &[Need::Words("TCP to the port")],
    by_hand: "nc -vz {host} {port}",
    examples: &[
        Example::call("host.port(5432).open"),
        Example::call(r#"host.port(443, host: "example.com").took < 1s"#),
    ],
};

async fn port(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let (port, host, within) = (args.get(&PORT)?, args.get(&HOST)?, args.get(&WITHIN)?);
    let number = settings::port(port)?;
    let target = format!("{host}:{number}");
    Gate::of(&cx).pass(&host)?;
    match tokio::time::timeout(within.unsigned_abs(), look(&host, number, &target)).await {
        Ok(answer) => answer.map(Value::from),
        Err(_) => {
            Err(Fault::new(FaultKind::Timeout, format!("`{target}` does not answer within {}s", within.as_secs_f64()))
                .help("a firewall drops the packets, or the machine is down"))
        }
    }
}

async fn look(host: &str, port: u16, target: &str) -> Result<Port, Fault> {
    let unreachable = |why: String| Fault::new(FaultKind::Unreachable, format!("`{target}`: {why}"));
    let addresses = tokio::net::lookup_host((host, port)).await.map_err(|error| unreachable(error.to_string()))?;
    let mut refused = None;
    let mut failed = None;
    for address in addresses {
        let began = Instant::now();
        #[expect(clippy::disallowed_methods, reason = "the gate was passed")]
        let connected = TcpStream::connect(address).await;
        let took = SignedDuration::try_from(began.elapsed()).unwrap_or(SignedDuration::MAX);
        let answer = |open| Port { open, address: shown(address), took };
        match connected {
            Ok(_) => return Ok(answer(true)),
            Err(error) if error.kind() == ErrorKind::ConnectionRefused => refused = Some(answer(false)),
            Err(error) => failed = Some(unreachable(error.to_string())),
        }
    }
    // Closed is said only where every address that the name has said so.
    match (failed, refused) {
        (Some(fault), _) => Err(fault),
        (None, Some(closed)) => Ok(closed),
        (None, None) => Err(unreachable("the name has no address".to_owned())),
    }
}

fn shown(address: SocketAddr) -> Arc<str> {
    address.ip().to_string().into()
}
