//! A run for a person: what is looked at as it is done, and at the end what needs their attention.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::sync::Arc;

use super::finding::{Finding, Verdict};
use super::order::Order;
use super::problems;
use super::progress::Progress;
use super::undoable::Undoable;
use crate::shown::again::Again;
use crate::shown::items::named;
use crate::shown::look::{Look, Tone, clean, counted, quoted, seconds};
use crate::shown::text::{self, Extent};
use crate::store::definition::Continues;
use crate::store::event::{
    ChangeOutcome, Counts, Event, Path, Place, ProposedChange, Record, RunFinished, RunStarted, Status,
};

/// Rows of a table that are printed; the others are in `runbook show RUN LINE`.
const ROWS: usize = 20;

/// Takes the records of a run one by one and prints.
pub struct Terminal<W: Write> {
    out: W,
    look: Look,
    again: Again,
    progress: Option<Progress>,
    order: Order,
    run: Arc<str>,
    /// What can be run again: neither standard input nor what undoes a change.
    file: Option<Arc<str>>,
    /// The values that were given, as they are given again.
    set: String,
    steps: BTreeMap<Path, Arc<str>>,
    targets: BTreeSet<String>,
    findings: Vec<Finding>,
    undo: Undoable,
    /// What the run waits for, told at the end, where it is seen.
    approval: Vec<String>,
    /// What to type next, of what was found.
    next: Option<String>,
    /// What was found is printed.
    told: bool,
    finished: bool,
}

impl<W: Write> Terminal<W> {
    /// `live`: standard error is a terminal, on which progress can be drawn.
    pub fn new(out: W, look: Look, live: bool, again: Again) -> Self {
        Self {
            out,
            look,
            again,
            progress: live.then(|| Progress::new(look.width.unwrap_or(80))),
            order: Order::default(),
            run: Arc::from(""),
            file: None,
            set: String::new(),
            steps: BTreeMap::new(),
            targets: BTreeSet::new(),
            findings: Vec::new(),
            undo: Undoable::default(),
            approval: Vec::new(),
            next: None,
            told: false,
            finished: false,
        }
    }

