//! Processes that hold something: how one names itself, so that others see when it has ended and wait for nothing.
//!
//! Behind its name stands a mark: the machine since its start, the number of the process there, and when it began. Whoever
//! is elsewhere, or sees other numbers (a container), can say nothing of it, and waits until what it holds runs out.

use std::fmt::Display;
use std::fs;
use std::sync::OnceLock;

use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use sha2::{Digest, Sha256};

/// The name of this process, for what it holds: `ops@db1 #0f1e2d3c4b5a.4711.1795651200`
#[must_use]
pub fn holder(who: &str) -> String {
    let own = Pid::from_raw(i32::try_from(std::process::id()).unwrap_or_default());
    let mark = machine().zip(own).and_then(|(machine, own)| Some((machine, own, began(own)?.1)));
    mark.map_or_else(
        || who.to_owned(),
        |(machine, own, began)| format!("{who} #{machine}.{}.{began}", own.as_raw_nonzero()),
    )
}

/// A holder as people are told of it.
#[must_use]
pub fn shown(holder: &str) -> &str {
    holder.rsplit_once(" #").map_or(holder, |(who, _)| who)
}

/// One of the things that a holder does side by side.
pub(super) fn part(holder: &str, part: impl Display) -> String {
    format!("{holder}.{part}")
}

/// Whether it is a part of what another holder does.
pub(super) fn is_part(part: &str, of: &str) -> bool {
    part.strip_prefix(of).is_some_and(|rest| rest.starts_with('.'))
}

/// Whether it can be seen that a holder has ended.
pub(super) fn has_ended(holder: &str) -> bool {
    let Some((_, mark)) = holder.rsplit_once(" #") else { return false };
    let mut parts = mark.split('.');
    let there = parts.next().zip(machine()).is_some_and(|(its, own)| its == own);
    let pid = parts.next().and_then(|pid| Pid::from_raw(pid.parse().ok()?));
    let (Some(pid), Some(then), true) = (pid, parts.next(), there) else { return false };
    match test_kill_process(pid) {
        Err(Errno::SRCH) => true,
        // It is there. Another one may have its number by now; one that nobody has waited for has ended.
        _ => began(pid).is_some_and(|(state, began)| began != then || matches!(state, 'Z' | 'X')),
    }
}

/// This machine since its start, and whose numbers of processes are seen here.
fn machine() -> Option<&'static str> {
    static MACHINE: OnceLock<Option<String>> = OnceLock::new();
    let find = || {
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let numbers = fs::read_link("/proc/self/ns/pid").ok()?;
        let mut whole = Sha256::new_with_prefix(boot.trim());
        whole.update(numbers.as_os_str().as_encoded_bytes());
        whole.finalize().get(..6).map(hex::encode)
    };
    MACHINE.get_or_init(find).as_deref()
}

/// How a process is, and when it began, where that can be seen.
fn began(pid: Pid) -> Option<(char, String)> {
    let stat = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero())).ok()?;
    // Its name stands in brackets, and may hold any.
    let mut rest = stat.rsplit_once(") ")?.1.split(' ');
    let state = rest.next()?.chars().next()?;
    rest.nth(18).map(|began| (state, began.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{has_ended, holder, is_part, part, shown};

    #[test]
    fn a_process_is_seen_to_have_ended_only_where_it_can_be() {
        let own = holder("ann@laptop");
        assert!(!has_ended(&own) && !has_ended(&part(&own, 7)), "{own}");
        assert_eq!((shown(&own), shown("me")), ("ann@laptop", "me"));
        assert!(is_part(&part(&own, 7), &own) && !is_part(&own, &own));
        assert!(!has_ended("me") && !has_ended("me #1.2") && !has_ended("me #elsewhere.1.1"));
        let mut child = Command::new("sleep").arg("60").spawn().unwrap();
        let pid = child.id();
        let (before, mark) = own.rsplit_once(" #").unwrap();
        let machine = mark.split('.').next().unwrap();
        let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
        let began = stat.rsplit_once(") ").unwrap().1.split(' ').nth(19).unwrap();
        let its = format!("{before} #{machine}.{pid}.{began}");
        assert!(!has_ended(&its), "{its}");
        assert!(has_ended(&format!("{before} #{machine}.{pid}.1")), "another had the number before");
        child.kill().unwrap();
        // Nobody has waited for it yet.
        let wait = || std::thread::sleep(std::time::Duration::from_millis(10));
        assert!((0..1000).any(|_| has_ended(&its) || {
            wait();
            false
        }));
        child.wait().unwrap();
        assert!(has_ended(&its));
    }
}
