//! Alerts: when one opens, and when it closes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};

use super::definitions::{EscalateWhen, Threshold};
use super::engine::{Judged, Raised, Turn};
use super::outcome::Happened;
use super::state::{Alert, Cause, End, Silence, Subject, Watch};
use crate::types::Labels;

/// What is said behind what is so now, of something that was wrong before.
fn since(before: &str, over: bool) -> String {
    let goes_on = if over { "" } else { ", not over yet" };
    format!("{goes_on}; before: {before}")
}

impl Turn<'_> {
    pub(super) fn judged(&mut self, judged: Judged) {
        let Some(threshold) = self.threshold(&judged.subject.threshold) else { return };
        let at = judged.at;
        // Almost always it is there: a key of its own is made for what is new alone.
        let watch = match self.state.watches.get_mut(&judged.subject) {
            Some(watch) => watch,
            None => self.state.watches.entry(judged.subject.clone()).or_default(),
        };
        let mut changed = false;
        if let Some(last) = watch.sampled_at.filter(|last| at < *last) {
            // Two processes may sample at once: what is older than what was judged says nothing new.
            if last <= self.now {
                return;
            }
            // The clock was set back: what was judged is of a time that comes only now.
            watch.not_after(at);
            changed = true;
        }
        let holds = observe(watch, &judged, &threshold.held, &mut changed);
        watch.sampled_at = Some(at);
        let (alert, unknown_since) = (watch.alert, watch.unknown_since);
        let named = match alert {
            Some(number) => self.judge_open(number, &judged, threshold, holds),
            None if holds => {
                self.open_judged(&judged, threshold);
                true
            }
            None => {
                let limit = threshold.unknown_for.and_then(|limit| unknown_since?.checked_add(limit).ok());
                let blind = limit.is_some_and(|limit| limit <= self.now);
                if blind {
                    let (subject, text) = (judged.subject.clone(), Arc::clone(&judged.text));
                    self.open(subject, threshold, Cause::Unknown, text, at_once(threshold));
                }
                blind
            }
        };
        // A sample that says what the one before said need not be written down.
        if changed && !named {
            self.outcome.touched.watches.insert(judged.subject);
        }
    }

    fn open_judged(&mut self, judged: &Judged, threshold: &Threshold) {
        let level = by_condition(judged, threshold).max(at_once(threshold));
        let subject = judged.subject.clone();
        let number = self.open(subject, threshold, Cause::When, Arc::clone(&judged.text), level);
        if let Some(level) = level {
            self.call_level(number, level);
        }
    }

    /// A sample of something whose alert is open. Gives whether it closes it.
    fn judge_open(&mut self, number: i64, judged: &Judged, threshold: &Threshold, holds: bool) -> bool {
        let wrong = judged.when.contains(&Some(true));
        self.looked_at.insert(number);
        let right = !judged.when.is_empty() && judged.when.iter().all(|when| *when == Some(false));
        let Some(alert) = self.state.alert_mut(number) else { return false };
        let turned = holds && alert.cause == Cause::Unknown;
        if turned {
            alert.cause = Cause::When;
            alert.turned = true;
            self.outcome.touched.alerts.insert(number);
        }
        let over = match (judged.until, alert.cause) {
            // It was opened because nobody could look: now somebody can, and nothing is wrong.
            (_, Cause::Unknown) | (None, _) => right,
            // It closes later than it opened, never while what opens it is still so.
            (Some(until), _) => until == Some(true) && !wrong,
        };
        if wrong {
            let is_back = alert.before.take().is_some();
            if is_back || alert.text != judged.text {
                self.says(number, &judged.text);
            }
            if turned {
                self.turned.push(number);
            }
        } else if over || alert.cause != Cause::Unknown {
            // What is told from now on says what is so now, and not that it still was as it began.
            let before = alert.before.get_or_insert_with(|| Arc::clone(&alert.text));
            let text = format!("{}{}", judged.text, since(before, over));
            if *alert.text != *text {
                self.says(number, &text.into());
            }
        }
        if over {
            let at = self.now;
            self.close_alert(number, &End::Over { at });
        } else if let Some(level) = by_condition(judged, threshold) {
            // What calls for a level at once did so when it opened: it does not undo a round that begins anew.
            self.call_level(number, level);
        }
        over
    }

    /// Subjects that nobody could look at for too long, also where no sample comes at all.
    pub(super) fn blind(&mut self) {
        let now = self.now;
        let mut blind: Vec<(Subject, Arc<str>)> = Vec::new();
        for (subject, watch) in &self.state.watches {
            let (Some(since), None) = (watch.unknown_since, watch.alert) else { continue };
            let limit = self.definitions.thresholds.get(&subject.threshold).and_then(|one| one.unknown_for);
            if limit.and_then(|limit| since.checked_add(limit).ok()).is_some_and(|limit| limit <= now) {
                blind.push((subject.clone(), watch.unknown_why.clone().unwrap_or_else(|| "not measured".into())));
            }
        }
        for (subject, why) in blind {
            if let Some(threshold) = self.threshold(&subject.threshold) {
                self.open(subject, threshold, Cause::Unknown, why, at_once(threshold));
            }
        }
    }

    pub(super) fn listed(&mut self, threshold: &str, present: &BTreeSet<Labels>) {
        let first = Subject { threshold: threshold.into(), labels: Labels::new() };
        let subjects: Vec<(Subject, Option<i64>)> = self
            .state
            .watches
            .range(first..)
            .take_while(|(subject, _)| &*subject.threshold == threshold)
            .filter(|(subject, _)| !present.contains(&subject.labels))
            .map(|(subject, watch)| (subject.clone(), watch.alert))
            .collect();
        let at = self.now;
        for (subject, alert) in subjects {
            if let Some(alert) = alert {
                // Without labels it said that nothing was there to be measured, or that nobody knew what is.
                let end = if subject.labels.is_empty() { End::Over { at } } else { End::Gone { at } };
                self.close_alert(alert, &end);
            }
            self.state.watches.remove(&subject);
            self.outcome.touched.watches.insert(subject);
        }
    }

    pub(super) fn raised(&mut self, raised: Raised) {
        let Raised { subject, raiser, text, since } = raised;
        let Some(threshold) = self.threshold(&subject.threshold) else { return };
        let number = match self.state.watches.get(&subject).and_then(|watch| watch.alert) {
            Some(number) => number,
            None => self.open(subject, threshold, Cause::Raised, Arc::clone(&text), at_once(threshold)),
        };
        let Some(alert) = self.state.alert_mut(number) else { return };
        // The same may be posted twice, and late.
        let before = alert.begun.get(&raiser).copied();
        let begun = before.max(since);
        alert.begun.extend(begun.map(|begun| (Arc::clone(&raiser), begun)));
        if alert.raisers.insert(raiser) || alert.text != text || begun != before {
            self.says(number, &text);
        }
    }

    /// Whoever posted it says that it is over. What is said late of an earlier time is not said of what began after it.
    pub(super) fn resolved(&mut self, subject: &Subject, raiser: &str, at: Option<Timestamp>) {
        let open = self.state.watches.get(subject).and_then(|watch| self.state.alerts.get(&watch.alert?));
        let begun = open.and_then(|alert| alert.begun.get(raiser).copied());
        if begun.zip(at).is_none_or(|(begun, at)| at >= begun) {
            self.not_raised(subject, raiser, &End::Over { at: self.now }, "whoever posted it says so");
        }
    }

    /// What is the matter now, of an alert and of the incident that it is in.
    fn says(&mut self, number: i64, text: &Arc<str>) {
        let Some(alert) = self.state.alert_mut(number) else { return };
        alert.text = Arc::clone(text);
        self.outcome.touched.alerts.insert(number);
        if let Some(incident) = alert.incident.and_then(|number| self.state.incident_mut(number)) {
            incident.text = Arc::clone(text);
            self.outcome.touched.incidents.insert(incident.number);
        }
    }

    /// A check or a statement raises it no more. With the last of them it ends; `why` is told where it is over.
    pub(super) fn not_raised(&mut self, subject: &Subject, raiser: &str, end: &End, why: &str) {
        if let Some(number) = self.state.watches.get(subject).and_then(|watch| watch.alert) {
            self.not_raised_by(number, raiser, end, why);
        }
    }

    fn not_raised_by(&mut self, number: i64, raiser: &str, end: &End, why: &str) {
        let Some(alert) = self.state.alert_mut(number) else { return };
        if !alert.raisers.remove(raiser) {
            return;
        }
        alert.begun.remove(raiser);
        self.outcome.touched.alerts.insert(number);
        if alert.raisers.is_empty() {
            if matches!(end, End::Over { .. }) {
                let text = format!("{why}; before: {}", alert.text).into();
                self.says(number, &text);
            }
            self.close_alert(number, end);
        }
    }

    /// Ends what belongs to thresholds and sections that the runbook does not have any more: nobody looks at it again.
    pub(super) fn undeclared(&mut self) {
        let at = self.now;
        for (number, raiser) in std::mem::take(&mut self.index.raisers) {
            self.not_raised_by(number, &raiser, &End::Gone { at }, "");
        }
        for subject in std::mem::take(&mut self.index.undeclared) {
            if let Some(alert) = self.state.watches.get(&subject).and_then(|watch| watch.alert) {
                self.close_alert(alert, &End::Undeclared { at });
            }
            self.state.watches.remove(&subject);
            self.outcome.touched.watches.insert(subject);
        }
    }

    /// Opens an alert, and tells of it unless something keeps it quiet. `level`: the one that it calls for at once.
    fn open(
        &mut self,
        subject: Subject,
        threshold: &Threshold,
        cause: Cause,
        text: Arc<str>,
        level: Option<u32>,
    ) -> i64 {
        self.state.numbers.alert += 1;
        let number = self.state.numbers.alert;
        let due = threshold.escalate.iter().filter_map(|escalate| match escalate.when {
            EscalateWhen::After(delay) => Some((self.after(delay), escalate.level)),
            EscalateWhen::AtOnce | EscalateWhen::Condition => None,
        });
        let by = self.quiet_by(&subject);
        let alert = Alert {
            number,
            subject: subject.clone(),
            severity: threshold.severity,
            cause,
            text: Arc::clone(&text),
            before: None,
            doc: Arc::clone(&threshold.doc),
            link: threshold.link.clone(),
            opened_at: self.now,
            end: None,
            raisers: BTreeSet::new(),
            begun: BTreeMap::new(),
            told: BTreeSet::new(),
            quiet: by.is_some(),
            gathered_until: None,
            due: due.collect(),
            quiet_ended: None,
            alone: false,
            told_as: None,
            turned: false,
            incident: None,
        };
        let name = alert.subject.name();
        self.index.opened(&alert);
        if by.is_none() {
            self.index.heard(self.definitions, &alert);
        }
        self.state.alerts.insert(number, Arc::new(alert));
        match self.state.watches.get_mut(&subject) {
            Some(watch) => watch.alert = Some(number),
            None => {
                self.state.watches.insert(subject.clone(), Watch { alert: Some(number), ..Watch::default() });
            }
        }
        self.outcome.touched.alerts.insert(number);
        self.outcome.touched.watches.insert(subject);
        self.outcome.touched.rest = true;
        let (title, severity) = (name.clone(), threshold.severity);
        self.happened(Some(number), None, Happened::AlertOpened { title, severity, cause, text });
        match by {
            Some(by) => {
                self.happened(Some(number), None, Happened::Quiet { title: name, by });
            }
            None => self.announce(number, threshold, level),
        }
        number
    }

    /// The highest level whose time came while the alert waited. It is called once.
    pub(super) fn overdue(&mut self, number: i64) -> Option<u32> {
        let now = self.now;
        let alert = self.state.alert_mut(number)?;
        let level = alert.due.iter().filter(|(at, _)| *at <= now).map(|(_, level)| *level).max();
        alert.due.retain(|(at, _)| *at > now);
        level
    }

    /// What keeps a subject quiet: a silence, another threshold, a section that runs.
    pub(super) fn quiet_by(&self, subject: &Subject) -> Option<Arc<str>> {
        let silence = self.state.silences.values().find(|silence| silence.covers(subject));
        if let Some(silence) = silence {
            return Some(format!("a silence of {}: {}", silence.by, silence.why).into());
        }
        if let Some(by) = self.section_for(&subject.threshold) {
            return Some(Arc::clone(by));
        }
        let threshold = self.definitions.thresholds.get(&subject.threshold)?;
        if threshold.quiet_while.is_empty() {
            return None;
        }
        let mut around = vec![Arc::clone(&subject.threshold)];
        let by = threshold.quiet_while.iter().find(|title| self.keeps_quiet(title, &mut around));
        by.map(|title| format!("\"{title}\"").into())
    }

    /// The section that runs and keeps a threshold quiet.
    fn section_for(&self, title: &Arc<str>) -> Option<&Arc<str>> {
        self.state.quiet.iter().find(|(_, quiet)| quiet.thresholds.contains(title)).map(|(by, _)| by)
    }

    /// Whether a threshold keeps others quiet: one of its alerts is open. Where it is itself kept quiet by those others
    /// alone, in a circle, nobody would ever hear of any of them.
    fn keeps_quiet(&self, title: &Arc<str>, around: &mut Vec<Arc<str>>) -> bool {
        if !self.index.is_open(title) || around.contains(title) {
            return false;
        }
        let by_hand = |silence: &Silence| silence.threshold.as_ref().is_none_or(|of| of == title);
        if self.index.is_heard(title) || self.state.silences.values().any(by_hand) || self.section_for(title).is_some()
        {
            return true;
        }
        let Some(threshold) = self.threshold(title) else { return true };
        around.push(Arc::clone(title));
        let mut open = threshold.quiet_while.iter().filter(|other| self.index.is_open(other)).peekable();
        // What has kept it quiet is over, and the next sample is waited for.
        let is_over = open.peek().is_none();
        is_over || open.any(|other| self.keeps_quiet(other, around))
    }

    /// Tells of alerts that nothing keeps quiet any more. What was seen in the quiet may be over, so the next sample is
    /// waited for, but for no longer than it should take.
    pub(super) fn wake(&mut self) {
        // What is heard of may keep others of its circle quiet, which were looked at before it.
        while self.wakes_some() {}
    }

    fn wakes_some(&mut self) -> bool {
        let now = self.now;
        let mut some = false;
        let quiet: Vec<i64> = self.index.quiet.iter().copied().collect();
        for number in quiet {
            let Some(alert) = self.state.alerts.get(&number) else { continue };
            let Some(threshold) = self.threshold(&alert.subject.threshold) else { continue };
            let quiet = self.quiet_by(&alert.subject).is_some();
            let ended = (!quiet).then(|| alert.quiet_ended.unwrap_or(now));
            let Some(alert) = self.state.alert_mut(number) else { continue };
            if alert.quiet_ended != ended {
                alert.quiet_ended = ended;
                self.outcome.touched.alerts.insert(number);
            }
            let Some(ended) = ended else { continue };
            let waits = threshold.looked_at_by(ended).is_some_and(|by| now < by);
            if waits && !self.looked_at.contains(&number) {
                continue;
            }
            some = true;
            alert.quiet = false;
            alert.quiet_ended = None;
            self.index.heard(self.definitions, alert);
            self.outcome.touched.alerts.insert(number);
            let level = self.overdue(number).max(at_once(threshold));
            self.announce(number, threshold, level);
            if let Some(level) = level {
                self.call_level(number, level);
            }
        }
        some
    }

    pub(super) fn close_alert(&mut self, number: i64, end: &End) {
        // However it ends, it is over.
        let text = self.state.alerts.get(&number).and_then(|alert| {
            let before = alert.before.as_ref()?;
            let now = alert.text.strip_suffix(&since(before, false))?;
            Some([now, &since(before, true)].concat().into())
        });
        if let Some(text) = text {
            self.says(number, &text);
        }
        let Some(alert) = self.state.alerts.remove(&number) else { return };
        let mut alert = Arc::unwrap_or_clone(alert);
        self.index.closed(self.definitions, &alert);
        alert.end = Some(end.clone());
        if let Some(watch) = self.state.watches.get_mut(&alert.subject) {
            watch.alert = None;
            // What somebody closed by hand opens again once it has held once more.
            watch.true_since.iter_mut().for_each(|since| *since = None);
            watch.unknown_since = None;
            // A raised one is watched by its checks alone.
            if alert.cause == Cause::Raised {
                self.state.watches.remove(&alert.subject);
            }
        }
        self.outcome.touched.watches.insert(alert.subject.clone());
        self.outcome.touched.alerts.insert(number);
        let title = alert.subject.name();
        self.happened(Some(number), alert.incident, Happened::AlertClosed { title, end: end.clone() });
        self.tell_closed(&alert, end);
        self.gathers_no_longer(&alert);
        self.outcome.ended_alerts.push(alert);
    }
}

