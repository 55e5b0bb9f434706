//! Texts with values in them: what can stand in one, and how it is written.

use std::sync::Arc;

use jiff::civil;
use jiff::fmt::strtime::BrokenDownTime;

use super::checker::Checker;
use super::convert::holds_secret;
use super::literals::literal;
use super::operators::convert;
use super::program::{Expr, ExprKind, Format, TextPart};
use super::wording::a;
use crate::catalog::{Effect, Inside, Landing, Reading};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Part, Template};
use crate::types::{Type, Value};

/// Where a text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Where people read it as it is: its values are short, and one that is missing is a `-`.
    People,
    /// Anywhere else: it may go to a program, or be a key, so its values have all their digits.
    Text,
    /// In what joins its parts by itself and has each value as it is.
    Landing(Landing),
}

impl<'a> Checker<'a> {
    /// A text as a value: a string.
    pub(super) fn text_expr(&mut self, template: &'a Template, people: bool) -> Expr {
        if let Some(text) = template.constant() {
            return literal(Value::string(text), Type::String, template.span);
        }
        let (parts, effect) = self.parts(template, if people { Place::People } else { Place::Text });
        Expr { kind: ExprKind::Text(parts), ty: Type::String, effect, span: template.span }
    }

    /// A text for a place that joins it by itself.
    pub(super) fn template_expr(&mut self, template: &'a Template, landing: Landing) -> Expr {
        let (parts, effect) = self.parts(template, Place::Landing(landing));
        Expr { kind: ExprKind::Template(parts), ty: Type::String, effect, span: template.span }
    }

    fn parts(&mut self, template: &'a Template, place: Place) -> (Vec<TextPart>, Effect) {
        let mut effect = Effect::Pure;
        let mut parts = Vec::new();
        let mut reading = match place {
            Place::Landing(Landing::Quoted(quoting)) => Some(quoting.read()),
            _ => None,
        };
        let (mut dollar, mut ratio) = (None, None);
        for part in &template.parts {
            match part {
                Part::Text(text) => {
                    if let Some(value) = ratio.take().filter(|_| text.node.starts_with('%')) {
                        self.check_ratio_in_text(value, text.span);
                    }
                    // One that is meant is written as an escape.
                    let start = text.span.end.saturating_sub(1);
                    dollar = self.text(text.span).ends_with('$').then_some(Span { start, ..text.span });
                    if let Some(reading) = &mut reading {
                        reading.piece(&text.node);
                    }
                    parts.push(TextPart::Text(text.node.clone()));
                }
                Part::Interpolation(found) => {
                    let value = self.read_by_people(place == Place::People, &found.value);
                    effect = effect.max(value.effect);
                    self.check_shown(&value, place);
                    self.check_braces(&found.value);
                    let is_percent = found.format.as_ref().is_some_and(|format| format.node.ends_with('%'));
                    ratio = (!is_percent && self.is_ratio(&value)).then_some(value.span);
                    if let (Some(span), ast::ExprKind::Name(name)) = (dollar.take(), &found.value.kind) {
                        let message = format!("the `$` stays in the text: it is `$` and then what `{name}` is");
                        let help = format!("write `{{{name}}}`; a `$` that is meant is `\\u{{24}}`");
                        self.report(Diagnostic::new(Code::DollarKept, span, message).help(help).fix(span, ""));
                    }
                    if let Some(reading) = &mut reading {
                        self.check_quoted(&value, reading);
                        reading.value();
                    }
                    let (value, format) = match &found.format {
                        Some(written) => self.format(value, written),
                        None if place == Place::Text => (value, Some(Format::Whole)),
                        None => (value, None),
                    };
                    parts.push(TextPart::Value { value, format });
                }
            }
        }
        if let Some((why, language)) = reading.and_then(|read| Some((read.unfinished()?, read.quoting().language))) {
            let message = format!("this is no {language}: {why}");
            self.report(Diagnostic::new(Code::InvalidLiteral, template.span, message));
        }
        (parts, effect)
    }

