//! The command line: one file a subcommand.
//!
//! Exit codes: 0 all passed, 1 usage or internal, 2 the runbook is not valid, 3 something could not be measured, 4 a
//! critical check failed, 5 waits for approval, 6 refused by policy, 130 interrupted.

mod alerting;
mod answering;
mod approvals;
mod approve;
mod asking;
mod audit;
mod check;
mod checking;
mod completions;
mod console;
mod diff;
mod doc;
mod edited;
mod explain;
mod fmt;
mod git;
mod here;
mod history;
mod incidents;
mod inputs;
mod logging;
mod looking;
mod man;
mod next;
mod notify;
mod on_call;
mod page;
mod plan;
mod policy;
mod print;
mod recorder;
mod reference;
mod request;
mod resume;
mod run;
mod run_log;
mod serve;
mod settling;
mod show;
mod signals;
mod standing;
mod state;
mod store;
mod systemd;
mod test;
mod timings;
mod undo;

use std::io::{self, Write as _};
use std::sync::Arc;

use clap::{Parser, Subcommand};

use self::console::{Console, Failure};
use self::timings::Timings;

/// Runbooks as code: check, review and run them.
#[derive(Debug, Parser)]
#[command(name = "runbook", version, max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Run(run::Run),
    Resume(resume::Resume),
    Undo(undo::UndoArgs),
    Check(check::Check),
    Plan(plan::PlanArgs),
    Approve(approve::Approve),
    Approvals(approvals::Approvals),
    Revoke(approvals::Revoke),
    Diff(diff::Diff),
    Print(print::Print),
    Test(test::Test),
    Serve(serve::Serve),
    Notify(notify::Notify),
    OnCall(on_call::OnCall),
    Next(next::Next),
    Fmt(fmt::Fmt),
    Explain(explain::Explain),
    Doc(doc::Doc),
    Incidents(incidents::Incidents),
    Ack(answering::Ack),
    Escalate(answering::Escalate),
    Close(answering::Close),
    Silence(answering::Silence),
    History(history::History),
    Show(show::Show),
    Audit(audit::Audit),
    Store(store::Store),
    Completions(completions::Completions),
    Man(man::Man),
}

/// Does what the arguments say and gives the exit code.
#[must_use]
pub fn main() -> u8 {
    let commands = std::thread::Builder::new().name("runbook".to_owned()).stack_size(crate::apart::STACK).spawn(obey);
    // A panic has said what it is.
    commands.map_or_else(|_| obey(), |thread| thread.join().unwrap_or(101))
}

fn obey() -> u8 {
    let console = Arc::new(Console::new());
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return refuse(&error, &console),
    };
    let timings = cli.command.timings();
    match logging::start(&console, timings.as_ref()).and_then(|()| run(cli.command, timings.as_ref(), &console)) {
        Ok(exit) => exit,
        Err(failure) => {
            console.complain(&failure);
            failure.exit
        }
    }
}

impl Command {
    /// Whoever listens to what its time goes to, where that is asked for.
    fn timings(&self) -> Option<Timings> {
        match self {
            Self::Run(args) if args.is_timed() => Some(Timings::new()),
            _ => None,
        }
    }
}

fn run(command: Command, timings: Option<&Timings>, console: &Arc<Console>) -> Result<u8, Failure> {
    match command {
        Command::Run(args) => run::run(&args, timings, console),
        Command::Resume(args) => resume::run(args, console),
        Command::Undo(args) => undo::run(args, console),
        Command::Check(args) => check::run(&args, console),
        Command::Plan(args) => plan::run(&args, console),
        Command::Approve(args) => approve::run(&args, console),
        Command::Approvals(args) => approvals::run(&args, console),
        Command::Revoke(args) => approvals::revoke(&args, console),
        Command::Diff(args) => diff::run(&args, console),
        Command::Print(args) => print::run(&args, console),
        Command::Test(args) => test::run(&args, console),
        Command::Serve(args) => serve::run(&args, console),
        Command::Notify(args) => notify::run(&args, console),
        Command::OnCall(args) => on_call::run(&args, console),
        Command::Next(args) => next::run(&args, console),
        Command::Fmt(args) => fmt::run(&args, console),
        Command::Explain(args) => explain::run(&args, console),
        Command::Doc(args) => doc::run(&args, console),
        Command::Incidents(args) => incidents::run(&args, console),
        Command::Ack(args) => answering::ack(&args, console),
        Command::Escalate(args) => answering::escalate(&args, console),
        Command::Close(args) => answering::close(&args, console),
        Command::Silence(args) => answering::silence(&args, console),
        Command::History(args) => history::run(&args, console),
        Command::Show(args) => show::run(&args, console),
        Command::Audit(args) => audit::run(&args, console),
        Command::Store(args) => store::run(&args, console),
        Command::Completions(args) => completions::run(&args, console),
        Command::Man(args) => man::run(&args, console),
    }
}

/// Help and version are what was asked for, and are to arrive like any other output; anything else is bad usage.
fn refuse(error: &clap::Error, console: &Console) -> u8 {
    let printed = error.print().and_then(|()| io::stdout().flush());
    if error.use_stderr() {
        return 1;
    }
    match printed {
        // A closed pipe is the reader's choice.
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            console.complain(&Failure::new(format!("cannot write: {error}")));
            1
        }
        _ => 0,
    }
}
