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
mod commands;
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
mod places;
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
mod warned;
mod word;

use std::ffi::OsString;
use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread;

use clap::ArgMatches;

use self::console::{Console, Failure};

/// Does what the arguments say and gives the exit code.
#[must_use]
pub fn main() -> u8 {
    let console = Arc::new(Console::new());
    let arguments: Vec<OsString> = std::env::args_os().collect();
    let first = arguments.get(1).map(OsString::as_os_str);
    let typed = match commands::needed(first).try_get_matches_from(&arguments) {
        Ok(typed) => typed,
        Err(error) => return refuse(&error, &console),
    };
    let obey = || obey(&typed, &console);
    let done = thread::scope(|scope| {
        let thread = thread::Builder::new().name("runbook".to_owned()).stack_size(crate::apart::STACK);
        // A panic has said what it is.
        thread.spawn_scoped(scope, obey).ok().map(|thread| thread.join().unwrap_or(101))
    });
    done.unwrap_or_else(obey)
}

fn obey(typed: &ArgMatches, console: &Arc<Console>) -> u8 {
    commands::obey(typed, console).unwrap_or_else(|failure| {
        console.complain(&failure);
        failure.exit
    })
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
