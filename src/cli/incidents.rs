//! `runbook incidents`: what is open, who was told, and what waits.

use std::fmt::Write as _;

use clap::Args;
use jiff::Timestamp;

use super::console::{Console, Failure};
use super::state::Kept;
use crate::alerting::{Alert, Happening, Incident};
use crate::desk::{self, ALERT, INCIDENT};
use crate::shown::look::{Look, Tone, clean, counted};
use crate::store::ledger::{Document, Ledger, Outgoing};
use crate::system;

/// Show open incidents and alerts, who was told of them, and what could not be told yet.
#[derive(Debug, Args)]
pub(super) struct Incidents {
    /// The story of one incident, by its number.
    incident: Option<i64>,
    /// Only those of the runbook with this title.
    #[arg(long, value_name = "TITLE")]
    runbook: Option<String>,
    /// Those that are over, too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    state: Kept,
}

pub(super) fn run(args: &Incidents, console: &Console) -> Result<u8, Failure> {
    let place = args.state.ledger()?;
    let Some(ledger) = place.open_existing()? else {
        console.say(&format!("nothing is kept in `{place}` yet\n"));
        return Ok(0);
    };
    let runbooks = match &args.runbook {
        Some(title) => vec![title.clone()],
        None => ledger.runbooks()?,
    };
    let mut text = String::new();
    let mut shown = 0;
    for runbook in &runbooks {
        shown += of_runbook(&mut text, &ledger, runbook, args, console.look())?;
    }
    console.print(&text)?;
    if shown == 0 {
        let what = if args.all { "no incident and no alert is kept" } else { "no incident and no alert is open" };
        console.say(&format!("{what}\n"));
    }
    Ok(0)
}

fn of_runbook(
    text: &mut String,
    ledger: &Ledger,
    runbook: &str,
    args: &Incidents,
    look: Look,
) -> Result<usize, Failure> {
    let since = if args.all { None } else { Some(Timestamp::MAX) };
    let wanted = |document: &Document| match args.incident {
        Some(number) => document.id == number.to_string(),
        None => args.all || document.closed_at.is_none(),
    };
    let since = if args.incident.is_some() { None } else { since };
    let incidents = ledger.documents(Some(runbook), INCIDENT, since)?;
    let alerts = if args.incident.is_none() { ledger.documents(Some(runbook), ALERT, since)? } else { Vec::new() };
    let waiting: Vec<Outgoing> = ledger
        .outgoing(Some(runbook), Some(Timestamp::MAX))?
        .into_iter()
        .filter(|outgoing| outgoing.state.waits())
        .collect();
    let incidents: Vec<Document> = incidents.into_iter().filter(wanted).collect();
    let alerts: Vec<Document> = alerts.into_iter().filter(wanted).collect();
    let shown = incidents.len() + alerts.len() + waiting.len();
    if shown == 0 {
        return Ok(0);
    }
    let _ = writeln!(text, "{}", look.paint(Tone::Strong, &clean(runbook)));
    for document in &incidents {
        let incident: Incident = desk::read(document)?;
        let _ = writeln!(text, "{}", of_incident(&incident, look));
        if args.incident.is_some() {
            for kept in ledger.happenings(runbook, Some(&format!("incident/{}", incident.number)), None)? {
                let happening: Happening = serde_json::from_value(kept.body.clone())
                    .map_err(|error| Failure::new(format!("the ledger cannot be read: {error}")))?;
                let _ = writeln!(text, "    {}  {}", at(happening.at), clean(&happening.what.to_string()));
            }
        }
    }
    for document in &alerts {
        let alert: Alert = desk::read(document)?;
        let _ = writeln!(text, "{}", of_alert(&alert, look));
    }
    for outgoing in waiting {
        let why = outgoing.last.as_deref().unwrap_or("not tried yet");
        let tries = counted(u64::from(outgoing.tries), "try");
        let line = format!("  not told: {} of {}: {} ({tries})", outgoing.channel, outgoing.key, clean(why));
        let _ = writeln!(text, "{}", look.paint(Tone::Doubtful, &line));
    }
    Ok(shown)
}

fn of_incident(incident: &Incident, look: Look) -> String {
    let role = incident.policy.level(incident.level).map_or("", |level| &*level.role);
    let state = match (&incident.end, &incident.acknowledged) {
        (Some(end), _) => format!("closed {}", at(end.at())),
        (None, Some(acknowledged)) => {
            format!("taken on by {} at {}", clean(&acknowledged.by), at(acknowledged.at))
        }
        (None, None) => "nobody has taken it on".to_owned(),
    };
    let next = incident.next_due.map_or_else(String::new, |due| format!(", next level at {}", at(due)));
    let tone = if incident.end.is_some() { Tone::Faint } else { Tone::Bad };
    let head = look.paint(tone, &format!("  incident #{} {}", incident.number, clean(&incident.name())));
    format!(
        "{head}\n    {}\n    since {}, level {} {}, {state}{next}",
        clean(&incident.text),
        at(incident.opened_at),
        incident.level,
        clean(role)
    )
}

fn of_alert(alert: &Alert, look: Look) -> String {
    let quiet = if alert.quiet { ", kept quiet" } else { "" };
    let state = alert.end.as_ref().map_or_else(
        || format!("since {}{quiet}", at(alert.opened_at)),
        |end| format!("{} to {}", at(alert.opened_at), at(end.at())),
    );
    let tone = if alert.end.is_some() { Tone::Faint } else { Tone::Doubtful };
    let head = look.paint(
        tone,
        &format!("  alert #{} {} ({})", alert.number, clean(&alert.subject.name()), alert.severity.name()),
    );
    format!("{head}\n    {}\n    {state}", clean(&alert.text))
}

/// In the zone of whoever looks.
fn at(at: Timestamp) -> String {
    let zone = system::zone();
    let day = at.to_zoned(zone.clone());
    let today = system::now().to_zoned(zone).date();
    let format = if day.date() == today { "%H:%M:%S" } else { "%Y-%m-%d %H:%M:%S" };
    day.strftime(format).to_string()
}
