//! A checked expression as one line of text: the same for the same meaning, whatever the layout was.

use std::fmt::Write as _;

use crate::check::program::{
    CallArg, Expr, ExprKind, Format, Lambda, LocalId, Made, Program, RunField, TextPart, UnaryOp,
};
use crate::types::Value;

/// One expression.
pub(crate) fn expr(program: &Program, expr: &Expr) -> String {
    let mut writer = Writer { program, text: String::new() };
    writer.expr(expr);
    writer.text
}

/// A title: its text where it is constant, else as it was written.
pub(crate) fn plain(program: &Program, written: &Expr) -> String {
    match &written.kind {
        ExprKind::Literal(value) => value.to_string(),
        _ => expr(program, written),
    }
}

/// How many items a list has that is written where it is used.
pub(super) fn items(list: &Expr) -> Option<usize> {
    match &list.kind {
        ExprKind::Convert(inner) => items(inner),
        ExprKind::List(items) => Some(items.len()),
        ExprKind::Literal(Value::List(items)) => Some(items.len()),
        _ => None,
    }
}

/// A declaration's driver with its arguments by name.
pub(crate) fn made(program: &Program, made: &Made) -> String {
    let mut writer = Writer { program, text: String::new() };
    writer.text.push_str(made.driver.name);
    let named = made.driver.params.iter().zip(&made.args);
    let given = named.filter_map(|(param, arg)| Some((param.name, arg.as_ref()?)));
    writer.list("(", ")", given, |writer, (name, arg)| {
        writer.push(format_args!("{name}: "));
        writer.expr(arg);
    });
    writer.text
}

