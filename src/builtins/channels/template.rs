//! Templates of messages: what one makes of a message, and what is wrong with one before it is ever used.
//!
//! A template knows the fields of a message (`shape`) and nothing else: no secret, no file, no environment. Values are
//! escaped for what the template makes, so that no text of a message can become markup or break a document.

use std::collections::BTreeSet;
use std::ops::Range;

use minijinja::value::Serde;
use minijinja::{
    AutoEscape, Environment, ErrorKind, Output, OutputSpan, OutputSpanKind, State, UndefinedBehavior, Value,
    escape_formatter,
};
use serde_json::Value as Json;

use super::shape;
use crate::catalog::{Accepts, Args, Cx, JudgeFile, Message, Occasion, Param, Presence, Problem, in_folder};
use crate::diagnostics::nearest;
use crate::types::Fault;

/// How many steps a template may take, and how large what it makes may be.
const FUEL: u64 = 50_000;
const LARGEST: usize = 256 << 10;
/// The name of a template for the library.
const NAME: &str = "template";

/// What a template makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Makes {
    /// A page of a mail.
    Html,
    /// A mail without markup.
    Text,
    /// A document that Slack reads: texts in it are escaped for Slack as well.
    Slack,
    /// A document.
    Json,
}

impl Makes {
    /// What the template of a mail makes.
    fn of_mail(name: &str) -> Self {
        if name.rsplit('.').next() == Some("txt") { Self::Text } else { Self::Html }
    }
}

/// The parameter of a channel that has templates.
pub(super) const fn param(judge: JudgeFile) -> Param<Option<String>> {
    Param::new(
        "template",
        "A file that says what a message looks like, in the runbook's own folder: `{{ title }}`, `{% for fact in facts %}`.",
        Accepts::File(judge),
        Presence::Optional,
    )
}

/// What is wrong with the template of a mail.
pub(super) fn judge_mail(name: &str, text: &str) -> Vec<Problem> {
    judge(text, Makes::of_mail(name))
}

/// What is wrong with the template of a message to Slack.
pub(super) fn judge_slack(_: &str, text: &str) -> Vec<Problem> {
    judge(text, Makes::Slack)
}

/// What is wrong with the template of a document.
pub(super) fn judge_json(_: &str, text: &str) -> Vec<Problem> {
    judge(text, Makes::Json)
}

/// The template of a channel. One that cannot be read is kept with the reason: messages go out without it, and say so.
pub(super) struct Template {
    name: String,
    text: Result<String, String>,
    pub(super) makes: Makes,
}

impl Template {
    /// The template that a channel's arguments name.
    pub(super) fn of(
        cx: &Cx,
        args: &Args<'static>,
        param: &Param<Option<String>>,
        makes: Option<Makes>,
    ) -> Result<Option<Self>, Fault> {
        let Some(name) = args.get(param)? else { return Ok(None) };
        let text = match in_folder(&name) {
            Ok(path) => cx.world.file(path.as_ref()).map_err(|fault| fault.message.to_string()),
            Err(misplaced) => Err(format!("it {}", misplaced.words())),
        };
        Ok(Some(Self { makes: makes.unwrap_or_else(|| Makes::of_mail(&name)), name, text }))
    }

    /// What it makes of a message, or a remark that says why there is nothing of it.
    pub(super) fn page(&self, message: &Message) -> Result<String, String> {
        let text = self.text.as_ref().map_err(|why| self.remark(why))?;
        render(text, self.makes, message).map(|made| made.0).map_err(|failure| self.remark(&failure.to_string()))
    }

    /// The same where it makes a document.
    pub(super) fn document(&self, message: &Message) -> Result<Json, String> {
        serde_json::from_str(&self.page(message)?).map_err(|error| self.remark(&no_json(&error)))
    }

    /// Says in a message that its template was of no use.
    pub(super) fn remark(&self, why: &str) -> String {
        format!("The template `{}` could not be used, so this is the built-in wording: {why}", self.name)
    }
}

/// Why a template failed.
struct Failure {
    line: Option<usize>,
    what: String,
    undefined: bool,
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "{} in line {line}", self.what),
            None => f.write_str(&self.what),
        }
    }
}

