//! Tools: commands of the house, declared once with typed arguments and an effect.

use std::sync::Arc;

use super::arguments::Slot;
use super::builtin_calls::slot;
use super::checker::Checker;
use super::convert::holds_secret;
use super::literals::literal;
use super::operators::combined;
use super::program::{Expr, ExprKind, Tool, ToolId};
use super::scripts::Given;
use super::wording::a;
use crate::catalog::{Builtin, Effect};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast;
use crate::types::{Line, Type, Typed, Value};

/// What a tool is started by.
pub(super) const PROGRAM: &str = "argv";

/// The parameter that the words go to, and the one that says what is printed.
const WORDS: &str = "words";
const OUTPUT: &str = "output";
const STDIN: &str = "stdin";

/// One of the unit of a quantity that is somewhere in a type.
fn unit_in(ty: &Type) -> Option<&'static str> {
    match ty {
        Type::List(inner) | Type::Optional(inner) => unit_in(inner),
        Type::Record(record) => record.fields.values().find_map(|field| unit_in(&field.ty)),
        other => other.one(),
    }
}

/// The field that has it, where a record does.
fn unit_field(ty: &Type) -> Option<&str> {
    match ty {
        Type::List(inner) | Type::Optional(inner) => unit_field(inner),
        Type::Record(record) => {
            record.fields.iter().find(|(_, field)| unit_in(&field.ty).is_some()).map(|(name, _)| &**name)
        }
        _ => None,
    }
}

impl<'a> Checker<'a> {
    pub(super) fn tool(&mut self, id: ToolId, written: &'a ast::Tool, name: Arc<str>, doc: Arc<str>) -> Option<Tool> {
        let signature = self.signatures.tool(id)?;
        let mark = self.enter();
        let params = self.parameters(&written.params, Some(&signature));
        let returns = signature.returns.clone().unwrap_or(Type::String);
        if let (Some(one), Some(written)) = (unit_in(&returns), &written.result) {
            let message = format!("what a program prints has no unit, so `{name}` can give no {returns}");
            let form = match (returns.present(), unit_field(&returns)) {
                (Type::List(_), Some(field)) => format!("{name}() | each(.{field} * {one})"),
                (Type::List(_), None) => format!("{name}() | each(it * {one})"),
                (_, Some(field)) => format!("{name}().{field} * {one}"),
                (_, None) => format!("{name}() * {one}"),
            };
            let help = format!("declare a number, and say in which unit it is where it is used: `{form}`");
            self.report(Diagnostic::new(Code::TypeMismatch, written.span, message).help(help));
        }
        let made = self.program_of(&written.program).map(|builtin| {
            let args = self.tool_args(builtin, &written.program, &returns);
            (builtin, args)
        });
        self.leave(mark);
        if made.is_none() {
            for arg in &written.program.args.items {
                self.touch(&arg.value);
            }
        }
        let (builtin, args) = made?;
        let (effect, idempotent) = (signature.effect, signature.idempotent);
        self.check_started(builtin, &args.iter().map(Option::as_ref).collect::<Vec<_>>(), written.program.span, effect);
        Some(Tool { name, params, returns, effect, idempotent, builtin, args, doc, span: written.name.span })
    }

    /// Whether what is started takes a value for a part of a program.
    pub(super) fn check_started(
        &mut self,
        builtin: &'static Builtin,
        args: &[Option<&Expr>],
        place: Span,
        effect: Effect,
    ) {
        let argument = |name: &str| {
            let index = builtin.params.iter().position(|param| param.name == name)?;
            args.get(index).copied().flatten()
        };
        if let Some(words) = argument(WORDS) {
            let words = std::slice::from_ref(words);
            self.check_scripts(Given::Words { words, stdin: argument(STDIN) }, place, effect);
        }
    }

