//! Names that are declared and never used.

use super::checker::Checker;
use super::names::What;
use super::scope::LocalKind;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;

impl Checker<'_> {
    pub(super) fn report_unused(&mut self) {
        let names = self.names;
        for declaration in &names.declarations {
            // What a library declares is for others to use.
            let exported = names.modules.get(declaration.module).is_some_and(super::names::Module::is_library);
            let is_checked = !exported && !matches!(declaration.what, What::Metric(_));
            if is_checked && !declaration.used.get() {
                self.module = declaration.module;
                self.report_unused_name(declaration.what.noun(), &declaration.name.text, declaration.name.span);
            }
        }
        let unused: Vec<_> = self.scope.unused().collect();
        for (local, kind, module) in unused {
            let noun = match kind {
                LocalKind::Let => "value",
                LocalKind::Result => "result",
                LocalKind::Parameter => "parameter",
                LocalKind::Loop | LocalKind::Item => continue,
            };
            let Some((name, span)) = self.locals.get(local.index()).map(|local| (local.name.clone(), local.span))
            else {
                continue;
            };
            self.module = module;
            self.report_unused_name(noun, &name, span);
        }
    }

    fn report_unused_name(&mut self, noun: &str, name: &str, span: Span) {
        if name.starts_with('_') || self.names.is_in_junk(self.module, name) {
            return;
        }
        let message = format!("nothing uses the {noun} `{name}`");
        let help = format!("take it away, or call it `_{name}`");
        self.report(Diagnostic::new(Code::UnusedName, span, message).help(help));
    }
}
