//! `logs`

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::snapshot::{self, Identity, Lines, Part};
use super::window::{self, Window};
use super::{input, packed};
use crate::builtins::line_time::Reading;
use crate::builtins::{blocking, files};
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Judge, Param, Returns};
use crate::types::{Fault, FaultKind, Line, Log, Size, Type, Typed};
use crate::units;

const FILE: Param<String> = Param::required(
    "file",
    "The file, or a pattern for a rotated set (`app.log*`), which is read from the oldest on, by the first times in the files; `-` is standard input. It is looked for from the folder of the runbook. A value in a text that is written for it stands for itself.",
)
.pattern()
.judged(files::PATH);
const SINCE: Param<Option<SignedDuration>> = Param::optional(
    "since",
    "Only lines from this long before the run began; one without a time belongs to the last that has one.",
)
.judged(window::SINCE);
const UNTIL: Param<Option<SignedDuration>> = Param::optional(
    "until",
    "Only lines up to this long before the run began, with `since`: `since: 2d, until: 1d` is the day before.",
)
.judged(window::UNTIL);
const AT_MOST: Param<Option<Size>> = Param::optional("at_most", "The most that is read; a larger log is a fault.");
const TIMEZONE: Param<Option<String>> = Param::optional(
    "timezone",
    "The zone of times that do not say theirs; this machine's own where left out. A short name of a zone behind a time (`EST`) is read where this zone is called so.",
)
.judged(Judge::Text(|name, _| zone(Some(name.to_owned())).map(drop).map_err(|fault| Fault { kind: FaultKind::Conversion, ..fault })));

/// How often a set is opened anew that was rotated meanwhile.
const MOST_TRIES: usize = 5;

