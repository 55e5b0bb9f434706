//! Which type a written type is.

use std::sync::Arc;

use indexmap::IndexMap;

use super::checker::Checker;
use super::cycles::Node;
use super::names::What;
use crate::catalog::DriverKind;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Name, TypeKind};
use crate::types::{Counted, Field, Line, RecordType, Type, Typed};

/// The types of the language itself that have no parameter.
const PLAIN: &[(&str, Type)] = &[
    ("bool", Type::Bool),
    ("int", Type::Int),
    ("float", Type::Float),
    ("percent", Type::Percent),
    ("duration", Type::Duration),
    ("size", Type::Size),
    ("rate", Type::Rate(Counted::Items)),
    ("cores", Type::Cores),
    ("string", Type::String),
    ("regex", Type::Regex),
    ("time", Type::Time),
    ("date", Type::Date),
    ("clock", Type::Clock),
    ("data", Type::Data),
    ("secret", Type::Secret),
];

/// How many parts a type may have: a chain of records that hold each other twice doubles with every link.
const MAX_PARTS: usize = 2_000;

/// How many types may stand for one another in a row: following them must not overflow the stack.
const MAX_ALIASES: usize = 100;

/// How far a type alias has been resolved.
#[derive(Clone, Debug, Default)]
pub(super) enum Resolved {
    #[default]
    Not,
    Now,
    Done(Type),
}

impl<'a> Checker<'a> {
    /// The type that was written; unknown where it is not one, which is reported.
    pub(super) fn resolve_type(&mut self, written: &'a ast::Type) -> Type {
        match &written.kind {
            TypeKind::Named { path } => self.named_type(path, written.span),
            TypeKind::Generic { name, argument } => {
                let inner = self.resolve_type(argument);
                match (&*name.text, inner) {
                    ("list", inner) => Type::list(inner),
                    ("rate", Type::Size) => Type::Rate(Counted::Bytes),
                    _ => {
                        let message = format!("there is no type `{name}<…>`");
                        self.report(
                            Diagnostic::new(Code::UnknownType, name.span, message)
                                .help("a list is written `list<string>`"),
                        );
                        Type::Unknown
                    }
                }
            }
            TypeKind::Optional { inner } => self.resolve_type(inner).optional(),
            TypeKind::Record { fields } => self.record_type(fields, written.span),
        }
    }

    fn record_type(&mut self, written: &'a [ast::TypeField], span: Span) -> Type {
        let mut fields: IndexMap<Arc<str>, Field> = IndexMap::new();
        for field in written {
            let ty = self.resolve_type(&field.ty);
            let doc = field.docs.text().into();
            if fields.insert(field.name.text.clone(), Field { ty, doc }).is_some() {
                let message = format!("the field `{}` is declared twice", field.name);
                self.report(Diagnostic::new(Code::DuplicateName, field.name.span, message));
            }
        }
        self.bounded(Type::Record(Arc::new(RecordType { name: None, fields })), span)
    }

    /// The type, if it is not larger than what can be worked with.
    pub(super) fn bounded(&mut self, ty: Type, span: Span) -> Type {
        let mut budget = MAX_PARTS;
        if within(&ty, &mut budget) {
            return ty;
        }
        let message = format!("the type of this has more than {MAX_PARTS} parts");
        self.report(Diagnostic::new(Code::NestedTooDeeply, span, message));
        Type::Unknown
    }

    fn named_type(&mut self, path: &'a [Name], span: Span) -> Type {
        match path {
            [name] => self.plain_type(name),
            [module, name] => {
                let used = self.names.find(self.module, &module.text).inspect(|declaration| declaration.used.set(true));
                match used.map(|declaration| declaration.what) {
                    Some(What::Module(Some(index))) => {
                        if let Some(alias) = self.names.find_type(index, &name.text) {
                            self.alias(alias)
                        } else {
                            let names = self.names;
                            self.unknown_type(name, names.visible_types(index), index)
                        }
                    }
                    Some(What::Module(None)) => Type::Unknown,
                    _ => {
                        self.report_unknown_name(&module.text, module.span);
                        Type::Unknown
                    }
                }
            }
            _ => {
                let message = format!("there is no type `{}`", self.text(span));
                self.report(Diagnostic::new(Code::UnknownType, span, message));
                Type::Unknown
            }
        }
    }

