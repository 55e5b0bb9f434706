//! `runbook incidents`: what is open, who was told, what waits, and what is silenced.

use std::fmt::{self, Write as _};

use clap::Args;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::console::{Console, Failure};
use super::state::Kept;
use crate::alerting::{Alert, Happened, Happening, Incident, Silence};
use crate::desk::{self, ALERT, INCIDENT, SILENCE};
use crate::shown::look::{Look, Tone, clean};
use crate::store::ledger::{Document, Ledger, Outgoing, OutgoingState};
use crate::system;
use crate::types::labels_text;

/// Show open incidents and alerts, who was told of them, what could not be told yet, and silences.
#[derive(Debug, Args)]
pub(super) struct Incidents {
    /// The story of one incident, by its number; that of an alert as `alert/12`.
    #[arg(value_name = "INCIDENT", value_parser = asked)]
    incident: Option<Asked>,
    /// Only those of the runbook with this title.
    #[arg(long, value_name = "TITLE")]
    runbook: Option<String>,
    /// Those that are over, too.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    state: Kept,
}

/// Whose story is asked for.
#[derive(Clone, Copy, Debug)]
enum Asked {
    Incident(i64),
    Alert(i64),
}

fn asked(text: &str) -> Result<Asked, String> {
    let number = |text: &str| text.parse().map_err(|_| "it is no number, and no `alert/12`".to_owned());
    match text.strip_prefix("alert/") {
        Some(alert) => number(alert).map(Asked::Alert),
        None => number(text).map(Asked::Incident),
    }
}

impl fmt::Display for Asked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Incident(number) => write!(f, "incident {number}"),
            Self::Alert(number) => write!(f, "alert {number}"),
        }
    }
}

pub(super) fn run(args: &Incidents, console: &Console) -> Result<u8, Failure> {
    let place = args.state.ledger()?;
    let Some(ledger) = place.open_existing()? else {
        let nothing = format!("nothing is kept in `{place}` yet");
        if let Some(asked) = args.incident {
            return Err(Failure::new(format!("there is no {asked}")).help(nothing));
        }
        console.say(&format!("{nothing}\n"));
        return Ok(0);
    };
    let mut runbooks = ledger.runbooks()?;
    if let Some(title) = &args.runbook {
        if !runbooks.contains(title) {
            let help = format!("there are: {}", clean(&runbooks.join(", ")));
            return Err(Failure::new(format!("nothing is kept of a runbook `{title}`")).help(help));
        }
        runbooks.retain(|runbook| runbook == title);
    }
    let found: Vec<Found> =
        runbooks.iter().map(|runbook| Found::of(&ledger, runbook, args)).collect::<Result<_, Failure>>()?;
    if let Some(asked) = args.incident
        && found.iter().all(|found| found.incidents.is_empty() && found.alerts.is_empty())
    {
        return Err(no_such(&ledger, &runbooks, asked)?);
    }
    let mut text = String::new();
    for found in &found {
        found.write(&mut text, &ledger, args.incident.is_some(), console.look())?;
    }
    console.print(&text)?;
    if found.iter().all(Found::has_nothing_open) {
        let what = if args.all { "no incident and no alert is kept" } else { "no incident and no alert is open" };
        console.say(&format!("{what}\n"));
    }
    Ok(0)
}

/// No incident has the number: it may be a slip, or the number of an alert.
fn no_such(ledger: &Ledger, runbooks: &[String], asked: Asked) -> Result<Failure, Failure> {
    let mut open = Vec::new();
    for runbook in runbooks {
        for (kind, what) in [(INCIDENT, "incident"), (ALERT, "alert")] {
            let documents = ledger.documents(Some(runbook), kind, Some(Timestamp::MAX))?;
            let documents = documents.iter().filter(|document| document.closed_at.is_none());
            open.extend(documents.map(|document| format!("{what} #{} of `{}`", document.id, clean(runbook))));
        }
    }
    let help = match open.as_slice() {
        [] => "no incident and no alert is open; `runbook incidents --all` lists those that are over".to_owned(),
        open => {
            const MOST: usize = 20;
            let more = open.len().checked_sub(MOST).filter(|more| *more > 0);
            let more = more.map_or_else(String::new, |more| format!(", and {more} more"));
            format!("open: {}{more}", open.iter().take(MOST).cloned().collect::<Vec<_>>().join(", "))
        }
    };
    Ok(Failure::new(format!("there is no {asked}")).help(help))
}

/// What is to be shown of one runbook.
struct Found<'r> {
    runbook: &'r str,
    clock: Clock,
    incidents: Vec<Incident>,
    alerts: Vec<Alert>,
    silences: Vec<Silence>,
    waiting: Vec<Outgoing>,
}

