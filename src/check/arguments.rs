//! Which argument belongs to which parameter.

use super::checker::Checker;
use super::program::Expr;
use crate::catalog::elsewhere;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast;

/// A parameter, as far as it takes to find its argument.
pub(super) struct Slot<'p> {
    pub(super) name: &'p str,
    pub(super) required: bool,
    pub(super) doc: &'p str,
}

/// What stands in a parameter's place.
pub(super) enum Given<'a> {
    /// What the call is made on: `pods` in `pods | count`.
    Receiver(Expr),
    Written(&'a ast::Arg),
}

pub(super) struct Filled<'a> {
    /// One for each parameter.
    pub(super) given: Vec<Option<Given<'a>>>,
    /// Whether every argument has its place and every needed one is there.
    pub(super) whole: bool,
}

impl<'a> Checker<'a> {
    /// Puts arguments in the places of parameters: those without a name in their order, the receiver first.
    pub(super) fn fill(
        &mut self,
        callee: &str,
        params: &[Slot<'_>],
        receiver: Option<Expr>,
        args: &'a [ast::Arg],
        name: Span,
    ) -> Filled<'a> {
        let mut given: Vec<Option<Given<'a>>> = params.iter().map(|_| None).collect();
        let mut whole = true;
        let mut next = 0;
        if let Some(receiver) = receiver {
            next = 1;
            if let Some(place) = given.first_mut() {
                *place = Some(Given::Receiver(receiver));
            } else {
                whole = false;
                let message = format!("`{callee}` takes nothing, and is called on {}", self.quoted(receiver.span));
                self.report(Diagnostic::new(Code::UnknownArgument, name, message).help(format!("write `{callee}()`")));
            }
        }
        for arg in args {
            let index = if let Some(name) = &arg.name {
                params.iter().position(|param| param.name == &*name.text)
            } else {
                next += 1;
                (next <= params.len()).then(|| next - 1)
            };
            let Some(place) = index.and_then(|index| given.get_mut(index)) else {
                self.report_unplaced(callee, params, arg);
                self.touch(&arg.value);
                whole = false;
                continue;
            };
            if let Some(first) = place {
                let first = match first {
                    Given::Receiver(expr) => expr.span,
                    Given::Written(first) => first.span,
                };
                let name = index.and_then(|index| params.get(index)).map_or("", |param| param.name);
                let message = format!("`{callee}` gets `{name}` twice");
                let diagnostic = Diagnostic::new(Code::DuplicateArgument, arg.span, message).at("again");
                self.report(diagnostic.label(first, "first here"));
                self.touch(&arg.value);
                whole = false;
                continue;
            }
            *place = Some(Given::Written(arg));
        }
        // After another mistake, what seems missing is what was meant by it.
        let missing: Vec<&Slot<'_>> = params
            .iter()
            .zip(&given)
            .filter(|(param, given)| param.required && given.is_none())
            .map(|(param, _)| param)
            .collect();
        if whole && !missing.is_empty() {
            self.report_missing_arguments(callee, &missing, name);
        }
        Filled { given, whole: whole && missing.is_empty() }
    }

    fn report_unplaced(&mut self, callee: &str, params: &[Slot<'_>], arg: &ast::Arg) {
        if let Some(name) = &arg.name {
            let known = |meant: &&str| params.iter().any(|param| param.name == *meant);
            let meant = match elsewhere::argument_of(&name.text).filter(known) {
                Some(meant) => Some(meant.to_owned()),
                None => self.meant(&name.text, params.iter().map(|param| param.name)),
            };
            let nothing_near = meant.is_none();
            self.report_unknown(Code::UnknownArgument, name.span, &format!("`{callee}` takes no `{name}`"), meant);
            if nothing_near && let Some(last) = self.diagnostics.last_mut() {
                last.help = Some(signature(callee, params));
            }
            return;
        }
        let message = match params.len() {
            0 => format!("`{callee}` takes no arguments"),
            1 => format!("`{callee}` takes one argument"),
            count => format!("`{callee}` takes {count} arguments"),
        };
        self.report(Diagnostic::new(Code::UnknownArgument, arg.span, message).help(signature(callee, params)));
    }

    fn report_missing_arguments(&mut self, callee: &str, missing: &[&Slot<'_>], name: Span) {
        let names: Vec<String> = missing.iter().map(|param| format!("`{}`", param.name)).collect();
        let message = format!("`{callee}` needs {}", names.join(" and "));
        let diagnostic = Diagnostic::new(Code::MissingArgument, name, message);
        let diagnostic = match missing {
            [one] if !one.doc.is_empty() => {
                let doc = one.doc.trim_end_matches('.');
                diagnostic.help(format!("`{}`: {}", one.name, lowercase(doc)))
            }
            _ => diagnostic,
        };
        self.report(diagnostic);
    }
}

fn signature(callee: &str, params: &[Slot<'_>]) -> String {
    if params.is_empty() {
        return format!("write `{callee}()`");
    }
    let names: Vec<&str> = params.iter().map(|param| param.name).collect();
    format!("it takes: {}", names.join(", "))
}

fn lowercase(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
