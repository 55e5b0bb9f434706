//! What is called: a built-in, a command or a tool, in whichever form the call is written.

use super::arguments::{Filled, Given, Slot};
use super::checker::{Checker, broken};
use super::convert::Want;
use super::cycles::Node;
use super::names::What;
use super::program::{CommandId, Expr, ExprKind, ToolId};
use super::signatures::Signature;
use crate::catalog::{Builtin, Effect, Read, Returns, elsewhere};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Name, Receiver};
use crate::types::Type;

/// Where a call stands, and so what it may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// Among values: it may only look.
    Value,
    /// Behind `change` or `undo`: it must change something.
    Change,
    /// Behind `do`: it must be a command.
    Do,
    /// In a test, which only speaks of it.
    Mention,
}

#[derive(Clone, Copy)]
pub(super) enum Callee {
    Builtin(&'static Builtin),
    Command(CommandId),
    Tool(ToolId),
}

/// A call whose name has been understood.
pub(super) struct Understood<'a> {
    pub(super) receiver: Option<Expr>,
    pub(super) optional: bool,
    /// The last name of it.
    pub(super) name: &'a Name,
    pub(super) args: &'a [ast::Arg],
    /// Whether people read its answer as it is.
    pub(super) people: bool,
    pub(super) span: Span,
}

impl<'a> Checker<'a> {
    /// Checks a call.
    pub(super) fn call(&mut self, expr: &'a ast::Expr, position: Position) -> Expr {
        self.called(expr, position, false)
    }

    /// The same of a call whose answer people read as it is, if they do.
    pub(super) fn called(&mut self, expr: &'a ast::Expr, position: Position, people: bool) -> Expr {
        let Some(call) = expr.as_call() else { return broken(expr.span) };
        let Some((callee, receiver, name)) = self.understand(expr, call, people) else {
            for arg in call.args {
                self.touch(&arg.value);
            }
            return broken(expr.span);
        };
        let understood =
            Understood { receiver, optional: call.optional, name, args: call.args, people, span: expr.span };
        match callee {
            Callee::Builtin(builtin) => self.builtin_call(builtin, understood, position),
            Callee::Command(id) => self.command_call(id, understood, position),
            Callee::Tool(id) => self.tool_call(id, understood, position),
        }
    }

    fn understand(
        &mut self,
        expr: &'a ast::Expr,
        call: ast::Call<'a>,
        people: bool,
    ) -> Option<(Callee, Option<Expr>, &'a Name)> {
        match (call.receiver, call.path) {
            (Receiver::None, [name]) => Some((self.function(name, None)?, None, name)),
            (Receiver::It, [name]) => {
                let item = self.it(expr.span);
                Some((self.function(name, Some(&item.ty))?, Some(item), name))
            }
            (Receiver::Value(base), [name]) => {
                if let (ast::ExprKind::Method { .. }, ast::ExprKind::Name(owner)) = (&expr.kind, &base.kind)
                    && let Some(found) = self.owned(owner, name)
                {
                    return Some((found?, None, name));
                }
                let people = people && self.hands_on(name);
                let receiver = self.read_by_people(people, base);
                let Some(callee) = self.function(name, Some(&receiver.ty)) else {
                    self.tell_hidden(base, name);
                    return None;
                };
                Some((callee, Some(receiver), name))
            }
            (Receiver::Value(base), [owner, name]) => {
                let receiver = self.expr(base);
                if let Some(found) = self.owned(owner, name) {
                    Some((found?, Some(receiver), name))
                } else {
                    self.report_unknown_name(&owner.text, owner.span);
                    None
                }
            }
            (_, path) => {
                let span = path.last().map_or(expr.span, |name| name.span);
                self.report(Diagnostic::new(Code::UnknownBuiltin, span, "there is nothing of this name to call"));
                None
            }
        }
    }

    /// `owner.name(…)` where the owner is no value: a library, or a family of built-ins. `None` where it is a value, or
    /// nothing; `Some(None)` where it has no such member, which is reported.
    #[expect(clippy::option_option, reason = "what is not its own has another meaning than what is not there")]
    fn owned(&mut self, owner: &'a Name, name: &'a Name) -> Option<Option<Callee>> {
        if self.scope.find(&owner.text).is_some() {
            return None;
        }
        match self.names.find(self.module, &owner.text).map(|declaration| declaration.what) {
            Some(What::Module(module)) => {
                let what = self.module_member(owner, module, name);
                Some(what.and_then(|what| self.callable(what, name)))
            }
            Some(_) => None,
            None => {
                let full = format!("{owner}.{name}");
                if let Some(builtin) = self.catalog.builtin(&full) {
                    return Some(Some(Callee::Builtin(builtin)));
                }
                let family = format!("{owner}.");
                if self.names.is_in_junk(self.module, &owner.text) || !self.has_family(&family) {
                    return None;
                }
                self.report_unknown_member(&format!("`{owner}` has no `{name}`"), &family, name);
                Some(None)
            }
        }
    }