    /// `{{name}}`, as templates elsewhere have it, is a record here.
    fn check_braces(&mut self, value: &'a ast::Expr) {
        let ast::ExprKind::Record(entries) = &value.bare().kind else { return };
        let one = entries.first().filter(|entry| entries.len() == 1 && entry.shorthand);
        let help = match one {
            Some(entry) => format!("write `{{{}}}`", entry.key),
            None => "a brace of the text itself is `\\{`".to_owned(),
        };
        let message = "a value stands in one pair of braces: the inner one makes a record of it";
        self.report(Diagnostic::new(Code::Syntax, value.span, message).help(help));
    }

    /// Whether a value can stand in a text.
    fn check_shown(&mut self, value: &Expr, place: Place) {
        if holds_secret(&value.ty) {
            let what = if matches!(place, Place::Landing(_)) { "what is sent in the clear" } else { "a text" };
            self.report_secret(value, what);
            return;
        }
        match (&value.ty, place) {
            // A missing value in a path would be another path; in SQL it is NULL, and people read a `-`.
            (ty, Place::Text | Place::Landing(Landing::Url | Landing::Words | Landing::Quoted(_)))
                if ty.is_optional() =>
            {
                self.report_missing(value);
            }
            (Type::List(_) | Type::Record(_), Place::Text | Place::Landing(Landing::Url)) => {
                let what = if place == Place::Text { "a value of a text" } else { "one part of an address" };
                let message = format!("{what} is one value, {}", self.claim(value));
                let help = match &value.ty {
                    Type::List(_) => format!("say what stands between two: `{{{} | join(\",\")}}`", self.named(value)),
                    _ => format!("take a field of it: `{{{}.name}}`", self.named(value)),
                };
                self.report(Diagnostic::new(Code::TypeMismatch, value.span, message).help(help));
            }
            // PostgreSQL has a type for durations, and none for the others.
            (ty, Place::Landing(Landing::Url | Landing::Words | Landing::Sql))
                if has_unit(ty.present())
                    && !(place == Place::Landing(Landing::Sql) && *ty.present() == Type::Duration) =>
            {
                let message = format!("a plain number stands there, {}", self.claim(value));
                let help = format!("say in which unit it is meant: `{{{}}}`", self.divided(value));
                self.report(Diagnostic::new(Code::UnitMismatch, value.span, message).at(ty).help(help));
            }
            (Type::Connection(_), _) => {
                let message = format!("{}, which has no text", self.claim(value));
                self.report(Diagnostic::new(Code::TypeMismatch, value.span, message));
            }
            _ => {}
        }
    }

    /// Whether a value can stand where it does in a query.
    fn check_quoted(&mut self, value: &Expr, reading: &Reading) {
        let quoting = reading.quoting();
        let ty = value.ty.present();
        let (place, help) = match (reading.inside(), ty) {
            (_, Type::Data | Type::Unknown | Type::Connection(_)) => return,
            (Inside::Quotes { pattern: true, .. }, Type::List(item)) if item.is_text() || **item == Type::Data => {
                return;
            }
            (Inside::Quotes { .. }, ty) if !matches!(ty, Type::List(_) | Type::Record(_)) && !has_unit(ty) => return,
            (Inside::Nothing, ty) if ty.is_plain_number() => return,
            (Inside::Nothing, Type::Duration) if quoting.durations => return,
            (_, ty) if has_unit(ty) => {
                ("a number stands there", format!("say in which unit it is meant: `{{{}}}`", self.divided(value)))
            }
            (_, Type::List(_) | Type::Record(_)) => ("one value stands there", quoting.list_help()),
            _ => ("outside of quotes stands a number", format!("put quotes around the value: `{}`", quoting.example)),
        };
        let message = format!("in {} {place}, {}", quoting.language, self.claim(value));
        self.report(Diagnostic::new(Code::TypeMismatch, value.span, message).help(help));
    }

