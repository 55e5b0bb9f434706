//! Numbers that are others than their place looks like it means: a ratio beside a number of percents, a count of the one row
//! that has the count. And what is meant where a list stands beside a number.

use super::checker::Checker;
use super::constants::constant;
use super::program::{BinaryOp, CallArg, Expr, ExprKind, LocalId, TextPart};
use super::units::has_unit;
use crate::catalog::Builtin;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::types::{Type, Value};

impl Checker<'_> {
    /// Keeps what a `let` has, for where its name stands.
    pub(super) fn note_number(&mut self, local: LocalId, value: &Expr) {
        if self.is_ratio(value) {
            _ = self.scope.ratios.insert(local);
        }
        if self.gives_one_row(value) {
            _ = self.scope.single_rows.insert(local);
        }
    }

    /// Two quantities of one kind, one divided by the other.
    pub(super) fn is_ratio(&self, expr: &Expr) -> bool {
        match &expr.uncovered().kind {
            ExprKind::Local(local) => self.scope.ratios.contains(local),
            ExprKind::Binary { op: BinaryOp::Divide, left, right } => {
                let (left, right) = (left.ty.present(), right.ty.present());
                left == right && has_unit(left) && *left != Type::Percent
            }
            _ => false,
        }
    }

    fn gives_one_row(&self, rows: &Expr) -> bool {
        match &rows.uncovered().kind {
            ExprKind::Local(local) => self.scope.single_rows.contains(local),
            _ => gives_one_row(rows),
        }
    }

    /// What is likely meant where a list is compared with a number.
    pub(super) fn of_a_list(&self, op: BinaryOp, list: &Expr, item: &Type, number: &Expr) -> Option<String> {
        let compared = format!("{} {}", op.symbol(), self.text(number.span));
        let counted = format!("how many there are: `… | count {compared}`");
        let is_count = number.ty.present() == &Type::Int;
        if self.gives_one_row(list) {
            return Some(format!("the number that the statement gives: `… | scalar {compared}`"));
        }
        let fits = |ty: &Type| ty.is_number() && ty.join(number.ty.present()).is_some();
        let each = match item.present() {
            ty if fits(ty) => format!("each of them: `… | all(it {compared})`"),
            Type::Data if is_of_sql(list) => format!("the one number of one row: `… | scalar {compared}`"),
            Type::Record(record) => {
                let value = record.fields.get("value").filter(|field| fits(&field.ty));
                match value {
                    Some(_) => format!("the value of each: `… | all(.value {compared})`"),
                    None => return is_count.then(|| format!("count it: `… | count {compared}`")),
                }
            }
            _ => return is_count.then(|| format!("count it: `… | count {compared}`")),
        };
        Some(if is_count { format!("{each}; {counted}") } else { each })
    }

    /// Warns where the rows of a statement are counted that gives one row whatever it finds.
    pub(super) fn check_counted(&mut self, builtin: &'static Builtin, args: &[Option<CallArg>], span: Span) {
        if builtin.name != "count" {
            return;
        }
        let Some(Some(CallArg::Value(rows))) = args.first() else { return };
        if self.gives_one_row(rows) {
            let message = "this counts the rows of the answer, which is one row whatever is found";
            let help = "the number in it is `… | scalar`";
            self.report(Diagnostic::new(Code::UnlikelyNumber, span, message).help(help));
        }
    }

    /// Warns of a comparison of a ratio with a number of percents.
    pub(super) fn check_likely(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        for (value, limit) in [(left, right), (right, left)] {
            match constant(limit) {
                Some(Value::Int(number)) if (10..=100).contains(number) && self.is_ratio(value) => {
                    let written = self.quoted(value.span);
                    let message = format!("{written} is a ratio, and `{number}` of it is {number} times as much");
                    let help = format!("write `{number}%`; where so many times are meant, `{number}.0`");
                    self.report(Diagnostic::new(Code::UnlikelyNumber, limit.span, message).help(help));
                }
                Some(Value::Percent(_)) => self.check_percents(op, value, limit),
                _ => {}
            }
        }
    }

    /// What is in percents already, beside a percent: 42 is 4200%.
    fn check_percents(&mut self, op: BinaryOp, value: &Expr, limit: &Expr) {
        let plain = value.uncovered();
        let message = match &plain.kind {
            ExprKind::Field { name, .. } if plain.ty.present() == &Type::Data && is_in_percents(name) => {
                format!("{} is a number of percents by its name, and 42 of it is 4200%", self.quoted(value.span))
            }
            ExprKind::Call(_) if !has_unit(&plain.ty) && query_of(plain).is_some_and(|query| is_times_100(&query)) => {
                "the query gives a number of percents, and 42 of it is 4200%".to_owned()
            }
            _ => return,
        };
        let number = self.text(limit.span).trim_end_matches('%').to_owned();
        let help = format!("write `{} {number}`, or divide by 100", op.symbol());
        self.report(Diagnostic::new(Code::UnlikelyNumber, limit.span, message).help(help));
    }

    /// Warns of a ratio in a text with a `%` behind it: 0.28%.
    pub(super) fn check_ratio_in_text(&mut self, value: Span, behind: Span) {
        let message = "the `%` stays in the text, and a ratio of 28% is 0.28 before it";
        let help = format!("write `{{{}:.1%}}`, without a `%` behind it", self.text(value));
        let sign = Span { end: behind.start + 1, ..behind };
        self.report(Diagnostic::new(Code::UnlikelyNumber, sign, message).help(help));
    }
}

