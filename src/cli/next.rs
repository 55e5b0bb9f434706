//! `runbook next`: what will run when.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use clap::Args;
use jiff::civil::Date;
use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::check::each_once;
use super::checking;
use super::console::{Console, Failure};
use super::plan::Format;
use super::{inputs, request};
use crate::builtins;
use crate::check::program::{Program, Section, SectionKind};
use crate::diagnostics::{has_errors, nearest};
use crate::schedule::{Clock, Due, Timetable};
use crate::shown::look::{Look, Tone, clean, pad};
use crate::source::{Sources, Span};
use crate::{system, units};

/// How many times are shown where no number is given.
const USUAL: usize = 10;

/// Nobody reads more, and a second of seconds is enough of a year.
const MOST: usize = 10_000;

/// Show what will run when: the next times of all schedules, in order.
#[derive(Debug, Args)]
#[command(override_usage = "runbook next [OPTIONS] [N] FILE...")]
pub(super) struct Next {
    /// How many times are shown (10 where no number stands first), then files, folders (all `.runbook` files below them),
    /// or `-` for standard input.
    #[arg(required = true, value_name = "N, FILE")]
    asked: Vec<String>,
    /// From this time on, and not from now: `2026-03-29T00:00:00+01:00`, or a date.
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// Only this section or report; can be given several times.
    #[arg(long, value_name = "TITLE")]
    only: Vec<String>,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

/// Where it is counted from.
#[derive(Clone, Copy)]
enum From {
    Moment(Timestamp),
    /// Its midnight in the zone of each runbook.
    Day(Date),
}

/// A section or a report.
struct Entry<'a> {
    program: &'a Program,
    section: &'a Section,
    from: Timestamp,
}

/// A time of an entry.
struct Row<'e, 'a> {
    entry: &'e Entry<'a>,
    due: Due,
}

pub(super) fn run(args: &Next, console: &Console) -> Result<u8, Failure> {
    let (most, files) = asked(&args.asked)?;
    let from = args.from.as_deref().map_or_else(|| Ok(From::Moment(system::now())), from)?;
    let catalog = builtins::catalog();
    let mut sources = Sources::new();
    let mut found = Vec::new();
    let mut programs = Vec::new();
    for name in inputs::expand(files, &mut sources, &mut found) {
        let input = inputs::read(&name, &mut sources, &mut found);
        if input.is_text {
            let (checked, _) = checking::check(input.id, &mut sources, &catalog);
            found.extend(checked.diagnostics);
            programs.push(checked.program);
        }
    }
    let found = each_once(found, &sources);
    request::report(&found, &sources, console);
    if has_errors(&found) {
        return Ok(2);
    }
    let mut entries = Vec::new();
    for program in &programs {
        entries.extend(self::entries(program, from)?);
    }
    let entries = only(entries, &args.only)?;
    let mut next = Answer::of(&entries, most);
    if args.only.is_empty() {
        next.sampled = programs.iter().flat_map(sampled).collect();
    }
    match args.format {
        Format::Terminal => console.print_lines(&next.lines(&sources, console.look()))?,
        Format::Json => {
            let text = serde_json::to_string_pretty(&next.json(&sources))
                .map_err(|error| Failure::new(format!("cannot write the times: {error}")))?;
            console.print(&(text + "\n"))?;
        }
    }
    if entries.iter().all(|entry| entry.section.schedule.is_none()) {
        console
            .say("nothing is scheduled here: a section says when it runs, `section \"title\" daily at 08:00 { … }`\n");
    }
    Ok(0)
}

/// The number that stands before the files.
fn asked(asked: &[String]) -> Result<(usize, &[String]), Failure> {
    let (first, rest) = asked.split_first().ok_or_else(|| Failure::new("no file is named"))?;
    if !first.bytes().all(|byte| byte.is_ascii_digit()) {
        return Ok((USUAL, asked));
    }
    if rest.is_empty() {
        return Err(Failure::new("no file is named").help(format!("write `runbook next {first} FILE`")));
    }
    match first.parse() {
        Ok(0) => Err(Failure::new("0 times are nothing to show").help("write `runbook next 1 FILE` for the very next")),
        Ok(most @ 1..=MOST) => Ok((most, rest)),
        _ => Err(Failure::new(format!("{first} times are too many: {MOST} are shown at most"))
            .help("`--from TIME` begins later, `--only TITLE` leaves others out")),
    }
}