const SIZES: &[(i128, &str)] = &[(1 << 40, "TiB"), (1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"), (1, "B")];
const DURATIONS: &[(i128, &str)] = &[
    (86_400_000_000_000, "d"),
    (3_600_000_000_000, "h"),
    (60_000_000_000, "m"),
    (1_000_000_000, "s"),
    (1_000_000, "ms"),
    (1_000, "us"),
    (1, "ns"),
];

struct Writer<'p> {
    program: &'p Program,
    text: String,
}

impl Writer<'_> {
    fn push(&mut self, text: std::fmt::Arguments<'_>) {
        // Writing to a string never fails.
        let _ = self.text.write_fmt(text);
    }

    fn list<T>(&mut self, open: &str, close: &str, items: impl IntoIterator<Item = T>, each: impl Fn(&mut Self, T)) {
        self.text.push_str(open);
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(", ");
            }
            each(self, item);
        }
        self.text.push_str(close);
    }

    fn expr(&mut self, expr: &Expr) {
        let program = self.program;
        match &expr.kind {
            ExprKind::Literal(value) => self.value(value),
            ExprKind::Local(id) => self.local(*id),
            ExprKind::Param(id) => self.name(program.params.get(id.index()).map(|one| &*one.name)),
            ExprKind::Secret(id) => self.name(program.secrets.get(id.index()).map(|one| &*one.name)),
            ExprKind::Connection(id) => self.name(program.connections.get(id.index()).map(|one| &*one.name)),
            ExprKind::Metric(id) => self.name(program.metrics.get(id.index()).map(|one| &*one.name)),
            ExprKind::Run(field) => self.text.push_str(match field {
                RunField::Id => "run.id",
                RunField::StartedAt => "run.started_at",
                RunField::ScheduledAt => "run.scheduled_at",
                RunField::Date => "run.date",
            }),
            ExprKind::Field { base, name, optional } => {
                self.operand(base);
                self.push(format_args!("{}{name}", if *optional { "?." } else { "." }));
            }
            ExprKind::Index { base, index } => {
                self.operand(base);
                self.text.push('[');
                self.expr(index);
                self.text.push(']');
            }
            ExprKind::Unary { op, operand } => {
                self.text.push_str(match op {
                    UnaryOp::Not => "not ",
                    UnaryOp::Negate => "-",
                });
                self.operand(operand);
            }
            ExprKind::Binary { op, left, right } => {
                self.operand(left);
                self.push(format_args!(" {} ", op.symbol()));
                self.operand(right);
            }
            ExprKind::If { condition, then, otherwise } => {
                self.text.push_str("if ");
                self.expr(condition);
                self.text.push_str(" { ");
                self.expr(then);
                self.text.push_str(" } else { ");
                self.expr(otherwise);
                self.text.push_str(" }");
            }
            ExprKind::Try { value, on, otherwise } => {
                self.text.push_str("try ");
                self.operand(value);
                if !on.is_empty() {
                    self.text.push_str(" on ");
                    self.list("", "", on, |writer, kind| writer.text.push_str(kind.name()));
                }
                self.text.push_str(" otherwise ");
                self.operand(otherwise);
            }
            ExprKind::List(items) => self.list("[", "]", items, Self::expr),
            ExprKind::Record(fields) => self.list("{ ", " }", fields, |writer, (name, value)| {
                writer.push(format_args!("{name}: "));
                writer.expr(value);
            }),
            ExprKind::Text(parts) | ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Call(call) => {
                self.text.push_str(call.builtin.name);
                let named = call.builtin.params.iter().zip(&call.args);
                let given = named.filter_map(|(param, arg)| Some((param.name, arg.as_ref()?)));
                self.list("(", ")", given, |writer, (name, arg)| {
                    writer.push(format_args!("{name}: "));
                    match arg {
                        CallArg::Value(value) => writer.expr(value),
                        CallArg::PerItem(lambda) => writer.lambda(lambda),
                    }
                });
            }
            ExprKind::Command { command, args } => {
                self.name(program.commands.get(command.index()).map(|one| &*one.name));
                self.list("(", ")", args, Self::expr);
            }
            ExprKind::Tool { tool, args } => {
                self.name(program.tools.get(tool.index()).map(|one| &*one.name));
                self.list("(", ")", args, Self::expr);
            }
            ExprKind::Convert(inner) => self.expr(inner),
            ExprKind::Broken => self.text.push('?'),
        }
    }

    /// In parentheses where it would not hold together.
    fn operand(&mut self, expr: &Expr) {
        let loose = matches!(
            expr.kind,
            ExprKind::Unary { .. } | ExprKind::Binary { .. } | ExprKind::If { .. } | ExprKind::Try { .. }
        );
        if loose {
            self.text.push('(');
            self.expr(expr);
            self.text.push(')');
        } else {
            self.expr(expr);
        }
    }

    fn lambda(&mut self, lambda: &Lambda) {
        self.local(lambda.param);
        self.text.push_str(" => ");
        self.expr(&lambda.body);
    }

    fn local(&mut self, id: LocalId) {
        let name = self.program.locals.get(id.index()).map(|local| local.name.clone());
        self.name(name.as_deref());
    }

    fn name(&mut self, name: Option<&str>) {
        self.text.push_str(name.unwrap_or("?"));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.push(format_args!("{text:?}")),
            Value::List(items) => self.list("[", "]", items.iter(), Self::value),
            // Exact: what a person reads rounded is still another bound.
            Value::Float(number) => self.push(format_args!("{number}")),
            Value::Percent(ratio) => self.push(format_args!("{}%", ratio * 100.0)),
            Value::Cores(cores) => self.push(format_args!("{cores} cores")),
            Value::Rate(rate, _) => self.push(format_args!("{rate}/s")),
            Value::Size(bytes) => self.unit(i128::from(*bytes), SIZES),
            Value::Duration(duration) => self.unit(duration.as_nanos(), DURATIONS),
            Value::Time(time) => self.push(format_args!("{time}")),
            Value::Clock(clock) => self.push(format_args!("{clock}")),
            other => self.push(format_args!("{other}")),
        }
    }

    /// In the largest unit of which it is a whole number.
    fn unit(&mut self, value: i128, units: &[(i128, &str)]) {
        let unit = units.iter().find(|(scale, _)| value != 0 && value % scale == 0).or(units.last());
        let (scale, name) = unit.copied().unwrap_or((1, ""));
        self.push(format_args!("{}{name}", value / scale));
    }

    fn parts(&mut self, parts: &[TextPart]) {
        self.text.push('"');
        for part in parts {
            match part {
                TextPart::Text(text) => {
                    let quoted = format!("{text:?}");
                    let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or("");
                    self.text.push_str(&inner.replace('{', "\\{"));
                }
                TextPart::Value { value, format } => {
                    self.text.push('{');
                    self.expr(value);
                    match format {
                        Some(Format::Time(pattern)) => self.push(format_args!(":{pattern}")),
                        Some(Format::Number { decimals, grouped }) => {
                            self.push(format_args!(":{decimals:?}{}", if *grouped { "," } else { "" }));
                        }
                        None => {}
                    }
                    self.text.push('}');
                }
            }
        }
        self.text.push('"');
    }
}