    /// Says where a name of the file stands for what a family of built-ins is called: `host.disks()` of a param `host`.
    fn tell_hidden(&mut self, base: &'a ast::Expr, name: &Name) {
        let ast::ExprKind::Name(owner) = &base.kind else { return };
        if self.catalog.builtin(&format!("{owner}.{name}")).is_none() {
            return;
        }
        if let Some(last) = self.diagnostics.last_mut().filter(|last| last.span() == name.span) {
            last.message = format!("`{owner}` is a name of this file here, and hides the built-in `{owner}.{name}`");
            last.help = Some(format!("give what is called `{owner}` another name"));
            last.fix = None;
        }
    }

    /// Whether what a stage of this name works on is in its answer as it is.
    fn hands_on(&self, name: &Name) -> bool {
        let builtin = self.catalog.builtin(&name.text).and_then(|builtin| builtin.params.first());
        builtin.is_some_and(|first| first.read == Read::InAnswer) && self.names.find(self.module, &name.text).is_none()
    }

    fn has_family(&self, prefix: &str) -> bool {
        self.catalog.builtins().any(|builtin| builtin.name.starts_with(prefix))
    }

    /// What a name of a call means, by the type of what it is called on.
    fn function(&mut self, name: &'a Name, receiver: Option<&Type>) -> Option<Callee> {
        let family = match receiver.map(Type::present) {
            Some(Type::Connection(driver)) => Some(driver.to_string()),
            Some(Type::Record(record)) => record.name.as_ref().map(ToString::to_string),
            _ => None,
        };
        if let Some(family) = &family
            && let Some(builtin) = self.catalog.builtin(&format!("{family}.{name}"))
        {
            return Some(Callee::Builtin(builtin));
        }
        let declared = self.names.find(self.module, &name.text).map(|declaration| declaration.what);
        if let Some(what @ (What::Command(_) | What::Tool(_))) = declared {
            return self.callable(what, name);
        }
        if let Some(builtin) = self.catalog.builtin(&name.text) {
            return Some(Callee::Builtin(builtin));
        }
        if receiver.is_some_and(Type::is_unknown) {
            return None;
        }
        self.report_unknown_function(name, receiver, family.as_deref(), declared);
        None
    }

    fn callable(&mut self, what: What, name: &Name) -> Option<Callee> {
        if let Some(declaration) = self.names.declaration(what) {
            declaration.used.set(true);
        }
        match what {
            What::Command(id) => Some(Callee::Command(id)),
            What::Tool(id) => Some(Callee::Tool(id)),
            other => {
                let message = format!("`{name}` is a {}, which is not called", other.noun());
                self.report(Diagnostic::new(Code::TypeMismatch, name.span, message));
                None
            }
        }
    }

