//! A night of one seed: what happens to alerting, one input after another.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;
use runbook::alerting::{
    Caller, Definitions, Engine, Input, Judged, Outcome, Quiet, Raised, State, Subject, Threshold,
};
use runbook::types::Labels;

use crate::kept::{Kept, is_same};
use crate::laws::Laws;
use crate::random::{CHANNELS, Dice, all_labels, definitions, secs};

const STEPS: usize = 60;

pub(crate) struct Night {
    dice: Dice,
    definitions: Arc<Definitions>,
    /// All that a threshold may be judged for.
    labels: Vec<Labels>,
    now: Timestamp,
    engine: Engine,
    /// The same, now and then read anew from what was written down.
    anew: Engine,
    kept: Kept,
    laws: Laws,
    /// Whether samples may come too late. Whoever reads anew does not know of every sample: then none may.
    late: bool,
    notes: usize,
    /// `None` where nobody wants to hear it.
    story: Option<Vec<String>>,
}

impl Night {
    pub(crate) fn of(seed: u64, told: bool) -> Self {
        let mut dice = Dice::of(seed);
        let definitions = Arc::new(definitions(&mut dice));
        Self {
            late: dice.percent(30),
            dice,
            now: "2026-03-05T22:00:00Z".parse().unwrap(),
            engine: Engine::new(Arc::clone(&definitions), State::default()),
            anew: Engine::new(Arc::clone(&definitions), State::default()),
            kept: Kept::default(),
            laws: Laws::default(),
            notes: 0,
            story: told.then(|| vec![format!("{definitions:#?}")]),
            definitions,
            labels: all_labels(),
        }
    }

    pub(crate) fn pass(&mut self) -> Result<(), String> {
        for _ in 0..STEPS {
            self.pass_time()?;
            let input = self.input();
            self.take(input)?;
        }
        self.end()
    }

    /// What was done, to be told where a law is broken.
    pub(crate) fn story(&self) -> String {
        self.story.as_ref().map(|story| story.join("\n")).unwrap_or_default()
    }

    fn tell(&mut self, line: impl FnOnce(Timestamp) -> String) {
        let now = self.now;
        if let Some(story) = &mut self.story {
            story.push(line(now));
        }
    }

    /// Gives what came of it, and whether anything is another than before.
    fn take(&mut self, input: Input) -> Result<(Outcome, bool), String> {
        let reads_anew = !self.late && self.dice.percent(25);
        if reads_anew {
            self.anew = Engine::new(Arc::clone(&self.definitions), self.kept.state());
        }
        self.tell(|now| format!("{now} {input:?}"));
        // Whoever has looked after a long time is heard before anybody is woken.
        let looks = matches!(input, Input::Judged(_) | Input::Listed { .. } | Input::Passed { .. });
        let is_late = |due: Timestamp| self.now.duration_since(due) > secs(5) && due > Timestamp::MIN;
        let waits = looks && self.engine.next_due().is_some_and(is_late);
        let outcome = self.engine.take(self.now, input.clone());
        for happening in &outcome.happened {
            self.tell(|_| format!("    {:?} {:?} {:?}", happening.alert, happening.incident, happening.what));
        }
        let changed = self.kept.write(&outcome, self.engine.state());
        if !self.kept.is(self.engine.state()) {
            return Err(format!("something is another that is not named: {:#?}", outcome.touched));
        }
        if !self.late {
            let again = self.anew.take(self.now, input);
            let told = (&again.happened, &again.tell, &again.withdraw);
            if told != (&outcome.happened, &outcome.tell, &outcome.withdraw) {
                return Err(format!("read anew it decides otherwise: {:#?}", again.happened));
            }
            if reads_anew && !is_same(self.anew.state(), self.engine.state()) {
                let differences = differences(self.engine.state(), self.anew.state());
                return Err(format!("read anew it is otherwise:\n{differences}"));
            }
        }
        self.laws.hold(self.now, &self.engine, &outcome, waits)?;
        Ok((outcome, changed))
    }

