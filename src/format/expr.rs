//! Expressions.

use super::doc::Doc;
use super::printer::{Item, Printer};
use super::types::path_text;
use crate::syntax::ast::{Arg, Args, BinaryOp, Entry, Expr, ExprKind, Name, Template, UnaryOp};

impl Printer<'_> {
    pub(super) fn expr(&mut self, expr: &Expr) -> Doc {
        let mut docs = Vec::new();
        self.middle(expr.span.start, &mut docs);
        let doc = self.bare(expr);
        if docs.is_empty() {
            return doc;
        }
        docs.push(doc);
        Doc::group(docs)
    }

    fn bare(&mut self, expr: &Expr) -> Doc {
        match &expr.kind {
            ExprKind::Template(template) => self.template(template),
            ExprKind::OwnField { name } => Doc::text(format!(".{name}")),
            ExprKind::OwnCall { name, args } => self.called(Doc::text(format!(".{name}")), args),
            ExprKind::Call { name, args } => self.called(Doc::text(name.as_str()), args),
            ExprKind::Field { base, optional, name } => {
                let base = self.expr(base);
                Doc::group(vec![base, Doc::text(format!("{}{name}", dot(*optional)))])
            }
            ExprKind::Method { base, optional, name, args } => {
                let base = self.expr(base);
                let name = Doc::group(vec![base, Doc::text(format!("{}{name}", dot(*optional)))]);
                self.called(name, args)
            }
            ExprKind::Index { base, index } => {
                let base = self.expr(base);
                let mut docs = vec![base, Doc::text("["), self.expr(index)];
                self.middle(expr.span.end, &mut docs);
                docs.push(Doc::text("]"));
                Doc::group(docs)
            }
            ExprKind::Pipe { .. } => self.pipe(expr),
            ExprKind::Unary { op, operand } => {
                let sign = if op.node == UnaryOp::Not { "not " } else { "-" };
                let operand = self.expr(operand);
                Doc::group(vec![Doc::text(sign), operand])
            }
            ExprKind::Binary { op, .. } => self.row(expr, op.node.binding()),
            ExprKind::If { .. } => self.if_expr(expr),
            ExprKind::Try { value, on, otherwise } => self.try_expr(value, on, otherwise),
            ExprKind::List(items) => {
                let items = items.iter().map(|item| self.item(item.span.start, |printer| printer.expr(item))).collect();
                self.bracketed("[", items, "]", expr.span.end, false)
            }
            ExprKind::Record(entries) => {
                let items = entries.iter().map(|entry| self.entry(entry)).collect();
                self.bracketed("{", items, "}", expr.span.end, true)
            }
            ExprKind::Paren(inner) => {
                let inner = self.expr(inner);
                self.bracketed_alone(inner, expr.span.end)
            }
            ExprKind::Lambda { param, body } => {
                let body = self.expr(body);
                Doc::group(vec![Doc::text(format!("{param} => ")), body])
            }
            _ => self.written(expr.span),
        }
    }

    /// `(inner)`, where a comma behind it would mean something.
    fn bracketed_alone(&mut self, inner: Doc, end: u32) -> Doc {
        let mut docs = vec![Doc::Soft, inner];
        self.anchor(end, &mut docs);
        Doc::group(vec![Doc::text("("), Doc::Nest(docs), Doc::Soft, Doc::text(")")])
    }

    fn called(&mut self, name: Doc, args: &Args) -> Doc {
        let args = self.args(args);
        Doc::group(vec![name, args])
    }

    pub(super) fn args(&mut self, args: &Args) -> Doc {
        // A lone list or record holds on to its call: `f([` … `])`.
        if let [Arg { name: None, value, .. }] = args.items.as_slice()
            && matches!(value.kind, ExprKind::List(_) | ExprKind::Record(_))
            && !self.has_comment(args.span)
        {
            let value = self.expr(value);
            return Doc::group(vec![Doc::text("("), value, Doc::text(")")]);
        }
        let items = args.items.iter().map(|arg| self.arg(arg)).collect();
        self.bracketed("(", items, ")", args.span.end, false)
    }

    fn arg(&mut self, arg: &Arg) -> Item {
        self.item(arg.span.start, |printer| match &arg.name {
            Some(name) => Doc::group(vec![Doc::text(format!("{name}: ")), printer.expr(&arg.value)]),
            None => printer.expr(&arg.value),
        })
    }

    fn entry(&mut self, entry: &Entry) -> Item {
        self.item(entry.span.start, |printer| {
            let mut docs = vec![printer.written(entry.key.span)];
            if !entry.shorthand {
                docs.push(Doc::text(": "));
                docs.push(printer.expr(&entry.value));
            }
            Doc::group(docs)
        })
    }

    /// `a | b | c`, a stage a line if it does not fit.
    fn pipe(&mut self, expr: &Expr) -> Doc {
        let mut stages = Vec::new();
        let mut first = expr;
        while let ExprKind::Pipe { base, path, args } = &first.kind {
            stages.push((path, args));
            first = base;
        }
        let mut docs = vec![self.expr(first)];
        let mut rest = Vec::new();
        for (path, args) in stages.into_iter().rev() {
            self.anchor(path.first().map_or(0, |name| name.span.start), &mut rest);
            let stage = Doc::text(format!("| {}", path_text(path)));
            rest.push(Doc::Line);
            rest.push(match args {
                Some(args) => self.called(stage, args),
                None => stage,
            });
        }
        docs.push(Doc::Nest(rest));
        Doc::group(docs)
    }

    /// `a + b - c`: operators of one binding, an operand a line if they do not fit.
    fn row(&mut self, expr: &Expr, binding: u8) -> Doc {
        let mut operands: Vec<(BinaryOp, &Expr, u32)> = Vec::new();
        let mut first = expr;
        while let ExprKind::Binary { left, op, right } = &first.kind
            && op.node.binding() == binding
        {
            operands.push((op.node, right, op.span.start));
            first = left;
        }
        let mut docs = vec![self.expr(first)];
        let mut rest = Vec::new();
        for (op, operand, at) in operands.into_iter().rev() {
            self.anchor(at, &mut rest);
            rest.extend([Doc::Line, Doc::text(format!("{} ", op.symbol()))]);
            rest.push(self.expr(operand));
        }
        docs.push(Doc::Nest(rest));
        Doc::group(docs)
    }

    fn if_expr(&mut self, expr: &Expr) -> Doc {
        let mut docs = Vec::new();
        let mut rest = Vec::new();
        let mut next = expr;
        while let ExprKind::If { condition, then, otherwise } = &next.kind {
            let condition = self.expr(condition);
            if docs.is_empty() {
                docs.extend([Doc::text("if "), condition]);
            } else {
                rest.extend([Doc::text("if "), condition]);
            }
            self.anchor(then.span.start, &mut rest);
            rest.extend([Doc::Line, Doc::text("then "), self.expr(then)]);
            self.anchor(otherwise.span.start, &mut rest);
            rest.extend([Doc::Line, Doc::text("else ")]);
            next = otherwise;
        }
        rest.push(self.expr(next));
        docs.push(Doc::Nest(rest));
        Doc::group(docs)
    }

    fn try_expr(&mut self, value: &Expr, on: &[Name], otherwise: &Expr) -> Doc {
        let mut docs = vec![Doc::text("try "), self.expr(value)];
        let mut rest = Vec::new();
        if let Some(first) = on.first() {
            self.anchor(first.span.start, &mut rest);
            rest.extend([Doc::Line, Doc::text(format!("on {}", list_text(on)))]);
        }
        self.anchor(otherwise.span.start, &mut rest);
        rest.extend([Doc::Line, Doc::text("otherwise "), self.expr(otherwise)]);
        docs.push(Doc::Nest(rest));
        Doc::group(docs)
    }

    /// A text stays as it was written, but for the values in it.
    pub(super) fn template(&mut self, template: &Template) -> Doc {
        let mut out = String::new();
        let mut from = template.span.start;
        for found in template.interpolations() {
            out.push_str(self.slice(from, found.span.start));
            from = found.span.end;
            let as_written = self.slice(found.span.start, found.span.end);
            if self.has_comment(found.span) || as_written.contains(['\n', '\r']) {
                self.skip_comments(found.span.end);
                out.push_str(as_written);
                continue;
            }
            let value = self.flat(|printer| printer.expr(&found.value));
            let format = found.format.as_ref().map_or_else(String::new, |format| format!(":{}", format.node));
            out.extend(["{", &value, &format, "}"]);
        }
        out.push_str(self.slice(from, template.span.end));
        Doc::text(out.replace("\r\n", "\n").replace('\r', "\n"))
    }
}

const fn dot(optional: bool) -> &'static str {
    if optional { "?." } else { "." }
}

/// `a, b`
pub(super) fn list_text(names: &[Name]) -> String {
    names.iter().map(Name::as_str).collect::<Vec<_>>().join(", ")
}
