//! `runbook notify`: the channels of a runbook, and whether one of them tells people.

use std::sync::Arc;

use clap::Args;

use super::console::{Console, Failure};
use super::request::{checked, held, settings};
use super::run::{self as running, by, facts, runtime};
use crate::catalog::{Again, Cx, Message, Occasion, Remark, RunFacts};
use crate::check::program::{ChannelId, Program};
use crate::diagnostics::nearest;
use crate::policy::Policy;
use crate::run;
use crate::source::Sources;
use crate::syntax::one_line;
use crate::system::System;
use crate::types::{Fault, FaultKind, Severity};
use crate::units;

/// Say how a runbook tells people, and try a channel.
#[derive(Debug, Args)]
pub(super) struct Notify {
    /// The runbook, or `-` for standard input.
    file: String,
    /// Send a message through this channel that says it is a test, and wait for the answer.
    #[arg(long, value_name = "CHANNEL")]
    test: Option<String>,
    /// A value for a `param`; can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
}

pub(super) fn run(args: &Notify, console: &Console) -> Result<u8, Failure> {
    // What is tried is held to the policy as a run is; to look at what is declared, nobody needs it.
    let held = match args.test {
        Some(_) => held(&args.file, console),
        None => checked(&args.file, console).map(|(program, sources)| (program, sources, None)).ok_or(2),
    };
    let (program, sources, policy) = match held {
        Ok(held) => held,
        Err(exit) => return Ok(exit),
    };
    if program.channels.is_empty() {
        return Err(Failure::new(format!("`{}` has no channel", args.file))
            .help("one is declared with `channel mail = email(to: [\"ops@example.com\"])`"));
    }
    let Some(name) = &args.test else {
        console.print_lines(&list(&program, &sources))?;
        return Ok(0);
    };
    let channel = channel(&program, name)?;
    let runtime = runtime(None)?;
    let exit = runtime.block_on(test(args, Arc::new(program), policy, channel, console));
    runtime.shutdown_background();
    exit
}

/// Each channel as it was declared.
fn list(program: &Program, sources: &Sources) -> Vec<String> {
    let width = program.channels.iter().map(|channel| channel.name.chars().count()).max().unwrap_or_default();
    let line = |name: &str, text: &str| {
        let text = one_line(text);
        format!("{name:width$}  {text}")
    };
    program.channels.iter().map(|channel| line(&channel.name, sources.text(channel.made.span))).collect()
}

fn channel(program: &Program, name: &str) -> Result<ChannelId, Failure> {
    let found = program.channels.iter().zip(0..).find(|(channel, _)| *channel.name == *name);
    found.map(|(_, index)| ChannelId(index)).ok_or_else(|| {
        let known: Vec<&str> = program.channels.iter().map(|channel| &*channel.name).collect();
        let failure = Failure::new(format!("the runbook has no channel `{name}`"));
        match nearest(name, known.iter().copied()) {
            Some(meant) => failure.help(format!("did you mean `--test {meant}`?")),
            None => failure.help(format!("it has: {}", known.join(", "))),
        }
    })
}

async fn test(
    args: &Notify,
    program: Arc<Program>,
    policy: Option<Arc<Policy>>,
    id: ChannelId,
    console: &Console,
) -> Result<u8, Failure> {
    let (set, _) = settings(&program, &args.set)?;
    let facts = facts(running::id().into(), &program, &args.file)?;
    let world = Arc::new(System::new(facts.directory.clone()).under(policy));
    let cx = Cx { world: Arc::clone(&world) as _, run: Arc::clone(&facts), remark: Remark::default() };
    let message = Arc::new(message(&program, id, &facts));
    let opened = match run::open_channel(program, set, facts, world, id).await {
        Ok(opened) => opened,
        Err(fault) => {
            let exit = exit(&fault);
            console.complain(&not_told(fault, "nobody was told"));
            return Ok(exit);
        }
    };
    let target = opened.target();
    let begun = std::time::Instant::now();
    let answer = opened.tell(cx, message).await;
    let seconds = begun.elapsed().as_secs_f64();
    match answer {
        Ok(told) => {
            console.print(&format!("told {}: {} ({seconds:.1} s)\n", shown(&target), shown(&told.said)))?;
            Ok(0)
        }
        Err(failed) => {
            let again = match failed.again {
                Again::Never => "trying again would not help".to_owned(),
                Again::Later => "it may work when it is tried again".to_owned(),
                Again::After(pause) => {
                    let pause = units::duration(i64::try_from(pause.as_nanos()).unwrap_or(i64::MAX));
                    format!("it wants to be left alone for {pause}")
                }
            };
            let whole = format!("not told {target}; {again}");
            let exit = exit(&failed.fault);
            console.complain(&not_told(failed.fault, &whole));
            Ok(exit)
        }
    }
}

fn exit(fault: &Fault) -> u8 {
    if fault.kind == FaultKind::Forbidden { 6 } else { 3 }
}

fn not_told(fault: Fault, what: &str) -> Failure {
    let failure = Failure::from(fault);
    Failure { message: format!("{what}: {}", failure.message), ..failure }
}

/// What comes from outside must not write over the terminal.
fn shown(text: &str) -> String {
    crate::source::visible(text).to_string()
}

fn message(program: &Program, id: ChannelId, facts: &RunFacts) -> Message {
    let name = program.channels.get(id.index()).map_or("", |channel| &channel.name);
    let header = &program.header;
    let key: Arc<str> = format!("test-{}-{}", facts.id, facts.started_at.as_millisecond()).into();
    Message {
        about: key.clone(),
        key,
        occasion: Occasion::Test,
        severity: Severity::Info,
        title: format!("the channel `{name}` is tried").into(),
        text: format!("`runbook notify --test` tries whether the channel `{name}` of \"{}\" arrives.", header.title),
        parts: Vec::new(),
        facts: vec![("Tried by".into(), by()), ("Channel".into(), name.to_owned())],
        doc: "".into(),
        runbook: header.title.clone(),
        at: facts.started_at,
        timezone: header.timezone_name.clone(),
        on_call: None,
        called: Vec::new(),
        incident: None,
        link: None,
        acknowledge: None,
    }
}
