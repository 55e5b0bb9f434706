//! `runbook plan`: what would be changed, before anything is.

use clap::{Args, ValueEnum};

use super::console::{Console, Failure};
use super::request::{Asked, Prepared, prepare};
use crate::report;

/// Say what a run would change, need and tell, and the hash to approve.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    asked: Asked,
    /// Open no connection. This version always plans like this, and wants it said.
    #[arg(long)]
    offline: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Terminal,
    /// One object.
    Json,
}

pub(super) fn run(args: &PlanArgs, console: &Console) -> Result<u8, Failure> {
    if !args.offline {
        return Err(Failure::new("this version cannot look at the targets for a plan")
            .help(format!("write `runbook plan --offline {}`", args.asked.file)));
    }
    let Some(prepared) = prepare(&args.asked, console)? else { return Ok(2) };
    match args.format {
        Format::Terminal => {
            let look = console.look();
            let lines = report::plan::lines(&prepared.plan, &prepared.sources, &command("run", &args.asked), look);
            console.print_lines(&lines)?;
        }
        Format::Json => console.print(&json(&prepared)?)?,
    }
    Ok(0)
}

/// `runbook run …` or another verb, as it would be typed for what was asked.
pub(super) fn command(verb: &str, asked: &Asked) -> String {
    let mut command = format!("runbook {verb} {}", report::look::quoted(&asked.file));
    for (flag, values) in [("only", &asked.only), ("set", &asked.set)] {
        for value in values {
            command.push_str(" --");
            command.push_str(flag);
            command.push(' ');
            command.push_str(&report::look::quoted(value));
        }
    }
    command
}

/// The plan with the places of its changes.
fn json(prepared: &Prepared) -> Result<String, Failure> {
    let failed = |error: serde_json::Error| Failure::new(format!("cannot write the plan: {error}"));
    let mut plan = serde_json::to_value(&prepared.plan).map_err(failed)?;
    let changes = plan.get_mut("changes").and_then(serde_json::Value::as_array_mut);
    for (value, change) in changes.into_iter().flatten().zip(&prepared.plan.changes) {
        if let Some(fields) = value.as_object_mut() {
            let file = &prepared.sources.file(change.span.file).name;
            fields.insert("file".to_owned(), file.as_str().into());
            fields.insert("line".to_owned(), prepared.sources.position(change.span).line.into());
        }
    }
    serde_json::to_string_pretty(&plan).map(|text| text + "\n").map_err(failed)
}
