//! `runbook audit`: whether what was recorded of runs is as it was written.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Write};

use clap::{Args, Subcommand, ValueEnum};
use jiff::Timestamp;
use jiff::civil::Date;
use serde_json::json;

use super::console::{Console, Failure};
use super::inputs::STDIN;
use super::state::State;
use crate::shown::look::{Tone, clean, counted};
use crate::store::audit::{Finding, Material, Report, Run, State as Found, Wanted, read_export};
use crate::store::history::Lookup;
use crate::store::journal::Store;
use crate::system;

/// A head that was noted is no shorter: that of another chain does not begin like this.
const SHORTEST_HEAD: usize = 16;

/// Look whether what was recorded of runs was edited, cut or removed since.
///
/// Each event carries the hash of the one before, each run that of the runs before it. Whoever can write to the state
/// folder can write all of it anew: note the head elsewhere (`runbook audit head`), and compare with it (`--head`).
#[derive(Debug, Args)]
pub(super) struct Audit {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Look whether every event of every run is as it was written, and every run is there.
    ///
    /// Exit 0 where nothing is wrong, 4 where something is, 3 where something could not be read or is of a version that
    /// did not chain runs. A run that is going on or was killed is said to be not ended; how much of its end was cut off
    /// since, nobody can say. That the newest runs were removed together with the end of the chain is found by `--head`
    /// alone, for the runs before the head that was noted.
    Verify(Verify),
    /// Write all events as JSON Lines, with the chain of runs, to be verified on another machine.
    Export {
        /// Only runs whose ids begin like this; the chain is written whole.
        runs: Vec<String>,
        /// Only runs that began since then: `2026-11-26T08:00:00+01:00`, or a date.
        #[arg(long, value_name = "TIME")]
        since: Option<String>,
        #[command(flatten)]
        state: State,
    },
    /// Print the hash at the end of the chain of runs, to be noted on another machine.
    Head {
        #[command(flatten)]
        state: State,
    },
}

#[derive(Debug, Args)]
struct Verify {
    /// The beginning of a run's id, or `last`: only this run, and the chain.
    run: Option<String>,
    /// A head as `runbook audit head` printed it before: it has to be in the chain.
    #[arg(long, value_name = "HASH", value_parser = head)]
    head: Option<String>,
    /// Look at what `runbook audit export` wrote, and not at the state folder; `-` is standard input.
    #[arg(long, value_name = "EXPORT", conflicts_with = "dir")]
    file: Option<String>,
    /// Exit 0 also where runs of a version that did not chain them are there. They are counted all the same.
    #[arg(long)]
    allow_not_chained: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    state: State,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Terminal,
    /// One object a line: what is wrong, each run, and a summary.
    Json,
}

fn head(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    if (SHORTEST_HEAD..=64).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(text);
    }
    Err(format!("write the hash that `runbook audit head` printed, or at least {SHORTEST_HEAD} digits of it"))
}

pub(super) fn run(args: &Audit, console: &Console) -> Result<u8, Failure> {
    match &args.action {
        Action::Verify(args) => verify(args, console),
        Action::Export { runs, since, state } => export(runs, since.as_deref(), &state.store()?, console),
        Action::Head { state } => print_head(&state.store()?, console),
    }
}

fn print_head(store: &Store, console: &Console) -> Result<u8, Failure> {
    match store.head()? {
        Some(head) => {
            console.print(&format!("{}  record {} of {}\n", head.hash, head.seq, counted(head.runs, "run")))?;
        }
        None => console.say(&format!("no run is chained in {} so far\n", store.root().display())),
    }
    Ok(0)
}

fn export(runs: &[String], since: Option<&str>, store: &Store, console: &Console) -> Result<u8, Failure> {
    let since = since.map(moment).transpose()?;
    let material = store.material()?;
    let wanted = runs.iter().map(|run| wanted(run, &material)).collect::<Result<Vec<_>, _>>()?;
    for (run, wanted) in runs.iter().zip(&wanted) {
        if matches!(wanted, Wanted::Run(_)) && matches!(store.load(run), Ok(Lookup::None)) {
            return Err(no_run(run));
        }
    }
    let mut out = BufWriter::new(console.writer());
    material.export(&wanted, since, &mut out).map_err(|fault| Failure { exit: 3, ..fault.into() })?;
    out.flush().map_err(|error| Failure::new(format!("cannot write: {error}")))?;
    Ok(0)
}

