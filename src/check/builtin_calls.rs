//! Calls of built-ins: what each parameter accepts, what the call gives and does.

use super::arguments::{Filled, Given, Slot};
use super::calls::{Position, Understood};
use super::checker::{Checker, broken};
use super::constants::constant;
use super::convert::{Want, holds_secret};
use super::names::What;
use super::program::{Call, CallArg, ConnectionId, Expr, ExprKind};
use super::tools::PROGRAM;
use super::wording::{a, alternatives};
use crate::catalog::{Accepts, Builtin, Effect, Inputs, Landing, Mismatch, ParamInfo, Presence, Read, Returns};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Type, Value};

/// What runs a line of shell, whose values are words that it gets.
const SHELL: &str = "shell";

impl<'a> Checker<'a> {
    pub(super) fn builtin_call(&mut self, builtin: &'static Builtin, call: Understood<'a>, position: Position) -> Expr {
        let Understood { receiver, optional, name, args: written, people, span } = call;
        // `x?.f()`: nothing is called where `x` is missing, so here it is there.
        let maybe = optional && receiver.as_ref().is_some_and(|receiver| receiver.ty.is_optional());
        let receiver = receiver
            .map(|receiver| if optional { Expr { ty: receiver.ty.present().clone(), ..receiver } } else { receiver });
        if let Some(instead) = self.catalog.instead_of(builtin) {
            self.report_deprecated(builtin.name, instead, name.span, position);
        }
        if builtin.name == PROGRAM && position == Position::Value {
            let call = crate::syntax::one_line(self.text(span));
            let help = format!("declare `tool name() -> string = {call}`, and call `name()`");
            self.report(Diagnostic::new(Code::UnguardedChange, span, "a program is started by a `tool`").help(help));
            for arg in written {
                self.touch(&arg.value);
            }
            return broken(span);
        }
        let slots: Vec<Slot<'_>> = builtin.params.iter().map(slot).collect();
        if self.report_without_connection(builtin, receiver.as_ref(), written, name.span) {
            return broken(span);
        }
        let shown = if builtin.name.ends_with(&*name.text) { name.text.to_string() } else { builtin.name.to_owned() };
        let Filled { given, whole } = self.fill(&shown, &slots, receiver, written, name.span);
        let spans: Vec<Option<Span>> = given.iter().map(|given| given.as_ref().map(span_of)).collect();
        let mut types: Vec<(&'static str, Option<Type>)> = Vec::new();
        let mut args = Vec::new();
        for (info, given) in builtin.params.iter().zip(given) {
            let origin = match info.accepts {
                Accepts::PerItem(_) => self.origin_of_arg(args.first().and_then(Option::as_ref)),
                _ => None,
            };
            let people = info.read == Read::ByPeople || people && info.read == Read::InAnswer;
            let arg = given.map(|given| self.accept(&shown, info, given, &types, origin, people));
            types.push((info.name, arg.as_ref().map(type_of)));
            args.push(arg);
        }
        self.judge_together(builtin, &args);
        self.check_counted(builtin, &args, span);
        let ty = self.returned(builtin, whole, &types, &spans, name.span);
        let on = self.made_on(&args);
        let effect = self.effect_of(builtin, &args, on);
        let inside = args.iter().flatten().map(effect_of).max().unwrap_or(Effect::Pure);
        let idempotent = super::effects::is_idempotent(builtin, effect);
        self.check_effect(effect, idempotent, name, span, position);
        if builtin.name == SHELL && position == Position::Change {
            let message = "a shell runs here, so nobody can say what it does";
            let help = "declare the program as a `tool`, or use a built-in";
            self.report(Diagnostic::new(Code::ShellUsed, name.span, message).help(help));
        }
        self.check_run(builtin, &args, span, effect);
        let ty = if maybe { ty.optional() } else { ty };
        let kind = ExprKind::Call(Call { builtin, args, on, effect, idempotent, optional });
        Expr { kind, ty, effect: effect.max(inside), span }
    }

    /// Whether a program that the call starts takes a value for a part of what it runs. `shell` keeps them apart by itself.
    fn check_run(&mut self, builtin: &'static Builtin, args: &[Option<CallArg>], span: Span, effect: Effect) {
        if builtin.name == PROGRAM {
            let args: Vec<Option<&Expr>> = args
                .iter()
                .map(|arg| match arg {
                    Some(CallArg::Value(expr)) => Some(expr),
                    _ => None,
                })
                .collect();
            self.check_started(builtin, &args, span, effect);
            return;
        }
        for (info, arg) in builtin.params.iter().zip(args) {
            if let (Accepts::Literal(Landing::Words), Some(CallArg::Value(expr))) = (info.accepts, arg)
                && let ExprKind::Template(parts) = &expr.kind
                && builtin.name != SHELL
            {
                self.check_scripts(super::scripts::Given::Command(parts), span, effect);
            }
        }
    }

    /// `http.get("/x")` names the driver, and not a connection of it.
    fn report_without_connection(
        &mut self,
        builtin: &'static Builtin,
        receiver: Option<&Expr>,
        written: &'a [ast::Arg],
        name: Span,
    ) -> bool {
        let Some(ParamInfo { accepts: Accepts::Connection(driver), name: param, .. }) = builtin.params.first() else {
            return false;
        };
        let named = written.iter().any(|arg| arg.name.as_ref().is_some_and(|name| &*name.text == *param));
        if receiver.is_some() || named {
            return false;
        }
        let method = builtin.name.rsplit('.').next().unwrap_or(builtin.name);
        let message = format!("`{}` asks a connection, and none is named", builtin.name);
        let help = format!("declare one, `connect name = {driver}(…)`, and write `name.{method}(…)`");
        self.report(Diagnostic::new(Code::MissingArgument, name, message).help(help));
        for arg in written {
            self.touch(&arg.value);
        }
        true
    }

    /// What a call gives.
    fn returned(
        &mut self,
        builtin: &'static Builtin,
        whole: bool,
        types: &[(&'static str, Option<Type>)],
        spans: &[Option<Span>],
        name: Span,
    ) -> Type {
        match builtin.returns {
            Returns::Type(ty) => ty(),
            Returns::Computed { .. } | Returns::Judged { .. } if !whole => Type::Unknown,
            Returns::Computed { compute, .. } => compute(&Inputs { types }).unwrap_or_else(|mismatch| {
                self.report_mismatch(builtin, mismatch, types, spans, name);
                Type::Unknown
            }),
            Returns::Judged { ty, judge } => match judge(&Inputs { types }) {
                Ok(()) => ty(),
                Err(mismatch) => {
                    self.report_mismatch(builtin, mismatch, types, spans, name);
                    Type::Unknown
                }
            },
        }
    }

    fn report_mismatch(
        &mut self,
        builtin: &'static Builtin,
        mismatch: Mismatch,
        types: &[(&'static str, Option<Type>)],
        spans: &[Option<Span>],
        name: Span,
    ) {
        let index = builtin.params.iter().position(|param| param.name == mismatch.param);
        let ty = index.and_then(|index| types.get(index)).and_then(|(_, ty)| ty.as_ref());
        // Its mistake has been reported where it was made.
        if ty.is_some_and(Type::is_unknown) {
            return;
        }
        let span = index.and_then(|index| spans.get(index)).copied().flatten().unwrap_or(name);
        let code = if ty.is_some_and(Type::is_optional) { Code::MissingValue } else { Code::TypeMismatch };
        let diagnostic = Diagnostic::new(code, span, mismatch.message);
        self.report(match mismatch.help {
            Some(help) => diagnostic.help(help),
            None => diagnostic,
        });
    }

    /// An argument as its parameter takes it.
    fn accept(
        &mut self,
        callee: &str,
        info: &ParamInfo,
        given: Given<'a>,
        before: &[(&'static str, Option<Type>)],
        origin: Option<ConnectionId>,
        people: bool,
    ) -> CallArg {
        let what = format!("`{}`", info.name);
        match (info.accepts, given) {
            (Accepts::PerItem(yields), Given::Written(arg)) => {
                CallArg::PerItem(self.per_item(callee, (info.name, yields), &arg.value, before, origin, people))
            }
            (Accepts::Literal(landing), Given::Written(arg)) => {
                let written = self.literal_arg(&arg.value, landing, &what);
                self.judge_template(info, landing, &written);
                CallArg::Value(written)
            }
            (Accepts::Metric, Given::Written(arg)) => CallArg::Value(self.metric_arg(&arg.value)),
            (accepts, given) => {
                let expr = match given {
                    Given::Receiver(expr) => expr,
                    Given::Written(arg) => self.read_by_people(people, &arg.value),
                };
                CallArg::Value(self.accept_value(callee, info, accepts, expr))
            }
        }
    }

    /// A value as a parameter of a built-in or a driver takes it.
    pub(super) fn accept_value(&mut self, callee: &str, info: &ParamInfo, accepts: Accepts, expr: Expr) -> Expr {
        let what = format!("`{}`", info.name);
        if expr.ty.is_unknown() {
            return expr;
        }
        self.judge(callee, info, &expr);
        let expr = if info.is_pattern { super::templates::named_by_values(expr) } else { expr };
        match accepts {
            Accepts::Type(ty) => {
                let ty = ty();
                let ty = if matches!(info.presence, Presence::Optional) { ty.optional() } else { ty };
                self.coerce(expr, &Want::new(&ty, &what))
            }
            Accepts::Word(words) => self.word(words, expr, &what),
            Accepts::Items => self.items(callee, expr),
            Accepts::Anything => self.anything(expr, &what),
            Accepts::Number => self.a_number(expr, &what),
            Accepts::Connection(driver) => self.coerce(expr, &Want::new(&Type::Connection(driver.into()), &what)),
            Accepts::Fields { secrets, lists } => self.fields(expr, secrets, lists, &what),
            Accepts::Way => self.way(expr, &what),
            Accepts::TextOrSecret if expr.ty == Type::Secret => expr,
            Accepts::TextOrSecret | Accepts::File(_) => self.coerce(expr, &Want::new(&Type::String, &what)),
            Accepts::PerItem(_) => {
                let message = format!("{what} is asked for each item, and cannot stand before the call");
                self.report(Diagnostic::new(Code::TypeMismatch, expr.span, message));
                broken(expr.span)
            }
            Accepts::Literal(landing) => {
                self.report_not_literal(expr.span, landing, &what);
                broken(expr.span)
            }
            Accepts::Metric => {
                self.report(Diagnostic::new(Code::TypeMismatch, expr.span, format!("{what} is the name of a metric")));
                broken(expr.span)
            }
        }
    }

    /// A literal text that joins its values by itself.
    pub(super) fn literal_arg(&mut self, value: &'a ast::Expr, landing: Landing, what: &str) -> Expr {
        if let ast::ExprKind::Template(template) = &value.bare().kind {
            return self.template_expr(template, landing);
        }
        let expr = self.expr(value);
        if !expr.ty.is_unknown() {
            self.report_not_literal(expr.span, landing, what);
        }
        broken(value.span)
    }

    fn report_not_literal(&mut self, span: Span, landing: Landing, what: &str) {
        let (place, how) = match landing {
            Landing::Url => ("an address", "\"/tasks/{id}\""),
            Landing::Sql => ("SQL", "\"SELECT … WHERE id = {id}\""),
            Landing::Words => ("a command", "\"systemctl restart {unit}\""),
            Landing::Quoted(quoting) => (quoting.language, quoting.example),
        };
        let message = format!("{what} is written where it is used: {} comes from elsewhere", self.quoted(span));
        let help = format!("write {place} in quotes, with values in braces: `{how}`; so nothing can break out of it");
        self.report(Diagnostic::new(Code::NotALiteral, span, message).help(help));
    }

    fn metric_arg(&mut self, value: &'a ast::Expr) -> Expr {
        if let ast::ExprKind::Name(name) = &value.bare().kind {
            let found = self.names.find(self.module, &name.text).map(|declaration| declaration.what);
            if let (None, Some(What::Metric(id))) = (self.scope.find(&name.text), found) {
                self.touch(value);
                let ty = self.signatures.samples(id);
                return Expr { kind: ExprKind::Metric(id), ty, effect: Effect::Pure, span: value.span };
            }
        }
        let expr = self.expr(value);
        if !expr.ty.is_unknown() {
            let message = format!("the name of a metric is wanted, {}", self.claim(&expr));
            self.report(Diagnostic::new(Code::TypeMismatch, expr.span, message));
        }
        broken(value.span)
    }

    fn word(&mut self, words: &'static [&'static str], expr: Expr, what: &str) -> Expr {
        let Some(Value::String(text)) = constant(&expr) else {
            let message = format!("{what} is one of some words, and {} is none of them", self.quoted(expr.span));
            let help = format!("write {}", alternatives(words.iter().copied()));
            self.report(Diagnostic::new(Code::NotALiteral, expr.span, message).help(help));
            return broken(expr.span);
        };
        let text = text.clone();
        self.check_choice(words, &text, expr.span, what);
        expr
    }

    fn items(&mut self, callee: &str, expr: Expr) -> Expr {
        let expr = self.present(expr);
        if matches!(expr.ty, Type::List(_) | Type::Data | Type::Unknown) {
            if holds_secret(&expr.ty) {
                self.report_secret(&expr, "what is made of it");
            }
            return expr;
        }
        let message = format!("`{callee}` works on a list, {}", self.claim(&expr));
        let fault = Diagnostic::new(Code::TypeMismatch, expr.span, message).at(super::wording::type_text(&expr.ty));
        let is_length = callee == "count" && matches!(expr.ty, Type::String);
        self.report(if is_length {
            fault.help("how long a text is: `… | length`; how many lines it has: `… | lines | count`")
        } else {
            fault
        });
        broken(expr.span)
    }

    fn anything(&mut self, expr: Expr, what: &str) -> Expr {
        if holds_secret(&expr.ty) {
            self.report_secret(&expr, what);
            return broken(expr.span);
        }
        if matches!(expr.ty.present(), Type::Connection(_)) {
            let message = format!("{what} is a value, {}", self.claim(&expr));
            self.report(Diagnostic::new(Code::TypeMismatch, expr.span, message));
            return broken(expr.span);
        }
        expr
    }

    fn a_number(&mut self, expr: Expr, what: &str) -> Expr {
        let expr = self.present(expr);
        match &expr.ty {
            // A number in data is taken as it is: an integer in it keeps all its digits.
            Type::Data => expr,
            ty if ty.is_number() || ty.is_unknown() => expr,
            _ => {
                let message = format!("{what} is a number, {}", self.claim(&expr));
                self.report(Diagnostic::new(Code::TypeMismatch, expr.span, message));
                broken(expr.span)
            }
        }
    }

    /// What leads to a server.
    fn way(&mut self, expr: Expr, what: &str) -> Expr {
        let expr = self.present(expr);
        let leads =
            matches!(&expr.ty, Type::Record(record) if record.fields.values().any(|field| field.ty == Type::way()));
        if leads || expr.ty.is_unknown() {
            return expr;
        }
        let message = format!("{what} is a pod or a service, {}", self.claim(&expr));
        let help = "write `cluster.pod(\"name\")` or `cluster.service(\"name\")`, with `cluster` as it is declared";
        self.report(Diagnostic::new(Code::TypeMismatch, expr.span, message).help(help));
        broken(expr.span)
    }

    /// A record with fields of any name: headers, a query, an environment.
    fn fields(&mut self, expr: Expr, secrets: bool, lists: bool, what: &str) -> Expr {
        let Type::Record(record) = expr.ty.present() else {
            let message = format!("{what} is a record, {}", self.claim(&expr));
            let help = "write its fields: `{ name: value }`";
            self.report(Diagnostic::new(Code::TypeMismatch, expr.span, message).help(help));
            return broken(expr.span);
        };
        for (name, field) in &record.fields {
            let own = match &expr.kind {
                ExprKind::Record(fields) => fields.iter().find(|(own, _)| own == name).map(|(_, value)| value),
                _ => None,
            };
            let place = own.unwrap_or(&expr);
            let one = match field.ty.present() {
                Type::List(item) if lists => item.present(),
                one => one,
            };
            match one {
                Type::Secret if secrets => {}
                Type::Secret => {
                    let place = place.clone();
                    self.report_secret(&place, what);
                    return broken(expr.span);
                }
                Type::String
                | Type::Enum(_)
                | Type::Int
                | Type::Float
                | Type::Bool
                | Type::Date
                | Type::Time
                | Type::Data
                | Type::Null
                | Type::Unknown
                | Type::Percent => {}
                other => {
                    let shown = field.ty.present();
                    let message = format!("`{name}` in {what} is a text or a plain number, and this is {}", a(shown));
                    let help = match own {
                        Some(own) if other.one().is_some() && own.ty.present() == other => {
                            format!("say in which unit it is meant: `{}`", self.divided(own))
                        }
                        _ => "put it into a text: `\"{…}\"`".to_owned(),
                    };
                    let diagnostic = Diagnostic::new(Code::TypeMismatch, place.span, message).help(help);
                    self.report(diagnostic);
                    return broken(expr.span);
                }
            }
        }
        expr
    }
}

pub(super) fn slot(info: &'static ParamInfo) -> Slot<'static> {
    Slot { name: info.name, required: matches!(info.presence, Presence::Required), doc: info.doc }
}

fn span_of(given: &Given<'_>) -> Span {
    match given {
        Given::Receiver(expr) => expr.span,
        Given::Written(arg) => arg.value.span,
    }
}

fn type_of(arg: &CallArg) -> Type {
    match arg {
        CallArg::Value(expr) => expr.ty.clone(),
        CallArg::PerItem(lambda) => lambda.body.ty.clone(),
    }
}

fn effect_of(arg: &CallArg) -> Effect {
    match arg {
        CallArg::Value(expr) => expr.effect,
        CallArg::PerItem(lambda) => lambda.body.effect,
    }
}