impl From<minijinja::Error> for Failure {
    fn from(error: minijinja::Error) -> Self {
        let undefined = error.kind() == ErrorKind::UndefinedError;
        let what = match (error.kind(), error.detail()) {
            (ErrorKind::OutOfFuel, _) => format!("it does not come to its end: it takes more than {FUEL} steps"),
            (ErrorKind::UndefinedError, _) => "it writes or looks into a value that is not there".to_owned(),
            (_, Some(detail)) => detail.to_owned(),
            (kind, None) => kind.to_string(),
        };
        Self { line: error.line(), what, undefined }
    }
}

fn no_json(error: &serde_json::Error) -> String {
    format!("what it makes is no JSON: {error} of what it makes")
}

fn environment(makes: Makes) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(move |_| match makes {
        Makes::Html => AutoEscape::Html,
        // The formatter escapes: the library's own way with JSON would put quotes between the quotes of the document.
        Makes::Text | Makes::Slack | Makes::Json => AutoEscape::None,
    });
    environment.set_formatter(move |out, state, value| write(makes, out, state, value));
    environment
}

/// Writes a value into what is made. What there is none of is an empty text.
fn write(makes: Makes, out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), minijinja::Error> {
    if value.is_none() {
        return Ok(());
    }
    if value.is_safe() || makes == Makes::Text {
        return Ok(out.write_str(&value.to_string())?);
    }
    if makes == Makes::Html {
        return escape_formatter(out, state, value);
    }
    let bad = |error| minijinja::Error::new(ErrorKind::BadSerialization, "a value has no JSON").with_source(error);
    let json = serde_json::to_string(value).map_err(bad)?;
    let inner = value.as_str().and_then(|_| json.strip_prefix('"')?.strip_suffix('"'));
    Ok(out.write_str(inner.unwrap_or(&json))?)
}

/// What a template makes, and from what each part of it came.
fn render(text: &str, makes: Makes, message: &Message) -> Result<(String, Vec<OutputSpan>), Failure> {
    let mut fields = shape::of(message);
    if makes == Makes::Slack {
        super::slack::escape_fields(&mut fields);
    }
    let environment = environment(makes);
    let template = environment.template_from_named_str(NAME, text)?;
    let made = template.render_with_spans(Serde(&fields))?;
    if made.0.len() > LARGEST {
        let what = format!("it makes more than {}KiB", LARGEST >> 10);
        return Err(Failure { line: None, what, undefined: false });
    }
    Ok(made)
}

/// What is wrong with a template.
fn judge(text: &str, makes: Makes) -> Vec<Problem> {
    let environment = environment(makes);
    let template = match environment.template_from_named_str(NAME, text) {
        Ok(template) => template,
        Err(error) => {
            let failure = Failure::from(error);
            return vec![Problem { at: line(text, failure.line), message: failure.what, help: None }];
        }
    };
    let globals: BTreeSet<&str> = environment.globals().map(|(name, _)| name).collect();
    let names: BTreeSet<String> = template.undeclared_variables(true).into_iter().collect();
    let fields = shape::of(&shape::example(Occasion::Opened, true));
    let unknown: Vec<Problem> = names
        .iter()
        .filter(|name| !globals.contains(name.split('.').next().unwrap_or(name)))
        .filter_map(|name| unknown(text, name, &fields))
        .collect();
    if unknown.is_empty() { tried(text, makes).into_iter().collect() } else { unknown }
}

/// A name that no message has, of which these are the fields.
fn unknown(text: &str, name: &str, fields: &Json) -> Option<Problem> {
    let (head, rest) = name.split_once('.').map_or((name, None), |(head, rest)| (head, rest.split('.').next()));
    let (looked_for, within) = match (fields.get(head), rest) {
        (None, _) => (head, fields),
        (Some(inner @ Json::Object(of)), Some(field)) if !of.contains_key(field) => (field, inner),
        (Some(_), _) => return None,
    };
    let known: Vec<&str> = within.as_object().into_iter().flat_map(|of| of.keys()).map(String::as_str).collect();
    let whole = if looked_for == head { head.to_owned() } else { format!("{head}.{looked_for}") };
    let meant = nearest(looked_for, known.iter().copied());
    let message = match meant {
        Some(meant) => format!("a message has no `{whole}`; did you mean `{meant}`?"),
        None => format!("a message has no `{whole}`, and a template knows nothing else"),
    };
    let help = meant.map_or_else(|| format!("there are {}", known.join(", ")), |meant| format!("write `{meant}`"));
    Some(Problem { at: place(text, &whole), message, help: Some(help) })
}

