//! Runs a case in its canned world, and tells its events in a few words each.

use std::collections::{BTreeMap, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use runbook::catalog::{RunFacts, World};
use runbook::check::program::Program;
use runbook::plan::{self, Selection};
use runbook::run::{self, Collected, Consent, Interrupt, Proposal, Request};
use runbook::source::Sources;
use runbook::store::event::{
    Checked, Counts, Event, Outcome, Path, Place, ProposedChange, RunStarted, Shown, ShownBody, VERSION, Withheld,
};

use super::canned::{Canned, Went};

/// What a run gave.
pub(crate) struct Rehearsed {
    pub(crate) events: Vec<Event>,
    pub(crate) log: Vec<Went>,
}

/// Runs a program. The `consent` line of the world says who allows its changes: by default, somebody does.
pub(crate) fn rehearse(program: Program, sources: Sources, world: &str) -> Rehearsed {
    let (consent, world) = consent(world);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(async {
        let world = Arc::new(Canned::new(&world));
        let sink = Arc::new(Collected::default());
        let request = request(program, sources, &consent, &world);
        run::run(request, Arc::<Canned>::clone(&world), Arc::<Collected>::clone(&sink)).await;
        Rehearsed { events: sink.events(), log: world.log() }
    })
}

fn consent(world: &str) -> (String, String) {
    let (consent, rest): (Vec<&str>, Vec<&str>) = world.lines().partition(|line| line.starts_with("consent "));
    let consent = consent.first().map_or("given", |line| line.trim_start_matches("consent "));
    (consent.to_owned(), rest.join("\n"))
}

fn request(program: Program, sources: Sources, consent: &str, world: &Arc<Canned>) -> Request {
    let selection = Selection::all();
    let plan = plan::plan(&program, &selection, &BTreeMap::new()).expect("a plan");
    let changes = plan.changes.iter().map(|change| ProposedChange {
        section: change.section.clone(),
        step: change.step.clone(),
        file: "case.runbook".into(),
        line: 0,
        change: change.text.clone(),
        given: change.given.clone(),
        target: None,
    });
    let hash = plan.hash.clone().unwrap_or_default();
    let proposal = Proposal { hash: hash.clone(), changes: changes.collect(), help: "approve it".to_owned() };
    let facts = RunFacts {
        id: "7f3a".into(),
        started_at: world.now(),
        scheduled_at: world.now(),
        timezone: program.header.timezone.clone(),
        directory: ".".into(),
    };
    let started = RunStarted {
        version: VERSION,
        tool: "runbook".into(),
        run: "7f3a".into(),
        runbook: program.header.title.clone(),
        file: "case.runbook".into(),
        source_hash: String::new(),
        plan: plan.hash,
        scheduled_at: world.now(),
        timezone: program.header.timezone_name.clone(),
        by: "somebody@somewhere".into(),
        read_only: consent == "read-only",
        only: Vec::new(),
        set: Vec::new(),
        changes: 0,
        steps: 0,
    };
    Request {
        program: Arc::new(program),
        sources: Arc::new(sources),
        started,
        facts: Arc::new(facts),
        selection,
        set: HashMap::new(),
        proposal,
        consent: match consent {
            "read-only" => Consent::ReadOnly,
            "none" => Consent::None,
            "given" => Consent::Given { hash },
            "another" => Consent::Given { hash: "0123456789abcdef".to_owned() },
            other => panic!("nobody knows the consent `{other}`"),
        },
        person: None,
        interrupt: Interrupt::default(),
    }
}

/// The calls that went outside, in the order in which they began: `0s to 3s api.get(path: "/a")`.
pub(crate) fn log_text(log: &[Went]) -> String {
    let mut text = String::new();
    for went in log {
        let ended = went.ended.map_or_else(|| "never".to_owned(), |ended| format!("{}s", ended.round()));
        let _ = writeln!(text, "{}s to {ended} {}", went.began.round(), went.call);
    }
    if text.is_empty() { "nothing\n".to_owned() } else { text }
}

/// The events in the order of the source, a line each.
pub(crate) fn events_text(events: &[Event]) -> String {
    let mut placed: Vec<(Path, String)> = Vec::new();
    let mut last = String::new();
    for event in events {
        match told(event) {
            Some((Some(path), line)) => placed.push((path, line)),
            Some((None, line)) => {
                let _ = writeln!(last, "{line}");
            }
            None => {}
        }
    }
    placed.sort_by(|(a, _), (b, _)| a.cmp(b));
    placed.into_iter().map(|(_, line)| line + "\n").collect::<String>() + &last
}

fn told(event: &Event) -> Option<(Option<Path>, String)> {
    let at = |place: &Place, line: String| Some((Some(place.path.clone()), format!("{} {line}", place.line)));
    match event {
        Event::Checked(checked) => at(&checked.place, told_check(checked)),
        Event::Shown { place, title, shown } => at(place, format!("show \"{title}\": {}", told_shown(shown))),
        Event::NotShown { place, title, fault } => {
            at(place, format!("show \"{title}\": {}: {fault}", fault.kind.name()))
        }
        Event::NotMeasured { place, what, fault } | Event::Unsupported { place, what, fault } => {
            at(place, format!("{what}: {}: {fault}", fault.kind.name()))
        }
        Event::ChangeIntended { place, change, title, .. } => {
            at(place, format!("change {change} \"{title}\": intended"))
        }
        Event::ChangeEnded(ended) => {
            let fault =
                ended.fault.as_ref().map_or_else(String::new, |fault| format!(", {}: {fault}", fault.kind.name()));
            let verified = ended.verified.map_or("", |held| if held { ", verified" } else { ", not verified" });
            let undo = ended.undo.as_ref().map_or_else(String::new, |undo| format!(", undo {undo}"));
            let outcome = format!("{:?}", ended.outcome).to_lowercase();
            at(&ended.place, format!("change {} \"{}\": {outcome}{verified}{fault}{undo}", ended.change, ended.title))
        }
        Event::ChangeWithheld { place, title, reason, .. } => {
            at(place, format!("change \"{title}\": withheld, {}", told_reason(reason)))
        }
        Event::Waited { place, what, outcome, polls, seconds, fault, evidence } => {
            let fault = fault.as_ref().map_or_else(String::new, |fault| format!(", {}: {fault}", fault.kind.name()));
            let evidence = evidence.iter().map(|shown| format!(", {}", told_shown(shown))).collect::<Vec<_>>().concat();
            let outcome = told_outcome(*outcome);
            at(place, format!("wait {what}: {outcome} after {polls} polls in {seconds:.0}s{fault}{evidence}"))
        }
        Event::Retried { place, round, of, fault } => {
            let fault = fault.as_ref().map_or_else(String::new, |fault| format!(", {}: {fault}", fault.kind.name()));
            at(place, format!("retry: round {round} of {of} did not do{fault}"))
        }
        Event::Manual { place, text, answer, .. } => at(place, format!("manual \"{text}\": {answer:?}").to_lowercase()),
        Event::NotReached { place, what, reason } => at(place, format!("{what}: not reached, {reason}")),
        Event::ApprovalNeeded { changes, .. } => Some((None, format!("approval needed for {} changes", changes.len()))),
        Event::ConnectionFailed { name, fault, .. } => {
            Some((None, format!("connection {name}: {}: {fault}", fault.kind.name())))
        }
        Event::Interrupted { signal } => Some((None, format!("interrupted by {signal}"))),
        Event::RunFinished(finished) => {
            Some((None, format!("exit {}{}", finished.exit, told_counts(&finished.counts))))
        }
        _ => None,
    }
}

fn told_check(checked: &Checked) -> String {
    let mut line =
        format!("{:?} \"{}\": {}", checked.kind, checked.title, told_outcome(checked.outcome)).to_lowercase();
    line = line.replacen(&checked.title.to_lowercase(), &checked.title, 1);
    if let Some(fault) = &checked.fault {
        let _ = write!(line, ", {}: {fault}", fault.kind.name());
    }
    for evidence in &checked.evidence {
        let _ = write!(line, ", {}", told_shown(evidence));
    }
    line
}

fn told_shown(shown: &Shown) -> String {
    let title = shown.title.as_ref().map_or_else(String::new, |title| format!("{title} = "));
    let partial = shown.partial.as_ref().map_or_else(String::new, |why| format!(" (not whole: {why})"));
    let body = match &shown.body {
        ShownBody::Value { cell } => cell.text.clone(),
        ShownBody::Record { fields } => {
            let given = fields.iter().filter(|(_, cell)| cell.text != "(left out)");
            given.map(|(name, cell)| format!("{name}={}", cell.text)).collect::<Vec<_>>().join(" ")
        }
        ShownBody::Table { columns, rows, total } => {
            let rows: Vec<String> = rows
                .iter()
                .map(|row| row.iter().map(|cell| cell.text.as_str()).collect::<Vec<_>>().join("|"))
                .collect();
            format!("{} [{}] of {total}", columns.join("|"), rows.join("; "))
        }
        ShownBody::Lines { lines, total } => format!("[{}] of {total}", lines.join("; ")),
    };
    format!("{title}{body}{partial}")
}

fn told_outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Passed => "passed",
        Outcome::Failed => "failed",
        Outcome::NotMeasured => "not measured",
    }
}

fn told_reason(reason: &Withheld) -> String {
    match reason {
        Withheld::Guard { title, outcome } => format!("guard \"{title}\" {}", told_outcome(*outcome)),
        Withheld::EarlierChange { title } => format!("earlier change \"{title}\""),
        Withheld::ReadOnly => "read-only".to_owned(),
        Withheld::NotApproved => "not approved".to_owned(),
        Withheld::NotMeasured { fault } => format!("{}: {fault}", fault.kind.name()),
        Withheld::TooMany { found, at_most } => format!("{found} found, at most {at_most}"),
        Withheld::Stopped { reason } => reason.clone(),
    }
}

fn told_counts(counts: &Counts) -> String {
    let all = [
        ("passed", counts.passed),
        ("failed", counts.failed),
        ("warned", counts.warned),
        ("noted", counts.noted),
        ("not measured", counts.not_measured),
        ("done", counts.changes_done),
        ("changes failed", counts.changes_failed),
        ("unknown", counts.changes_unknown),
        ("withheld", counts.changes_withheld),
        ("not reached", counts.not_reached),
    ];
    all.iter()
        .filter(|(_, count)| *count > 0)
        .fold(String::new(), |text, (name, count)| format!("{text}, {count} {name}"))
}