/// Takes a sample into account. Gives whether a condition has held for as long as it must, and notes whether the watch is
/// another by it.
fn observe(watch: &mut Watch, judged: &Judged, held: &[SignedDuration], changed: &mut bool) -> bool {
    *changed |= watch.true_since.len() != judged.when.len();
    watch.true_since.resize(judged.when.len(), None);
    for (since, when) in watch.true_since.iter_mut().zip(&judged.when) {
        // A sample that could not be taken is none at which the condition was true.
        let now = (*when == Some(true)).then(|| since.unwrap_or(judged.at));
        put(since, now, changed);
    }
    let unknown = !judged.when.contains(&Some(true)) && judged.when.contains(&None);
    // Whoever hangs could not look any more since it was begun, but for what somebody has seen meanwhile.
    let began = || judged.began.map_or(judged.at, |began| began.max(watch.sampled_at.unwrap_or(began)).min(judged.at));
    let since = unknown.then(|| watch.unknown_since.unwrap_or_else(began));
    put(&mut watch.unknown_since, since, changed);
    put(&mut watch.unknown_why, unknown.then(|| Arc::clone(&judged.text)), changed);
    let long_enough = |since: Timestamp, held: SignedDuration| judged.at.duration_since(since) >= held;
    let mut all = watch.true_since.iter().zip(held);
    all.any(|(since, held)| since.is_some_and(|since| long_enough(since, *held)))
}

fn put<T: PartialEq>(own: &mut T, now: T, changed: &mut bool) {
    *changed |= *own != now;
    *own = now;
}

/// The highest level that a threshold calls for at once.
pub(super) fn at_once(threshold: &Threshold) -> Option<u32> {
    let at_once = threshold.escalate.iter().filter(|escalate| escalate.when == EscalateWhen::AtOnce);
    at_once.map(|escalate| escalate.level).max()
}

/// The highest level that a sample calls for.
fn by_condition(judged: &Judged, threshold: &Threshold) -> Option<u32> {
    let called = threshold
        .escalate
        .iter()
        .zip(&judged.escalate)
        .filter(|(escalate, truth)| escalate.when == EscalateWhen::Condition && **truth == Some(true))
        .map(|(escalate, _)| escalate.level);
    called.max()
}
