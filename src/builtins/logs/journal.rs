//! `host.journal`

use std::fs::File;
use std::io;
use std::path::Path;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::process::{Child, Command};

use super::snapshot::{Lines, Part};
use super::window::{self, Window};
use crate::builtins::line_time::Reading;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::shown::look::clean;
use crate::types::{Fault, FaultKind, Line, Log, Partial, Size, Type, Typed, Value};
use crate::units;

const UNIT: Param<String> = Param::required("unit", "The unit of systemd: `nginx`, `backup.timer`.");
const SINCE: Param<Option<SignedDuration>> =
    Param::optional("since", "Only lines from this long before the run began.").judged(window::SINCE);
const UNTIL: Param<Option<SignedDuration>> =
    Param::optional("until", "Only lines up to this long before the run began, with `since`.").judged(window::UNTIL);
const AT_MOST: Param<Size> = Param::or("at_most", "The most that is taken; more is a fault.", || Value::Size(1 << 30));
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long the journal may take to give it.", || Value::Duration(SignedDuration::from_secs(60)));

/// How often it is looked at how much has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How much of what it says beside is read.
const SAID: u64 = 4 << 10;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "host.journal",
    summary: "What the journal of systemd has of a unit, the oldest line first, as it is now. A unit that it has nothing of at any time, or a journal that may not be read, is a fault; one that does not reach back to `since` is partial.",
    params: &[UNIT.info(), SINCE.info(), UNTIL.info(), AT_MOST.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::list(Line::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(journal(cx, args))),
    needs: &[Need::Words("systemd"), Need::Words("a user of the group systemd-journal")],
    // The first says what `--quiet` does not: that there is no journal, or that not all of it may be seen.
    by_hand: "journalctl --lines=0 > /dev/null && journalctl --no-pager --quiet --output=short-iso-precise --unit={unit} [--since=-{since:seconds}s] [--until=-{until:seconds}s]",
    examples: &[
        Example::call(r#"host.journal(unit: "nginx", since: 1h) | where(.text ~ /error/i) | patterns"#),
        Example::call(r#"host.journal(unit: "backup.service", since: 1d) | none(.text ~ /failed/i)"#),
    ],
};

async fn journal(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let unit = args.get(&UNIT)?;
    if unit.is_empty() || unit.contains(['\0', '\n']) {
        return Err(Fault::new(FaultKind::NotFound, "an empty text is no unit"));
    }
    let (since, until) = (args.get(&SINCE)?, args.get(&UNTIL)?);
    let now = cx.run.started_at;
    let window = Window::of(since, until, now)?;
    let within = Duration::try_from(args.get(&WITHIN)?)
        .map_err(|_| Fault::no_value("`within` is no length of time that one can wait"))?;
    let Size(most) = args.get(&AT_MOST)?;
    let asked = async {
        let may = Asked::new(&unit, &["--lines=0"], &[]).finished(most).await?;
        may.allowed()?;
        // Whole seconds are known to every journalctl; which lines of the last one are meant is seen below.
        let second = |before: SignedDuration| now.checked_sub(before).ok().map(Timestamp::as_second);
        let begins = since.and_then(second);
        let ends = until.and_then(second).map(|second| second.saturating_add(1));
        let times: Vec<String> = [begins.map(|at| format!("--since=@{at}")), ends.map(|at| format!("--until=@{at}"))]
            .into_iter()
            .flatten()
            .collect();
        let lines = Asked::new(&unit, &["--quiet"], &times).finished(most).await?;
        lines.succeeded()?;
        let reaches = match begins {
            // Of any unit: what is older may have been there and is gone.
            Some(at) => {
                let before = Asked::of_all(&["--quiet", "--lines=1"], &[format!("--until=@{at}")]);
                let before = before.finished(most).await?;
                before.succeeded()?;
                before.size()? > 0
            }
            None => true,
        };
        if lines.size()? == 0 {
            let ever = Asked::new(&unit, &["--quiet", "--lines=1"], &[]).finished(most).await?;
            ever.succeeded()?;
            if ever.size()? == 0 {
                let message = format!("the journal has nothing of a unit `{unit}`, at any time");
                return Err(Fault::new(FaultKind::NotFound, message)
                    .help("`systemctl list-units --all` names the units that there are"));
            }
        }
        Ok((lines, reaches))
    };
    let (lines, reaches) = tokio::time::timeout(within, asked).await.unwrap_or_else(|_| {
        let within = units::duration(i64::try_from(within.as_nanos()).unwrap_or(i64::MAX));
        let message = format!("the journal had not given the lines of `{unit}` within {within}");
        Err(Fault::new(FaultKind::Timeout, message).help("ask for less with `since:`, or wait longer with `within:`"))
    })?;
    let part = Part::of(Path::new(&unit), &unit, Arc::new(lines.out))?;
    let name: Arc<str> = window::named(&format!("the journal of {unit}"), since, until).into();
    let reading = Reading { zone: TimeZone::UTC, read_at: now };
    let size = part.size;
    let log = Lines { name: Arc::clone(&name), parts: vec![part], reading, window, starts_inside: false, most: size };
    let partial = (!reaches).then(|| {
        let reason = format!("`{name}`: the journal has nothing from before that time, so it may have begun later");
        Arc::new(Partial { reason: reason.into() })
    });
    Ok(Value::from(Log { name, reader: Arc::new(log), partial }))
}

/// One call of journalctl. What it prints goes into unnamed files, so that nothing is held in memory.
struct Asked {
    command: Command,
    out: io::Result<(File, File)>,
}

/// One that has ended.
struct Said {
    status: ExitStatus,
    out: File,
    err: String,
}

impl Asked {
    fn new(unit: &str, options: &[&str], times: &[String]) -> Self {
        let mut asked = Self::of_all(options, times);
        asked.command.arg(format!("--unit={unit}"));
        asked
    }

    fn of_all(options: &[&str], times: &[String]) -> Self {
        let mut command = Command::new("journalctl");
        command
            .args(["--no-pager", "--output=short-iso-precise", "--utc"])
            .args(options)
            .args(times)
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        let out = tempfile::tempfile().and_then(|out| Ok((out, tempfile::tempfile()?)));
        Self { command, out }
    }

    async fn finished(mut self, most: i64) -> Result<Said, Fault> {
        let (out, err) = self.out.map_err(|error| failed(&format!("has nowhere to print to: {error}")))?;
        let to = |file: &File| file.try_clone().map(Stdio::from).map_err(|error| failed(&error.to_string()));
        let mut child =
            self.command.stdout(to(&out)?).stderr(to(&err)?).spawn().map_err(|error| not_started(&error))?;
        let status = watched(&mut child, &out, most).await?;
        let mut said = vec![0; usize::try_from(SAID).unwrap_or_default()];
        let read =
            std::os::unix::fs::FileExt::read_at(&err, &mut said, 0).map_err(|error| failed(&error.to_string()))?;
        let err = String::from_utf8_lossy(said.get(..read).unwrap_or_default()).into_owned();
        Ok(Said { status, out, err })
    }
}

/// Waits for its end, and stops it where it prints more than is taken.
async fn watched(child: &mut Child, out: &File, most: i64) -> Result<ExitStatus, Fault> {
    loop {
        let ended = tokio::time::timeout(LOOK_EVERY, child.wait()).await;
        let size = out.metadata().map_err(|error| failed(&error.to_string()))?.len();
        if i64::try_from(size).map_or(true, |size| size > most) {
            let message = format!("the journal has more than the {} that are taken", units::size(most));
            return Err(Fault::new(FaultKind::TooLarge, message)
                .help("ask for less with `since:`, or write how much is taken: `at_most: 4GiB`"));
        }
        if let Ok(status) = ended {
            return status.map_err(|error| failed(&error.to_string()));
        }
    }
}

impl Said {
    fn size(&self) -> Result<u64, Fault> {
        self.out.metadata().map(|metadata| metadata.len()).map_err(|error| failed(&error.to_string()))
    }

    /// Whether what it gives is all there is, for this user.
    fn allowed(&self) -> Result<(), Fault> {
        let denied = ["insufficient permissions", "not seeing messages from", "Permission denied"];
        if denied.iter().any(|words| self.err.contains(words)) {
            return Err(Fault::new(FaultKind::Denied, "this user may not read the system's journal").help(
                "let them: `sudo usermod --append --groups systemd-journal \"$USER\"`, which holds from the next login on",
            ));
        }
        if self.err.contains("No journal files were found") {
            return Err(Fault::new(FaultKind::NotFound, "this machine keeps no journal: there are no files of one")
                .help("`logs(file: …)` reads the files that are written instead"));
        }
        self.succeeded()
    }

    fn succeeded(&self) -> Result<(), Fault> {
        if self.status.success() {
            return Ok(());
        }
        let why = clean(self.err.lines().next().unwrap_or("without a word"));
        Err(failed(&format!("ended with {}: {}", self.status, why.chars().take(500).collect::<String>())))
    }
}

fn failed(why: &str) -> Fault {
    Fault::new(FaultKind::Failed, format!("`journalctl` {why}"))
}

fn not_started(error: &io::Error) -> Fault {
    if error.kind() == io::ErrorKind::NotFound {
        return Fault::new(
            FaultKind::Unsupported,
            "there is no `journalctl` here: this machine has no journal of systemd",
        )
        .help("`logs(file: …)` reads the files that are written instead");
    }
    failed(&format!("could not be started: {error}"))
}
