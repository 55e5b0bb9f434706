//! A checked expression as one line of text: the same for the same meaning, whatever the layout was.

use std::fmt::Write as _;
use std::sync::Arc;

use crate::catalog::ParamInfo;
use crate::check::program::{
    CallArg, CommandId, ConnectionId, Expr, ExprKind, Format, Lambda, LocalId, Made, MetricId, ParamId, Parameter,
    Program, RunField, SecretId, TextPart, ThresholdId, Tool, ToolId, UnaryOp,
};
use crate::types::{Counted, Value};

/// A name that an expression can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Named {
    Local(LocalId),
    Param(ParamId),
    Secret(SecretId),
    Connection(ConnectionId),
    Metric(MetricId),
    Command(CommandId),
    Tool(ToolId),
}

/// What is written for names.
pub(crate) trait Names {
    fn name(&self, named: Named) -> String;

    /// Whether two texts are to be the same only where they mean the same: conversions are written too, and the items of
    /// lists have no names.
    fn is_exact(&self) -> bool {
        false
    }

    /// The value to be written in the place of a name.
    fn stands_for(&self, _: LocalId) -> Option<&Expr> {
        None
    }

    /// What else a call depends on that stands in none of its arguments.
    fn depends(&self, _: &'static str) -> Option<String> {
        None
    }

    /// What opens a threshold, where that is a part of what waits for it.
    fn opens(&self, _: ThresholdId) -> Option<String> {
        None
    }
}

/// The names that people gave.
impl Names for Program {
    fn name(&self, named: Named) -> String {
        let name = match named {
            Named::Local(id) => self.locals.get(id.index()).map(|one| &one.name),
            Named::Param(id) => self.params.get(id.index()).map(|one| &one.name),
            Named::Secret(id) => self.secrets.get(id.index()).map(|one| &one.name),
            Named::Connection(id) => self.connections.get(id.index()).map(|one| &one.name),
            Named::Metric(id) => self.metrics.get(id.index()).map(|one| &one.name),
            Named::Command(id) => self.commands.get(id.index()).map(|one| &one.name),
            Named::Tool(id) => self.tools.get(id.index()).map(|one| &one.name),
        };
        name.map_or_else(|| "?".to_owned(), ToString::to_string)
    }
}

/// One expression. A [`Program`] gives the names that people gave.
pub(crate) fn expr(names: &dyn Names, expr: &Expr) -> String {
    let mut writer = Writer { names, items: Vec::new(), text: String::new() };
    writer.expr(expr);
    writer.text
}

/// A value as it is written in a runbook.
pub(crate) fn literal(value: &Value) -> String {
    struct Nobody;
    impl Names for Nobody {
        fn name(&self, _: Named) -> String {
            String::new()
        }
    }
    let mut writer = Writer { names: &Nobody, items: Vec::new(), text: String::new() };
    writer.value(value);
    writer.text
}

/// A title: its text where it is constant, else as it was written.
pub(crate) fn plain(program: &Program, written: &Expr) -> String {
    match &written.kind {
        ExprKind::Literal(value) => value.to_string(),
        _ => expr(program, written),
    }
}

/// What a statement is called: its title, else as it was written.
pub(crate) fn titled(program: &Program, title: Option<&Expr>, source: &str) -> String {
    title.map_or_else(|| source.to_owned(), |title| plain(program, title))
}

/// A declaration's driver with its arguments by name.
pub(crate) fn made(names: &dyn Names, made: &Made) -> String {
    declared(names, made.driver.name, made.driver.params, &made.args)
}

/// The same of a tool's program.
pub(super) fn tool(names: &dyn Names, tool: &Tool) -> String {
    declared(names, tool.builtin.name, tool.builtin.params, &tool.args)
}