fn from(text: &str) -> Result<From, Failure> {
    let day = || text.parse::<Date>().ok().filter(|_| !text.contains(['T', 't', ' ', ':'])).map(From::Day);
    text.parse().ok().map(From::Moment).or_else(day).ok_or_else(|| {
        Failure::new(format!("`--from {text}` is no time")).help(
            "write `--from 2026-03-29`, or with the hour and the distance from UTC `--from 2026-03-29T02:00:00+01:00`",
        )
    })
}

fn entries(program: &Program, from: From) -> Result<Vec<Entry<'_>>, Failure> {
    let from = match from {
        From::Moment(moment) => moment,
        From::Day(day) => program
            .header
            .timezone
            .to_timestamp(day.into())
            .map_err(|error| Failure::new(format!("`--from {day}` is no time: {error}")))?,
    };
    Ok(program.sections.iter().map(|section| Entry { program, section, from }).collect())
}

/// Those of the titles: as they are written, else without regard to capitals.
fn only<'a>(entries: Vec<Entry<'a>>, titles: &[String]) -> Result<Vec<Entry<'a>>, Failure> {
    let mut meant = BTreeSet::new();
    for title in titles {
        let by = |is_meant: &dyn Fn(&str) -> bool| -> Vec<usize> {
            entries
                .iter()
                .enumerate()
                .filter(|(_, entry)| is_meant(&entry.section.title))
                .map(|(index, _)| index)
                .collect()
        };
        let mut found = by(&|own| own == title);
        if found.is_empty() {
            found = by(&|own| own.to_lowercase() == title.to_lowercase());
        }
        if found.is_empty() {
            let failure = Failure::new(format!("there is no section or report \"{title}\""));
            let known: Vec<&str> = entries.iter().map(|entry| &*entry.section.title).collect();
            return Err(match nearest(title, known.iter().copied()) {
                Some(meant) => failure.help(format!("did you mean `--only \"{meant}\"`?")),
                None => failure.help(format!("there are: {}", known.join(", "))),
            });
        }
        meant.extend(found);
    }
    let all = titles.is_empty();
    Ok(entries.into_iter().enumerate().filter(|(index, _)| all || meant.contains(index)).map(|(_, it)| it).collect())
}

/// Metrics that are sampled without a section.
fn sampled(program: &Program) -> impl Iterator<Item = (&str, SignedDuration, Span)> {
    program.metrics.iter().filter_map(|metric| Some((&*metric.name, metric.every?, metric.span)))
}

/// All that is shown.
struct Answer<'e, 'a> {
    /// The next times, in order.
    rows: Vec<Row<'e, 'a>>,
    /// The next time of what is not among them.
    later: Vec<Row<'e, 'a>>,
    /// Scheduled, and with no time before the calendar ends.
    never: Vec<&'e Entry<'a>>,
    /// What alerts begin.
    on_alert: Vec<&'e Entry<'a>>,
    unscheduled: Vec<&'e Entry<'a>>,
    /// Metrics with their interval and place.
    sampled: Vec<(&'a str, SignedDuration, Span)>,
}

impl<'e, 'a> Answer<'e, 'a> {
    fn of(entries: &'e [Entry<'a>], most: usize) -> Self {
        let mut answer = Self {
            rows: Vec::new(),
            later: Vec::new(),
            never: Vec::new(),
            on_alert: Vec::new(),
            unscheduled: Vec::new(),
            sampled: Vec::new(),
        };
        let mut waiting = BinaryHeap::new();
        let mut times = Vec::new();
        for entry in entries {
            let Some(schedule) = &entry.section.schedule else {
                let alerts = &entry.section.on_alert;
                if alerts.is_empty() { &mut answer.unscheduled } else { &mut answer.on_alert }.push(entry);
                continue;
            };
            let header = &entry.program.header;
            let table = Timetable::new(schedule, &header.timezone, &header.title, &entry.section.title);
            // What is made at that very moment is shown.
            let before = entry.from.checked_sub(SignedDuration::from_nanos(1)).unwrap_or(entry.from);
            let mut next = table.after(before);
            match next.next() {
                Some(due) => {
                    waiting.push(Reverse((due.at, times.len())));
                    times.push((entry, next, due, false));
                }
                None => answer.never.push(entry),
            }
        }
        while answer.rows.len() < most
            && let Some(Reverse((_, index))) = waiting.pop()
            && let Some((entry, next, due, shown)) = times.get_mut(index)
        {
            *shown = true;
            answer.rows.push(Row { entry, due: due.clone() });
            if let Some(next) = next.next() {
                waiting.push(Reverse((next.at, index)));
                *due = next;
            }
        }
        let unshown = times.into_iter().filter(|(.., shown)| !shown);
        answer.later = unshown.map(|(entry, _, due, _)| Row { entry, due }).collect();
        answer.later.sort_by_key(|row| row.due.at);
        answer
    }