    /// Prints what an event adds.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn record(&mut self, record: &Record) -> io::Result<()> {
        if let Some(progress) = &mut self.progress {
            progress.note(&record.event);
        }
        let lines = self.lines(record);
        self.print(&lines)
    }

    /// Takes the progress away, so that a question can be asked.
    pub fn pause(&mut self) {
        if let Some(progress) = &mut self.progress {
            progress.clear();
        }
    }

    /// Prints what was found, of a run that has come to its end while people are still being told of it.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn over(&mut self) -> io::Result<()> {
        self.pause();
        let lines = self.found();
        self.print(&lines)
    }

    /// Prints what is left of a run whose last event never came.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        self.pause();
        if self.finished {
            return Ok(());
        }
        let mut lines = self.order.rest(self.look);
        self.findings.extend(self.undo.unknown());
        lines.extend(self.problems());
        lines.extend(self.undo.lines(&self.run, &self.again, self.look));
        lines.push(self.look.paint(Tone::Doubtful, "the run did not finish: it is still going on, or was killed"));
        lines.extend(self.undo.go_on(&self.run, &self.again, true));
        self.print(&lines)
    }

    fn print(&mut self, lines: &[String]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let text = lines.join("\n") + "\n";
        let out = &mut self.out;
        let mut write = || out.write_all(text.as_bytes()).and_then(|()| out.flush());
        match &self.progress {
            Some(progress) => progress.aside(write),
            None => write(),
        }
    }

    fn lines(&mut self, record: &Record) -> Vec<String> {
        if let Some(finding) = Finding::of(&record.event) {
            if let (true, Some(place)) = (is_look(&record.event), &finding.place) {
                self.order.looked(&place.path, finding.verdict);
            }
            if finding.verdict != Verdict::Passed {
                self.findings.push(finding);
            }
        }
        for finding in &mut self.findings {
            finding.retried(&record.event);
        }
        self.undo.note(&record.event);
        match &record.event {
            Event::RunStarted(started) => self.begin(started, record.at),
            Event::ConnectionOpened { name, target, .. } => {
                self.targets.insert(format!("{} → {}", clean(name), clean(target)));
                Vec::new()
            }
            Event::SectionStarted { path, title, .. } => {
                self.order.section(path, title);
                Vec::new()
            }
            Event::SectionFinished { path, seconds, .. } => self.order.finished(path, *seconds, self.look),
            Event::PartStarted { path } => {
                self.order.begin_part(path);
                Vec::new()
            }
            Event::PartFinished { path } => {
                self.order.end_part(path);
                self.order.ready(self.look)
            }
            Event::StepStarted { path, title, label, .. } => {
                self.steps.insert(path.clone(), title.clone());
                self.order.begin(path, title, label.as_ref());
                Vec::new()
            }
            Event::StepFinished { path, status, seconds, counts, .. } => {
                self.order.end(path, *status, *seconds, *counts);
                self.order.ready(self.look)
            }
            Event::Shown { place, title, shown } => {
                let rest = format!("{} {} {}", self.again.of_runs("show"), self.run, place.line);
                let extent = Extent { rows: ROWS, rest: &rest };
                self.order.show(&place.path, text::lines(title, shown, self.look, 4, extent));
                self.order.ready(self.look)
            }
            Event::NoItems { place, list } => {
                let line = format!("nothing to do: there are no items in `{}`", clean(list));
                self.order.show(&place.path, vec![self.look.paint(Tone::Faint, &line)]);
                self.order.ready(self.look)
            }
            Event::Notified { place, channels, message } => {
                self.told(place, format!("notify {}", channels.join(", ")), message.as_deref())
            }
            Event::ChangeWaits { place, title, target, holder } => {
                self.told(place, clean(&format!("{title} waits: {target} is being changed by {holder}")), None)
            }
            Event::ChangeTakesOver { place, title, target, holder } => {
                let line = format!(
                    "{title} takes over: {target} was being changed by {holder}, and nothing has been heard of it for half a minute"
                );
                self.told(place, clean(&line), Some("look what it left behind"))
            }
            Event::Sent { place, channels } => self.told(place, format!("send to {}", channels.join(", ")), None),
            Event::Raised { place, threshold, message } => {
                self.told(place, format!("raise \"{threshold}\""), message.as_deref())
            }
            Event::Called { place, level, message } => {
                self.told(place, format!("escalate to level {level}"), message.as_deref())
            }
            Event::ChangeEnded(ended) => {
                if let Some(result) = &ended.result {
                    let lines = text::lines(
                        &named(&ended.title, &ended.items),
                        result,
                        self.look,
                        4,
                        Extent { rows: ROWS, rest: "" },
                    );
                    self.order.show(&ended.place.path, lines);
                }
                // What warns, and what did not go well, is said with what was found.
                if ended.outcome == ChangeOutcome::Done && !ended.is_warned() && !ended.said.is_empty() {
                    let lines = ended.said.iter().map(|line| self.look.paint(Tone::Faint, &clean(line)));
                    let lines = lines.collect();
                    self.order.show(&ended.place.path, lines);
                }
                self.order.ready(self.look)
            }
            Event::ChangeKept(kept) => {
                let who = kept.by.as_ref().map_or_else(String::new, |by| format!(", says {}", clean(by)));
                let title = clean(&named(&kept.title, &kept.items));
                let line = format!("{title}: done in run {} at {:.0}{who}", clean(&kept.run), kept.done_at);
                self.order.show(&kept.place.path, vec![line]);
                self.order.ready(self.look)
            }
            Event::Approved { hash, how } => vec![format!("approved plan {}: {}", short(hash), clean(how))],
            Event::ApprovalNeeded { hash, changes, help } => {
                self.approval = approval(hash, changes, help, self.look);
                Vec::new()
            }
            Event::RunFinished(finished) => self.end(finished),
            _ => Vec::new(),
        }
    }

    /// Something that tells people.
    fn told(&mut self, place: &Place, what: String, message: Option<&str>) -> Vec<String> {
        let line = match message {
            Some(message) => format!("{what}: {}", clean(message)),
            None => what,
        };
        self.order.show(&place.path, vec![line]);
        self.order.ready(self.look)
    }

    fn begin(&mut self, started: &RunStarted, at: jiff::Timestamp) -> Vec<String> {
        self.run = started.run.clone();
        let is_undo = matches!(started.continues, Some(Continues::Undoes { .. }));
        self.file = (&*started.file != "-" && !is_undo).then(|| Arc::clone(&started.file));
        let given = started.set.iter().map(|(name, value)| format!(" --set {}", quoted(&format!("{name}={value}"))));
        self.set = given.collect();
        let mut parts = vec![
            self.look.paint(Tone::Strong, &clean(&started.runbook)),
            format!("run {}", clean(&started.run)),
            clean(&started.by),
            format!("{at:.0}"),
        ];
        if started.scheduled_at.duration_since(at).abs() >= jiff::SignedDuration::from_secs(60) {
            parts.push(format!("for {:.0}", started.scheduled_at));
        }
        if let (false, Some(plan)) = (started.read_only, &started.plan) {
            parts.push(format!("plan {}", short(plan)));
        }
        parts.push(counted(u64::from(started.changes), "change"));
        if started.read_only {
            parts.push("read-only".to_owned());
        }
        let mut lines = vec![parts.join(" · ")];
        match &started.continues {
            Some(Continues::Resumes { run, settled }) => {
                lines.push(format!("goes on with run {}", clean(run)));
                lines.extend(settled.iter().map(|said| {
                    let word = if said.done { "done" } else { "not done" };
                    let (run, title, by) = (clean(&said.run), clean(&said.title), clean(&said.by));
                    format!("{word}, says {by}: change {} of run {run}, {title}", said.change)
                }));
            }
            Some(Continues::Undoes { run, change, made }) => {
                let by = made
                    .as_ref()
                    .map_or_else(String::new, |by| format!(", of which {} says that it was made", clean(by)));
                lines.push(format!("undoes change {change} of run {}{by}", clean(run)));
            }
            None => {}
        }
        lines.push(String::new());
        lines
    }

    fn end(&mut self, finished: &RunFinished) -> Vec<String> {
        self.finished = true;
        let mut lines = self.found();
        if !self.targets.is_empty() {
            let targets: Vec<&str> = self.targets.iter().map(String::as_str).collect();
            lines.push(self.look.paint(Tone::Faint, &format!("targets: {}", targets.join(" · "))));
        }
        lines.push(totals(finished, self.look));
        lines.extend(self.next.take());
        lines.extend(self.undo.go_on(&self.run, &self.again, finished.status == Status::Stopped));
        lines
    }

    /// What was found, once.
    fn found(&mut self) -> Vec<String> {
        if std::mem::replace(&mut self.told, true) {
            return Vec::new();
        }
        let mut lines = self.order.rest(self.look);
        self.next = self.next();
        lines.push(String::new());
        lines.extend(self.problems());
        lines.extend(self.undo.lines(&self.run, &self.again, self.look));
        lines.append(&mut self.approval);
        lines
    }

    fn problems(&mut self) -> Vec<String> {
        let show = format!("{} {}", self.again.of_runs("show"), self.run);
        problems::blocks(std::mem::take(&mut self.findings), &show, self.look)
    }

    /// What to type next: for the worst of what was found.
    fn next(&self) -> Option<String> {
        let worst = self.findings.iter().filter(|finding| finding.place.is_some()).min_by_key(|one| one.verdict)?;
        let place = worst.place.as_ref()?;
        let show = format!("next:  {} {} {}", self.again.of_runs("show"), self.run, place.line);
        // A plain run would make a change again of which nobody knows whether it was made: the line below goes on instead.
        let again = self.file.as_ref().filter(|_| !self.undo.is_doubtful()).zip(self.step_of(place));
        Some(match again {
            Some((file, step)) => {
                let run = self.again.command("run");
                format!("{show}    {run} {} --only {}{}", quoted(file), quoted(step), clean(&self.set))
            }
            None => show,
        })
    }

    fn step_of(&self, place: &Place) -> Option<&str> {
        let (path, title) = self.steps.range(..=place.path.clone()).next_back()?;
        place.path.starts_with(path).then_some(&**title)
    }
}

