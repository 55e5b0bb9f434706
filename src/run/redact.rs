//! Known secrets in events: replaced, in whatever common form they appear.
//!
//! The checker lets no secret near an output; a server that repeats our token in its error message may.

use std::sync::{Arc, RwLock};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value as Json;

use crate::shown::look::markup;
use crate::shown::{Cell, Shown, ShownBody};
use crate::store::event::{Event, Withheld};
use crate::store::kept::Kept;
use crate::types::{Fault, SecretText};

const REPLACEMENT: &str = "(secret)";
/// Shorter texts are in too many words to be looked for.
const SHORTEST: usize = 4;
/// A beginning of a secret is looked for only where a text was cut, and is as long as this.
const SHORTEST_CUT: usize = 8;

/// The secrets that have been read so far.
#[derive(Default)]
pub(crate) struct Redactor {
    /// The longest first, so that no part of one is left when another is found in it.
    forms: RwLock<Vec<String>>,
}

impl Redactor {
    pub(crate) fn add(&self, secret: &SecretText) {
        let text = secret.expose().trim();
        if text.len() < SHORTEST {
            return;
        }
        let mut forms = self.forms.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        forms.extend(forms_of(text));
        // A key of several lines is shown line by line.
        forms.extend(text.lines().map(str::trim).filter(|line| line.len() >= 16).map(str::to_owned));
        forms.sort_by_key(|form| std::cmp::Reverse(form.len()));
        forms.dedup();
    }

    pub(crate) fn redact(&self, event: &mut Event) {
        let forms = self.forms.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !forms.is_empty() {
            Pass { forms: &forms }.event(event);
        }
    }
}

impl Redactor {
    /// A fault without secrets.
    pub(crate) fn fault(&self, fault: &mut Fault) {
        let forms = self.forms.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Pass { forms: &forms }.fault(fault);
    }

    /// A text without secrets.
    pub(crate) fn string(&self, text: &mut String) {
        let forms = self.forms.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        Pass { forms: &forms }.string(text);
    }
}

fn forms_of(text: &str) -> Vec<String> {
    let inner = in_json(text);
    let percent = |letters: &'static AsciiSet| utf8_percent_encode(text, letters).to_string();
    let mut forms = vec![
        text.to_owned(),
        // JSON in JSON; and as some write a slash in it.
        in_json(&inner),
        inner.replace('/', "\\/"),
        in_json(&inner.replace('/', "\\/")),
        inner,
        percent(NON_ALPHANUMERIC),
        percent(PART),
        percent(PATH),
        with_small_digits(&percent(PART)),
        markup(text),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
    ];
    forms.extend(base64_forms(text.as_bytes()));
    forms
}

/// All but what a part of an address may hold.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same of several parts.
const PATH: &AsciiSet = &PART.remove(b'/');

/// Between the quotes of a JSON text.
fn in_json(text: &str) -> String {
    let json = serde_json::Value::from(text).to_string();
    json.get(1..json.len().saturating_sub(1)).unwrap_or(text).to_owned()
}

/// `%2f` for `%2F`.
fn with_small_digits(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.push('%');
        text.push_str(&digits.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}

/// As base64, at each of the three places where it can begin in a longer text (`user:token`), without the letters at
/// its ends that depend on what is around it.
fn base64_forms(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    (0..3usize)
        .flat_map(move |before| {
            let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
            let encoded = base64(&padded, b'+', b'/');
            let safe = base64(&padded, b'-', b'_');
            let from = (before * 8).div_ceil(6);
            let to = padded.len() * 8 / 6;
            [encoded, safe].into_iter().filter_map(move |text| text.get(from..to).map(str::to_owned))
        })
        .filter(|form| form.len() >= SHORTEST)
}

fn base64(bytes: &[u8], plus: u8, slash: u8) -> String {
    let letter = |six: u32| match u8::try_from(six & 63).unwrap_or(0) {
        six @ 0..26 => b'A' + six,
        six @ 26..52 => b'a' + six - 26,
        six @ 52..62 => b'0' + six - 52,
        62 => plus,
        _ => slash,
    };
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let joined = byte(0) << 16 | byte(1) << 8 | byte(2);
        for place in 0..=chunk.len() {
            text.push(char::from(letter(joined >> (18 - 6 * place))));
        }
    }
    text
}

