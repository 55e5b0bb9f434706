//! Types and parameters.

use super::doc::Doc;
use super::printer::{Item, Printer};
use crate::syntax::ast::{ChangesEffect, Name, Parameter, Type, TypeField, TypeKind};

impl Printer<'_> {
    pub(super) fn type_ref(&mut self, ty: &Type) -> Doc {
        match &ty.kind {
            TypeKind::Named { path } => Doc::text(path_text(path)),
            TypeKind::Generic { name, argument } => {
                Doc::group(vec![Doc::text(format!("{name}<")), self.type_ref(argument), Doc::text(">")])
            }
            TypeKind::Optional { inner } => Doc::group(vec![self.type_ref(inner), Doc::text("?")]),
            TypeKind::Record { fields } => {
                let items = fields.iter().map(|field| self.type_field(field)).collect();
                self.bracketed("{", items, "}", ty.span.end, true)
            }
        }
    }

    fn type_field(&mut self, field: &TypeField) -> Item {
        self.documented_item(field.span.start, |printer| {
            Doc::group(vec![Doc::text(format!("{}: ", field.name)), printer.type_ref(&field.ty)])
        })
    }

    /// `(params) -> result changes idempotent`
    pub(super) fn signature(
        &mut self,
        params: &[Parameter],
        result: Option<&Type>,
        changes: Option<ChangesEffect>,
        end: u32,
    ) -> Vec<Doc> {
        let items = params.iter().map(|param| self.parameter(param)).collect();
        let mut docs = vec![self.bracketed("(", items, ")", end, false)];
        if let Some(result) = result {
            docs.push(Doc::text(" -> "));
            self.middle(result.span.start, &mut docs);
            docs.push(self.type_ref(result));
        }
        if let Some(changes) = changes {
            self.middle(changes.span.start, &mut docs);
            docs.push(Doc::text(if changes.idempotent { " changes idempotent" } else { " changes" }));
        }
        docs
    }

    fn parameter(&mut self, param: &Parameter) -> Item {
        self.documented_item(param.span.start, |printer| {
            let mut docs = vec![Doc::text(format!("{}: ", param.name)), printer.type_ref(&param.ty)];
            if let Some(default) = &param.default {
                docs.push(Doc::text(" = "));
                docs.push(printer.expr(default));
            }
            Doc::group(docs)
        })
    }
}

pub(super) fn path_text(path: &[Name]) -> String {
    path.iter().map(Name::as_str).collect::<Vec<_>>().join(".")
}
