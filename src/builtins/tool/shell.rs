//! `shell`: the last resort

use std::path::PathBuf;
use std::sync::Arc;

use super::options::{self, AT_MOST, DIRECTORY, ENV, EXITS, STDIN, WITHIN};
use super::output::Form;
use super::process;
use crate::builtins::plain_text::plain_text;
use crate::catalog::need::{Argument, Need};
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Landing, Param, Returns};
use crate::types::{Fault, Piece, Template, Typed, Value};

const COMMAND: Param<Arc<Template>> = Param::literal(
    "command",
    "What `/bin/sh -c` runs. An interpolated value is one argument and never part of the script: it arrives as `\"$1\"`, `\"$2\"`, …",
    Landing::Words,
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "shell",
    summary: "Runs a line of shell, where neither a built-in nor a `tool` does. Always a change, for nobody can know what it does.",
    params: &[COMMAND.info(), EXITS.info(), WITHIN.info(), AT_MOST.info(), ENV.info(), STDIN.info(), DIRECTORY.info()],
    returns: Returns::Type(String::ty),
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|cx, args| Box::pin(run(cx, args))),
    needs: &[Need::Program {
        words: "/bin/sh on this machine",
        program: |_| Argument::Texts(vec!["/bin/sh".to_owned()]),
    }],
    by_hand: "[directory? (cd {directory} &&] [printf %s {stdin} |] [{env:env}] sh -c {command} [directory? )]",
    examples: &[Example::call(r#"change shell("systemctl reload nginx")"#)],
};

async fn run(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let (script, values) = script(args.get(&COMMAND)?.as_ref())?;
    let name = format!("sh -c '{}'", shortened(&script));
    let words = ["-c".to_owned(), script, "sh".to_owned()].into_iter().chain(values).collect();
    let start = options::start(&cx, &args, PathBuf::from("/bin/sh"), name, words)?;
    process::run(start, Form::Text).await
}

/// The script with `"${1}"` for each value, and the values: the shell takes them as data, whatever is in them.
fn script(template: &Template) -> Result<(String, Vec<String>), Fault> {
    let mut script = String::new();
    let mut values = Vec::new();
    for piece in &template.pieces {
        match piece {
            Piece::Text(text) => script.push_str(text),
            Piece::Value(value) => {
                values.push(plain_text(value, "a shell command")?);
                script.extend(["\"${", &values.len().to_string(), "}\""]);
            }
        }
    }
    Ok((script, values))
}

fn shortened(script: &str) -> String {
    let line = script.trim().lines().next().unwrap_or_default();
    let short: String = line.chars().take(60).collect();
    if short.len() < script.trim().len() { format!("{short}…") } else { short }
}