impl<'r> Found<'r> {
    fn of(ledger: &Ledger, runbook: &'r str, args: &Incidents) -> Result<Self, Failure> {
        let wanted = |kind: &str, document: &Document| match args.incident {
            Some(Asked::Incident(number)) => kind == INCIDENT && document.id == number.to_string(),
            Some(Asked::Alert(number)) => kind == ALERT && document.id == number.to_string(),
            None => args.all || document.closed_at.is_none(),
        };
        let since = if args.all || args.incident.is_some() { None } else { Some(Timestamp::MAX) };
        let documents = |kind: &'static str| {
            let documents = ledger.documents(Some(runbook), kind, since)?.into_iter();
            Ok::<_, Failure>(documents.filter(move |document| wanted(kind, document)))
        };
        let clock = Clock { zone: desk::zone(ledger, runbook)?.unwrap_or_else(system::zone), now: system::now() };
        let incidents = documents(INCIDENT)?.map(|document| desk::read(&document)).collect::<Result<_, _>>()?;
        let mut found =
            Self { runbook, clock, incidents, alerts: Vec::new(), silences: Vec::new(), waiting: Vec::new() };
        found.alerts = documents(ALERT)?.map(|document| desk::read(&document)).collect::<Result<_, _>>()?;
        if args.incident.is_none() {
            let silences = documents(SILENCE)?.map(|document| desk::read::<Silence>(&document));
            found.silences = silences.collect::<Result<_, _>>()?;
            // Who writes down that one is over is whoever looks at the runbook next.
            found.silences.retain(|silence| silence.until > found.clock.now);
        }
        let opened = found.incidents.iter().filter(|one| one.end.is_none()).map(|one| (&one.title, one.opened_at));
        let alerts = found.alerts.iter().filter(|one| one.end.is_none());
        let open: Vec<_> = opened.chain(alerts.map(|one| (&one.subject.threshold, one.opened_at))).collect();
        let since = open.iter().map(|(_, at)| *at).min().unwrap_or(Timestamp::MAX);
        let mut waiting = ledger.outgoing(Some(runbook), Some(since))?;
        // What was given up is not told either, and matters as long as what it is about is open.
        waiting.retain(|outgoing| {
            let of = |title: &str, at| {
                outgoing.body.get("title").is_some_and(|own| own == title) && outgoing.created_at >= at
            };
            let given_up = outgoing.state == OutgoingState::GivenUp;
            outgoing.state.waits() || (given_up && open.iter().any(|(title, at)| of(title, *at)))
        });
        found.waiting = waiting;
        Ok(found)
    }

    fn has_nothing_open(&self) -> bool {
        self.incidents.is_empty() && self.alerts.is_empty() && self.waiting.is_empty()
    }

    fn write(&self, text: &mut String, ledger: &Ledger, story: bool, look: Look) -> Result<(), Failure> {
        if self.has_nothing_open() && self.silences.is_empty() {
            return Ok(());
        }
        let _ = writeln!(text, "{}", look.paint(Tone::Strong, &clean(self.runbook)));
        for incident in &self.incidents {
            let _ = writeln!(text, "{}", self.of_incident(incident, look));
            if story {
                self.write_story(text, ledger, &format!("incident/{}", incident.number))?;
            }
        }
        for alert in &self.alerts {
            let _ = writeln!(text, "{}", self.of_alert(alert, look));
            if story {
                self.write_story(text, ledger, &format!("alert/{}", alert.number))?;
                if let Some(incident) = alert.incident {
                    let _ = writeln!(text, "    goes on as incident #{incident}: `runbook incidents {incident}`");
                }
            }
        }
        for silence in &self.silences {
            let _ = writeln!(text, "{}", self.of_silence(silence, look));
        }
        for outgoing in &self.waiting {
            let _ = writeln!(text, "{}", look.paint(Tone::Doubtful, &self.of_waiting(outgoing)));
        }
        Ok(())
    }

    fn write_story(&self, text: &mut String, ledger: &Ledger, about: &str) -> Result<(), Failure> {
        for kept in ledger.happenings(self.runbook, Some(about), None)? {
            let happening: Happening = serde_json::from_value(kept.body.clone())
                .map_err(|error| Failure::new(format!("the ledger cannot be read: {error}")))?;
            let became = self.became(&happening.what, ledger)?;
            let what = clean(&happening.what.to_string());
            let _ = writeln!(text, "    {}  {what}{became}", self.clock.at(happening.at));
        }
        Ok(())
    }

    /// What became of a message that was written down: that is not that anybody was told.
    fn became(&self, what: &Happened, ledger: &Ledger) -> Result<String, Failure> {
        let Happened::Told { channel, key: Some(key), .. } = what else { return Ok(String::new()) };
        let Some(outgoing) = ledger.message(self.runbook, channel, key)? else { return Ok(String::new()) };
        let at = outgoing.ended_at.map_or_else(String::new, |at| format!(" {}", self.clock.at(at)));
        let last = outgoing.last.as_deref().map_or_else(|| "not tried yet".to_owned(), clean);
        Ok(match outgoing.state {
            OutgoingState::Told => format!(": told{at}"),
            OutgoingState::GivenUp => format!(": NOT TOLD, given up{at}: {last}"),
            OutgoingState::Withdrawn => format!(": NOT TOLD, withdrawn{at}: {last}"),
            OutgoingState::Waiting | OutgoingState::Claimed => format!(": not told yet: {}", self.stands(&outgoing)),
        })
    }

    fn of_waiting(&self, outgoing: &Outgoing) -> String {
        // What this version cannot read is named by its key.
        let title = outgoing.body.get("title").and_then(|title| title.as_str()).unwrap_or(&outgoing.key);
        let (channel, title) = (clean(&outgoing.channel), clean(title));
        format!("  not told: {channel} of {title}: {}", self.stands(outgoing))
    }

    /// How far a message got that waits.
    fn stands(&self, outgoing: &Outgoing) -> String {
        let tries = match outgoing.tries {
            1 => "1 try".to_owned(),
            tries => format!("{tries} tries"),
        };
        let last = outgoing.last.as_deref().map(clean);
        match (outgoing.state, last) {
            // One that it is on its way now may be of a process that has ended: nobody knows that here.
            (OutgoingState::Claimed, None) => "on its way, no answer yet".to_owned(),
            (OutgoingState::Claimed, Some(last)) => {
                format!("on its way again, no answer yet; before: {last} ({tries} with this one)")
            }
            (OutgoingState::GivenUp, last) => {
                format!("GIVEN UP, nobody is told there: {} ({tries})", last.unwrap_or_default())
            }
            (_, None) => "not tried yet".to_owned(),
            (_, Some(last)) => format!("{last} ({tries}); again at {}", self.clock.at(outgoing.not_before)),
        }
    }

    fn of_incident(&self, incident: &Incident, look: Look) -> String {
        let at = |at| self.clock.at(at);
        let role = incident.policy.level(incident.level).map_or("", |level| &*level.role);
        let state = match (&incident.end, &incident.acknowledged) {
            (Some(end), _) => format!("closed {}", at(end.at())),
            (None, Some(acknowledged)) => {
                format!("taken on by {} at {}", clean(&acknowledged.by), at(acknowledged.at))
            }
            (None, None) => match &incident.taken_before {
                Some(taken) => format!(
                    "taken on by {} at {} at a level before, by nobody of this one",
                    clean(&taken.by),
                    at(taken.at)
                ),
                None => "nobody has taken it on".to_owned(),
            },
        };
        let next = incident.next_due.filter(|_| incident.end.is_none());
        let next = next.map_or_else(String::new, |due| format!(", next level at {}", at(due)));
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

    fn of_alert(&self, alert: &Alert, look: Look) -> String {
        let at = |at| self.clock.at(at);
        let silence = self.silences.iter().find(|silence| silence.covers(&alert.subject));
        let quiet = match silence {
            Some(silence) => format!(", silence #{} until {}", silence.number, at(silence.until)),
            None if alert.quiet => ", kept quiet".to_owned(),
            None => String::new(),
        };
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

    fn of_silence(&self, silence: &Silence, look: Look) -> String {
        let of = silence.threshold.as_ref().map_or_else(|| "all".to_owned(), |title| format!("\"{title}\""));
        let labels = labels_text(&silence.labels);
        let labels = if labels.is_empty() { labels } else { format!(" [{labels}]") };
        let head = format!("  silence #{} of {}{}", silence.number, clean(&of), clean(&labels));
        format!(
            "{}\n    {}\n    until {}, by {}",
            look.paint(Tone::Doubtful, &head),
            clean(&silence.why),
            self.clock.at(silence.until),
            clean(&silence.by)
        )
    }
}

/// The zone of a runbook: all who look at it speak of the same times.
struct Clock {
    zone: TimeZone,
    now: Timestamp,
}

impl Clock {
    fn at(&self, at: Timestamp) -> String {
        let day = at.to_zoned(self.zone.clone());
        let today = self.now.to_zoned(self.zone.clone()).date();
        let format = if day.date() == today { "%H:%M:%S %Z" } else { "%Y-%m-%d %H:%M:%S %Z" };
        day.strftime(format).to_string()
    }
}
