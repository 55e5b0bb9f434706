//! `host.facts`

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::proc::{self, Stat};
use crate::builtins::blocking;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, records};

records! {
    /// A machine.
    struct Facts "host" {
        /// Its name.
        hostname: Arc<str>,
        /// Its system, as it names itself: `Debian GNU/Linux 12 (bookworm)`.
        os: Arc<str>,
        /// The version of its kernel.
        kernel: Arc<str>,
        /// What its processors are: `x86_64`, `aarch64`.
        architecture: Arc<str>,
        /// How many processors it has.
        cores: i64,
        /// How long it has been up.
        uptime: SignedDuration,
        /// When it was started.
        booted: Timestamp,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.facts",
    summary: "What this machine is: its name, system, kernel and how long it has been up.",
    params: &[],
    returns: Returns::Type(Facts::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, _| blocking::run(facts)),
    needs: &[],
    by_hand: "hostnamectl && uptime",
    examples: &[Example::call("host.facts().hostname"), Example::call("host.facts().uptime > 1h")],
};

fn facts() -> Result<Facts, Fault> {
    let uname = rustix::system::uname();
    let text = |part: &std::ffi::CStr| Arc::from(part.to_string_lossy());
    let stat = Stat::read()?;
    Ok(Facts {
        hostname: text(uname.nodename()),
        os: os_name().unwrap_or_else(|| text(uname.sysname())),
        kernel: text(uname.release()),
        architecture: text(uname.machine()),
        cores: stat.cores,
        uptime: proc::uptime()?,
        booted: stat.booted,
    })
}

fn os_name() -> Option<Arc<str>> {
    let release =
        std::fs::read_to_string("/etc/os-release").or_else(|_| std::fs::read_to_string("/usr/lib/os-release")).ok()?;
    let name = release.lines().find_map(|line| line.strip_prefix("PRETTY_NAME="))?;
    Some(name.trim_matches(['"', '\'']).into())
}