struct Pass<'f> {
    forms: &'f [String],
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
                    sample.labels.iter_mut().for_each(|(_, value)| self.text(value));
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
            Event::ChangeIntended { title, target, call, key, with, .. } => {
                self.text(title);
                self.option(target);
                self.text(call);
                if let Some(key) = key {
                    self.text(key);
                }
                for (_, kept) in with {
                    self.kept(kept);
                }
            }
            Event::ChangeKept(kept) => self.text(&mut kept.title),
            Event::ChangeEnded(ended) => {
                self.text(&mut ended.title);
                self.faults(&mut ended.fault);
                ended.result.iter_mut().chain(&mut ended.evidence).for_each(|shown| self.shown(shown));
                ended.value.iter_mut().for_each(|kept| self.kept(kept));
            }
            Event::ChangeWithheld { title, reason, .. } => {
                self.text(title);
                match reason {
                    Withheld::Guard { title, .. } | Withheld::EarlierChange { title } => self.text(title),
                    Withheld::NotMeasured { fault } => self.fault(fault),
                    Withheld::Stopped { reason } => self.string(reason),
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
        let mut replaced: Option<String> = None;
        for form in self.forms {
            let current = replaced.as_deref().unwrap_or(text);
            if current.contains(form.as_str()) {
                replaced = Some(current.replace(form.as_str(), REPLACEMENT));
            }
        }
        let current = replaced.as_deref().unwrap_or(text);
        self.without_cut_ends(current).or(replaced)
    }

    /// The beginning of a secret, where a text was cut in the middle of it: before `…`, or at the end.
    fn without_cut_ends(&self, text: &str) -> Option<String> {
        let cut_at = text.match_indices('…').map(|(at, _)| at).chain([text.len()]);
        let found: Vec<(usize, usize)> = cut_at
            .filter_map(|end| {
                let before = text.get(..end)?;
                let starts = self.forms.iter().filter_map(|form| begun(before, form));
                starts.min().map(|start| (start, end))
            })
            .collect();
        if found.is_empty() {
            return None;
        }
        let mut clean = String::new();
        let mut from = 0;
        for (start, end) in found.into_iter().filter(|(start, end)| start < end) {
            clean.push_str(text.get(from..start.max(from))?);
            clean.push_str(REPLACEMENT);
            from = end;
        }
        clean.push_str(text.get(from..)?);
        Some(clean)
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
            ShownBody::Lines { lines, .. } => lines.iter_mut().for_each(|line| self.string(line)),
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

/// Where a text's end begins that is a beginning of a form, long enough not to be chance.
fn begun(text: &str, form: &str) -> Option<usize> {
    let longest = form.len().min(text.len());
    (SHORTEST_CUT..=longest).rev().find_map(|len| {
        let beginning = form.get(..len)?;
        text.ends_with(beginning).then(|| text.len() - len)
    })
}

#[cfg(test)]
mod tests {
    use super::Redactor;
    use crate::store::event::Event;
    use crate::types::SecretText;

    fn redacted(text: &str) -> String {
        let redactor = Redactor::default();
        redactor.add(&SecretText::new("p&ss\"wörd 1".to_owned()));
        let place = crate::store::event::Place { path: Vec::new(), file: "x".into(), line: 1, column: 1 };
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
    fn finds_the_beginning_of_a_secret_where_a_text_was_cut() {
        assert_eq!(redacted("wanted a list, got p&ss\"wör… and more"), "wanted a list, got (secret)… and more");
        assert_eq!(redacted("it begins with: p&ss\"wörd"), "it begins with: (secret)");
        assert_eq!(redacted("p&ss\"wö in the middle … p"), "p&ss\"wö in the middle … p");
    }
}