const fn noun(occasion: Occasion) -> &'static str {
    if matches!(occasion, Occasion::Report) { "report" } else { "message" }
}

/// What goes wrong when it is used: with all that a message may have, and with as little.
fn tried(text: &str, makes: Makes) -> Option<Problem> {
    let is_document = matches!(makes, Makes::Slack | Makes::Json);
    for (message, whole) in [
        (shape::example(Occasion::Opened, true), true),
        (shape::somebody_on_call(), true),
        (shape::example(Occasion::Test, false), false),
        (shape::example(Occasion::Report, false), false),
    ] {
        let occasion = message.occasion;
        match render(text, makes, &message) {
            Err(failure) => {
                let help = match (failure.undefined, whole) {
                    (true, false) if occasion == Occasion::Report => {
                        Some("a part of a report has a `title`, a `text` and a `body`")
                    }
                    (true, false) => {
                        Some("not every message has an incident and facts: `{% if incident %}…{% endif %}`")
                    }
                    (true, true) => Some(
                        "a fact has a `name` and a `value`; an incident a `number`, a `level` and a `role`; whoever is on call a `name`, and nobody may be: `{% if on_call %}…{% endif %}`",
                    ),
                    (false, _) => None,
                };
                let message = if whole {
                    failure.what
                } else {
                    format!("for a {} without an incident: {}", noun(occasion), failure.what)
                };
                return Some(Problem { at: line(text, failure.line), message, help: help.map(str::to_owned) });
            }
            Ok((made, spans)) if is_document => {
                if let Err(error) = serde_json::from_str::<Json>(&made) {
                    let help =
                        "texts stand between quotes, `\"{{ title }}\"`, or bring them along: `{{ title | tojson }}`";
                    let without = if whole { "" } else { "for a message without an incident: " };
                    let message = format!("{without}{}", no_json(&error));
                    let at = line(text, Some(from_line(text, &spans, offset(&made, &error))));
                    return Some(Problem { at, message, help: Some(help.to_owned()) });
                }
            }
            Ok(_) => {}
        }
    }
    None
}

/// The byte of what was made at which it stops being JSON.
fn offset(made: &str, error: &serde_json::Error) -> usize {
    let before: usize = made.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
    before + error.column().saturating_sub(1)
}

/// The line of the template from which a byte came.
fn from_line(text: &str, spans: &[OutputSpan], offset: usize) -> usize {
    let Some(span) = spans.iter().rfind(|span| span.output_range().start <= offset) else { return 1 };
    if span.kind() != OutputSpanKind::Raw {
        return span.line();
    }
    let source = span.source_range();
    let at = (source.start + offset - span.output_range().start).min(source.end);
    text.get(..at).map_or_else(|| span.line(), |before| before.matches('\n').count() + 1)
}

/// The bytes of a line, the first where none is known.
fn line(text: &str, number: Option<usize>) -> Range<usize> {
    let mut start = 0;
    for (line, index) in text.split_inclusive('\n').zip(1..) {
        let end = start + line.trim_end().len();
        if index == number.unwrap_or(1) {
            let indent = line.len() - line.trim_start().len();
            return (start + indent).min(end)..end;
        }
        start += line.len();
    }
    text.len()..text.len()
}

/// Where a name stands for the first time, between the brackets of an expression.
fn place(text: &str, name: &str) -> Range<usize> {
    let inside = |at: usize| {
        let before = text.get(..at).unwrap_or_default();
        let opened = before.rfind("{{").max(before.rfind("{%"));
        opened.is_some_and(|opened| before.rfind("}}").max(before.rfind("%}")).is_none_or(|closed| closed < opened))
    };
    let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let found = text.match_indices(name).map(|(at, _)| at).find(|at| {
        let (before, after) = (text.get(..*at).unwrap_or_default(), text.get(at + name.len()..).unwrap_or_default());
        inside(*at) && !word(before.chars().next_back()) && !word(after.chars().next())
    });
    found.map_or_else(|| line(text, None), |at| at..at + name.len())
}

#[cfg(test)]
mod tests {
    use super::{Makes, judge, render};
    use crate::builtins::channels::shape::example;
    use crate::catalog::{Message, Occasion};

