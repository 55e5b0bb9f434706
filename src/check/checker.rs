//! What all questions share: the names, the scope, what is being checked, and what was found.

use std::collections::HashMap;
use std::sync::Arc;

use super::cycles::Needs;
use super::names::{Names, PREDECLARED};
use super::placement::Place;
use super::program::{Expr, ExprKind, Local, Program};
use super::scope::Scope;
use super::signatures::Signatures;
use crate::catalog::{Catalog, Effect, elsewhere};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::{Sources, Span};
use crate::syntax::ast;
use crate::types::{Regex, Type};

/// How many "did you mean" one check looks for: a file of nothing but mistakes must not take forever.
const MAX_SUGGESTIONS: usize = 50;

/// A pattern, or why it is none.
pub(super) type Compiled = Result<Regex, Arc<str>>;

/// Checks one program.
pub(super) struct Checker<'a> {
    pub(super) sources: &'a Sources,
    pub(super) catalog: &'a Catalog,
    pub(super) names: &'a Names<'a>,
    /// The file whose text is being checked.
    pub(super) module: usize,
    pub(super) diagnostics: Vec<Diagnostic>,
    /// Names inside blocks, of the whole program.
    pub(super) locals: Vec<Local>,
    pub(super) scope: Scope,
    pub(super) signatures: Arc<Signatures>,
    /// Which declaration needs which.
    pub(super) needs: Needs,
    pub(super) place: Place,
    pub(super) aliases: Vec<super::type_names::Resolved>,
    /// What the command around the place gives.
    pub(super) returns: Option<Type>,
    /// The first change in the command around the place.
    pub(super) command_changes: Option<Span>,
    /// How many changes stand above this place.
    pub(super) changes_seen: usize,
    /// How many aliases are being resolved.
    pub(super) alias_depth: usize,
    pub(super) next_statement: u32,
    pub(super) regexes: HashMap<(Arc<str>, Arc<str>), Compiled>,
    pub(super) alerting: super::alerting::Facts<'a>,
    /// Of sections and reports.
    pub(super) titles: HashMap<(&'static str, &'a str), Span>,
    /// Whether the expression that comes next is read by people as it is.
    for_people: bool,
    suggestions: usize,
}

impl<'a> Checker<'a> {
    pub(super) fn new(sources: &'a Sources, catalog: &'a Catalog, names: &'a Names<'a>) -> Self {
        Self {
            sources,
            catalog,
            names,
            module: 0,
            diagnostics: Vec::new(),
            locals: Vec::new(),
            scope: Scope::default(),
            signatures: Arc::default(),
            needs: Needs::default(),
            place: Place::Declaration,
            aliases: vec![super::type_names::Resolved::Not; names.aliases.len()],
            returns: None,
            command_changes: None,
            changes_seen: 0,
            alias_depth: 0,
            next_statement: 0,
            regexes: HashMap::new(),
            alerting: super::alerting::Facts::default(),
            titles: HashMap::new(),
            for_people: false,
            suggestions: 0,
        }
    }

    /// Checks everything.
    pub(super) fn program(mut self) -> (Program, Vec<Diagnostic>) {
        self.sign();
        let mut program = self.declarations();
        self.report_cycles();
        self.check_reachability(&program);
        program.tests = self.rehearsals(&program);
        self.check_schedules(&program);
        self.report_unused();
        super::effects::seal(&mut program);
        self.check_guards(&program);
        program.locals = std::mem::take(&mut self.locals);
        (program, self.diagnostics)
    }

    /// Checks an expression that people read as it is, if they do.
    pub(super) fn read_by_people(&mut self, do_they: bool, expr: &'a ast::Expr) -> Expr {
        self.for_people = do_they;
        let checked = self.expr(expr);
        self.for_people = false;
        checked
    }

