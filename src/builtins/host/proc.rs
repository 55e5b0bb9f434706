//! What the kernel says of itself, under `/proc`.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::builtins::files;
use crate::types::{Fault, FaultKind, Size};

/// A small file of the kernel.
pub(super) fn read(path: &str) -> Result<String, Fault> {
    if !cfg!(target_os = "linux") {
        return Err(Fault::new(FaultKind::Unsupported, format!("this machine has no `{path}`: it is not Linux")));
    }
    let bytes = std::fs::read(path).map_err(|error| files::fault("read", Path::new(path), &error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What the kernel wrote is not what it is known to write.
pub(super) fn unexpected(path: &str) -> Fault {
    Fault::new(FaultKind::BadAnswer, format!("`{path}` does not say what it is known to say"))
}

/// `/proc/meminfo`.
pub(super) struct MemInfo(String);

impl MemInfo {
    pub(super) fn read() -> Result<Self, Fault> {
        read("/proc/meminfo").map(Self)
    }

    /// A line of it: `MemTotal:       32780772 kB`.
    pub(super) fn size(&self, name: &str) -> Result<Size, Fault> {
        let found = self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        let number = found.and_then(|rest| rest.trim().strip_suffix("kB")?.trim().parse::<i64>().ok());
        let bytes = number.and_then(|kib| kib.checked_mul(1024));
        bytes.map(Size).ok_or_else(|| unexpected("/proc/meminfo"))
    }
}

/// `/proc/stat`: what the processors did since the machine started, and when that was.
pub(super) struct Stat {
    /// In clock ticks: user, nice, system, idle, iowait, irq, softirq, steal.
    pub(super) ticks: [u64; 8],
    pub(super) cores: i64,
    pub(super) booted: Timestamp,
}

impl Stat {
    pub(super) fn read() -> Result<Self, Fault> {
        Self::parse(&read("/proc/stat")?).ok_or_else(|| unexpected("/proc/stat"))
    }

    fn parse(text: &str) -> Option<Self> {
        let mut ticks = [0; 8];
        let all = text.lines().find_map(|line| line.strip_prefix("cpu "))?;
        for (slot, number) in ticks.iter_mut().zip(all.split_whitespace()) {
            *slot = number.parse().ok()?;
        }
        let is_core =
            |line: &&str| line.strip_prefix("cpu").is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
        let booted = text.lines().find_map(|line| line.strip_prefix("btime "))?;
        Some(Self {
            ticks,
            cores: i64::try_from(text.lines().filter(is_core).count()).ok()?,
            booted: Timestamp::from_second(booted.trim().parse().ok()?).ok()?,
        })
    }
}

/// How long the machine has been up.
pub(super) fn uptime() -> Result<SignedDuration, Fault> {
    let text = read("/proc/uptime")?;
    let seconds: Option<f64> = text.split_whitespace().next().and_then(|seconds| seconds.parse().ok());
    seconds.and_then(|s| SignedDuration::try_from_secs_f64(s).ok()).ok_or_else(|| unexpected("/proc/uptime"))
}

/// How many clock ticks the kernel counts in a second.
#[expect(clippy::cast_precision_loss, reason = "it is 100")]
pub(super) fn ticks_per_second() -> f64 {
    rustix::param::clock_ticks_per_second() as f64
}

/// A part of a whole, `None` where there is no whole.
#[expect(clippy::cast_precision_loss, reason = "a ratio is as exact as a double")]
pub(super) fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
