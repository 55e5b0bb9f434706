//! Literals, kept as they were written.

use pest::iterators::Pair;

use super::{Builder, Built, Lost};
use crate::diagnostics::Diagnostic;
use crate::source::{Span, Spanned};
use crate::syntax::ast::{ExprKind, Severity};
use crate::syntax::grammar::Rule;

impl Builder<'_> {
    /// A literal that is neither a text nor a list nor a record.
    pub(super) fn literal(pair: &Pair<'_, Rule>) -> Built<ExprKind> {
        let text = Self::text(pair);
        Ok(match pair.as_rule() {
            Rule::number => ExprKind::Number(text),
            Rule::quantity => ExprKind::Quantity(text),
            Rule::rate => ExprKind::Rate(text),
            Rule::percent => ExprKind::Percent(text),
            Rule::date => ExprKind::Date(text),
            Rule::clock => ExprKind::Clock(text),
            Rule::boolean => ExprKind::Bool(pair.as_str() == "true"),
            Rule::null => ExprKind::Null,
            Rule::it => ExprKind::It,
            Rule::regex => regex(pair.as_str()).ok_or(Lost)?,
            _ => return Err(Lost),
        })
    }

    pub(super) fn severity(&self, pair: &Pair<'_, Rule>) -> Built<Spanned<Severity>> {
        let found = Severity::ALL.into_iter().find(|severity| severity.name() == pair.as_str()).ok_or(Lost)?;
        Ok(Spanned::new(found, self.span(pair)))
    }

    /// Reports that something is given again.
    pub(super) fn twice(&mut self, what: &str, first: Span, again: Span) -> Lost {
        self.fault(Diagnostic::twice(what, first, again))
    }
}

/// Flags hold no slash, so the last one closes the source.
fn regex(written: &str) -> Option<ExprKind> {
    let (source, flags) = written.strip_prefix('/')?.rsplit_once('/')?;
    Some(ExprKind::Regex { source: source.into(), flags: flags.into() })
}