    /// Time passes: to what is due, or to some other time; sometimes the clock is set back.
    fn pass_time(&mut self) -> Result<(), String> {
        let due = self.engine.next_due();
        match self.dice.below(10) {
            0..=2 => return Ok(()),
            3..=5 => {
                let Some(due) = due else { return Ok(()) };
                self.now = self.now.max(due);
                let (_, changed) = self.take(Input::Tick)?;
                if !changed {
                    return Err(format!("at {due} something was due, and nothing came of it"));
                }
                return Ok(());
            }
            6 if self.dice.percent(30) => {
                self.now = self.now.checked_sub(secs(3600)).unwrap();
                self.tell(|now| format!("{now} the clock was set back"));
            }
            _ => {
                let step = *self.dice.one(&[1, 15, 30, 60, 300, 900, 3600, 86_400]);
                self.now = self.now.checked_add(secs(step)).unwrap();
            }
        }
        if due.is_none_or(|due| due > self.now) {
            let before = self.sampled_at();
            let (outcome, changed) = self.take(Input::Tick)?;
            if outcome != Outcome::default() || changed || before != self.sampled_at() {
                return Err(format!("nothing was due before {due:?}, and something came of it: {outcome:#?}"));
            }
        }
        Ok(())
    }

    /// When each was sampled last.
    fn sampled_at(&self) -> Vec<Option<Timestamp>> {
        self.engine.state().watches.values().map(|watch| watch.sampled_at).collect()
    }

    fn input(&mut self) -> Input {
        let definitions = Arc::clone(&self.definitions);
        let thresholds: Vec<&Threshold> = definitions.thresholds.values().collect();
        let threshold = *self.dice.one(&thresholds);
        let by: Arc<str> = (*self.dice.one(&["ada", "bob"])).into();
        let state = self.engine.state();
        let incidents: Vec<i64> = state.incidents.keys().copied().collect();
        let alerts: Vec<i64> = state.alerts.keys().copied().collect();
        let silences: Vec<i64> = state.silences.keys().copied().collect();
        let dice = &mut self.dice;
        match dice.below(30) {
            0..=13 => self.samples(threshold),
            14 | 15 if !threshold.held.is_empty() => {
                let present = self.labels.iter().filter(|_| dice.percent(60)).cloned().collect();
                Input::Listed { threshold: Arc::clone(&threshold.title), present }
            }
            16..=18 if !incidents.is_empty() => Input::Acknowledge { incident: *dice.one(&incidents), by },
            19 if !incidents.is_empty() => {
                let level = 1 + u32::try_from(dice.below(5)).unwrap();
                let text = dice.percent(50).then(|| "look".into());
                Input::Escalate { incident: *dice.one(&incidents), level, caller: Caller { by, text } }
            }
            20 if !incidents.is_empty() => Input::Close { incident: *dice.one(&incidents), by },
            21 if !alerts.is_empty() => Input::CloseAlert { alert: *dice.one(&alerts), by },
            22 => Input::Silence {
                threshold: dice.percent(70).then(|| Arc::clone(&threshold.title)),
                labels: if dice.percent(50) { dice.one(&self.labels).clone() } else { Labels::new() },
                until: self.now.checked_add(secs(*dice.one(&[60, 3600, 7200]))).unwrap(),
                by,
                why: "works".into(),
            },
            23 if !silences.is_empty() => Input::EndSilence { silence: *dice.one(&silences), by },
            24 => {
                let until = self.now.checked_add(secs(*dice.one(&[60, 3600]))).unwrap();
                let quiet = Quiet { thresholds: BTreeSet::from([Arc::clone(&threshold.title)]), until };
                Input::QuietBegins { by: format!("section {}", dice.below(2)).into(), quiet }
            }
            25 => Input::QuietEnds { by: format!("section {}", dice.below(2)).into() },
            26 => {
                let level = 1 + u32::try_from(dice.below(4)).unwrap();
                let text = dice.percent(50).then(|| "look".into());
                let caller = dice.percent(50).then_some(Caller { by, text });
                Input::Called { title: "By hand".into(), level, text: "help".into(), caller }
            }
            27 => {
                self.notes += 1;
                let channels = vec![(*dice.one(&CHANNELS)).into()];
                Input::Note {
                    key: format!("note-{}", self.notes).into(),
                    channels,
                    title: "N".into(),
                    text: String::new(),
                }
            }
            _ => Input::Tick,
        }
    }