    fn plain_type(&mut self, name: &'a Name) -> Type {
        if let Some((_, ty)) = PLAIN.iter().find(|(known, _)| *known == &*name.text) {
            return ty.clone();
        }
        if *name.text == *"line" {
            return Line::ty();
        }
        if let Some(alias) = self.names.find_type(self.module, &name.text) {
            return self.alias(alias);
        }
        if let Some(ty) = self.catalog.named_type(&name.text) {
            return ty.clone();
        }
        if self.catalog.driver(&name.text).is_some_and(|driver| driver.kind == DriverKind::Connection) {
            return Type::Connection(name.text.clone());
        }
        if *name.text == *"list" {
            self.report(Diagnostic::new(Code::UnknownType, name.span, "a list of what?").help("write `list<string>`"));
            return Type::Unknown;
        }
        let names = self.names;
        let catalog = self.catalog;
        let known = PLAIN
            .iter()
            .map(|(name, _)| *name)
            .chain(names.visible_types(self.module))
            .chain(catalog.named_types().map(|(name, _)| name));
        self.unknown_type(name, known, self.module)
    }

    fn unknown_type<'k>(&mut self, name: &Name, known: impl Iterator<Item = &'k str>, module: usize) -> Type {
        if !self.names.is_in_junk(module, &name.text) {
            let meant = match elsewhere(&name.text) {
                Some(meant) => Some(meant.to_owned()),
                None => self.meant(&name.text, known),
            };
            self.report_unknown(Code::UnknownType, name.span, &format!("there is no type `{name}`"), meant);
        }
        Type::Unknown
    }

    /// The type that an alias stands for; each is resolved once.
    pub(super) fn alias(&mut self, index: usize) -> Type {
        self.needs.add(Node::Type(index));
        match self.aliases.get(index) {
            Some(Resolved::Done(ty)) => return ty.clone(),
            // A type that holds itself: the circle is reported with the others.
            Some(Resolved::Now) | None => return Type::Unknown,
            Some(Resolved::Not) => {}
        }
        let names = self.names;
        let Some(alias) = names.aliases.get(index) else { return Type::Unknown };
        if self.alias_depth >= MAX_ALIASES {
            let message = format!("more than {MAX_ALIASES} types stand for one another in a row");
            self.report(Diagnostic::new(Code::NestedTooDeeply, alias.alias.name.span, message));
            self.set_alias(index, Resolved::Done(Type::Unknown));
            return Type::Unknown;
        }
        self.set_alias(index, Resolved::Now);
        let module = std::mem::replace(&mut self.module, alias.module);
        let outer = self.needs.begin(Node::Type(index));
        self.alias_depth += 1;
        let ty = self.resolve_type(&alias.alias.definition);
        self.alias_depth -= 1;
        self.needs.end(outer);
        self.module = module;
        let ty = match ty {
            Type::Record(record) if record.name.is_none() => Type::Record(Arc::new(RecordType {
                name: Some(alias.alias.name.text.clone()),
                fields: record.fields.clone(),
            })),
            other => other,
        };
        self.set_alias(index, Resolved::Done(ty.clone()));
        ty
    }

    fn set_alias(&mut self, index: usize, resolved: Resolved) {
        if let Some(slot) = self.aliases.get_mut(index) {
            *slot = resolved;
        }
    }
}

fn within(ty: &Type, budget: &mut usize) -> bool {
    let Some(left) = budget.checked_sub(1) else { return false };
    *budget = left;
    match ty {
        Type::List(inner) | Type::Optional(inner) => within(inner, budget),
        Type::Record(record) => record.fields.values().all(|field| within(&field.ty, budget)),
        _ => true,
    }
}

/// What a type of other languages is called here.
fn elsewhere(name: &str) -> Option<&'static str> {
    Some(match name {
        "str" | "text" | "String" => "string",
        "integer" | "Int" | "long" | "number" => "int",
        "double" | "Float" | "decimal" => "float",
        "boolean" | "Bool" => "bool",
        "bytes" | "filesize" => "size",
        "datetime" | "timestamp" | "instant" => "time",
        "interval" | "timespan" => "duration",
        "json" | "any" | "object" => "data",
        "regexp" | "pattern" => "regex",
        _ => return None,
    })
}