    /// Whether people read what is being checked. What stands inside of it is read by them only where that is said again.
    pub(super) fn take_for_people(&mut self) -> bool {
        std::mem::take(&mut self.for_people)
    }

    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// What was written at a span.
    pub(super) fn text(&self, span: Span) -> &'a str {
        self.sources.text(span)
    }

    /// The known name that was probably meant.
    pub(super) fn meant<'k>(&mut self, written: &str, known: impl IntoIterator<Item = &'k str>) -> Option<String> {
        if self.suggestions >= MAX_SUGGESTIONS {
            return None;
        }
        self.suggestions += 1;
        nearest(written, known).map(str::to_owned)
    }

    /// Reports a name that is not there, unless its declaration is in a part that could not be read.
    pub(super) fn report_unknown_name(&mut self, name: &str, span: Span) {
        if self.names.is_in_junk(self.module, name) {
            return;
        }
        let names = self.names;
        let locals: Vec<Arc<str>> = self.scope.names().cloned().collect();
        let known = names.visible(self.module).chain([PREDECLARED]).chain(locals.iter().map(|name| &**name));
        if self.is_own_field(name) {
            let message = format!("`{name}` is not declared; a field of the item begins with a `.`");
            let field = format!(".{name}");
            self.report(
                Diagnostic::new(Code::UnknownName, span, message).help(format!("write `{field}`")).fix(span, field),
            );
            return;
        }
        let meant = elsewhere::value_of(name).map(str::to_owned).or_else(|| self.meant(name, known));
        self.report_unknown(Code::UnknownName, span, &format!("`{name}` is not declared"), meant);
        let key = self.key_with_a_minus(name, span);
        if let (Some(key), Some(last)) = (key, self.diagnostics.last_mut()) {
            last.help = Some(format!("a name has no `-`: write `[\"{key}\"]` in the place of `.{key}`"));
            last.fix = None;
        }
    }

    /// The key that was meant by `.content-type`, which takes `type` from `.content`.
    fn key_with_a_minus(&self, name: &str, span: Span) -> Option<String> {
        let text = &self.sources.file(span.file).text;
        let before = text.get(..span.start as usize)?.strip_suffix('-')?;
        let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        let head = before.rsplit(|c: char| !is_part(c)).next().filter(|head| !head.is_empty())?;
        before.strip_suffix(head)?.ends_with('.').then(|| format!("{head}-{name}"))
    }

    /// `{ name }` stands for `{ name: name }`, and a field of the item is written out: the help says so where the name was
    /// just found to be none.
    pub(super) fn report_field_for_name(&mut self, key: &ast::Name) {
        if !self.is_own_field(&key.text) {
            return;
        }
        let last = self.diagnostics.last_mut();
        if let Some(last) = last.filter(|last| last.code == Code::UnknownName && last.span() == key.span) {
            let entry = format!("{0}: .{0}", key.text);
            last.help = Some(format!("write `{entry}`"));
            last.fix = None;
            *last = std::mem::replace(last, Diagnostic::new(Code::UnknownName, key.span, "")).fix(key.span, entry);
        }
    }

    /// Whether the item that a stage is looking at has a field of this name.
    fn is_own_field(&self, name: &str) -> bool {
        let ty = self.scope.item().map(|item| item.ty.present());
        matches!(ty, Some(Type::Record(record)) if record.fields.contains_key(name))
    }

    /// Reports something unknown, with what was probably meant.
    pub(super) fn report_unknown(&mut self, code: Code, span: Span, message: &str, meant: Option<String>) {
        let diagnostic = match meant {
            Some(meant) => Diagnostic::new(code, span, format!("{message}; did you mean `{meant}`?"))
                .help(format!("write `{meant}`"))
                .fix(span, meant),
            None => Diagnostic::new(code, span, message),
        };
        self.report(diagnostic);
    }
}

/// An expression that could not be checked: its mistake has been reported, and nothing more is said about it.
pub(super) const fn broken(span: Span) -> Expr {
    Expr { kind: ExprKind::Broken, ty: Type::Unknown, effect: Effect::Pure, span }
}