/// Whether an event says how something is, rather than what was changed or asked of a person.
const fn is_look(event: &Event) -> bool {
    matches!(event, Event::Checked(_) | Event::Waited { .. } | Event::NotShown { .. } | Event::NotMeasured { .. })
}

fn approval(hash: &str, changes: &[ProposedChange], help: &str, look: Look) -> Vec<String> {
    let mut lines = vec![look.paint(Tone::Doubtful, &format!("WAITS FOR APPROVAL   plan {}", short(hash)))];
    lines.extend(proposed(changes, look));
    lines.extend(help.lines().map(|line| format!("  {}", clean(line))));
    lines
}

/// Changes that wait for consent, numbered.
#[must_use]
pub fn proposed(changes: &[ProposedChange], look: Look) -> Vec<String> {
    changes
        .iter()
        .enumerate()
        .flat_map(|(index, change)| {
            let place = look.paint(Tone::Faint, &format!("{}:{}", clean(&change.file), change.line));
            let target = change.target.as_ref().map_or_else(String::new, |target| format!("   → {}", clean(target)));
            let line = format!("  {:>2}  {}{target}   {place}", index + 1, clean(&change.change));
            // Whoever agrees sees how often and when it is made, and what the names stand for.
            let around = change.around.iter().map(|around| format!("      {}", clean(around)));
            let given =
                change.given.iter().map(|(name, value)| format!("      with {} = {}", clean(name), clean(value)));
            let before = change.before.iter().map(|line| format!("      {}", clean(line)));
            std::iter::once(line).chain(around).chain(given).chain(before).collect::<Vec<_>>()
        })
        .collect()
}

