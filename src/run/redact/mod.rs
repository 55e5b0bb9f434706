//! Known secrets in events: replaced, in whatever common form they appear.
//!
//! The checker lets no secret near an output; a server that repeats our token in its error message may.

mod forms;
mod search;

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value as Json;

use self::search::{REPLACEMENT, SHORTEST, Search};
use crate::shown::{Cell, Shown, ShownBody};
use crate::store::event::{Event, Withheld};
use crate::store::kept::Kept;
use crate::types::{Fault, SecretText};

/// Shorter lines of a secret of several lines are in too many texts to be looked for by themselves.
const SHORTEST_LINE: usize = 8;

/// The secrets that have been read so far.
#[derive(Default)]
pub(crate) struct Redactor(Mutex<Known>);

#[derive(Default)]
struct Known {
    forms: Vec<String>,
    /// Made when something is looked at: secrets are read many at once.
    search: Option<Arc<Search>>,
}

impl Redactor {
    /// Gives whether it is found from now on: one that is too short is in too many words.
    pub(crate) fn add(&self, secret: &SecretText) -> bool {
        let text = secret.expose().trim();
        if text.len() < SHORTEST {
            return text.is_empty();
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.forms.extend(forms::of(text));
        // Whoever reads it line by line does not see how its lines end.
        if text.contains('\r') {
            known.forms.extend(forms::of(&text.lines().collect::<Vec<_>>().join("\n")));
        }
        // One of several lines may be shown line by line.
        let lines = text.lines().map(str::trim).filter(|line| line.len() >= SHORTEST_LINE && *line != text);
        known.forms.extend(lines.flat_map(forms::of));
        known.search = None;
        true
    }

    pub(crate) fn redact(&self, event: &mut Event) {
        self.pass(|pass| pass.event(event));
    }

    /// A fault without secrets.
    pub(crate) fn fault(&self, fault: &mut Fault) {
        self.pass(|pass| pass.fault(fault));
    }

    /// A text without secrets.
    pub(crate) fn string(&self, text: &mut String) {
        self.pass(|pass| pass.string(text));
    }

    fn pass(&self, work: impl FnOnce(&Pass<'_>)) {
        let Some(search) = self.search() else { return };
        work(&Pass { search: &search });
    }

    /// `None` where no secret is known.
    fn search(&self) -> Option<Arc<Search>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.search.is_none() && !known.forms.is_empty() {
            known.search = Some(Arc::new(Search::new(known.forms.clone())));
        }
        known.search.clone()
    }
}

struct Pass<'s> {
    search: &'s Search,
}