fn moment(text: &str) -> Result<Timestamp, Failure> {
    let day = || text.parse::<Date>().ok()?.to_zoned(system::zone()).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(day).ok_or_else(|| {
        Failure::new(format!("`--since {text}` is no time"))
            .help("write `--since 2026-11-26`, or with the hour and the distance from UTC `2026-11-26T08:00:00+01:00`")
    })
}

fn wanted(run: &str, material: &Material) -> Result<Wanted, Failure> {
    match (run, material.last()) {
        ("last", Some(journal)) => Ok(Wanted::Journal(journal.to_owned())),
        ("last", None) => Err(no_run(run)),
        _ => Ok(Wanted::Run(run.to_owned())),
    }
}

fn no_run(run: &str) -> Failure {
    Failure::new(format!("there is no run `{run}`")).help("`runbook history` lists all runs")
}

fn verify(args: &Verify, console: &Console) -> Result<u8, Failure> {
    let material = match args.file.as_deref() {
        None => args.state.store()?.material()?,
        Some(name) => opened(name).map_err(|failure| Failure { exit: 3, ..failure })?,
    };
    let wanted = args.run.as_deref().map_or(Ok(Wanted::All), |run| wanted(run, &material))?;
    let report = material.verify(&wanted, args.head.as_deref());
    if let (Some(run), true, 0) = (&args.run, report.runs.is_empty(), report.pruned + report.left_out) {
        return Err(no_run(run));
    }
    match args.format {
        Format::Terminal => terminal(&report, args, console)?,
        Format::Json => as_json(&report, console)?,
    }
    Ok(exit(&report, args.allow_not_chained))
}

fn opened(name: &str) -> Result<Material, Failure> {
    if name == STDIN {
        return Ok(read_export(name, io::stdin().lock())?);
    }
    let file = File::open(name).map_err(|error| Failure::new(format!("cannot read the export `{name}`: {error}")))?;
    Ok(read_export(name, BufReader::new(file))?)
}

/// What is wrong weighs more than what nobody could look at.
fn exit(report: &Report, allow_not_chained: bool) -> u8 {
    let not_chained = report.count(Found::NotChained) > 0 && !allow_not_chained;
    match (report.findings.is_empty(), report.unread.is_empty() && !not_chained) {
        (false, _) => 4,
        (true, false) => 3,
        (true, true) => 0,
    }
}

fn terminal(report: &Report, args: &Verify, console: &Console) -> Result<(), Failure> {
    let look = console.look();
    let mut lines: Vec<String> = report
        .findings
        .iter()
        .map(|finding| format!("{}  {}", look.paint(Tone::Bad, "WRONG"), said(finding)))
        .collect();
    for unread in &report.unread {
        let word = look.paint(Tone::Doubtful, "NOT READ");
        lines.push(format!("{word}  {}: {}", clean(&unread.file), clean(&unread.why)));
    }
    lines.extend(report.runs.iter().filter_map(unfinished));
    lines.push(counts(report));
    if report.torn {
        lines.push(
            "the last line of the chain was not written whole: a process was killed, or the machine stopped".to_owned(),
        );
    }
    if report.mended > 0 {
        lines.push(format!("{} of the chain not written whole, and closed", counted(report.mended as u64, "line")));
    }
    match &report.head {
        Some(head) => lines.push(format!("head {}  record {} of {}", head.hash, head.seq, counted(head.runs, "run"))),
        None => lines.push("no run is chained".to_owned()),
    }
    match (&args.head, report.since_head) {
        (Some(_), Some(since)) => {
            lines.push(format!(
                "the head that was noted is in the chain, {} before its end",
                counted(since as u64, "record")
            ));
            lines.push(
                "not looked at: whether runs after that head were removed together with the end of the chain; note the new head"
                    .to_owned(),
            );
        }
        (Some(_), None) => {}
        (None, _) => lines.push(
            "not looked at without `--head`: whether the newest runs were removed together with the end of the chain"
                .to_owned(),
        ),
    }
    console.print_lines(&lines)
}

