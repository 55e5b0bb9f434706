//! What a built-in says of what is written for it, before anything runs.

use std::sync::Arc;

use super::checker::Checker;
use super::constants::constant;
use super::program::{CallArg, Expr, ExprKind, TextPart};
use crate::catalog::{Builtin, Judge, Landing, ParamInfo};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::types::{Fault, FaultKind, Piece, Template, Type, Value};

impl Checker<'_> {
    /// Says what is wrong with a value that is written, as a run would.
    pub(super) fn judge(&mut self, callee: &str, info: &ParamInfo, expr: &Expr) {
        if info.is_pattern {
            self.judge_braces(expr);
        }
        let judged = match (info.judge, constant(expr)) {
            (Some(Judge::Text(judge)), Some(Value::String(text))) => judge(text, callee),
            (Some(Judge::Number(judge)), Some(Value::Int(number))) => judge(*number),
            (Some(Judge::Value(judge)), Some(value)) => judge(value),
            (Some(Judge::Texts(judge)), _) => texts(expr).map_or(Ok(()), |texts| judge(&texts)),
            _ => Ok(()),
        };
        self.report_judged(Code::InvalidAddress, expr.span, judged);
    }

    /// `{a,b}`, as a shell has it, stands for itself in a pattern for files: it would find nothing.
    fn judge_braces(&mut self, expr: &Expr) {
        let written = |part: &TextPart| match part {
            TextPart::Text(text) => text.to_string(),
            TextPart::Value { .. } => "x".to_owned(),
        };
        let text = match (constant(expr), &expr.kind) {
            (Some(Value::String(text)), _) => text.to_string(),
            (_, ExprKind::Text(parts)) => parts.iter().map(written).collect(),
            _ => return,
        };
        let braces = text.split_once('{').and_then(|(_, rest)| rest.split_once('}')).map(|(inside, _)| inside);
        let Some(inside) = braces.filter(|inside| inside.contains(',')) else { return };
        let message = format!("`{{{inside}}}` is no wildcard here: it means a name that has these braces in it");
        let help = "name each: `[host.files(\"a.log\"), host.files(\"b.log\")] | flatten`; braces that are meant are `[{]` and `[}]`";
        self.report(Diagnostic::new(Code::InvalidLiteral, expr.span, message).help(help));
    }

    /// The same of two that are written.
    pub(super) fn judge_together(&mut self, builtin: &'static Builtin, args: &[Option<CallArg>]) {
        for (info, arg) in builtin.params.iter().zip(args) {
            let (Some(Judge::Beside(other, judge)), Some(CallArg::Value(own))) = (info.judge, arg) else { continue };
            let Some(value) = constant(own) else { continue };
            let other = builtin.params.iter().position(|param| param.name == other).and_then(|index| args.get(index));
            let judged = match other {
                Some(Some(CallArg::Value(other))) => constant(other).map(|other| judge(Some(other), value)),
                _ => Some(judge(None, value)),
            };
            self.report_judged(Code::InvalidLiteral, own.span, judged.unwrap_or(Ok(())));
        }
    }

    /// The same of a literal text: whatever stands in the place of its values, a run would refuse it.
    pub(super) fn judge_template(&mut self, info: &ParamInfo, landing: Landing, expr: &Expr) {
        let (Some(Judge::Template(judge)), ExprKind::Template(parts)) = (info.judge, &expr.kind) else { return };
        let code = if landing == Landing::Sql { Code::InvalidLiteral } else { Code::InvalidAddress };
        let judged = judge(&template(parts, None));
        let is_right = judged.is_ok();
        self.report_judged(code, expr.span, judged);
        if landing != Landing::Sql || !is_right {
            return;
        }
        // What the type of a value says is enough to know that a list, or nothing, would be bound in its place.
        for (index, part) in parts.iter().enumerate() {
            let TextPart::Value { value, format: None } = part else { continue };
            for known in known_of(&value.ty) {
                let is_missing = matches!(known, Value::Null);
                let Err(fault) = judge(&template(parts, Some((index, &known)))) else { continue };
                let code = if is_missing { Code::MissingValue } else { Code::TypeMismatch };
                let diagnostic = Diagnostic::new(code, value.span, &*fault.message).at(&value.ty);
                let written = format!("{{{}", self.text(value.span));
                let stand_in = format!("?? {}", value.ty.stand_in());
                let help = fault.help.as_deref().unwrap_or_default().replace("?? \"none\"", &stand_in);
                let help = help.replace("{…", &written);
                self.report(diagnostic.help(help));
                break;
            }
        }
    }

    fn report_judged(&mut self, code: Code, span: Span, judged: Result<(), Fault>) {
        let Err(fault) = judged else { return };
        let code =
            if matches!(fault.kind, FaultKind::NoValue | FaultKind::Conversion) { Code::InvalidLiteral } else { code };
        let diagnostic = Diagnostic::new(code, span, &*fault.message);
        self.report(match fault.help {
            Some(help) => diagnostic.help(&*help),
            None => diagnostic,
        });
    }
}

/// A text with a value in each place of one, and one of them as it is known.
fn template(parts: &[TextPart], known: Option<(usize, &Value)>) -> Template {
    let piece = |(index, part): (usize, &TextPart)| match (part, known) {
        (TextPart::Text(text), _) => Piece::Text(Arc::clone(text)),
        (_, Some((at, value))) if at == index => Piece::Value(value.clone()),
        (TextPart::Value { value, format: None }, _) => match constant(value) {
            Some(value) if !matches!(value, Value::Null) => Piece::Value(value.clone()),
            _ => Piece::Value(Value::string("VALUE")),
        },
        (TextPart::Value { .. }, _) => Piece::Value(Value::string("VALUE")),
    };
    Template { pieces: parts.iter().enumerate().map(piece).collect() }
}

/// What a value of a type may be, where it need not be one value that is there.
fn known_of(ty: &Type) -> Vec<Value> {
    let mut known = Vec::new();
    if ty.is_optional() || *ty == Type::Null {
        known.push(Value::Null);
    }
    if let Type::List(item) = ty.present() {
        known.push(Value::list(if item.is_optional() { vec![Value::Null] } else { Vec::new() }));
    }
    known
}

/// The texts of a list that is written.
fn texts(expr: &Expr) -> Option<Vec<&str>> {
    let ExprKind::List(items) = &expr.kind else { return None };
    let text = |item| if let Some(Value::String(text)) = constant(item) { Some(&***text) } else { None };
    items.iter().map(text).collect()
}