    fn report_unknown_function(
        &mut self,
        name: &Name,
        receiver: Option<&Type>,
        family: Option<&str>,
        declared: Option<What>,
    ) {
        if let (Some(Type::Connection(driver)), Some(family)) = (receiver, family) {
            let message = format!("a connection of `{driver}` has no `{name}`");
            self.report_unknown_member(&message, &format!("{family}."), name);
            return;
        }
        if let Some(what) = declared {
            self.callable(what, name);
            return;
        }
        if self.names.is_in_junk(self.module, &name.text) {
            return;
        }
        if self.scope.find(&name.text).is_some() {
            let message = format!("`{name}` is a value, which is not called");
            self.report(Diagnostic::new(Code::TypeMismatch, name.span, message));
            return;
        }
        let names = self.names;
        let catalog = self.catalog;
        let prefix = family.map(|family| format!("{family}."));
        let own = prefix.as_deref().map_or_else(Vec::new, |prefix| members(catalog, prefix));
        let module = self.module;
        let functions = names.declarations.iter().filter(move |declaration| {
            declaration.module == module && matches!(declaration.what, What::Command(_) | What::Tool(_))
        });
        let known = catalog
            .builtins()
            .map(|builtin| builtin.name)
            .filter(|known| !known.contains('.'))
            .chain(functions.map(|declaration| declaration.name.as_str()))
            .chain(own);
        let message = format!("there is no built-in or command `{name}`");
        if let Some(way) = elsewhere::way_of(&name.text) {
            self.report(Diagnostic::new(Code::UnknownBuiltin, name.span, message).help(way));
            return;
        }
        if name.text.strip_prefix('p').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|c| c.is_ascii_digit()))
        {
            let help = "write `p50`, `p90`, `p95` or `p99`: the others are not there";
            self.report(Diagnostic::new(Code::UnknownBuiltin, name.span, message).help(help));
            return;
        }
        // A text is no list, whose items are counted.
        let is_length = receiver.is_some_and(Type::is_text) && matches!(&*name.text, "len" | "size" | "strlen");
        let elsewhere = if is_length { Some("length") } else { elsewhere::name_of(&name.text) };
        let meant = elsewhere.map(str::to_owned).or_else(|| self.meant(&name.text, known));
        self.report_unknown(Code::UnknownBuiltin, name.span, &message, meant);
    }

    fn report_unknown_member(&mut self, message: &str, family: &str, name: &Name) {
        let known = members(self.catalog, family);
        // `deployment("a")` is one of `deployments()`, whose first argument is something else.
        let all = format!("{}s", name.text);
        if known.contains(&all.as_str()) && self.is_of_named(&format!("{family}{all}")) {
            let help = format!("`{all}` gives all of them: write `.{all}() | where(.name == \"name\")`");
            self.report(Diagnostic::new(Code::UnknownBuiltin, name.span, message).help(help));
            return;
        }
        let meant = self.meant(&name.text, known.iter().copied());
        let nothing_near = meant.is_none();
        self.report_unknown(Code::UnknownBuiltin, name.span, message, meant);
        if nothing_near
            && !known.is_empty()
            && let Some(last) = self.diagnostics.last_mut()
        {
            let shown: Vec<&str> = known.iter().copied().take(20).collect();
            last.help = Some(format!("it has: {}", shown.join(", ")));
        }
    }

    /// Whether a built-in gives a list of what has a name.
    fn is_of_named(&self, builtin: &str) -> bool {
        let Some(Returns::Type(ty)) = self.catalog.builtin(builtin).map(|builtin| builtin.returns) else {
            return false;
        };
        match ty() {
            Type::List(item) => matches!(&*item, Type::Record(record) if record.fields.contains_key("name")),
            _ => false,
        }
    }

    fn command_call(&mut self, id: CommandId, call: Understood<'a>, position: Position) -> Expr {
        self.needs.add(Node::Declared(What::Command(id)));
        let Some(signature) = self.signatures.command(id) else { return broken(call.span) };
        let (name, span) = (call.name, call.span);
        let declared = self.names.declaration(What::Command(id)).map(|declaration| &declaration.item.kind);
        if let Some(ast::ItemKind::Command(ast::Command { deprecated: Some(instead), .. })) = declared {
            self.report_deprecated(&name.text, &instead.text, name.span, position);
        }
        let (args, effect) = self.own_args(&signature, call);
        match position {
            Position::Value if signature.returns.is_none() => {
                let message = format!("`{name}` gives no value");
                let help = format!("run it with `do {name}(…)`, or declare what it gives: `command {name}(…) -> …`");
                self.report(Diagnostic::new(Code::TypeMismatch, name.span, message).help(help));
                return broken(span);
            }
            Position::Do => self.check_repeated(signature.effect, signature.idempotent, name),
            _ => self.check_effect(signature.effect, signature.idempotent, name, span, position),
        }
        let ty = signature.returns.clone().unwrap_or(Type::Null);
        Expr { kind: ExprKind::Command { command: id, args }, ty, effect: effect.max(signature.effect), span }
    }

    fn tool_call(&mut self, id: ToolId, call: Understood<'a>, position: Position) -> Expr {
        self.needs.add(Node::Declared(What::Tool(id)));
        let Some(signature) = self.signatures.tool(id) else { return broken(call.span) };
        let (name, span) = (call.name, call.span);
        let (args, effect) = self.own_args(&signature, call);
        self.check_effect(signature.effect, signature.idempotent, name, span, position);
        let ty = signature.returns.clone().unwrap_or(Type::String);
        Expr { kind: ExprKind::Tool { tool: id, args }, ty, effect: effect.max(signature.effect), span }
    }

    /// Something that still works is called. A test that only speaks of it has nothing to replace.
    pub(super) fn report_deprecated(&mut self, name: &str, instead: &str, span: Span, position: Position) {
        if position != Position::Mention {
            let message = format!("`{name}` is deprecated: it still works, and will go one day");
            self.report(Diagnostic::new(Code::Deprecated, span, message).help(instead));
        }
    }

    /// The arguments of a command or a tool, one for each parameter.
    fn own_args(&mut self, signature: &Signature, call: Understood<'a>) -> (Vec<Expr>, Effect) {
        let slots: Vec<Slot<'_>> = signature
            .params
            .iter()
            .map(|param| Slot { name: &param.name, required: param.default.is_none(), doc: "" })
            .collect();
        let Filled { given, .. } = self.fill(&call.name.text, &slots, call.receiver, call.args, call.name.span);
        let mut effect = Effect::Pure;
        let mut args = Vec::new();
        for (param, given) in signature.params.iter().zip(given) {
            let arg = match given {
                Some(Given::Receiver(expr)) => Some(expr),
                Some(Given::Written(arg)) => Some(self.expr(&arg.value)),
                None => None,
            };
            let arg = match (arg, &param.default) {
                (Some(arg), _) => {
                    let what = format!("`{}`", param.name);
                    self.coerce(arg, &Want::new(&param.ty, &what).declared(param.span))
                }
                (None, Some(default)) => default.clone(),
                (None, None) => broken(call.name.span),
            };
            effect = effect.max(arg.effect);
            args.push(arg);
        }
        (args, effect)
    }
}

/// The names of a family's members.
fn members(catalog: &crate::catalog::Catalog, family: &str) -> Vec<&'static str> {
    catalog.builtins().filter_map(|builtin| builtin.name.strip_prefix(family)).collect()
}
