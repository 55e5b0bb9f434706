//! The subcommands, each with its arguments and what it does.

use std::ffi::OsStr;
use std::sync::Arc;

use clap::{ArgMatches, Args};

use super::console::{Console, Failure};
use super::timings::Timings;
use super::{
    answering, approvals, approve, audit, check, completions, diff, doc, explain, fmt, history, incidents, logging,
    man, next, notify, on_call, plan, print, resume, run, serve, show, store, test, undo,
};

type Outcome = Result<u8, Failure>;

/// A subcommand.
struct Subcommand {
    name: &'static str,
    /// Adds its arguments.
    args: fn(clap::Command) -> clap::Command,
    obey: fn(&ArgMatches, &Arc<Console>) -> Outcome,
}

/// One that does with its arguments what a function of them and the console does.
macro_rules! subcommand {
    ($name:literal, $args:ty, $does:path) => {
        Subcommand {
            name: $name,
            args: <$args as Args>::augment_args,
            obey: |matches, console| {
                let args: $args = read(matches)?;
                logging::start(console, None)?;
                $does(&args, console)
            },
        }
    };
}

/// In the order of the help.
const ALL: &[Subcommand] = &[
    Subcommand { name: "run", args: <run::Run as Args>::augment_args, obey: run_timed },
    subcommand!("resume", resume::Resume, resume::run),
    subcommand!("undo", undo::UndoArgs, undo::run),
    subcommand!("check", check::Check, check::run),
    subcommand!("plan", plan::PlanArgs, plan::run),
    subcommand!("approve", approve::Approve, approve::run),
    subcommand!("approvals", approvals::Approvals, approvals::run),
    subcommand!("revoke", approvals::Revoke, approvals::revoke),
    subcommand!("diff", diff::Diff, diff::run),
    subcommand!("print", print::Print, print::run),
    subcommand!("test", test::Test, test::run),
    subcommand!("serve", serve::Serve, serve::run),
    subcommand!("notify", notify::Notify, notify::run),
    subcommand!("on-call", on_call::OnCall, on_call::run),
    subcommand!("next", next::Next, next::run),
    subcommand!("fmt", fmt::Fmt, fmt::run),
    subcommand!("explain", explain::Explain, explain::run),
    subcommand!("doc", doc::Doc, doc::run),
    subcommand!("incidents", incidents::Incidents, incidents::run),
    subcommand!("ack", answering::Ack, answering::ack),
    subcommand!("escalate", answering::Escalate, answering::escalate),
    subcommand!("close", answering::Close, answering::close),
    subcommand!("silence", answering::Silence, answering::silence),
    subcommand!("history", history::History, history::run),
    subcommand!("show", show::Show, show::run),
    subcommand!("audit", audit::Audit, audit::run),
    subcommand!("store", store::Store, store::run),
    subcommand!("completions", completions::Completions, completions::run),
    subcommand!("man", man::Man, man::run),
];

fn run_timed(matches: &ArgMatches, console: &Arc<Console>) -> Outcome {
    let args: run::Run = read(matches)?;
    let timings = args.is_timed().then(Timings::new);
    logging::start(console, timings.as_ref())?;
    run::run(&args, timings.as_ref(), console)
}

fn read<A: Args>(matches: &ArgMatches) -> Result<A, Failure> {
    A::from_arg_matches(matches).map_err(|error| Failure::new(error.to_string()))
}

/// The command line as a whole.
pub(super) fn all() -> clap::Command {
    with(ALL)
}

/// As much of the command line as is needed to understand one that begins with this word: each program that is started makes it
/// anew, and most of it is of other subcommands.
pub(super) fn needed(first: Option<&OsStr>) -> clap::Command {
    let named = |subcommand: &&Subcommand| first.is_some_and(|first| first == subcommand.name);
    match ALL.iter().find(named) {
        Some(subcommand) => with(std::slice::from_ref(subcommand)),
        None if first.is_some_and(|first| first == "--version" || first == "-V") => with(&[]),
        None => all(),
    }
}

fn with(subcommands: &[Subcommand]) -> clap::Command {
    let command = clap::Command::new("runbook")
        .about("Runbooks as code: check, review and run them")
        .version(env!("CARGO_PKG_VERSION"))
        .max_term_width(100)
        .subcommand_required(true)
        .arg_required_else_help(true);
    command.subcommands(subcommands.iter().map(|one| (one.args)(clap::Command::new(one.name))))
}

/// Does what was typed and gives the exit code.
pub(super) fn obey(typed: &ArgMatches, console: &Arc<Console>) -> Outcome {
    let named = typed.subcommand().and_then(|(name, own)| Some((ALL.iter().find(|one| one.name == name)?, own)));
    let Some((subcommand, own)) = named else { return Err(Failure::new("no subcommand was named")) };
    (subcommand.obey)(own, console)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;

    #[test]
    fn each_subcommand_is_well_formed_and_by_itself_as_among_all() {
        super::all().debug_assert();
        for one in super::ALL {
            let mut own = super::needed(Some(OsStr::new(one.name)));
            own.build();
            let mut all = super::all();
            all.build();
            let help = |command: &mut clap::Command| {
                command.find_subcommand_mut(one.name).map(|found| found.render_long_help().to_string())
            };
            assert_eq!(help(&mut own), help(&mut all));
        }
    }
}
