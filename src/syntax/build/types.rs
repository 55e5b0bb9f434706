//! Types.

use pest::iterators::Pair;

use super::{Builder, Built, Children, Lost};
use crate::syntax::ast::{Name, Type, TypeField, TypeKind};
use crate::syntax::grammar::Rule;

impl Builder<'_> {
    /// The next child, a type.
    pub(super) fn next_type(&mut self, children: &mut Children<'_>) -> Built<Type> {
        let pair = children.need(Rule::type_ref)?;
        self.type_ref(pair)
    }

    /// The next child, if it is a type.
    pub(super) fn maybe_type(&mut self, children: &mut Children<'_>) -> Built<Option<Type>> {
        children.take(Rule::type_ref).map(|pair| self.type_ref(pair)).transpose()
    }

    fn type_ref(&mut self, pair: Pair<'_, Rule>) -> Built<Type> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let base = children.any()?;
        let inner = Type { span: self.span(&base), kind: self.type_kind(base)? };
        if children.take(Rule::optional).is_none() {
            return Ok(inner);
        }
        Ok(Type { kind: TypeKind::Optional { inner: Box::new(inner) }, span })
    }

    fn type_kind(&mut self, pair: Pair<'_, Rule>) -> Built<TypeKind> {
        match pair.as_rule() {
            Rule::path => Ok(TypeKind::Named { path: self.path(pair) }),
            Rule::generic => {
                let mut children = Children::new(pair);
                let name = self.name(&children.need(Rule::ident)?);
                Ok(TypeKind::Generic { name, argument: Box::new(self.next_type(&mut children)?) })
            }
            Rule::record_type => {
                let mut fields = Vec::new();
                for field in Children::new(pair).all(Rule::type_field) {
                    fields.push(self.type_field(field)?);
                }
                Ok(TypeKind::Record { fields })
            }
            _ => Err(Lost),
        }
    }

    fn type_field(&mut self, pair: Pair<'_, Rule>) -> Built<TypeField> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let name = self.name(&children.need(Rule::word)?);
        let ty = self.next_type(&mut children)?;
        Ok(TypeField { docs: self.docs(span.start), name, ty, span })
    }

    pub(super) fn path(&self, pair: Pair<'_, Rule>) -> Vec<Name> {
        self.names(pair)
    }
}
