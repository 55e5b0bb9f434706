//! `argv`: what a `tool` declaration starts

use std::path::PathBuf;

use super::options::{self, AT_MOST, DIRECTORY, ENV, EXITS, OUTPUT, STDIN, WITHIN};
use super::output::Form;
use super::{process, program};
use crate::builtins::plain_text::plain_text;
use crate::catalog::need::Need;
use crate::catalog::{Accepts, Args, Body, Builtin, Cx, EffectRule, Example, Param, Presence, Returns};
use crate::types::{Fault, FaultKind, Type, Value};

// The program and its words are checked by their plain text, so that `argv("./growth.sh", "--days", days)` needs no
// conversion: an int is the word "7", a list is as many words as it has items.
const WORDS: Param<Vec<Value>> = Param::new(
    "words",
    "The program and its arguments, one word each, with no shell between. A program with a slash is looked for from the runbook's own folder, any other in PATH. A list is as many words as it has items.",
    Accepts::Type(|| Type::list(Type::String)),
    Presence::Required,
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "argv",
    summary: "Starts a program without a shell and gives what it prints. It inherits the environment.",
    params: &[
        WORDS.info(),
        OUTPUT.info(),
        EXITS.info(),
        WITHIN.info(),
        AT_MOST.info(),
        ENV.info(),
        STDIN.info(),
        DIRECTORY.info(),
    ],
    returns: Returns::Computed { shape: "what the tool declares", compute: |_| Ok(Type::Unknown) },
    // Nothing can be known of a program: the declaration `tool purge(…) changes = argv(…)` says it for its calls.
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|cx, args| Box::pin(run(cx, args))),
    needs: &[Need::Program { words: "the program on this machine", program: |written| (written.argument)("words.0") }],
    by_hand: "[directory? (cd {directory} &&] [printf %s {stdin} |] [{env:env}] {words} [directory? )]",
    examples: &[Example::call(r#"tool uptime() -> string = argv("uptime", "--pretty")"#)],
};

async fn run(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let form = Form::of(&args.get(&OUTPUT)?);
    let mut words = Vec::new();
    for value in args.get(&WORDS)? {
        push_words(&value, &mut words)?;
    }
    let mut words = words.into_iter();
    let name = words.next().filter(|name| !name.is_empty()).ok_or_else(|| {
        Fault::new(FaultKind::Setup, "a tool needs a program to start").help(r#"write `argv("program", "--flag")`"#)
    })?;
    let path: PathBuf = program::find(&cx, &name)?;
    let start = options::start(&cx, &args, path, name, words.collect())?;
    process::run(start, form).await
}

fn push_words(value: &Value, words: &mut Vec<String>) -> Result<(), Fault> {
    match value {
        Value::List(items) => items.iter().try_for_each(|item| push_words(item, words)),
        one => {
            let word = plain_text(one, "a word of a command")?;
            if word.contains('\0') {
                return Err(Fault::conversion("a word of a command cannot hold a NUL character"));
            }
            words.push(word);
            Ok(())
        }
    }
}