fn is_in_percents(name: &str) -> bool {
    ["pct", "percent", "percentage"].iter().any(|word| name.rsplit('_').next() == Some(word))
}

/// The query that a call is about, or what it works on, as it is written.
fn query_of(expr: &Expr) -> Option<String> {
    let ExprKind::Call(call) = &expr.uncovered().kind else { return None };
    let values = call.args.iter().flatten().filter_map(|arg| match arg {
        CallArg::Value(value) => Some(value),
        CallArg::PerItem(_) => None,
    });
    let text = |part: &TextPart| match part {
        TextPart::Text(text) => text.to_string(),
        TextPart::Value { .. } => " x ".to_owned(),
    };
    let mut first = None;
    for value in values {
        if let ExprKind::Template(parts) = &value.kind {
            return Some(parts.iter().map(text).collect());
        }
        first = first.or(Some(value));
    }
    first.filter(|_| !call.builtin.name.contains('.')).and_then(query_of)
}

/// `100 * a`, `a * 100`, `100.0 * a`
fn is_times_100(query: &str) -> bool {
    let factors: Vec<&str> = query.split('*').collect();
    let ends = |text: &str| {
        let text = text.trim_end();
        ["100", "100.0"].iter().any(|factor| {
            text.strip_suffix(factor).is_some_and(|before| !before.ends_with(|c: char| c.is_alphanumeric() || c == '.'))
        })
    };
    let begins = |text: &str| {
        let number: String = text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '.').collect();
        matches!(number.as_str(), "100" | "100.0")
    };
    factors.windows(2).any(|pair| matches!(pair, [before, behind] if ends(before) || begins(behind)))
}

fn is_of_sql(list: &Expr) -> bool {
    query_of(list).is_some_and(|sql| {
        let first = sql.split_whitespace().next().unwrap_or_default().to_ascii_lowercase();
        matches!(first.as_str(), "select" | "with")
    })
}

/// Whether rows are the answer of a statement that gives one row whatever it finds: an aggregate of all of them.
fn gives_one_row(rows: &Expr) -> bool {
    const AGGREGATES: [&str; 8] = ["count(", "sum(", "avg(", "min(", "max(", "bool_or(", "bool_and(", "every("];
    const GROUPS: [&str; 8] =
        [" group by ", " union ", " over(", " having ", " limit 0", " except ", " intersect ", " offset "];
    let ExprKind::Call(call) = &rows.uncovered().kind else { return false };
    if !call.builtin.name.contains('.') {
        return false;
    }
    let Some(sql) = query_of(rows) else { return false };
    let words: Vec<String> = sql.split_whitespace().map(str::to_ascii_lowercase).collect();
    let sql = words.join(" ").replace(" (", "(");
    let Some(first) = sql.strip_prefix("select ") else { return false };
    AGGREGATES.iter().any(|name| first.starts_with(name)) && !GROUPS.iter().any(|word| sql.contains(word))
}