    fn message(title: &str) -> Message {
        Message { title: title.into(), ..example(Occasion::Opened, true) }
    }

    fn made(text: &str, makes: Makes, title: &str) -> String {
        render(text, makes, &message(title)).map_err(|failure| failure.to_string()).expect("it is made").0
    }

    fn found(text: &str, makes: Makes) -> Vec<(String, String)> {
        judge(text, makes).into_iter().map(|one| (text[one.at].to_owned(), one.message)).collect()
    }

    #[test]
    fn values_are_escaped_for_what_is_made() {
        let title = "a <b> & \"c\"\nd";
        assert_eq!(made("<p>{{ title }}</p>", Makes::Html, title), "<p>a &lt;b&gt; &amp; &quot;c&quot;\nd</p>");
        assert_eq!(made("{{ title }}", Makes::Text, title), title);
        assert_eq!(made(r#"{"t": "{{ title }}"}"#, Makes::Json, title), r#"{"t": "a <b> & \"c\"\nd"}"#);
        assert_eq!(made(r#"{"t": "{{ title }}"}"#, Makes::Slack, title), r#"{"t": "a &lt;b&gt; &amp; \"c\"\nd"}"#);
        let document = made(r#"{"t": {{ title | tojson }}, "n": {{ incident.number }}}"#, Makes::Json, title);
        let document: serde_json::Value = serde_json::from_str(&document).expect("JSON");
        assert_eq!((document["t"].as_str(), document["n"].as_i64()), (Some(title), Some(7)));
    }

    #[test]
    fn addresses_stay_whole_for_slack_and_what_is_missing_is_empty() {
        let link = Some("https://x.example/?a=1&b=<2>|3".to_owned());
        let message = Message { link, acknowledge: None, ..message("t") };
        let made = render("{{ link }} [{{ acknowledge }}]", Makes::Slack, &message);
        assert_eq!(
            made.map(|made| made.0).map_err(|failure| failure.to_string()),
            Ok("https://x.example/?a=1&b=%3C2%3E%7C3 []".to_owned())
        );
    }

    #[test]
    fn one_that_does_not_end_is_stopped() {
        let endless = "{% for a in range(1000) %}{% for b in range(1000) %}{{ a }}{% endfor %}{% endfor %}";
        let failure = render(endless, Makes::Text, &message("t")).err().map(|failure| failure.what);
        assert_eq!(failure.as_deref(), Some("it does not come to its end: it takes more than 50000 steps"));
        assert!(found(endless, Makes::Html)[0].1.contains("does not come to its end"));
    }

    #[test]
    fn what_is_wrong_is_found_before_it_is_used() {
        assert_eq!(found("<b>{{ title }}</b>{% for fact in facts %}{{ fact.name }}{% endfor %}", Makes::Html), []);
        let one = |text: &str| found(text, Makes::Html).remove(0);
        assert_eq!(
            one("a titel\n{{ titel }}"),
            ("titel".into(), "a message has no `titel`; did you mean `title`?".into())
        );
        assert_eq!(
            one("{% if incident %}{{ incident.nummer }}{% endif %}"),
            ("incident.nummer".into(), "a message has no `incident.nummer`; did you mean `number`?".into())
        );
        assert_eq!(one("{{ slack_webhook }}").1, "a message has no `slack_webhook`, and a template knows nothing else");
        assert_eq!(one("a\n{% if title %}\nb").0, "{% if title %}");
        assert_eq!(one("{% for fact in facts %}\n{{ fact.nam }}\n{% endfor %}").0, "{{ fact.nam }}");
        let (place, what) = one("x\n{{ incident.role }}");
        assert_eq!(place, "{{ incident.role }}");
        assert!(what.starts_with("for a message without an incident: "), "{what}");
        let (place, what) = found("{\n  \"a\": {{ title }}\n}", Makes::Slack).remove(0);
        assert_eq!((&*place, what.starts_with("what it makes is no JSON: ")), ("\"a\": {{ title }}", true), "{what}");
        assert_eq!(found("{\n  \"a\": 1,\n}", Makes::Json)[0].0, "}");
        assert_eq!(found(r#"{"a": "{{ title }}"}"#, Makes::Slack), []);
    }
}
