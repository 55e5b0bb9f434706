//! A world of canned answers, written in a `world` fence.
//!
//! ```text
//! now 2026-11-23T08:00:00Z
//! consent none
//! env TOKEN = hunter2
//! open api => fault unreachable no route to api
//! host.memory() => { "total": 1073741824, "used_share": 0.5 }
//! api.get(path: "/health") after 2s => fault timeout no answer
//! api.get(path: "/once") => 1
//! api.get(path: "/once") => 2
//! ```
//!
//! Numbers are in the base unit of the type that the built-in gives: bytes, seconds, ratios. A call that stands there
//! several times is answered in turn, the last answer stays. A call that does not stand there is a fault. A fault that is
//! `fault sent …` came after the request had gone out. Who allows the changes is `given` (which it is where nothing is
//! said), `none`, `another` (a plan that this is not) or `read-only`.

use std::sync::Arc;
use std::time::Duration;

use runbook::types::{Fault, FaultKind};

use super::Allowed;
use super::clock::Clock;
use super::world::{Answer, Given, World, failed};

/// The world that is written, and who allows changes in it.
pub fn read(text: &str) -> (Arc<World>, Allowed) {
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let now = lines().find_map(|line| line.strip_prefix("now "));
    let clock = now.map_or_else(Clock::new, |now| {
        Clock::starting(now.parse().unwrap_or_else(|error| panic!("now {now}: {error}")))
    });
    let world = World::new(clock);
    let mut allowed = Allowed::Given;
    for line in lines().filter(|line| !line.starts_with("now ")) {
        if let Some(consent) = line.strip_prefix("consent ") {
            allowed = match consent {
                "given" => Allowed::Given,
                "none" => Allowed::ByNobody,
                "another" => Allowed::Another,
                "read-only" => Allowed::ReadOnly,
                _ => panic!("{line}: nobody knows this consent"),
            };
        } else if let Some(env) = line.strip_prefix("env ") {
            let (name, value) = env.split_once(" = ").unwrap_or_else(|| panic!("{line}: no ` = `"));
            world.set_env(name, value);
        } else {
            let (call, gives) = line.split_once(" => ").unwrap_or_else(|| panic!("{line}: no ` => `"));
            let (call, after) = match call.rsplit_once(" after ") {
                Some((call, after)) => (call, duration(after)),
                None => (call, Duration::ZERO),
            };
            world.answers(call, [Answer { after, ..answer(gives) }]);
        }
    }
    (world, allowed)
}

fn answer(text: &str) -> Answer {
    let Some(fault) = text.strip_prefix("fault ") else {
        let json = serde_json::from_str(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        return Answer { after: Duration::ZERO, gives: Ok(Given::Json(json)) };
    };
    let (fault, sent) = fault.strip_prefix("sent ").map_or((fault, false), |fault| (fault, true));
    let (kind, message) = fault.split_once(' ').unwrap_or((fault, "it failed"));
    let kind = FaultKind::from_name(kind).unwrap_or_else(|| panic!("no kind of fault `{kind}`"));
    let fault = Fault::new(kind, message);
    failed(if sent { fault.sent() } else { fault })
}

fn duration(text: &str) -> Duration {
    match runbook::units::parse_quantity(text) {
        Ok(runbook::units::Quantity::Duration(nanoseconds)) => Duration::from_nanos(nanoseconds.unsigned_abs()),
        other => panic!("{text}: {other:?}"),
    }
}
