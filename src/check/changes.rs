//! `change`: the one way to change anything.

use super::calls::Position;
use super::checker::{Checker, broken};
use super::program::{Change, Expr};
use super::scope::LocalKind;
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::Type;

impl<'a> Checker<'a> {
    /// A change with its clauses.
    pub(super) fn change(&mut self, written: &'a ast::Change) -> Change {
        self.changes_seen += 1;
        let source = self.source_of(written.call.span);
        let call = self.changing_call(&written.call, "change");
        let title = self.title(written.title.as_ref());
        let within = written.within.as_ref().map(|within| self.limit(within, "a time limit"));
        let binding = written.binding.as_ref().map(|name| self.declare_local(name, call.ty.clone(), LocalKind::Result));
        let verify = written.verify.as_ref().map(|verify| self.expr_as(verify, &Type::Bool, "what verifies a change"));
        let undo = written.undo.as_ref().map(|undo| self.changing_call(undo, "undo"));
        let approve_by = written.approve_by.as_ref().map(|role| role.text.clone());
        Change { binding, call, title, source, within, approve_by, verify, undo }
    }

    /// A call that must change something.
    fn changing_call(&mut self, written: &'a ast::Expr, keyword: &str) -> Expr {
        let bare = written.bare();
        if bare.as_call().is_some() {
            return self.call(bare, Position::Change);
        }
        let value = self.expr(bare);
        if !value.ty.is_unknown() {
            let message =
                format!("`{keyword}` needs a call that changes something, and {} is none", self.quoted(written.span));
            self.report(Diagnostic::new(Code::NothingChanges, written.span, message));
        }
        broken(written.span)
    }
}
