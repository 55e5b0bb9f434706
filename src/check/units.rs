//! Which units meet, and what to write where they do not fit.

use super::checker::Checker;
use super::program::{Expr, ExprKind};
use super::wording::a;
use crate::diagnostics::{Code, Diagnostic};
use crate::types::{Type, Value};
use crate::units::Counted;

/// What a number of a type looks like: the unit that is likely meant, and all there are.
const fn units(ty: &Type) -> Option<(&'static str, &'static str)> {
    match ty {
        Type::Percent => Some(("%", "%")),
        Type::Duration => Some(("s", "ns, us, ms, s, m, h, d, w")),
        Type::Size => Some(("GiB", "B, kB, MB, GB, TB, KiB, MiB, GiB, TiB")),
        Type::Cores => Some(("cores", "cores")),
        Type::Rate(Counted::Items) => Some(("/min", "/s, /min, /h, /d")),
        Type::Rate(Counted::Bytes) => Some(("MiB/s", "B/s, kB/s, MB/s, KiB/s, MiB/s, GiB/s")),
        _ => None,
    }
}

const fn unit(ty: &Type) -> &'static str {
    match units(ty) {
        Some((unit, _)) => unit,
        None => "",
    }
}

/// Whether a type's numbers are written with a unit.
pub(super) const fn has_unit(ty: &Type) -> bool {
    units(ty).is_some()
}

/// A number that is written without a unit.
const fn is_bare(ty: &Type) -> bool {
    matches!(ty, Type::Int | Type::Float)
}

impl Checker<'_> {
    /// Two numbers that do not go together: one lacks its unit, or each has another.
    pub(super) fn report_units(&mut self, left: &Expr, right: &Expr) {
        let (left_ty, right_ty) = (left.ty.present().clone(), right.ty.present().clone());
        let diagnostic = if is_bare(&left_ty) && has_unit(&right_ty) {
            self.missing_unit(left, &right_ty, Some(right))
        } else if is_bare(&right_ty) && has_unit(&left_ty) {
            self.missing_unit(right, &left_ty, Some(left))
        } else {
            self.mixed_units(left, right)
        };
        self.report(diagnostic);
    }

    /// A number where another unit is wanted, or any unit.
    pub(super) fn unit_mismatch(&mut self, found: &Expr, wanted: &Type, what: &str) -> Diagnostic {
        let mut diagnostic = if is_bare(found.ty.present()) && has_unit(wanted) {
            self.missing_unit(found, wanted, None)
        } else {
            let message = format!("{what} is {}, {}", a(wanted), self.claim(found));
            Diagnostic::new(Code::UnitMismatch, found.span, message).at(found.ty.present())
        };
        if (found.ty.present(), wanted) == (&Type::Rate(Counted::Bytes), &Type::Rate(Counted::Items)) {
            diagnostic = diagnostic.help("the type of a rate of bytes is `rate<size>`");
        }
        if diagnostic.help.is_none() {
            diagnostic = with_example(diagnostic, found, wanted, self.text(found.span));
        }
        if let Some(declared) = self.declared_at(found) {
            diagnostic = diagnostic.label(declared, "declared here");
        }
        diagnostic
    }

    fn missing_unit(&self, bare: &Expr, wanted: &Type, other: Option<&Expr>) -> Diagnostic {
        let written = self.quoted(bare.span);
        let all = units(wanted).map_or("", |(_, all)| all);
        let message = match other {
            Some(other) => format!("{written} what? {}", self.claim(other)),
            None => format!("{written} what? {} is wanted", a(wanted)),
        };
        let mut diagnostic = Diagnostic::new(Code::UnitMissing, bare.span, message).at("without a unit");
        if let Some(other) = other {
            diagnostic = diagnostic.label(other.span, other.ty.present());
            if let Some(declared) = self.declared_at(other) {
                diagnostic = diagnostic.label(declared, format!("{}: declared here", other.ty.present()));
            }
        }
        match example(bare, wanted, self.text(bare.span)) {
            // All of it, or a hundredth: nobody but the writer knows.
            Some(example) if *wanted == Type::Percent && matches!(bare.kind, ExprKind::Literal(Value::Int(1))) => {
                diagnostic.help(format!("write `100%` for the whole, or `{example}`"))
            }
            Some(example) if *wanted == Type::Percent => {
                diagnostic.help(format!("write `{example}`")).fix(bare.span, example)
            }
            Some(example) => {
                diagnostic.help(format!("write the unit, e.g. `{example}` ({all})")).fix(bare.span, example)
            }
            None if *wanted == Type::Percent => diagnostic.help("compare ratios: `part / whole > 5%`"),
            None => diagnostic.help(format!("say in which unit it is: multiply it by one, e.g. `* 1{}`", unit(wanted))),
        }
    }

    fn mixed_units(&self, left: &Expr, right: &Expr) -> Diagnostic {
        let message = format!("{}, {}", self.claim(left), self.claim(right));
        // The literal is what can be written otherwise; the other side is what it is.
        let (wrong, other) = if is_literal(left) && !is_literal(right) { (left, right) } else { (right, left) };
        let mut diagnostic = Diagnostic::new(Code::UnitMismatch, wrong.span, message)
            .at(wrong.ty.present())
            .label(other.span, other.ty.present());
        for side in [other, wrong] {
            if let Some(declared) = self.declared_at(side) {
                diagnostic = diagnostic.label(declared, format!("{}: declared here", side.ty.present()));
            }
        }
        with_example(diagnostic, wrong, other.ty.present(), self.text(wrong.span))
    }
}

const fn is_literal(expr: &Expr) -> bool {
    matches!(expr.kind, ExprKind::Literal(_))
}

/// Offers what to write, if the mistake is a literal.
fn with_example(diagnostic: Diagnostic, wrong: &Expr, wanted: &Type, text: &str) -> Diagnostic {
    match example(wrong, wanted, text) {
        Some(example) => diagnostic.help(format!("write {}, e.g. `{example}`", a(wanted))).fix(wrong.span, example),
        None => diagnostic,
    }
}

/// The digits of a literal with a unit of the wanted type.
fn example(wrong: &Expr, wanted: &Type, text: &str) -> Option<String> {
    if !matches!(&wrong.kind, ExprKind::Literal(value) if value.is_number()) {
        return None;
    }
    let digits: String = text.chars().take_while(|c| c.is_ascii_digit() || matches!(c, '.' | '_' | '-')).collect();
    let unit = match wanted {
        Type::Int | Type::Float => "",
        other => units(other)?.0,
    };
    (!digits.is_empty()).then(|| format!("{digits}{unit}"))
}