/// The parameters of a command or a tool: `a: int, b: string = "c"`.
pub(crate) fn parameters(program: &Program, params: &[Parameter]) -> String {
    let one = |param: &Parameter| {
        let default = param.default.as_ref().map(|value| format!(" = {}", expr(program, value)));
        format!("{}: {}{}", param.name, param.ty, default.unwrap_or_default())
    };
    params.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn declared(names: &dyn Names, name: &str, params: &[ParamInfo], args: &[Option<Expr>]) -> String {
    let mut writer = Writer { names, items: Vec::new(), text: String::new() };
    writer.text.push_str(name);
    let named = params.iter().zip(args);
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

/// A ratio by the hundred, without what a division leaves behind: `0.07` is 7, and not 7.000000000000001.
#[expect(clippy::float_cmp, reason = "only what gives the very same ratio again may stand for it")]
fn per_cent(ratio: f64) -> f64 {
    let rounded = (ratio * 1e11).round() / 1e9;
    if rounded / 100.0 == ratio { rounded } else { ratio * 100.0 }
}

struct Writer<'n> {
    names: &'n dyn Names,
    /// The items that the lambdas around are of, the outermost first.
    items: Vec<LocalId>,
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
        match &expr.kind {
            ExprKind::Literal(value) => self.value(value),
            ExprKind::Local(id) => self.local(*id),
            ExprKind::Param(id) => self.name(Named::Param(*id)),
            ExprKind::Secret(id) => self.name(Named::Secret(*id)),
            ExprKind::Connection(id) => self.name(Named::Connection(*id)),
            ExprKind::Metric(id) => self.name(Named::Metric(*id)),
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
                if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
                    writer.push(format_args!("{name}: "));
                } else {
                    writer.quoted(name);
                    writer.text.push_str(": ");
                }
                writer.expr(value);
            }),
            ExprKind::Text(parts) | ExprKind::Template(parts) => self.parts(parts),
            ExprKind::Call(call) => {
                self.text.push_str(call.builtin.name);
                if call.optional {
                    self.text.push('?');
                }
                let named = call.builtin.params.iter().zip(&call.args);
                let given = named.filter_map(|(param, arg)| Some((param.name, arg.as_ref()?)));
                self.list("(", ")", given, |writer, (name, arg)| {
                    writer.push(format_args!("{name}: "));
                    match arg {
                        CallArg::Value(value) => writer.expr(value),
                        CallArg::PerItem(lambda) => writer.lambda(lambda),
                    }
                });
                let depends = self.names.depends(call.builtin.name);
                self.text.extend(depends);
            }
            ExprKind::Command { command, args } => {
                self.name(Named::Command(*command));
                self.list("(", ")", args, Self::expr);
            }
            ExprKind::Tool { tool, args } => {
                self.name(Named::Tool(*tool));
                self.list("(", ")", args, Self::expr);
            }
            ExprKind::Convert(inner) if self.names.is_exact() => {
                self.text.push('(');
                self.expr(inner);
                self.push(format_args!(" as {})", expr.ty));
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
        self.items.push(lambda.param);
        self.local(lambda.param);
        self.text.push_str(" => ");
        self.expr(&lambda.body);
        self.items.pop();
    }

    fn local(&mut self, id: LocalId) {
        let item = self.items.iter().position(|item| *item == id).filter(|_| self.names.is_exact());
        match item {
            Some(depth) => self.push(format_args!("item{depth}")),
            None => match self.names.stands_for(id) {
                Some(value) => self.operand(value),
                None => self.name(Named::Local(id)),
            },
        }
    }

    /// The text that a name stands for.
    fn known(&self, value: &Expr) -> Option<Arc<str>> {
        match &value.kind {
            ExprKind::Local(id) => match self.names.stands_for(*id)? {
                Expr { kind: ExprKind::Literal(Value::String(text)), .. } => Some(Arc::clone(text)),
                inner => self.known(inner),
            },
            ExprKind::Convert(inner) => self.known(inner),
            _ => None,
        }
    }

    fn name(&mut self, named: Named) {
        let name = self.names.name(named);
        self.text.push_str(&name);
    }

    /// A text that has no value in it.
    fn quoted(&mut self, text: &str) {
        self.text.push('"');
        self.piece(text);
        self.text.push('"');
    }

    /// What stands in a text as it is: a brace would begin a value.
    fn piece(&mut self, text: &str) {
        let quoted = format!("{text:?}");
        let inner = quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or("");
        self.text.push_str(&inner.replace('{', "\\{"));
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::String(text) => self.quoted(text),
            Value::Bool(value) => self.push(format_args!("{value}")),
            Value::Null => self.text.push_str("null"),
            Value::List(items) => self.list("[", "]", items.iter(), Self::value),
            Value::Float(number) if self.names.is_exact() => self.push(format_args!("{number:?}")),
            Value::Rate(rate, counted) if self.names.is_exact() => self.push(format_args!("{rate:?} {counted:?}/s")),
            // Exact: what a person reads rounded is still another bound.
            Value::Float(number) => self.push(format_args!("{number}")),
            Value::Percent(ratio) => self.push(format_args!("{}%", per_cent(*ratio))),
            Value::Cores(cores) => self.push(format_args!("{cores} cores")),
            Value::Rate(rate, counted) => self.rate(*rate, *counted),
            Value::Size(bytes) => self.unit(i128::from(*bytes), SIZES),
            Value::Duration(duration) => self.unit(duration.as_nanos(), DURATIONS),
            Value::Time(time) => self.push(format_args!("{time}")),
            Value::Clock(clock) => self.push(format_args!("{clock}")),
            other => self.push(format_args!("{other}")),
        }
    }

    /// In the first unit in which it is a whole number.
    #[expect(clippy::float_cmp, reason = "only what gives the very same rate again may stand for it")]
    fn rate(&mut self, per_second: f64, counted: Counted) {
        let whole = [(1.0, "s"), (60.0, "min"), (3600.0, "h"), (86_400.0, "d")]
            .into_iter()
            .map(|(seconds, unit)| ((per_second * seconds).round(), seconds, unit))
            .find(|(many, seconds, _)| *many / *seconds == per_second);
        let (many, unit) = whole.map_or((per_second, "s"), |(many, _, unit)| (many, unit));
        let of = if counted == Counted::Bytes { "B" } else { "" };
        self.push(format_args!("{many}{of}/{unit}"));
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
                TextPart::Text(text) => self.piece(text),
                TextPart::Value { value, format: None | Some(Format::Whole | Format::Name) }
                    if let Some(text) = self.known(value) =>
                {
                    self.piece(&text);
                }
                TextPart::Value { value, format } => {
                    self.text.push('{');
                    self.expr(value);
                    match format {
                        Some(Format::Time(pattern)) => self.push(format_args!(":{pattern}")),
                        Some(Format::Number { decimals, grouped }) => {
                            self.push(format_args!(":{decimals:?}{}", if *grouped { "," } else { "" }));
                        }
                        None | Some(Format::Whole | Format::Name) => {}
                    }
                    self.text.push('}');
                }
            }
        }
        self.text.push('"');
    }
}
