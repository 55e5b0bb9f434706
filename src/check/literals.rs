//! What literals say: numbers with their units, dates, patterns.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp, civil};

use super::checker::{Checker, broken};
use super::program::{Expr, ExprKind};
use crate::catalog::Effect;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::syntax::ast;
use crate::types::{Regex, Type, Value};
use crate::units::{self, Quantity, QuantityFault};

/// A literal of its type.
pub(super) fn literal(value: Value, ty: Type, span: Span) -> Expr {
    Expr { kind: ExprKind::Literal(value), ty, effect: Effect::Pure, span }
}

impl Checker<'_> {
    pub(super) fn number(&mut self, text: &str, span: Span) -> Expr {
        let digits = text.replace('_', "");
        if digits.contains(['.', 'e', 'E']) {
            match digits.parse::<f64>() {
                Ok(value) if value.is_finite() => literal(Value::Float(value), Type::Float, span),
                _ => self.overflow(text, "a float", span),
            }
        } else {
            match digits.parse::<i64>() {
                Ok(value) => literal(Value::Int(value), Type::Int, span),
                Err(_) => self.overflow(text, "an int", span),
            }
        }
    }

    pub(super) fn quantity(&mut self, text: &str, span: Span) -> Expr {
        self.measured(units::parse_quantity(text), text, span)
    }

    pub(super) fn rate(&mut self, text: &str, span: Span) -> Expr {
        self.measured(units::parse_rate(text), text, span)
    }

    pub(super) fn percent(&mut self, text: &str, span: Span) -> Expr {
        match units::parse_percent(text) {
            Ok(ratio) if ratio.is_finite() => literal(Value::Percent(ratio), Type::Percent, span),
            _ => self.overflow(text, "a percent", span),
        }
    }

    fn measured(&mut self, parsed: Result<Quantity, QuantityFault>, text: &str, span: Span) -> Expr {
        match parsed {
            Ok(quantity) => {
                let (value, ty) = value_of(quantity);
                literal(value, ty, span)
            }
            Err(fault) => {
                let diagnostic = self.quantity_fault(&fault, text, span);
                self.report(diagnostic);
                broken(span)
            }
        }
    }

    fn quantity_fault(&mut self, fault: &QuantityFault, text: &str, span: Span) -> Diagnostic {
        match fault {
            // Megabytes elsewhere, and a slip for minutes: only its writer knows.
            QuantityFault::UnknownUnit(unit) if unit == "M" => {
                let help = format!("write `{text}B` for a size, `{}` for minutes", text.replace('M', "m"));
                Diagnostic::new(Code::UnknownUnit, span, "there is no unit `M`").help(help)
            }
            QuantityFault::UnknownUnit(unit) => {
                // `10Gib`, `5sec`: what is known to be meant comes before what is near.
                let meant = match units::meant(unit) {
                    Some(known) => Some(known.to_owned()),
                    None => self.meant(unit, units::UNITS.iter().map(|(known, _)| *known)),
                };
                let message = format!("there is no unit `{unit}`");
                match meant {
                    Some(meant) => {
                        let mended = text.replace(unit.as_str(), &meant);
                        Diagnostic::new(Code::UnknownUnit, span, format!("{message}; did you mean `{meant}`?"))
                            .help(format!("write `{mended}`"))
                            .fix(span, mended)
                    }
                    None => Diagnostic::new(Code::UnknownUnit, span, message).help(
                        "durations: ns us ms s m h d w; sizes: B kB MB GB TB PB KiB MiB GiB TiB PiB; cores: cores",
                    ),
                }
            }
            QuantityFault::Overflow => {
                Diagnostic::new(Code::NumberOverflow, span, format!("`{text}` is more than its type can hold"))
            }
            QuantityFault::Mixed => {
                Diagnostic::new(Code::InvalidLiteral, span, format!("the parts of `{text}` do not measure one thing"))
            }
            QuantityFault::Order => Diagnostic::new(
                Code::InvalidLiteral,
                span,
                format!("the parts of `{text}` go from large to small, each once"),
            )
            .help("write `1h30m`"),
            QuantityFault::Fraction => {
                Diagnostic::new(Code::InvalidLiteral, span, format!("`{text}` is less than the smallest unit there is"))
            }
        }
    }

    pub(super) fn overflow(&mut self, text: &str, what: &str, span: Span) -> Expr {
        self.report(Diagnostic::new(Code::NumberOverflow, span, format!("`{text}` is more than {what} can hold")));
        broken(span)
    }

    pub(super) fn date(&mut self, text: &str, span: Span) -> Expr {
        if text.contains('T') {
            match text.parse::<Timestamp>() {
                Ok(time) => literal(Value::Time(time), Type::Time, span),
                Err(_) => self.report_time(text, span),
            }
        } else {
            match text.parse::<civil::Date>() {
                Ok(date) => literal(Value::Date(date), Type::Date, span),
                Err(_) => {
                    self.invalid(&format!("`{text}` is no day of the calendar"), "write it as `2025-09-09`", span)
                }
            }
        }
    }

    /// A time that is none: what is missing is its zone, or another one than UTC is written behind it.
    fn report_time(&mut self, text: &str, span: Span) -> Expr {
        let message = format!("`{text}` is no time");
        let file = &self.sources.file(span.file).text;
        let behind = usize::try_from(span.end).ok().and_then(|end| file.get(end..)).unwrap_or_default();
        let offset: String =
            behind.chars().take(6).take_while(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | ':')).collect();
        match format!("{text}{offset}").parse::<Timestamp>() {
            Ok(time) if time.subsec_nanosecond() == 0 => {
                let whole =
                    Span::new(span.file, span.start, span.end + u32::try_from(offset.len()).unwrap_or_default());
                let message = format!("`{text}{offset}` is not in UTC, as times are written");
                let diagnostic = Diagnostic::new(Code::InvalidLiteral, whole, message);
                self.report(diagnostic.help(format!("write `{time}`")).fix(whole, time.to_string()));
                broken(span)
            }
            _ => self.invalid(&message, "write it in UTC: `2025-09-09T08:00:00Z`", span),
        }
    }

    pub(super) fn clock(&mut self, text: &str, span: Span) -> Expr {
        match clock(text) {
            Some(time) => literal(Value::Clock(time), Type::Clock, span),
            None => self.invalid(&format!("`{text}` is no time of day"), "from `00:00` to `23:59`", span),
        }
    }

    fn invalid(&mut self, message: &str, help: &str, span: Span) -> Expr {
        self.report(Diagnostic::new(Code::InvalidLiteral, span, message).help(help));
        broken(span)
    }

    pub(super) fn regex(&mut self, source: &Arc<str>, flags: &Arc<str>, span: Span) -> Expr {
        let key = (source.clone(), flags.clone());
        let compiled = self.regexes.entry(key).or_insert_with(|| pattern(source, flags)).clone();
        match compiled {
            Ok(regex) => literal(Value::Regex(regex), Type::Regex, span),
            Err(reason) => {
                let message = format!("the pattern is not valid: {reason}");
                let diagnostic = Diagnostic::new(Code::InvalidLiteral, span, message);
                self.report(if source.contains('{') {
                    diagnostic.help("a pattern has no values in it: write `\"user={name}\" in text`; a brace is `\\{`")
                } else {
                    diagnostic
                });
                broken(span)
            }
        }
    }

    /// A whole number in a clause: `retry 3`, `at most 5`, `level 2`. None below `least`, which is reported.
    pub(super) fn count(&mut self, written: &Spanned<Arc<str>>, least: u32, what: &str) -> Option<u32> {
        let digits = written.node.replace('_', "");
        match digits.parse::<u32>() {
            Ok(count) if count >= least => Some(count),
            Ok(count) => {
                let message = format!("{what} is at least {least}, and not {count}");
                self.report(Diagnostic::new(Code::InvalidLiteral, written.span, message));
                None
            }
            Err(_) if digits.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.overflow(&written.node, what, written.span);
                None
            }
            Err(_) => {
                let message = format!("{what} is a whole number, and not `{}`", written.node);
                self.report(Diagnostic::new(Code::InvalidLiteral, written.span, message));
                None
            }
        }
    }
}