/// `7f3a12  20261126T…-7f3a12.jsonl:3  record 2 was edited`
fn said(finding: &Finding) -> String {
    let place = finding.line.map_or_else(|| finding.file.clone(), |line| format!("{}:{line}", finding.file));
    let run = finding.run.as_ref().map_or_else(String::new, |run| format!("{}  ", clean(run)));
    format!("{run}{}  {}", clean(&place), clean(&finding.message))
}

fn unfinished(run: &Run) -> Option<String> {
    let what = match run.state {
        Found::NotEnded => "not ended: it is going on, or was killed",
        Found::Torn => "not ended, and its last line is torn: it was killed while it was written",
        Found::EndNotChained => {
            "ended, but the chain does not say so: it was killed right then, or the chain was edited"
        }
        Found::Empty => "empty: it was killed before it began",
        Found::NotChained => "not chained: a version without a chain recorded it, and nobody can say",
        Found::Whole | Found::Wrong | Found::NotRead => return None,
    };
    Some(format!("{}  {}  {what}", clean(&run.run), clean(&run.journal)))
}

fn counts(report: &Report) -> String {
    let records: usize = report.runs.iter().map(|run| run.records).sum();
    let mut parts = vec![
        counted(report.runs.len() as u64, "run"),
        counted(records as u64, "record"),
        format!("{} whole", report.count(Found::Whole)),
    ];
    let not_ended = [Found::NotEnded, Found::Torn, Found::EndNotChained, Found::Empty]
        .map(|state| report.count(state))
        .iter()
        .sum();
    for (count, what) in [
        (not_ended, "not ended"),
        (report.count(Found::Torn), "torn"),
        (report.count(Found::NotChained), "not chained"),
        (report.count(Found::Wrong), "wrong"),
        (report.count(Found::NotRead), "not read"),
        (report.pruned, "removed as old"),
        (report.left_out, "not in the export"),
    ] {
        if count > 0 {
            parts.push(format!("{count} {what}"));
        }
    }
    parts.push(counted(report.findings.len() as u64, "finding"));
    parts.join(" · ")
}

fn as_json(report: &Report, console: &Console) -> Result<(), Failure> {
    let mut lines: Vec<String> = Vec::new();
    for finding in &report.findings {
        lines.push(
            json!({
                "audit": "finding", "run": finding.run, "file": finding.file, "line": finding.line,
                "record": finding.record, "kind": finding.kind.name(), "message": finding.message,
            })
            .to_string(),
        );
    }
    for unread in &report.unread {
        lines.push(json!({ "audit": "unread", "file": unread.file, "why": unread.why }).to_string());
    }
    for run in &report.runs {
        let (state, records) = (run.state.name(), run.records);
        lines.push(
            json!({ "audit": "run", "run": run.run, "journal": run.journal, "state": state, "records": records })
                .to_string(),
        );
    }
    lines.push(
        json!({
            "audit": "summary", "runs": report.runs.len(), "findings": report.findings.len(),
            "unread": report.unread.len(), "whole": report.count(Found::Whole),
            "not_ended": report.count(Found::NotEnded), "torn": report.count(Found::Torn),
            "end_not_chained": report.count(Found::EndNotChained), "empty": report.count(Found::Empty),
            "not_chained": report.count(Found::NotChained), "wrong": report.count(Found::Wrong),
            "removed_as_old": report.pruned, "not_in_the_export": report.left_out, "chain_records": report.links,
            "chain_torn": report.torn, "chain_mended": report.mended,
            "head": report.head.as_ref().map(|head| head.hash), "since_head": report.since_head,
        })
        .to_string(),
    );
    console.print_lines(&lines)
}
