//! `host.processes`

use std::collections::HashMap;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::proc::{self, MemInfo, Stat};
use super::users::Users;
use crate::builtins::files;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Cores, EnumType, Fault, FaultKind, Percent, Size, Type, Typed, Value, Word, Words, records};

const OVER: Param<SignedDuration> = Param::or("over", "How long their use of the processors is looked at.", || {
    Value::Duration(SignedDuration::from_millis(500))
});

/// What a process does.
#[derive(Clone, Debug)]
pub struct ProcessState;

impl Words for ProcessState {
    const ENUM: &'static EnumType = &EnumType {
        name: "process_state",
        values: &["running", "sleeping", "uninterruptible", "idle", "stopped", "traced", "zombie", "dead"],
        open: false,
    };
}

records! {
    /// A process.
    struct Process "process" {
        /// Its number.
        pid: i64,
        /// The name of its program.
        name: Arc<str>,
        /// Its command line; the name in brackets for a thread of the kernel.
        command: Arc<str>,
        /// As whom it runs.
        user: Arc<str>,
        /// How many processors it used while it was looked at.
        cpu: Cores,
        /// What it has in memory, with what it shares.
        memory: Size,
        /// Its memory of the machine's.
        memory_share: Percent,
        /// What it does.
        state: Word<ProcessState>,
        /// When it was started.
        started: Timestamp,
        /// How long ago that was when the run began.
        age: SignedDuration,
        /// How many files and sockets it has open.
        open_files: Result<i64, Fault>,
        /// How many threads it has.
        threads: i64,
        /// The process that started it.
        parent: i64,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.processes",
    summary: "The processes of this machine, without the run itself: its own process, what it has started (`tool`s among it), and what started it with the same words (`sudo`, `sh -c`, `timeout`). The command lines of those name the runbook, and would be found for what it looks for.",
    params: &[OVER.info()],
    returns: Returns::Type(|| Type::list(Process::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(processes(cx, args))),
    needs: &[Need::Words("root, for the open files of other users' processes")],
    by_hand: "ps aux",
    examples: &[
        Example::call(r#"host.processes() | any(.name == "nginx")"#),
        Example::call("host.processes() | top(5, by: .memory)"),
        Example::call(r#"host.processes() | none(.state == "zombie")"#),
    ],
};

async fn processes(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let over = args.get(&OVER)?.unsigned_abs();
    let before = blocking(ticks).await?;
    cx.world.sleep(over).await;
    let run_began = cx.run.started_at;
    let own = i64::from(std::process::id());
    blocking(move || list(&before, over.as_secs_f64(), run_began)).await.map(|all| Value::from(without(all, own)))
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T, Fault> + Send + 'static) -> Result<T, Fault> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(Fault::new(FaultKind::Failed, format!("the look-up broke off: {error}"))))
}

/// The time that each process has had on processors, with when it started: a number is used again.
fn ticks() -> Result<HashMap<(i64, u64), u64>, Fault> {
    all_seen()?;
    let mut ticks = HashMap::new();
    for pid in numbers()? {
        if let Some(stat) = stat(pid)? {
            ticks.insert((pid, stat.started), stat.ticks);
        }
    }
    Ok(ticks)
}

fn list(before: &HashMap<(i64, u64), u64>, seconds: f64, run_began: Timestamp) -> Result<Vec<Process>, Fault> {
    let machine =
        Machine { booted: Stat::read()?.booted, memory: MemInfo::read()?.size("MemTotal")?, users: Users::read() };
    let mut processes = Vec::new();
    for pid in numbers()? {
        if let Some(stat) = stat(pid)?
            && let Some(mut process) = machine.process(pid, &stat, run_began)?
        {
            // One that is new since has had all its time now.
            let used = stat.ticks.saturating_sub(before.get(&(pid, stat.started)).copied().unwrap_or(0));
            #[expect(clippy::cast_precision_loss, reason = "ticks of a short time are few")]
            let used = used as f64 / proc::ticks_per_second();
            process.cpu = Cores(if seconds > 0.0 { used / seconds } else { 0.0 });
            processes.push(process);
        }
    }
    Ok(processes)
}

/// The processes without the run: itself, all below it, and those above it whose command line has its own in it.
fn without(mut processes: Vec<Process>, own: i64) -> Vec<Process> {
    let parents: HashMap<i64, i64> = processes.iter().map(|process| (process.pid, process.parent)).collect();
    // A number that is used again while they are read may make a circle of them.
    let above = |pid: i64| std::iter::successors(Some(pid), |pid| parents.get(pid).copied()).take(1000);
    let command = processes.iter().find(|process| process.pid == own).map(|process| Arc::clone(&process.command));
    let started_it: Vec<i64> = above(own).collect();
    processes.retain(|process| {
        let is_below = above(process.pid).any(|pid| pid == own);
        let has_its_words = command.as_ref().is_some_and(|command| process.command.contains(&**command));
        !(is_below || has_its_words && started_it.contains(&process.pid))
    });
    processes
}

struct Machine {
    booted: Timestamp,
    memory: Size,
    users: Users,
}

impl Machine {
    /// `None` where it has ended meanwhile.
    fn process(&self, pid: i64, stat: &ProcessStat, run_began: Timestamp) -> Result<Option<Process>, Fault> {
        let folder = format!("/proc/{pid}");
        let Some(user) = gone(&folder, std::fs::metadata(&folder).map(|metadata| metadata.uid()))? else {
            return Ok(None);
        };
        let path = format!("{folder}/cmdline");
        let Some(command) = gone(&path, std::fs::read(&path))? else { return Ok(None) };
        let command = String::from_utf8_lossy(&command).trim_end_matches('\0').replace('\0', " ");
        let started = self.started(stat.started)?;
        Ok(Some(Process {
            pid,
            name: stat.name.as_str().into(),
            command: if command.is_empty() { format!("[{}]", stat.name).into() } else { command.into() },
            user: self.users.name(user),
            cpu: Cores(0.0),
            memory: Size(stat.memory),
            memory_share: Percent(proc::ratio(stat.memory, self.memory.0).unwrap_or(0.0)),
            state: Word::new(stat.state),
            started,
            // One that began while this run was looking is as old as nothing.
            age: run_began.duration_since(started).max(SignedDuration::ZERO),
            open_files: open_files(&format!("{folder}/fd")),
            threads: stat.threads,
            parent: stat.parent,
        }))
    }

    #[expect(clippy::cast_precision_loss, reason = "a machine's age in ticks is far below 2^53")]
    fn started(&self, ticks: u64) -> Result<Timestamp, Fault> {
        let after = SignedDuration::try_from_secs_f64(ticks as f64 / proc::ticks_per_second());
        let started = after.ok().and_then(|after| self.booted.checked_add(after).ok());
        started.ok_or_else(|| proc::unexpected("/proc/stat"))
    }
}

fn open_files(folder: &str) -> Result<i64, Fault> {
    let entries = std::fs::read_dir(folder).map_err(|error| files::fault("list", Path::new(folder), &error))?;
    Ok(i64::try_from(entries.count()).unwrap_or(i64::MAX))
}

/// A result of which nothing is left to say where the process has ended.
fn gone<T>(path: &str, result: std::io::Result<T>) -> Result<Option<T>, Fault> {
    match result {
        Ok(value) => Ok(Some(value)),
        // ESRCH: it ended between being listed and being read.
        Err(error) if error.kind() == ErrorKind::NotFound || error.raw_os_error() == Some(3) => Ok(None),
        Err(error) => Err(files::fault("read", Path::new(path), &error)),
    }
}

/// The numbers of all processes.
pub(super) fn numbers() -> Result<Vec<i64>, Fault> {
    proc::read("/proc/uptime")?;
    let entries = std::fs::read_dir("/proc").map_err(|error| files::fault("list", Path::new("/proc"), &error))?;
    let mut numbers: Vec<i64> = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| files::fault("list", Path::new("/proc"), &error))?;
        numbers.extend(entry.file_name().to_str().and_then(|name| name.parse::<i64>().ok()));
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Under `hidepid` other users' processes look like none at all.
pub(super) fn all_seen() -> Result<(), Fault> {
    let mounts = proc::read("/proc/self/mounts")?;
    let hides = |line: &str| {
        let mut fields = line.split(' ');
        let own = fields.nth(1) == Some("/proc");
        let options = fields.nth(1).unwrap_or_default();
        let hides = |option: &str| option.strip_prefix("hidepid=").is_some_and(|value| value != "0" && value != "off");
        own && options.split(',').any(hides)
    };
    if mounts.lines().any(hides) && !rustix::process::geteuid().is_root() {
        return Err(Fault::new(
            FaultKind::Denied,
            "`/proc` shows only this user's own processes: it is mounted with `hidepid`",
        )
        .help("run as root, or as a member of the group that `gid=` of the mount names"));
    }
    Ok(())
}

struct ProcessStat {
    name: String,
    state: &'static str,
    parent: i64,
    ticks: u64,
    threads: i64,
    started: u64,
    memory: i64,
}

fn stat(pid: i64) -> Result<Option<ProcessStat>, Fault> {
    let path = format!("/proc/{pid}/stat");
    let Some(bytes) = gone(&path, std::fs::read(&path))? else { return Ok(None) };
    parse(&String::from_utf8_lossy(&bytes)).map(Some).ok_or_else(|| proc::unexpected(&path))
}

/// `17 (a (b) c) S 1 …`: the name may hold anything, so it ends at the last bracket.
fn parse(text: &str) -> Option<ProcessStat> {
    let (before, after) = text.rsplit_once(')')?;
    let (_, name) = before.split_once('(')?;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
    let state = match *fields.first()? {
        "R" => "running",
        "S" => "sleeping",
        "D" => "uninterruptible",
        "I" => "idle",
        "T" => "stopped",
        "t" => "traced",
        "Z" => "zombie",
        _ => "dead",
    };
    let pages = i64::try_from(number(21)?).ok()?;
    Some(ProcessStat {
        name: name.to_owned(),
        state,
        parent: fields.get(1)?.parse().ok()?,
        ticks: number(11)?.checked_add(number(12)?)?,
        threads: fields.get(17)?.parse().ok()?,
        started: number(19)?,
        memory: pages.checked_mul(i64::try_from(rustix::param::page_size()).ok()?)?,
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_name_may_hold_brackets_and_spaces() {
        let text = "17 (a (b) R 1 c) S 1 17 17 0 -1 4194560 1 2 3 4 250 50 0 0 20 0 3 0 999 1000 10 1844674407370";
        let stat = parse(text).unwrap();
        assert_eq!((stat.name.as_str(), stat.state, stat.parent), ("a (b) R 1 c", "sleeping", 1));
        assert_eq!((stat.ticks, stat.threads, stat.started), (300, 3, 999));
        assert!(parse("17 (x) S 1").is_none());
    }
}
