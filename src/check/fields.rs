//! Which fields a value has.

use super::checker::{Checker, broken};
use super::expressions::pure;
use super::names::{PREDECLARED, What};
use super::program::{Expr, ExprKind, RunField};
use super::wording::a;
use crate::catalog::{Catalog, elsewhere};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::ast::{self, Name};
use crate::types::{RecordType, Type};

/// What the run knows of itself.
const RUN_FIELDS: &[(&str, RunField, Type)] = &[
    ("id", RunField::Id, Type::String),
    ("started_at", RunField::StartedAt, Type::Time),
    ("scheduled_at", RunField::ScheduledAt, Type::Time),
    ("date", RunField::Date, Type::Date),
];

/// What a time knows: how long it is past when the run started, and its day in the runbook's zone.
const TIME_FIELDS: &[(&str, Type)] = &[("age", Type::Duration), ("date", Type::Date)];

/// How many fields a message names.
const MAX_NAMED: usize = 20;

impl<'a> Checker<'a> {
    /// The item of the per-item expression around this place.
    pub(super) fn it(&mut self, span: Span) -> Expr {
        match self.scope.item().cloned() {
            Some(item) if item.name.is_none() => pure(ExprKind::Local(item.local), item.ty, span),
            Some(item) => {
                let name = item.name.unwrap_or_default();
                let message = format!("the item is called `{name}` here");
                self.report(Diagnostic::new(Code::NoItem, span, message).help(format!("write `{name}`")));
                broken(span)
            }
            None => {
                let help = "an item is there where a built-in asks for each of many: `pods | where(.ready)`";
                self.report(Diagnostic::new(Code::NoItem, span, "there is no item here").help(help));
                broken(span)
            }
        }
    }

    pub(super) fn own_field(&mut self, name: &'a Name, span: Span) -> Expr {
        let item = self.it(span);
        self.field_of(item, false, name, span)
    }

    pub(super) fn field(&mut self, base: &'a ast::Expr, optional: bool, name: &'a Name, span: Span) -> Expr {
        if let ast::ExprKind::Name(owner) = &base.kind
            && self.scope.find(&owner.text).is_none()
        {
            if *owner.text == *PREDECLARED {
                return self.run_field(name, span);
            }
            if let Some(What::Module(module)) = self.names.find(self.module, &owner.text).map(|found| found.what) {
                return self.module_value(owner, module, name, span);
            }
        }
        if let ast::ExprKind::Name(owner) = &base.kind
            && self.scope.find(&owner.text).is_none()
            && self.names.find(self.module, &owner.text).is_none()
            && self.catalog.builtin(&format!("{owner}.{name}")).is_some()
        {
            let call = format!("{owner}.{name}()");
            let message = format!("`{owner}.{name}` is a built-in, which is called");
            self.report(
                Diagnostic::new(Code::UnknownName, span, message).help(format!("write `{call}`")).fix(span, call),
            );
            return broken(span);
        }
        let base = self.expr(base);
        self.field_of(base, optional, name, span)
    }

    fn run_field(&mut self, name: &Name, span: Span) -> Expr {
        if let Some((_, field, ty)) = RUN_FIELDS.iter().find(|(known, ..)| *known == &*name.text) {
            return pure(ExprKind::Run(*field), ty.clone(), span);
        }
        let meant = nearest(&name.text, RUN_FIELDS.iter().map(|(known, ..)| *known)).map(str::to_owned);
        let message = format!("the run has no field `.{name}`");
        self.report_unknown(Code::UnknownField, name.span, &message, meant);
        if let Some(last) = self.diagnostics.last_mut() {
            last.help = Some("its fields: `id`, `started_at`, `scheduled_at`, `date`".to_owned());
        }
        broken(span)
    }

    /// `care.grace`: a value that a library declares.
    fn module_value(&mut self, owner: &Name, module: Option<usize>, name: &'a Name, span: Span) -> Expr {
        match self.module_member(owner, module, name) {
            Some(what) => Expr { span, ..self.declared(what, name) },
            None => broken(span),
        }
    }

    /// What a library declares under a name; its absence is reported.
    pub(super) fn module_member(&mut self, owner: &Name, module: Option<usize>, name: &Name) -> Option<What> {
        if let Some(declaration) = self.names.find(self.module, &owner.text) {
            declaration.used.set(true);
        }
        let module = module?;
        let names = self.names;
        if let Some(declaration) = names.find(module, &name.text) {
            declaration.used.set(true);
            return Some(declaration.what);
        }
        if !names.is_in_junk(module, &name.text) {
            let meant = self.meant(&name.text, names.visible(module));
            self.report_unknown(Code::UnknownName, name.span, &format!("`{owner}` declares no `{name}`"), meant);
        }
        None
    }