/// The most files of a set. Each stays open, so that it can be read again when it has been rotated away.
const MOST_FILES: usize = 256;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "logs",
    summary: "The lines of a log file as it is now; what is written later is not read. The time of a line is the one that it begins with, also in brackets, behind a level (`ERROR [main] …`) or a priority: `2026-11-23T08:00:00Z`, `2026-11-23 08:00:00,123`, `2026/11/23 08:00:00`, `Nov 23 08:00:00`, `23/Nov/2026:08:00:00 +0000`, `23-Nov-2026 08:00:00.123`, Redis' `1234:M 23 Nov 2026 08:00:00.123`, klog's `I1123 08:00:00`, seconds or milliseconds since 1970; in logfmt `time`, `timestamp`, `ts` or `t`, and in lines of JSON `time`, `timestamp`, `@timestamp`, `ts`, `asctime` or MongoDB's `t`.",
    params: &[FILE.info(), SINCE.info(), AT_MOST.info(), TIMEZONE.info(), UNTIL.info()],
    returns: Returns::Type(|| Type::list(Line::ty())),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| blocking::run(move || logs(&cx, &args))),
    needs: &[Need::Words("read permission on the file")],
    by_hand: "cat {file:glob}",
    examples: &[
        Example::call(r#"logs(file: "/var/log/syslog", since: 2h) | where(.text ~ /error/i) | count"#),
        Example::call(r#"logs(file: "/var/log/nginx/access.log*", since: 1d) | patterns | top(20)"#),
    ],
};

fn logs(cx: &Cx, args: &Args<'_>) -> Result<Log, Fault> {
    let file = args.get(&FILE)?;
    let (file, is_pattern) = files::literal(&file).map_or((file, true), |path| (path, false));
    let since = args.get(&SINCE)?;
    let reading = Reading { zone: zone(args.get(&TIMEZONE)?)?, read_at: cx.run.started_at };
    let at_most = args.get(&AT_MOST)?;
    let most = at_most.map_or(packed::MOST, |Size(most)| u64::try_from(most).unwrap_or_default());
    let mut parts = if file == input::NAME {
        vec![input::part(most)?]
    } else {
        in_order(open_all(&files::locate(cx, &file)?, is_pattern)?, &reading)
    };
    let until = args.get(&UNTIL)?;
    let window = Window::of(since, until, cx.run.started_at)?;
    let mut partial = None;
    let mut starts_inside = false;
    if let Some(window) = &window {
        if file != input::NAME {
            partial = window.missing(&parts, &reading)?.map(Arc::new);
        }
        let before = parts.len();
        parts.retain(|part| window.may_hold(part, &reading));
        if parts.len() == before
            && let Some(oldest) = parts.first()
        {
            let first = oldest.first_time(&reading)?;
            starts_inside = first.is_some_and(|first| window.holds(first));
        }
    }
    if let Some(Size(most)) = at_most {
        within(most, &parts, &file)?;
    }
    let name = window::named(&file, since, until);
    let lines = Lines { name: name.as_str().into(), parts, reading, window, starts_inside, most };
    Ok(Log { name: name.into(), reader: Arc::new(lines), partial })
}

fn zone(name: Option<String>) -> Result<TimeZone, Fault> {
    let Some(name) = name else {
        return Ok(TimeZone::system());
    };
    units::zone(&name).ok_or_else(|| {
        Fault::new(FaultKind::Setup, format!("`{name}` is no time zone"))
            .help("name one of the IANA list: `Europe/Berlin`")
    })
}

/// The files of the log, open.
fn open_all(path: &Path, pattern: bool) -> Result<Vec<Part>, Fault> {
    if !pattern {
        return Part::open(path).map(|part| vec![part]);
    }
    for _ in 0..MOST_TRIES {
        let paths = files::matching(path)?;
        if paths.is_empty() {
            return Err(Fault::new(FaultKind::NotFound, format!("no file is named like `{}`", path.display())));
        }
        if paths.len() > MOST_FILES {
            let message = format!("`{}` means {} files, more than {MOST_FILES}", path.display(), paths.len());
            return Err(Fault::new(FaultKind::TooLarge, message));
        }
        let opened: Result<Vec<Part>, Fault> = paths.iter().map(|path| Part::open(path)).collect();
        // While it is rotated, one file is met under two names and another one under none.
        if files::matching(path)? == paths && opened.as_ref().map_or(true, |parts| are_named_so(parts)) {
            return opened;
        }
    }
    Err(Fault::new(FaultKind::Failed, format!("the files of `{}` are renamed again and again", path.display())))
}

/// Whether the files still have the names under which they were opened.
fn are_named_so(parts: &[Part]) -> bool {
    let has_name =
        |part: &Part| std::fs::metadata(&part.path).is_ok_and(|now| snapshot::identity(&now) == part.identity);
    parts.iter().all(has_name)
}

/// From the oldest to the newest, and each file once, by however many names.
fn in_order(mut parts: Vec<Part>, reading: &Reading) -> Vec<Part> {
    if parts.len() < 2 {
        return parts;
    }
    parts.sort_by(|a, b| a.modified.cmp(&b.modified).then_with(|| b.path.cmp(&a.path)));
    let mut seen = HashSet::new();
    parts.retain(|part| seen.insert(part.identity));
    // A log is rotated by renaming, and a copy of it may have been written in any order: where all of them have times,
    // these say the place of each. An empty one has no lines, and no place.
    let first = |part: &Part| part.first_time(reading).ok().flatten();
    let times: Option<HashMap<Identity, Timestamp>> =
        parts.iter().filter(|part| part.size > 0).map(|part| first(part).map(|first| (part.identity, first))).collect();
    if let Some(times) = times {
        parts.sort_by_key(|part| times.get(&part.identity).copied().unwrap_or(Timestamp::MAX));
    }
    parts
}

fn within(most: i64, parts: &[Part], file: &str) -> Result<(), Fault> {
    let size = parts.iter().filter(|part| !part.is_packed()).map(|part| part.size).sum::<u64>();
    if i64::try_from(size).is_ok_and(|size| size <= most) {
        return Ok(());
    }
    let size = units::size(i64::try_from(size).unwrap_or(i64::MAX));
    let message = format!("`{file}` is {size}, more than the {} that are taken", units::size(most));
    Err(Fault::new(FaultKind::TooLarge, message).help(format!("write `at_most: {size}` to read it all")))
}
