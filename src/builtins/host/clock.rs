//! `host.clock`

use std::sync::Arc;
use std::time::Instant;

use super::sntp::{self, Reply};
use crate::builtins::dial::gate::Gate;
use crate::builtins::dial::{Place, udp};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Judge, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value, records};
use jiff::SignedDuration;

const SERVER: Param<String> =
    Param::or("server", "The time server; its port is 123 where none is given.", || Value::string("pool.ntp.org"))
        .judged(Judge::Text(|text, _| place(text).map(drop)));
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long an answer may take.", || Value::Duration(SignedDuration::from_secs(3)));

records! {
    /// This machine's clock against a time server's.
    struct ClockOffset "clock_offset" {
        /// How far this clock is behind the server's; negative where it is ahead.
        offset: SignedDuration,
        /// How long the way there and back took: the offset is right to half of it.
        delay: SignedDuration,
        /// How far the server is from a clock of its own: 1 has one.
        stratum: i64,
        /// Who answered.
        server: Arc<str>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.clock",
    summary: "How far the clock of this machine is from a time server's, by one question in SNTP.",
    params: &[SERVER.info(), WITHIN.info()],
    returns: Returns::Type(ClockOffset::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(clock(cx, args))),
    needs: &[Need::Words("UDP to port 123 of the server")],
    by_hand: "chronyc -n tracking || ntpdate -q {server}",
    examples: &[
        Example::call("host.clock().offset | abs < 500ms"),
        Example::call(r#"host.clock(server: "ntp.example.com").stratum"#),
    ],
};

async fn clock(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let (server, within) = (args.get(&SERVER)?, args.get(&WITHIN)?);
    let target = place(&server)?;
    match tokio::time::timeout(within.unsigned_abs(), ask(&cx, &target)).await {
        Ok(answer) => answer.map(Value::from),
        Err(_) => {
            Err(Fault::new(FaultKind::Timeout, format!("`{target}` does not answer within {}s", within.as_secs_f64()))
                .help("UDP to port 123 may be blocked: name a server of your own network with `server:`"))
        }
    }
}

fn place(server: &str) -> Result<Place, Fault> {
    Place::parse(server, 123).ok_or_else(|| {
        Fault::new(FaultKind::Setup, format!("`{server}` is no time server"))
            .help("write `ntp.example.com` or `ntp.example.com:123`")
    })
}

async fn ask(cx: &Cx, target: &Place) -> Result<ClockOffset, Fault> {
    let unreachable = |error: std::io::Error| Fault::new(FaultKind::Unreachable, format!("`{target}`: {error}"));
    let (socket, address) = udp::dial(&Gate::of(cx), target).await?;
    let (sent, began) = (cx.world.now(), Instant::now());
    let question = sntp::question(sent);
    socket.send(&question).await.map_err(unreachable)?;
    let mut answer = [0; 512];
    let length = socket.recv(&mut answer).await.map_err(unreachable)?;
    // Counted on a clock that nobody sets, so that a step of the wall clock meanwhile is no delay.
    let took = i128::try_from(began.elapsed().as_nanos()).unwrap_or(i128::MAX);
    let reply = Reply::parse(answer.get(..length).unwrap_or_default(), &question);
    let reply = reply.map_err(|fault| Fault { message: format!("`{target}`: {}", fault.message).into(), ..fault })?;
    let (offset, delay) = reply.compare(sent, took);
    let stratum = i64::from(reply.stratum);
    Ok(ClockOffset { offset, delay, stratum, server: address.to_string().into() })
}