    fn lines(&self, sources: &Sources, look: Look) -> Vec<String> {
        let mut lines = Vec::new();
        let all = || self.rows.iter().chain(&self.later);
        let seconds = all().any(|row| row.due.at.as_second() % 60 != 0);
        let zones: BTreeSet<&str> = all().map(|row| &*row.entry.program.header.timezone_name).collect();
        if let (Some(zone), 1) = (zones.first(), zones.len()) {
            lines.push(look.paint(Tone::Faint, &format!("times in {}", clean(zone))));
        }
        let cells: Vec<Vec<String>> = all().map(|row| row.cells(sources, seconds, zones.len() > 1)).collect();
        let width = |column: usize| {
            cells
                .iter()
                .filter_map(|row| row.get(column))
                .map(|cell| crate::shown::look::columns(cell))
                .max()
                .unwrap_or(0)
        };
        let widths = [width(0), width(1), width(2), width(3)];
        let mut before: Option<(&TimeZone, Offset)> = None;
        for (index, (row, cells)) in all().zip(&cells).enumerate() {
            if index == self.rows.len() {
                lines.push(look.paint(Tone::Faint, "later"));
                before = None;
            }
            let mut line = String::new();
            for (cell, (width, tone)) in
                cells.iter().zip(widths.iter().zip([Tone::Strong, Tone::Plain, Tone::Plain, Tone::Faint]))
            {
                line.push_str(&look.paint(tone, &pad(cell, *width)));
                line.push_str("  ");
            }
            let zone = &row.entry.program.header.timezone;
            let offset = zone.to_offset(row.due.at);
            let mut marks = row.marks();
            if let Some((same, old)) = before
                && same == zone
                && old != offset
            {
                marks.push(format!("the clock has gone from {} to {}", written(old), written(offset)));
            }
            before = Some((zone, offset));
            line.push_str(&look.paint(Tone::Doubtful, &marks.join("; ")));
            lines.push(line.trim_end().to_owned());
        }
        let mut list = |what: &str, names: Vec<String>| {
            if !names.is_empty() {
                lines.push(format!("{}: {}", look.paint(Tone::Faint, what), names.join(", ")));
            }
        };
        list("never again", self.never.iter().map(|entry| entry.name()).collect());
        let alerts = |entry: &&Entry<'_>| format!("{} on {}", entry.name(), entry.alerts().join(", "));
        list("on an alert", self.on_alert.iter().map(alerts).collect());
        list("not scheduled", self.unscheduled.iter().map(|entry| entry.name()).collect());
        let every =
            |(name, every, _): &(&str, SignedDuration, Span)| format!("{} every {}", clean(name), short(*every));
        list("sampled", self.sampled.iter().map(every).collect());
        lines
    }

    fn json(&self, sources: &Sources) -> Value {
        let rows = |rows: &[Row<'_, '_>]| rows.iter().map(|row| row.json(sources)).collect::<Vec<_>>();
        let entries = |entries: &[&Entry<'_>]| entries.iter().map(|entry| entry.json(sources)).collect::<Vec<_>>();
        let sampled = |(name, every, span): &(&str, SignedDuration, Span)| {
            let (file, line) = place(*span, sources);
            json!({ "metric": name, "every_seconds": every.as_secs_f64(), "file": file, "line": line })
        };
        json!({
            "times": rows(&self.rows),
            "later": rows(&self.later),
            "never": entries(&self.never),
            "on_alert": entries(&self.on_alert),
            "unscheduled": entries(&self.unscheduled),
            "sampled": self.sampled.iter().map(sampled).collect::<Vec<_>>(),
        })
    }
}

impl Entry<'_> {
    /// The thresholds whose alerts begin it.
    fn alerts(&self) -> Vec<String> {
        let thresholds = self.section.on_alert.iter().filter_map(|id| self.program.thresholds.get(id.index()));
        thresholds.map(|threshold| clean(&threshold.title)).collect()
    }

