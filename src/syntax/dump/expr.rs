//! Expressions and types.

use super::{Dump, escaped, quoted};
use crate::syntax::ast::{Args, Expr, ExprKind, Name, Part, Template, Type, TypeKind, UnaryOp};

impl Dump {
    pub(super) fn expr(&mut self, expr: &Expr) {
        self.atom(&text(expr));
    }

    pub(super) fn maybe_expr(&mut self, name: &str, expr: Option<&Expr>) {
        if let Some(expr) = expr {
            self.node(name, |dump| dump.expr(expr));
        }
    }

    pub(super) fn template(&mut self, template: &Template) {
        self.atom(&template_text(template));
    }

    pub(super) fn maybe_template(&mut self, template: Option<&Template>) {
        if let Some(template) = template {
            self.template(template);
        }
    }

    pub(super) fn args(&mut self, args: &Args) {
        self.atom(&args_text(args));
    }

    pub(super) fn type_ref(&mut self, ty: &Type) {
        match &ty.kind {
            TypeKind::Named { path } => self.atom(&path_text(path)),
            TypeKind::Generic { name, argument } => self.node(name.as_str(), |dump| dump.type_ref(argument)),
            TypeKind::Optional { inner } => self.node("?", |dump| dump.type_ref(inner)),
            TypeKind::Record { fields } => self.node("record", |dump| {
                for field in fields {
                    dump.docs(&field.docs);
                    dump.name(&field.name);
                    dump.type_ref(&field.ty);
                }
            }),
        }
    }
}

fn text(expr: &Expr) -> String {
    match &expr.kind {
        ExprKind::Bool(value) => value.to_string(),
        ExprKind::Null => "null".to_owned(),
        ExprKind::Number(written) => written.to_string(),
        ExprKind::Quantity(written) => format!("q:{written}"),
        ExprKind::Rate(written) => format!("rate:{written}"),
        ExprKind::Percent(written) => format!("pc:{written}"),
        ExprKind::Date(written) => format!("date:{written}"),
        ExprKind::Clock(written) => format!("clock:{written}"),
        ExprKind::Regex { source, flags } => format!("re/{source}/{flags}"),
        ExprKind::Template(template) => template_text(template),
        ExprKind::Name(name) => name.to_string(),
        ExprKind::It => "it".to_owned(),
        ExprKind::OwnField { name } => format!("it.{name}"),
        ExprKind::OwnCall { name, args } => format!("it.{name}{}", args_text(args)),
        ExprKind::Field { base, optional, name } => format!("{}{}{name}", text(base), dot(*optional)),
        ExprKind::Method { base, optional, name, args } => {
            format!("{}{}{name}{}", text(base), dot(*optional), args_text(args))
        }
        ExprKind::Call { name, args } => format!("{name}{}", args_text(args)),
        ExprKind::Index { base, index } => format!("{}[{}]", text(base), text(index)),
        ExprKind::Pipe { base, path, args } => {
            let args = args.as_ref().map_or_else(String::new, args_text);
            format!("(| {} {}{args})", text(base), path_text(path))
        }
        ExprKind::Unary { op, operand } => {
            let sign = if op.node == UnaryOp::Not { "not" } else { "-" };
            format!("({sign} {})", text(operand))
        }
        ExprKind::Binary { left, op, right } => format!("({} {} {})", op.node.symbol(), text(left), text(right)),
        ExprKind::If { condition, then, otherwise } => {
            format!("(if {} {} {})", text(condition), text(then), text(otherwise))
        }
        ExprKind::Try { value, on, otherwise } => {
            let kinds: Vec<&str> = on.iter().map(Name::as_str).collect();
            let on = if kinds.is_empty() { String::new() } else { format!(" on:{}", kinds.join(",")) };
            format!("(try {}{on} {})", text(value), text(otherwise))
        }
        ExprKind::List(items) => format!("[{}]", items.iter().map(text).collect::<Vec<_>>().join(", ")),
        ExprKind::Record(entries) => {
            let entry = |entry: &crate::syntax::ast::Entry| {
                let key = key_text(&entry.key);
                if entry.shorthand { key } else { format!("{key}: {}", text(&entry.value)) }
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        ExprKind::Paren(inner) => text(inner),
        ExprKind::Lambda { param, body } => format!("(λ {param} {})", text(body)),
    }
}

const fn dot(optional: bool) -> &'static str {
    if optional { "?." } else { "." }
}

fn path_text(path: &[Name]) -> String {
    path.iter().map(Name::as_str).collect::<Vec<_>>().join(".")
}

fn args_text(args: &Args) -> String {
    let arg = |arg: &crate::syntax::ast::Arg| match &arg.name {
        Some(name) => format!("{name}: {}", text(&arg.value)),
        None => text(&arg.value),
    };
    format!("({})", args.items.iter().map(arg).collect::<Vec<_>>().join(", "))
}

/// A key as it must be written: a word as it is, anything else in quotes.
fn key_text(key: &Name) -> String {
    let text = key.as_str();
    let starts = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let word = starts && text.chars().all(|each| each.is_ascii_alphanumeric() || each == '_');
    if word { text.to_owned() } else { quoted(text) }
}

fn template_text(template: &Template) -> String {
    let mut out = String::from("\"");
    for part in &template.parts {
        match part {
            Part::Text(text) => out.push_str(&escaped(&text.node)),
            Part::Interpolation(found) => {
                let format = found.format.as_ref().map_or_else(String::new, |format| format!(":{}", format.node));
                out.extend(["{", &text(&found.value), &format, "}"]);
            }
        }
    }
    out.push('"');
    out
}
