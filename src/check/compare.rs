//! What can be compared with what.

use super::checker::{Checker, broken};
use super::constants::constant;
use super::convert::unquoted;
use super::operators::{convert, operation};
use super::program::{BinaryOp, Expr, ExprKind};
use super::units::has_unit;
use super::wording::a;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::types::{Type, Value, is_quantity, is_version};

impl Checker<'_> {
    /// `==`, `<`, `~`, `in` and their like.
    pub(super) fn comparison(&mut self, op: BinaryOp, left: Expr, right: Expr, span: Span) -> Expr {
        self.check_likely(op, &left, &right);
        let sides = match op {
            BinaryOp::Matches => self.matching(left, right),
            BinaryOp::In => self.membership(left, right),
            BinaryOp::Equal | BinaryOp::NotEqual => self.equality(op, left, right),
            _ => {
                let (left, right) = (self.present_in_order(left), self.present_in_order(right));
                self.order(op, left, right)
            }
        };
        match sides {
            Some((left, right)) => operation(op, left, right, Type::Bool, span),
            // The answer is a bool, whatever the mistake in it was.
            None => Expr { ty: Type::Bool, ..broken(span) },
        }
    }

    fn order(&mut self, op: BinaryOp, left: Expr, right: Expr) -> Option<(Expr, Expr)> {
        let (left, right) = self.comparable(op, left, right)?;
        self.check_order_of_texts(&left, &right)?;
        self.check_order_of_texts(&right, &left)?;
        for side in [&left, &right] {
            if !side.ty.is_ordered() && !matches!(side.ty, Type::Unknown | Type::Data) {
                let message = format!("`{}` is for values with an order, {}", op.symbol(), self.claim(side));
                self.report(Diagnostic::new(Code::TypeMismatch, side.span, message).at(&side.ty));
                return None;
            }
        }
        Some((left, right))
    }

    /// A text beside one that is written and spells a number or a version: their order is not that of texts. What is made
    /// here of a time has as many digits as its format says, and data says for itself what it spells.
    fn check_order_of_texts(&mut self, text: &Expr, written: &Expr) -> Option<()> {
        let Some(Value::String(spelled)) = constant(written) else { return Some(()) };
        let is_made = matches!(text.uncovered().kind, ExprKind::Text(_) | ExprKind::Local(_) | ExprKind::Literal(_));
        if !text.ty.is_text() || !(is_version(spelled) || is_quantity(spelled) && !is_made) {
            return Some(());
        }
        let own = self.text(text.span);
        let first = format!("`({own} | capture(/(\\d+)/) ?? \"0\") | parse_json` is the first number of a version");
        let (what, example, help) = if is_version(spelled) {
            ("a version", "\"1.10\" is before \"1.9\"", first)
        } else {
            let of_version = if spelled.contains('.') { format!(", and {first}") } else { String::new() };
            ("a number", "\"10\" is before \"9\"", format!("`{own} | parse_json` is the number{of_version}"))
        };
        let message =
            format!("{} spells {what}, and the order of texts is another one: {example}", self.quoted(written.span));
        self.report(Diagnostic::new(Code::TypeMismatch, written.span, message).help(help));
        None
    }

    fn equality(&mut self, op: BinaryOp, left: Expr, right: Expr) -> Option<(Expr, Expr)> {
        if matches!(left.ty, Type::Secret) || matches!(right.ty, Type::Secret) {
            let secret = if left.ty == Type::Secret { &left } else { &right };
            let message = format!("{} is a secret, and comparing it would tell about it", self.quoted(secret.span));
            self.report(Diagnostic::new(Code::SecretExposed, secret.span, message));
            return None;
        }
        self.comparable(op, left, right)
    }

    /// Both sides as one type, or a report.
    fn comparable(&mut self, op: BinaryOp, left: Expr, right: Expr) -> Option<(Expr, Expr)> {
        if left.ty.is_unknown() || right.ty.is_unknown() {
            return Some((left, right));
        }
        if left.ty == Type::Null || right.ty == Type::Null {
            return self.against_null(left, right);
        }
        let (left, right) = match (&left.ty, &right.ty) {
            (Type::Data, Type::Data) => (left, right),
            (Type::Data, _) => (self.read_data(op, left, &right)?, right),
            (_, Type::Data) => {
                let right = self.read_data(op, right, &left)?;
                (left, right)
            }
            _ => (left, right),
        };
        let (a_ty, b_ty) = (left.ty.present(), right.ty.present());
        let percent_meets_count = matches!((a_ty, b_ty), (Type::Percent, Type::Int) | (Type::Int, Type::Percent));
        if percent_meets_count || (a_ty.is_number() && b_ty.is_number() && a_ty.join(b_ty).is_none()) {
            self.report_units(&left, &right);
            return None;
        }
        self.check_words(&left, &right);
        self.check_words(&right, &left);
        if a_ty.join(b_ty).is_some() {
            return Some((left, right));
        }
        self.report_incomparable(op, &left, &right);
        None
    }

    /// `x == null` asks whether it is missing, so it must be able to be.
    fn against_null(&mut self, left: Expr, right: Expr) -> Option<(Expr, Expr)> {
        let other = if left.ty == Type::Null { &right } else { &left };
        if other.ty.is_optional() || other.ty == Type::Data {
            return Some((left, right));
        }
        let message = format!("{}, which is never missing", self.claim(other));
        self.report(Diagnostic::new(Code::TypeMismatch, other.span, message).at(&other.ty));
        None
    }

    /// Data as what it is compared with: strictly, when the value is there.
    fn read_data(&mut self, op: BinaryOp, data: Expr, other: &Expr) -> Option<Expr> {
        let wanted = other.ty.present();
        if has_unit(wanted) && *wanted != Type::Percent {
            let help = match wanted {
                Type::Duration => {
                    "say in which unit it is: multiply it by one, e.g. `* 1s`; an interval or `5d` is a text: `… | parse_duration`"
                }
                Type::Size => "say in which unit it is: multiply it by one, e.g. `* 1B`",
                _ => "say in which unit it is: multiply it by one, e.g. `* 1cores`",
            };
            let message = format!("{} is data, which has no unit, {}", self.quoted(data.span), self.claim(other));
            let diagnostic = Diagnostic::new(Code::UnitMissing, data.span, message).at("without a unit");
            self.report(diagnostic.label(other.span, wanted).help(help));
            return None;
        }
        Some(match wanted {
            // 5.5 compared with 5 has an answer; only where it is asked to be equal it has to be whole.
            Type::Int if !matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) => convert(data, Type::Float),
            // A text of it may spell a number, which only data says when it is put in order.
            wanted if wanted.is_text() && !matches!(op, BinaryOp::Equal | BinaryOp::NotEqual) => data,
            Type::Enum(_) => convert(data, Type::String),
            other if other.is_data_like() => convert(data, other.clone()),
            _ => data,
        })
    }

    fn report_incomparable(&mut self, op: BinaryOp, left: &Expr, right: &Expr) {
        let message = format!("{}, {}", self.claim(left), self.claim(right));
        let mut diagnostic =
            Diagnostic::new(Code::TypeMismatch, right.span, message).at(&right.ty).label(left.span, &left.ty);
        for side in [left, right] {
            if let Some(declared) = self.declared_at(side) {
                diagnostic = diagnostic.label(declared, format!("{}: declared here", side.ty));
            }
        }
        diagnostic = match (&left.ty, &right.ty, constant(right)) {
            (Type::Bool, _, Some(Value::String(_))) => {
                diagnostic.help("a bool is asked by itself: `check x` or `check not x`")
            }
            (Type::List(item), _, _) if right.ty.is_number() => match self.of_a_list(op, left, item, right) {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            },
            (_, Type::Regex, _) => diagnostic.help("a pattern is matched with `~`"),
            _ => match self.plainly_meant(left, right).or_else(|| self.plainly_meant(right, left)) {
                Some(help) => diagnostic.help(help),
                None => diagnostic,
            },
        };
        self.report(diagnostic);
    }

    /// What one side would be as the other one is: `"200"` beside a number, `2026-1-7` beside a date.
    fn plainly_meant(&self, written: &Expr, other: &Expr) -> Option<String> {
        let wanted = other.ty.present();
        if let Some(text) = unquoted(written, wanted) {
            return Some(format!("write `{text}`, without quotes"));
        }
        if !matches!(wanted, Type::Date | Type::Time) {
            return None;
        }
        let parts: Vec<u32> = self.text(written.span).split('-').map_while(|part| part.trim().parse().ok()).collect();
        match parts.as_slice() {
            [year, month @ 1..=12, day @ 1..=31] if *year > 999 => {
                let date = format!("{year}-{month:02}-{day:02}");
                Some(if *wanted == Type::Date {
                    format!("a date is written `{date}`")
                } else {
                    format!("a time is written `{date}T00:00:00Z`")
                })
            }
            _ => None,
        }
    }

    fn matching(&mut self, left: Expr, right: Expr) -> Option<(Expr, Expr)> {
        let (left, right) = (self.present(left), self.present(right));
        if right.ty != Type::Regex && !right.ty.is_unknown() {
            let mut diagnostic = Diagnostic::new(
                Code::TypeMismatch,
                right.span,
                format!("`~` matches a pattern, {}", self.claim(&right)),
            );
            if let Some(Value::String(text)) = constant(&right) {
                let pattern = format!("/{}/", regex::escape(text).replace('/', "\\/"));
                diagnostic = diagnostic.help(format!("write `{pattern}`")).fix(right.span, pattern);
            } else if right.ty.is_text() {
                let (part, text) = (self.text(right.span), self.text(left.span));
                diagnostic = diagnostic.help(format!("a pattern has no values in it: write `{part} in {text}`"));
            }
            self.report(diagnostic);
            return None;
        }
        let left = if left.ty == Type::Data { convert(left, Type::String) } else { left };
        if !left.ty.is_text() && !left.ty.is_unknown() {
            let mut diagnostic =
                Diagnostic::new(Code::TypeMismatch, left.span, format!("`~` is for text, {}", self.claim(&left)))
                    .at(&left.ty);
            if let Type::Record(record) = &left.ty
                && record.fields.contains_key("text")
            {
                diagnostic = diagnostic.help("a line's text is `.text`");
            }
            self.report(diagnostic);
            return None;
        }
        Some((left, right))
    }

    /// `x in [a, b]`, `"part" in text`.
    fn membership(&mut self, left: Expr, right: Expr) -> Option<(Expr, Expr)> {
        let right = self.present(right);
        if right.ty.is_text() {
            let left = self.present(left);
            let left = if left.ty == Type::Data { convert(left, Type::String) } else { left };
            if left.ty.is_text() || left.ty.is_unknown() {
                return Some((left, right));
            }
            self.report_incomparable(BinaryOp::In, &left, &right);
            return None;
        }
        let right = if right.ty == Type::Data { convert(right, Type::list(Type::Data)) } else { right };
        let item = match &right.ty {
            Type::List(item) => item.as_ref().clone(),
            Type::Unknown => return Some((left, right)),
            _ => {
                let message = format!("`in` looks into a list or a text, {}", self.claim(&right));
                let mut diagnostic = Diagnostic::new(Code::TypeMismatch, right.span, message).at(&right.ty);
                if right.ty.is_ordered() {
                    diagnostic = diagnostic.help(format!("write `== {}`", self.text(right.span)));
                }
                self.report(diagnostic);
                return None;
            }
        };
        if left.ty.is_unknown() || item.is_unknown() {
            return Some((left, right));
        }
        if let ExprKind::List(items) = &right.kind {
            let items = items.clone();
            for item in &items {
                self.check_words(&left, item);
            }
        }
        let of_item = match &right.kind {
            ExprKind::List(items) => items.first().cloned(),
            _ => None,
        };
        let of_item = of_item.unwrap_or_else(|| Expr { ty: item.clone(), ..right.clone() });
        let left = match (&left.ty, &item) {
            // As `==` with each of them.
            (Type::Data, item) if *item != Type::Data && !item.is_optional() => {
                self.read_data(BinaryOp::Equal, left, &of_item)?
            }
            (ty, Type::Data) if *ty != Type::Data => {
                self.read_data(BinaryOp::Equal, Expr { ty: Type::Data, ..right.clone() }, &left)?;
                left
            }
            _ => left,
        };
        let wanted = left.ty.present().clone();
        if wanted.join(item.present()).is_some() || wanted == Type::Data || item == Type::Data {
            return Some((left, right));
        }
        if wanted.is_number() && item.is_number() {
            self.report_units(&left, &of_item);
        } else {
            let message = format!("{}, and the list is of {}", self.claim(&left), a(&item));
            let diagnostic = Diagnostic::new(Code::TypeMismatch, left.span, message).at(&left.ty);
            self.report(diagnostic.label(right.span, &right.ty));
        }
        None
    }
}