    fn name(&self) -> String {
        let title = clean(&self.section.title);
        if self.section.kind == SectionKind::Report { format!("{title} (report)") } else { title }
    }

    fn json(&self, sources: &Sources) -> Value {
        let (file, line) = place(self.section.span, sources);
        json!({ "title": self.section.title, "kind": self.section.kind.name(), "file": file, "line": line })
    }
}

impl Row<'_, '_> {
    /// `Sun 2026-03-29 03:00 +02:00`, `in 13h`, `Backup`, `care.runbook:10`
    fn cells(&self, sources: &Sources, seconds: bool, zone: bool) -> Vec<String> {
        let header = &self.entry.program.header;
        let at = self.due.at.to_zoned(header.timezone.clone());
        let mut time = at.strftime(if seconds { "%a %F %H:%M:%S %:z" } else { "%a %F %H:%M %:z" }).to_string();
        if zone {
            time = format!("{time} {}", clean(&header.timezone_name));
        }
        let wait = self.due.at.duration_since(self.entry.from);
        let wait = if wait.is_zero() { "now".to_owned() } else { format!("in {}", short(wait)) };
        let (file, line) = place(self.entry.section.span, sources);
        vec![time, wait, self.entry.name(), format!("{}:{line}", clean(file))]
    }

    /// What is not as on other days.
    fn marks(&self) -> Vec<String> {
        let mut marks = Vec::new();
        let wall = self.due.wall.map_or_else(String::new, |wall| wall.strftime("%H:%M").to_string());
        match self.due.clock {
            Clock::Plain => {}
            Clock::LeftOut => marks.push(format!("the clock leaves out {wall}")),
            Clock::First => marks.push(format!("the clock shows {wall} twice: the first time")),
            Clock::Second => marks.push(format!("the clock shows {wall} twice: the second time")),
        }
        if let Some(jitter) = self.jitter() {
            let scheduled = self.due.scheduled.to_zoned(self.entry.program.header.timezone.clone());
            marks.push(format!("{} and up to {} of jitter", scheduled.strftime("%H:%M"), short(jitter)));
        }
        marks
    }

    fn jitter(&self) -> Option<SignedDuration> {
        self.entry.section.schedule.as_ref().and_then(|schedule| schedule.jitter)
    }

    fn json(&self, sources: &Sources) -> Value {
        let header = &self.entry.program.header;
        let local = |at: Timestamp| at.display_with_offset(header.timezone.to_offset(at)).to_string();
        let clock = match self.due.clock {
            Clock::Plain => None,
            Clock::LeftOut => Some("left_out"),
            Clock::First => Some("first"),
            Clock::Second => Some("second"),
        };
        let mut value = json!({
            "at": local(self.due.at),
            "scheduled": local(self.due.scheduled),
            "zone": header.timezone_name,
            "in_seconds": self.due.at.duration_since(self.entry.from).as_secs_f64(),
            "clock": clock,
            "jitter_seconds": self.jitter().map(|jitter| jitter.as_secs_f64()),
        });
        if let (Some(fields), Value::Object(entry)) = (value.as_object_mut(), self.entry.json(sources)) {
            fields.extend(entry);
        }
        value
    }
}

fn place(span: Span, sources: &Sources) -> (&str, u32) {
    (&sources.file(span.file).name, sources.position(span).line)
}

fn short(duration: SignedDuration) -> String {
    units::duration(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

/// `+02:00`
fn written(offset: Offset) -> String {
    let minutes = offset.seconds() / 60;
    format!("{}{:02}:{:02}", if minutes < 0 { '-' } else { '+' }, minutes.abs() / 60, minutes.abs() % 60)
}