/// Everything that a run recorded of one line of its runbook, whole.
#[must_use]
pub fn of_line(records: &[Record], line: u32, look: Look) -> Vec<String> {
    let mut shown: Vec<(Path, Vec<String>)> = Vec::new();
    let mut findings: Vec<(Path, Finding)> = Vec::new();
    for record in records {
        for (_, finding) in &mut findings {
            finding.retried(&record.event);
        }
        if let Event::Shown { place, title, shown: value } = &record.event
            && place.line == line
        {
            shown.push((place.path.clone(), text::lines(title, value, look, 0, Extent::WHOLE)));
        }
        if let Some(finding) = Finding::of(&record.event)
            && let Some(place) = finding.place.as_ref().filter(|place| place.line == line)
        {
            findings.push((place.path.clone(), finding));
        }
    }
    let found = findings.iter().map(|(path, one)| (path.clone(), problems::block(one, look, Extent::WHOLE)));
    let mut all: Vec<(Path, Vec<String>)> = shown.into_iter().chain(found).collect();
    all.sort_by(|one, other| one.0.cmp(&other.0));
    all.into_iter().flat_map(|(_, lines)| lines).collect()
}

/// `18 passed · 1 failed · 1 unknown · 1 refused · 0 changes · 14.2s · exit 4`
fn totals(finished: &RunFinished, look: Look) -> String {
    let line = format!("{} · {} · exit {}", counts(finished.counts), seconds(finished.seconds), finished.exit);
    let tone = match finished.exit {
        0 => Tone::Good,
        4 => Tone::Bad,
        _ => Tone::Doubtful,
    };
    look.paint(tone, &line)
}

/// The counts that are not zero, and what passed and changed in any case.
#[must_use]
pub fn counts(counts: Counts) -> String {
    let changes = counted(u64::from(counts.changes_done), "change");
    let parts = [
        (true, format!("{} passed", counts.passed)),
        (counts.failed > 0, format!("{} failed", counts.failed)),
        (counts.not_measured > 0, format!("{} unknown", counts.not_measured)),
        (counts.warned > 0, counted(u64::from(counts.warned), "warning")),
        (counts.noted > 0, format!("{} noted", counts.noted)),
        (counts.changes_withheld > 0, format!("{} refused", counts.changes_withheld)),
        (counts.not_reached > 0, format!("{} not reached", counts.not_reached)),
        (true, changes),
        (counts.changes_failed > 0, format!("{} failed", counted(u64::from(counts.changes_failed), "change"))),
        (counts.changes_partly > 0, format!("{} partly done", counted(u64::from(counts.changes_partly), "change"))),
        (counts.changes_unknown > 0, format!("{} unknown", counted(u64::from(counts.changes_unknown), "change"))),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(shown, _)| *shown).map(|(_, text)| text).collect();
    parts.join(" · ")
}

/// As much of a hash as people compare.
#[must_use]
pub fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