    fn program_of(&mut self, program: &'a ast::Driver) -> Option<&'static Builtin> {
        let written = program.path.iter().map(ast::Name::as_str).collect::<Vec<_>>().join(".");
        let found = (written == PROGRAM).then(|| self.catalog.builtin(PROGRAM)).flatten();
        if found.is_none() {
            let span = program.path.first().map_or(program.span, |name| name.span);
            let message = format!("a tool is not started by `{written}`");
            let help = "write `argv(\"program\", \"--flag\", value)`";
            self.report(Diagnostic::new(Code::UnknownBuiltin, span, message).help(help));
        }
        found
    }

    /// The arguments of `argv`: those without a name are the words.
    fn tool_args(&mut self, builtin: &'static Builtin, program: &'a ast::Driver, returns: &Type) -> Vec<Option<Expr>> {
        let (words, named): (Vec<&ast::Arg>, Vec<&ast::Arg>) =
            program.args.items.iter().partition(|arg| arg.name.is_none());
        let words = self.words(&words, program.span);
        let mut given: Vec<Option<Expr>> = builtin.params.iter().map(|_| None).collect();
        let slots: Vec<Slot<'_>> = builtin.params.iter().map(slot).collect();
        for arg in named {
            let name = arg.name.as_ref().map_or("", ast::Name::as_str);
            let place = builtin.params.iter().position(|param| param.name == name && name != WORDS);
            match place.and_then(|index| Some((given.get_mut(index)?, builtin.params.get(index)?))) {
                Some((Some(first), _)) => {
                    let message = format!("`{PROGRAM}` gets `{name}` twice");
                    let diagnostic =
                        Diagnostic::new(Code::DuplicateArgument, arg.span, message).label(first.span, "first here");
                    self.report(diagnostic);
                }
                Some((slot, info)) => {
                    let expr = self.expr(&arg.value);
                    *slot = Some(self.accept_value(PROGRAM, info, info.accepts, expr));
                }
                None => self.report_unknown_option(arg, &slots),
            }
        }
        let words_span = words.span;
        for (info, slot) in builtin.params.iter().zip(given.iter_mut()) {
            if info.name == WORDS {
                *slot = Some(words.clone());
            } else if info.name == OUTPUT && slot.is_none() {
                *slot = Some(output(returns, words_span));
            }
        }
        given
    }

    fn report_unknown_option(&mut self, arg: &'a ast::Arg, slots: &[Slot<'_>]) {
        let Some(name) = &arg.name else { return };
        let options = || slots.iter().map(|slot| slot.name).filter(|name| *name != WORDS);
        let meant = self.meant(&name.text, options());
        self.report_unknown(Code::UnknownArgument, name.span, &format!("`{PROGRAM}` takes no `{name}`"), meant);
        self.touch(&arg.value);
    }

    fn words(&mut self, words: &[&'a ast::Arg], span: Span) -> Expr {
        let items: Vec<Expr> = words.iter().map(|arg| self.expr(&arg.value)).collect();
        if items.is_empty() {
            let message = "a tool needs a program to start";
            self.report(Diagnostic::new(Code::MissingArgument, span, message).help("write `argv(\"program\", …)`"));
        }
        for item in &items {
            self.check_word_of_a_program(item);
        }
        let parts: Vec<&Expr> = items.iter().collect();
        let place = parts.first().map_or(span, |first| first.span);
        let whole = combined(ExprKind::Broken, Type::list(Type::String), &parts, place);
        Expr { kind: ExprKind::List(items), ..whole }
    }

    fn check_word_of_a_program(&mut self, word: &Expr) {
        if holds_secret(&word.ty) {
            let message = format!(
                "{} is a secret, and the words of a program are seen in the list of processes",
                self.quoted(word.span)
            );
            let help = "give it as `env: { NAME: secret }` or as `stdin: secret`";
            self.report(Diagnostic::new(Code::SecretExposed, word.span, message).help(help));
            return;
        }
        if word.ty.is_optional() {
            self.report_missing(word);
            return;
        }
        let one = match &word.ty {
            Type::List(item) => item.as_ref(),
            other => other,
        };
        if !is_word(one) {
            let message = format!("a word of a program is a text or a plain number, and this is {}", a(&word.ty));
            let help = match (one.one(), &word.ty) {
                (Some(_), Type::List(_)) => "put each into a text: `xs | each(\"{it}\")`".to_owned(),
                (Some(_), _) => format!("say in which unit it is meant: `{}`", self.divided(word)),
                _ => "put it into a text: `\"{…}\"`".to_owned(),
            };
            self.report(Diagnostic::new(Code::TypeMismatch, word.span, message).help(help));
        }
    }
}

/// What the program prints, by what the tool gives.
fn output(returns: &Type, span: Span) -> Expr {
    let word = match returns.present() {
        Type::List(item) if **item == Line::ty() => "lines",
        Type::Data | Type::Record(_) | Type::List(_) => "json",
        _ => "text",
    };
    literal(Value::string(word), Type::String, span)
}

const fn is_word(ty: &Type) -> bool {
    matches!(
        ty,
        Type::String
            | Type::Enum(_)
            | Type::Int
            | Type::Float
            | Type::Bool
            | Type::Date
            | Type::Time
            | Type::Data
            | Type::Unknown
    )
}