    /// A field of a value.
    pub(super) fn field_of(&mut self, base: Expr, optional: bool, name: &Name, span: Span) -> Expr {
        let may_be_missing = base.ty.is_optional();
        if may_be_missing && !optional {
            let message = format!("{} may be missing, and then it has no `.{name}`", self.quoted(base.span));
            let help = format!("write `?.{name}`, which is missing as well, or say what stands in: `(… ?? …).{name}`");
            self.report(Diagnostic::new(Code::MissingValue, base.span, message).at(&base.ty).help(help));
            return broken(span);
        }
        let ty = match base.ty.present() {
            Type::Unknown => Type::Unknown,
            Type::Data => Type::Data,
            Type::Record(record) => {
                if let Some(field) = record.fields.get(&name.text) {
                    field.ty.clone()
                } else {
                    let record = std::sync::Arc::clone(record);
                    self.report_unknown_field(&record, name);
                    return broken(span);
                }
            }
            Type::Time => {
                if let Some((_, ty)) = TIME_FIELDS.iter().find(|(known, _)| *known == &*name.text) {
                    ty.clone()
                } else {
                    let message = format!("a time has no field `.{name}`");
                    self.report(
                        Diagnostic::new(Code::UnknownField, name.span, message).help("its fields: `age`, `date`"),
                    );
                    return broken(span);
                }
            }
            other => {
                let other = other.clone();
                self.report_no_fields(&other, name);
                return broken(span);
            }
        };
        let ty = if may_be_missing { ty.optional() } else { ty };
        let effect = base.effect;
        Expr { kind: ExprKind::Field { base: Box::new(base), name: name.text.clone(), optional }, ty, effect, span }
    }

    fn report_unknown_field(&mut self, record: &RecordType, name: &Name) {
        let of = record.name.as_ref().map_or_else(|| "this record".to_owned(), |own| a(&named(own)));
        let message = format!("{of} has no field `.{name}`");
        let known = || record.fields.keys().map(|field| &**field);
        // `.restart_count` is far from `.restarts` by its letters, and near by its beginning.
        let meant = self.meant(&name.text, known()).or_else(|| same_beginning(&name.text, known()));
        let diagnostic = match &meant {
            Some(meant) => {
                let ty = record.fields.get(meant.as_str()).map_or(Type::Unknown, |field| field.ty.clone());
                let message = format!("{message}; did you mean `.{meant}` ({})?", super::wording::type_text(&ty));
                Diagnostic::new(Code::UnknownField, name.span, message).fix(name.span, meant.clone())
            }
            None => Diagnostic::new(Code::UnknownField, name.span, message),
        };
        let fields: Vec<&str> = known().take(MAX_NAMED).collect();
        let more = if record.fields.len() > MAX_NAMED { ", …" } else { "" };
        self.report(diagnostic.help(format!("all fields: {}{more}", fields.join(", "))));
    }

    fn report_no_fields(&mut self, ty: &Type, name: &Name) {
        let message = format!("{} has no field `.{name}`", a(ty));
        let diagnostic = Diagnostic::new(Code::UnknownField, name.span, message);
        let diagnostic = match ty {
            // `length` is of a text.
            Type::List(_) if &*name.text == "length" => diagnostic.help("write `… | count`"),
            ty if ty.is_text() && matches!(&*name.text, "length" | "len" | "size") => {
                diagnostic.help("write `… | length`")
            }
            Type::List(_) => diagnostic.help(match stage(self.catalog, &name.text) {
                Some(stage) => format!("write `… | {stage}`"),
                None => format!("take it of each item: `… | each(.{name})`"),
            }),
            Type::Connection(driver) => diagnostic.help(format!("call what `{driver}` has: `runbook doc {driver}`")),
            _ => diagnostic,
        };
        self.report(diagnostic);
    }
}

/// The stage that is meant by a field of a list: `xs.length`.
fn stage(catalog: &Catalog, name: &str) -> Option<&'static str> {
    let name = elsewhere::name_of(name).unwrap_or(name);
    catalog.builtin(name).map(|stage| stage.name).filter(|stage| !stage.contains('.'))
}

fn named(name: &std::sync::Arc<str>) -> Type {
    Type::Record(std::sync::Arc::new(RecordType { name: Some(name.clone()), fields: indexmap::IndexMap::new() }))
}

/// The field that begins as what was written does, for at least five letters.
fn same_beginning<'k>(written: &str, known: impl Iterator<Item = &'k str>) -> Option<String> {
    known
        .map(|field| (field, written.bytes().zip(field.bytes()).take_while(|(a, b)| a == b).count()))
        .filter(|(field, same)| *same >= 5 && *same * 2 >= field.len())
        .max_by_key(|(_, same)| *same)
        .map(|(field, _)| field.to_owned())
}