impl Pass<'_> {
    fn event(&self, event: &mut Event) {
        match event {
            Event::RunStarted(started) => {
                started.set.iter_mut().for_each(|(_, value)| self.string(value));
                self.string(&mut started.by);
                started.definition.facts.iter_mut().for_each(|fact| self.text(fact));
            }
            Event::ConnectionOpened { target, .. } => self.string(target),
            Event::ConnectionFailed { fault, .. } => self.fault(fault),
            Event::StepStarted { label, .. } | Event::StepFinished { label, .. } => self.option(label),
            Event::Shown { title, shown, .. } => {
                self.text(title);
                self.shown(shown);
            }
            Event::NotShown { title: what, fault, .. }
            | Event::NotMeasured { what, fault, .. }
            | Event::Unsupported { what, fault, .. } => {
                self.text(what);
                self.fault(fault);
            }
            Event::Measured(measured) => {
                self.faults(&mut measured.fault);
                for sample in &mut measured.samples {
                    sample.labels.values_mut().for_each(|value| self.text(value));
                    self.string(&mut sample.text);
                    self.faults(&mut sample.fault);
                }
            }
            Event::Notified { message, .. } | Event::Raised { message, .. } | Event::Called { message, .. } => {
                self.option(message);
            }
            Event::Checked(checked) => {
                self.text(&mut checked.title);
                self.text(&mut checked.source);
                self.option(&mut checked.message);
                self.faults(&mut checked.fault);
                checked.evidence.iter_mut().for_each(|shown| self.shown(shown));
            }
            Event::ChangeWaits { title, target, holder, .. } | Event::ChangeTakesOver { title, target, holder, .. } => {
                self.text(title);
                self.string(target);
                self.string(holder);
            }
            Event::ChangeIntended { title, items, target, led_to, call, key, with, .. } => {
                for item in items {
                    self.text(item);
                }
                self.text(title);
                self.option(target);
                if let Some(led_to) = led_to {
                    self.text(&mut led_to.system);
                }
                self.text(call);
                if let Some(key) = key {
                    self.text(key);
                }
                for (_, kept) in with {
                    self.kept(kept);
                }
            }
            Event::ChangeKept(kept) => {
                self.text(&mut kept.title);
                kept.items.iter_mut().for_each(|item| self.text(item));
            }
            Event::ChangeEnded(ended) => {
                self.text(&mut ended.title);
                ended.items.iter_mut().for_each(|item| self.text(item));
                self.faults(&mut ended.fault);
                ended.said.iter_mut().for_each(|line| self.text(line));
                ended.result.iter_mut().chain(&mut ended.evidence).for_each(|shown| self.shown(shown));
                ended.value.iter_mut().for_each(|kept| self.kept(kept));
            }
            Event::ChangeWithheld { title, items, reason, .. } => {
                self.text(title);
                for item in items {
                    self.text(item);
                }
                match reason {
                    Withheld::Guard { title, .. } => self.text(title),
                    Withheld::EarlierChange { title, items } => {
                        self.text(title);
                        for item in items {
                            self.text(item);
                        }
                    }
                    Withheld::NotMeasured { fault } => self.fault(fault),
                    Withheld::Stopped { reason } | Withheld::Policy { says: reason } => self.string(reason),
                    Withheld::Busy { target, holder } => {
                        self.string(target);
                        self.string(holder);
                    }
                    Withheld::ReadOnly | Withheld::NotApproved | Withheld::TooMany { .. } => {}
                }
            }
            Event::Waited { what, fault, evidence, .. } => {
                self.text(what);
                self.faults(fault);
                for shown in evidence {
                    self.shown(shown);
                }
            }
            Event::NoItems { list, .. } => self.text(list),
            Event::Retried { fault, .. } => self.faults(fault),
            Event::Manual { text, link, note, .. } => {
                self.text(text);
                self.option(link);
                self.option(note);
            }
            Event::NotReached { what, reason, .. } => {
                self.text(what);
                self.string(reason);
            }
            Event::ApprovalNeeded { changes, help, .. } => {
                self.string(help);
                for change in changes {
                    self.text(&mut change.change);
                    change.given.iter_mut().for_each(|(_, value)| self.string(value));
                    self.option(&mut change.target);
                }
            }
            // Titles of sections are written in the runbook, where a secret can't be; the rest has no text of its own.
            Event::SectionStarted { .. }
            | Event::SecretTooShort { .. }
            | Event::Sent { .. }
            | Event::PartStarted { .. }
            | Event::PartFinished { .. }
            | Event::SectionFinished { .. }
            | Event::Approved { .. }
            | Event::Interrupted { .. }
            | Event::RunFinished(_) => {}
        }
    }

    /// A value that is used again: with another word in the place of a secret it would be another value.
    fn kept(&self, kept: &mut Kept) {
        kept.without(&|text| self.replaced(text).is_some());
    }

    fn replaced(&self, text: &str) -> Option<String> {
        self.search.replaced(text)
    }

    fn text(&self, text: &mut Arc<str>) {
        if let Some(replaced) = self.replaced(text) {
            *text = replaced.into();
        }
    }

    fn string(&self, text: &mut String) {
        if let Some(replaced) = self.replaced(text) {
            *text = replaced;
        }
    }

    fn option(&self, text: &mut Option<String>) {
        if let Some(text) = text {
            self.string(text);
        }
    }

    fn fault(&self, fault: &mut Fault) {
        self.text(&mut fault.message);
        fault.help.iter_mut().for_each(|help| self.text(help));
    }

    fn faults(&self, fault: &mut Option<Fault>) {
        if let Some(fault) = fault {
            self.fault(fault);
        }
    }

    fn shown(&self, shown: &mut Shown) {
        self.option(&mut shown.title);
        self.option(&mut shown.partial);
        match &mut shown.body {
            ShownBody::Value { cell } => self.cell(cell),
            ShownBody::Record { fields } => {
                for (name, cell) in fields {
                    self.string(name);
                    self.cell(cell);
                }
            }
            ShownBody::Table { columns, rows, .. } => {
                for column in columns {
                    self.string(column);
                }
                rows.iter_mut().flatten().for_each(|cell| self.cell(cell));
            }
            // A secret of several lines is not found in any of them alone.
            ShownBody::Lines { lines, total } => {
                if let Some(replaced) = self.replaced(&lines.join("\n")) {
                    let before = lines.len();
                    *lines = replaced.split('\n').map(str::to_owned).collect();
                    // One word stands for what was several: none of them is left to be shown.
                    *total = total.saturating_sub(before.saturating_sub(lines.len()) as u64);
                }
                for line in lines {
                    self.string(line);
                }
            }
        }
    }

    fn cell(&self, cell: &mut Cell) {
        self.string(&mut cell.text);
        self.json(&mut cell.value);
    }

    fn json(&self, json: &mut Json) {
        match json {
            Json::String(text) => self.string(text),
            Json::Number(number) => {
                if self.replaced(&number.to_string()).is_some() {
                    *json = Json::from(REPLACEMENT);
                }
            }
            Json::Array(items) => items.iter_mut().for_each(|item| self.json(item)),
            Json::Object(object) => {
                if object.keys().any(|key| self.replaced(key).is_some()) {
                    *object = std::mem::take(object)
                        .into_iter()
                        .map(|(key, value)| (self.replaced(&key).unwrap_or(key), value))
                        .collect();
                }
                object.values_mut().for_each(|value| self.json(value));
            }
            Json::Null | Json::Bool(_) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Redactor;
    use crate::shown::{Shown, ShownBody};
    use crate::store::event::Event;
    use crate::types::SecretText;

    fn redacted(text: &str) -> String {
        of_secret("p&ss\"wörd 1", text)
    }

    fn of_secret(secret: &str, text: &str) -> String {
        let redactor = Redactor::default();
        assert!(redactor.add(&SecretText::new(secret.to_owned())));
        let place = crate::store::event::Place::default();
        let mut event = Event::NotReached { place, what: "x".into(), reason: text.to_owned() };
        redactor.redact(&mut event);
        match event {
            Event::NotReached { reason, .. } => reason,
            _ => String::new(),
        }
    }

    #[test]
    fn finds_a_secret_in_every_common_form() {
        for text in [
            "got p&ss\"wörd 1!",
            r#"got {"key":"p&ss\"wörd 1"}!"#,
            "got p%26ss%22w%C3%B6rd%201!",
            "got p%26ss%22w%C3%B6rd+1!",
            r#"got {"text":"{\"key\":\"p&ss\\\"wörd 1\"}"}!"#,
            "got p%26ss%22w%c3%b6rd%201!",
            "got <p>p&amp;ss&quot;wörd 1</p>!",
        ] {
            assert!(redacted(text).contains("(secret)"), "{text}");
        }
        // `user:` and the secret; the secret alone.
        for text in ["Basic dXNlcjpwJnNzInfDtnJkIDE=", "cCZzcyJ3w7ZyZCAx"] {
            assert!(redacted(text).contains("(secret)"), "{text}");
        }
        assert_eq!(redacted("nothing of it"), "nothing of it");
    }

    #[test]
    fn finds_a_secret_of_several_lines_as_a_whole_and_by_its_lines() {
        for secret in ["admin\nhunter2hunter2\n", "admin\r\nhunter2hunter2\r\n"] {
            assert_eq!(of_secret(secret, "got admin\nhunter2hunter2!"), "got (secret)!");
            assert_eq!(of_secret(secret, "got hunter2hunter2!"), "got (secret)!");
            assert_eq!(of_secret(secret, "the admin said"), "the admin said");
            let redactor = Redactor::default();
            redactor.add(&SecretText::new(secret.to_owned()));
            let lines = |lines: &[&str]| lines.iter().map(ToString::to_string).collect::<Vec<String>>();
            let body = ShownBody::Lines { lines: lines(&["one", "user admin", "hunter2hunter2 it is"]), total: 3 };
            let place = crate::store::event::Place::default();
            let shown = Shown { title: None, body, partial: None };
            let mut event = Event::Shown { place, title: "x".into(), shown };
            redactor.redact(&mut event);
            let Event::Shown { shown: Shown { body: ShownBody::Lines { lines: left, .. }, .. }, .. } = event else {
                panic!("it was {event:?}")
            };
            assert_eq!(left, lines(&["one", "user (secret) it is"]));
        }
        assert!(!Redactor::default().add(&SecretText::new("abc\n".to_owned())));
    }

    #[test]
    fn finds_the_beginning_of_a_secret_where_a_text_was_cut() {
        assert_eq!(redacted("wanted a list, got p&ss\"wör… and more"), "wanted a list, got (secret)… and more");
        assert_eq!(redacted("it begins with: p&ss\"wörd"), "it begins with: (secret)");
        assert_eq!(redacted("p&ss\"wö in the middle … p"), "p&ss\"wö in the middle … p");
    }
}