    fn format(&mut self, value: Expr, written: &ast::Written) -> (Expr, Option<Format>) {
        let text: &str = &written.node;
        if value.ty.is_unknown() {
            return (value, None);
        }
        let number = matches!(value.ty.present(), Type::Int | Type::Float | Type::Percent | Type::Data);
        // `.1%`: a ratio as the percent that it is.
        if let Some(text) = text.strip_suffix('%')
            && let Some(format) = if text.is_empty() { Some(None) } else { number_format(text).map(Some) }
            && number
        {
            let ty = if value.ty.is_optional() { Type::Percent.optional() } else { Type::Percent };
            let value = if value.ty.present() == &Type::Percent { value } else { convert(value, ty) };
            return (value, format);
        }
        if text.contains('%') {
            return match valid_pattern(text, value.ty.present()) {
                Ok(()) => (value, Some(Format::Time(written.node.clone()))),
                Err(why) => {
                    self.report_format(&value, written, &why);
                    (value, None)
                }
            };
        }
        match number_format(text) {
            Some(format) if number => (value, Some(format)),
            Some(_) => {
                let why = format!("`:{text}` is for numbers without a unit, {}", self.claim(&value));
                self.report_format(&value, written, &why);
                (value, None)
            }
            None => {
                let why = format!("there is no format `:{text}`");
                self.report_format(&value, written, &why);
                (value, None)
            }
        }
    }

    fn report_format(&mut self, value: &Expr, written: &ast::Written, why: &str) {
        let help = match value.ty.present() {
            Type::Time | Type::Date | Type::Clock => "e.g. `:%Y/%m/%d`, `:%H:%M`",
            Type::Int | Type::Float | Type::Percent | Type::Data => {
                "e.g. `:.1` for one decimal, `:#,` for 1,000, `:.1%` for a ratio"
            }
            _ => "leave the format out: it is shown with its unit",
        };
        self.report(Diagnostic::new(Code::UnknownFormat, written.span, why).help(help));
    }
}

/// A text for a pattern of files: its values are names, and no part of the pattern.
pub(super) fn named_by_values(mut expr: Expr) -> Expr {
    if let ExprKind::Text(parts) = &mut expr.kind {
        for part in parts {
            match part {
                TextPart::Value { format, .. } if matches!(format, None | Some(Format::Whole)) => {
                    *format = Some(Format::Name);
                }
                _ => {}
            }
        }
    }
    expr
}

/// Whether a number of this type means something only with its unit.
const fn has_unit(ty: &Type) -> bool {
    matches!(ty, Type::Duration | Type::Size | Type::Cores | Type::Rate(_))
}

/// `.1`, `#,`, `#,.1`.
fn number_format(text: &str) -> Option<Format> {
    let (grouped, rest) = match text.strip_prefix("#,") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let decimals = match rest.strip_prefix('.') {
        Some(digits) if digits.len() <= 2 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            Some(digits.parse::<u8>().ok().filter(|decimals| *decimals <= 17)?)
        }
        None if rest.is_empty() && grouped => None,
        _ => return None,
    };
    Some(Format::Number { decimals, grouped })
}

/// Whether a pattern of the clock can be written for a value of this type.
fn valid_pattern(pattern: &str, ty: &Type) -> Result<(), String> {
    if let Some(local) = ["%c", "%x", "%X", "%r"].iter().find(|local| pattern.contains(**local)) {
        return Err(format!("`{local}` is another form in each country: write out what is meant, `%Y-%m-%d %H:%M:%S`"));
    }
    let sample = match ty {
        Type::Time => BrokenDownTime::from(&jiff::Timestamp::UNIX_EPOCH.to_zoned(jiff::tz::TimeZone::UTC)),
        Type::Date => BrokenDownTime::from(civil::date(2000, 1, 1)),
        Type::Clock => BrokenDownTime::from(civil::time(0, 0, 0, 0)),
        other => return Err(format!("`:{pattern}` is for times and dates, and this is {}", a(other))),
    };
    sample.to_string(pattern).map(drop).map_err(|error| format!("`:{pattern}` is no pattern for {}: {error}", a(ty)))
}

/// The text with `*` for every value in it.
pub(super) fn outline(template: &Template) -> String {
    template
        .parts
        .iter()
        .map(|part| match part {
            Part::Text(text) => Arc::clone(&text.node),
            Part::Interpolation(_) => "*".into(),
        })
        .collect::<Vec<Arc<str>>>()
        .concat()
}