    /// What is measured, or what a check finds where the threshold is raised by checks.
    fn samples(&mut self, threshold: &Threshold) -> Input {
        let dice = &mut self.dice;
        let all = &self.labels;
        if threshold.held.is_empty() {
            let subject = Subject { threshold: Arc::clone(&threshold.title), labels: dice.one(all).clone() };
            let raiser: Arc<str> = format!("check {}", dice.below(2)).into();
            if dice.percent(50) {
                return Input::Raised(Raised {
                    subject,
                    raiser,
                    text: format!("fault {}", dice.below(3)).into(),
                    since: None,
                });
            }
            return Input::Passed { subject, raiser };
        }
        let count = if dice.percent(50) { 1 } else { all.len() };
        let late = if self.late && dice.percent(20) { secs(10) } else { secs(0) };
        let at = self.now.checked_sub(late).unwrap();
        let some: Vec<Labels> =
            (0..count).map(|one| if count == 1 { dice.one(all).clone() } else { all[one].clone() }).collect();
        let watches = &self.engine.state().watches;
        let judged = some.into_iter().map(|labels| {
            let subject = Subject { threshold: Arc::clone(&threshold.title), labels };
            let began = dice.percent(10).then(|| at.checked_sub(secs(30)).unwrap());
            // Whoever reads anew does not know either what others saw while a look hung.
            let seen = watches.get(&subject).and_then(|watch| watch.sampled_at);
            Judged {
                began: began.filter(|began| self.late || seen.is_none_or(|seen| seen <= *began)),
                subject,
                at,
                when: threshold.held.iter().map(|_| dice.truth()).collect(),
                until: dice.percent(50).then(|| dice.truth()),
                escalate: threshold.escalate.iter().map(|_| dice.truth()).collect(),
                text: format!("it is {}", dice.below(5)).into(),
            }
        });
        Input::Judged(judged.collect())
    }

    /// The morning: all is well again, whatever runs ends, and what people called for they close.
    fn end(&mut self) -> Result<(), String> {
        // Whatever the clock was set back by has passed.
        self.now = self.now.checked_add(secs(40 * 86_400)).unwrap();
        let judged = self.engine.state().watches.iter().map(|(subject, watch)| Judged {
            subject: subject.clone(),
            at: self.now,
            began: None,
            when: watch.true_since.iter().map(|_| Some(false)).collect(),
            until: Some(Some(true)),
            escalate: Vec::new(),
            text: "all is well".into(),
        });
        let judged: Vec<Judged> = judged.filter(|judged| !judged.when.is_empty()).collect();
        self.take(Input::Judged(judged))?;
        let open: Vec<_> = self.engine.state().alerts.values().cloned().collect();
        for alert in open {
            for raiser in &alert.raisers {
                self.take(Input::Passed { subject: alert.subject.clone(), raiser: Arc::clone(raiser) })?;
            }
        }
        let called: Vec<i64> =
            self.engine.state().incidents.values().filter(|one| one.alerts.is_empty()).map(|one| one.number).collect();
        for incident in called {
            self.take(Input::Close { incident, by: "ada".into() })?;
        }
        for section in ["section 0", "section 1"] {
            self.take(Input::QuietEnds { by: section.into() })?;
        }
        let mut turns = 0;
        while let Some(due) = self.engine.next_due() {
            self.now = self.now.max(due);
            self.take(Input::Tick)?;
            turns += 1;
            if turns > 1000 {
                return Err("there is always something more to be due".to_owned());
            }
        }
        let state = self.engine.state();
        if !(state.alerts.is_empty() && state.incidents.is_empty() && state.silences.is_empty()) {
            return Err(format!("all is well, and something is open: {state:#?}"));
        }
        self.laws.end()
    }
}

/// The lines in which two states differ.
fn differences(own: &State, anew: &State) -> String {
    let (own, anew) = (format!("{own:#?}"), format!("{anew:#?}"));
    let diff = similar::TextDiff::from_lines(&own, &anew);
    diff.unified_diff().context_radius(8).to_string()
}
