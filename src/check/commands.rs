//! Commands: fragments with parameters, in the language itself.

use std::sync::Arc;

use super::checker::Checker;
use super::placement::{BlockOf, Place};
use super::program::{Command, CommandId, Parameter, Statement, StatementKind};
use super::scope::LocalKind;
use super::signatures::Signature;
use crate::catalog::Effect;
use crate::diagnostics::{Code, Diagnostic};
use crate::syntax::ast;
use crate::types::Type;

impl<'a> Checker<'a> {
    pub(super) fn command(
        &mut self,
        id: CommandId,
        written: &'a ast::Command,
        name: Arc<str>,
        doc: Arc<str>,
    ) -> Command {
        let signature = self.signatures.command(id);
        let mark = self.enter();
        let params = self.parameters(&written.params, signature.as_deref());
        let returns = signature.as_ref().and_then(|signature| signature.returns.clone());
        let changes = written.changes.is_some() || written.body.as_ref().is_some_and(super::effects::has_change);
        let of = if returns.is_some() && !changes { BlockOf::Function } else { BlockOf::Command };
        self.place = Place::block(of);
        self.returns.clone_from(&returns);
        self.command_changes = None;
        let body = if let Some(block) = &written.body {
            self.statements(&block.statements)
        } else {
            let message = format!("`{}` has no body, and no plugin brings it", written.name);
            self.report(Diagnostic::new(Code::UnknownBuiltin, written.name.span, message));
            Vec::new()
        };
        self.leave(mark);
        self.place = Place::Declaration;
        self.check_declared_effect(written);
        if let (Some(returns), Some(block)) = (&returns, &written.body) {
            self.check_returns(written, returns, block, &body);
        }
        Command {
            name,
            params,
            returns,
            effect: if written.changes.is_some() { Effect::Changes } else { Effect::Reads },
            idempotent: written.changes.is_none_or(|changes| changes.idempotent),
            body,
            doc,
            span: written.name.span,
        }
    }

    /// Declares the parameters of a command or a tool as names of its block.
    pub(super) fn parameters(
        &mut self,
        written: &'a [ast::Parameter],
        signature: Option<&Signature>,
    ) -> Vec<Parameter> {
        let mut params = Vec::new();
        for (index, param) in written.iter().enumerate() {
            let known = signature.and_then(|signature| signature.params.get(index));
            let ty = known.map_or(Type::Unknown, |known| known.ty.clone());
            let local = self.declare_local(&param.name, ty.clone(), LocalKind::Parameter);
            let default = known.and_then(|known| known.default.clone());
            params.push(Parameter { local, name: param.name.text.clone(), ty, default });
        }
        params
    }

    fn check_declared_effect(&mut self, written: &ast::Command) {
        let change = self.command_changes.take();
        match (written.changes, change) {
            (None, Some(change)) => {
                let message = format!("`{}` changes something and does not say so", written.name);
                let help = format!("declare it: `command {}(…) changes {{ … }}`", written.name);
                let diagnostic = Diagnostic::new(Code::EffectMismatch, written.name.span, message);
                self.report(diagnostic.label(change, "changes something").help(help));
            }
            (Some(changes), None) if written.body.is_some() && !self.is_cut_short(written) => {
                let message = format!("`{}` is declared to change something, and changes nothing", written.name);
                let diagnostic = Diagnostic::new(Code::EffectMismatch, changes.span, message);
                self.report(diagnostic.help("leave `changes` out"));
            }
            _ => {}
        }
    }

    /// Whether a part of the command could not be read: what is missing may stand there.
    fn is_cut_short(&self, written: &ast::Command) -> bool {
        let Some(module) = self.names.modules.get(self.module) else { return false };
        let Some(body) = &written.body else { return false };
        module.file.junk.iter().any(|junk| body.span.contains(junk.span.start))
    }

    fn check_returns(&mut self, written: &ast::Command, returns: &Type, block: &ast::Block, body: &[Statement]) {
        if always_returns(body) || self.is_cut_short(written) || has_broken_return(block) {
            return;
        }
        let message = format!(
            "`{}` gives {}, and not every way through it returns one",
            written.name,
            super::wording::a(returns)
        );
        let help = "end it with `return …`";
        self.report(Diagnostic::new(Code::TypeMismatch, written.name.span, message).help(help));
    }
}

/// Whether every way through a block ends in a `return`.
fn always_returns(body: &[Statement]) -> bool {
    body.iter().any(|statement| match &statement.kind {
        StatementKind::Return { .. } => true,
        StatementKind::If { branches, otherwise: Some(otherwise) } => {
            branches.iter().all(|branch| always_returns(&branch.body)) && always_returns(otherwise)
        }
        _ => false,
    })
}

/// Whether a `return` stands where it was refused: one mistake is enough.
fn has_broken_return(block: &ast::Block) -> bool {
    block.statements.iter().any(|statement| match &statement.kind {
        ast::StatementKind::For(each) => has_return(&each.body),
        ast::StatementKind::Retry { body, .. } => has_return(body),
        _ => false,
    })
}

fn has_return(block: &ast::Block) -> bool {
    block.statements.iter().any(|statement| matches!(statement.kind, ast::StatementKind::Return { .. }))
}