/// A quantity as a value of the language.
pub(super) fn value_of(quantity: Quantity) -> (Value, Type) {
    match quantity {
        Quantity::Duration(nanoseconds) => (Value::Duration(SignedDuration::from_nanos(nanoseconds)), Type::Duration),
        Quantity::Size(bytes) => (Value::Size(bytes), Type::Size),
        Quantity::Cores(cores) => (Value::Cores(cores), Type::Cores),
        Quantity::Rate(per_second, counted) => (Value::Rate(per_second, counted), Type::Rate(counted)),
    }
}

/// `08:00` as a time of day.
pub(super) fn clock(text: &str) -> Option<civil::Time> {
    let (hour, minute) = text.split_once(':')?;
    civil::Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

pub(super) fn pattern(source: &str, flags: &str) -> Result<Regex, Arc<str>> {
    if let Some(other) = flags.chars().find(|flag| !Regex::FLAGS.contains(*flag)) {
        return Err(format!("there is no flag `{other}`: i, m, s and x are there").into());
    }
    // In the pattern itself: a pattern with other flags is another one, for everybody who compares or shows them.
    let whole = if flags.is_empty() { source.to_owned() } else { format!("(?{flags}){source}") };
    Regex::new(&whole).map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => "it is too large".into(),
        // The crate draws the place over several lines; the last one says what is wrong.
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or("").trim();
            last.strip_prefix("error: ").unwrap_or(last).into()
        }
    })
}

impl<'a> Checker<'a> {
    /// A literal expression, if it is one.
    pub(super) fn literal_expr(&mut self, expr: &'a ast::Expr) -> Option<Expr> {
        let span = expr.span;
        Some(match &expr.kind {
            ast::ExprKind::Bool(value) => literal(Value::Bool(*value), Type::Bool, span),
            ast::ExprKind::Null => literal(Value::Null, Type::Null, span),
            ast::ExprKind::Number(text) => self.number(text, span),
            ast::ExprKind::Quantity(text) => self.quantity(text, span),
            ast::ExprKind::Rate(text) => self.rate(text, span),
            ast::ExprKind::Percent(text) => self.percent(text, span),
            ast::ExprKind::Date(text) => self.date(text, span),
            ast::ExprKind::Clock(text) => self.clock(text, span),
            ast::ExprKind::Regex { source, flags } => self.regex(source, flags, span),
            _ => return None,
        })
    }
}
