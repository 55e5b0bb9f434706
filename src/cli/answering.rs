//! `runbook ack`, `escalate`, `close` and `silence`: what people say to alerting.

use std::collections::BTreeSet;
use std::sync::Arc;

use clap::Args;
use jiff::SignedDuration;

use super::alerting::{self, Alerting, Telling};
use super::console::{Console, Failure};
use super::request::{self, Prepared};
use super::run::{by, facts, runtime};
use super::signals::Signals;
use super::state::Kept;
use crate::alerting::{Caller, Happening, Input};
use crate::check::program::Program;
use crate::shown::look::clean;
use crate::system;
use crate::types::Labels;
use crate::units;

/// The runbook whose alerting is meant, and who speaks.
#[derive(Debug, Args)]
pub(super) struct Speaker {
    /// The runbook.
    file: String,
    /// A value for a `param`; can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    set: Vec<String>,
    /// Who says it: a person's name. The user of this machine otherwise.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    #[command(flatten)]
    state: Kept,
}

/// Take on an incident: the pages for it stop.
#[derive(Debug, Args)]
pub(super) struct Ack {
    #[command(flatten)]
    speaker: Speaker,
    /// The incident, by its number in `runbook incidents`.
    incident: i64,
}

/// Call a level of an incident, or begin one by hand.
#[derive(Debug, Args)]
pub(super) struct Escalate {
    #[command(flatten)]
    speaker: Speaker,
    /// The incident by its number, or a reason that the runbook's escalation has `by hand`.
    what: String,
    /// The level; the next one, or that of the reason, otherwise.
    #[arg(long)]
    to: Option<u32>,
    /// What is the matter, for the people who are told.
    #[arg(long, value_name = "TEXT")]
    message: Option<String>,
}

/// Close an incident with its alerts.
#[derive(Debug, Args)]
pub(super) struct Close {
    #[command(flatten)]
    speaker: Speaker,
    /// The incident, by its number in `runbook incidents`; an alert as `alert/12`.
    incident: String,
}

/// Keep thresholds quiet for a time: nobody is told of what opens meanwhile until it is over.
#[derive(Debug, Args)]
pub(super) struct Silence {
    #[command(flatten)]
    speaker: Speaker,
    /// Only this threshold; all otherwise.
    #[arg(long, value_name = "TITLE")]
    threshold: Option<String>,
    /// Only alerts with this label; can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    label: Vec<String>,
    /// How long: `2h`, `30m`.
    #[arg(long = "for", value_name = "TIME", required_unless_present = "end")]
    duration: Option<String>,
    /// Why.
    #[arg(long, value_name = "TEXT", required_unless_present = "end")]
    why: Option<String>,
    /// End a silence before its time, by its number.
    #[arg(long, value_name = "NUMBER", conflicts_with_all = ["duration", "threshold", "label"])]
    end: Option<i64>,
}

pub(super) fn ack(args: &Ack, console: &Console) -> Result<u8, Failure> {
    speak(&args.speaker, console, |desk, _, by| {
        open_incident(desk, args.incident)?;
        Ok(Input::Acknowledge { incident: args.incident, by })
    })
}

pub(super) fn escalate(args: &Escalate, console: &Console) -> Result<u8, Failure> {
    speak(&args.speaker, console, |desk, _, by| {
        let policy = desk.desk.policy();
        let caller = Caller { by: Arc::clone(&by), text: args.message.as_deref().map(Arc::from) };
        if let Ok(number) = args.what.parse::<i64>() {
            let incident = open_incident(desk, number)?;
            let next = || incident.policy.above(incident.level).map(|level| level.number);
            let level = args.to.or_else(next).ok_or_else(|| {
                Failure::new(format!("incident #{number} is at its highest level, {}", incident.level))
            })?;
            if incident.policy.level(level).is_none() {
                let levels: Vec<String> = incident.policy.levels.iter().map(|level| level.number.to_string()).collect();
                return Err(Failure::new(format!("incident #{number} has no level {level}"))
                    .help(format!("it keeps the escalation that it began under, with {}", levels.join(", "))));
            }
            if level <= incident.level {
                return Err(Failure::new(format!("incident #{number} is at level {} already", incident.level)));
            }
            return Ok(Input::Escalate { incident: number, level, caller });
        }
        let policy = policy.ok_or_else(|| Failure::new("the runbook has no escalation"))?;
        let reasons: Vec<&str> = policy.by_hand.iter().map(|(reason, _)| &**reason).collect();
        let found = policy.by_hand.iter().find(|(reason, _)| **reason == *args.what);
        let (reason, own) = found.ok_or_else(|| {
            let failure =
                Failure::new(format!("no incident has the number `{}`, and no reason is called so", args.what));
            match reasons.as_slice() {
                [] => failure.help("the runbook's escalation has no reason `by hand`"),
                known => failure.help(format!("it has: {}", known.join(", "))),
            }
        })?;
        let text =
            args.message.clone().map_or_else(|| format!("{reason}, said by {by}"), |text| format!("{text} ({by})"));
        let (level, caller) = (args.to.unwrap_or(*own), Some(caller));
        Ok(Input::Called { title: Arc::clone(reason), level, text: text.into(), caller })
    })
}

pub(super) fn close(args: &Close, console: &Console) -> Result<u8, Failure> {
    speak(&args.speaker, console, |desk, _, by| {
        if let Some(alert) = args.incident.strip_prefix("alert/") {
            let number = alert
                .parse::<i64>()
                .ok()
                .filter(|number| desk.desk.state().is_ok_and(|state| state.alerts.contains_key(number)));
            let alert = number.ok_or_else(|| Failure::new(format!("no open alert has the number `{alert}`")))?;
            return Ok(Input::CloseAlert { alert, by });
        }
        let number = args.incident.parse().map_err(|_| {
            Failure::new(format!("`{}` is no number", args.incident)).help("`runbook incidents` lists them")
        })?;
        open_incident(desk, number)?;
        Ok(Input::Close { incident: number, by })
    })
}

pub(super) fn silence(args: &Silence, console: &Console) -> Result<u8, Failure> {
    speak(&args.speaker, console, |desk, program, by| {
        let state = desk.desk.state()?;
        if let Some(silence) = args.end {
            if !state.silences.contains_key(&silence) {
                let known: Vec<String> = state.silences.keys().map(ToString::to_string).collect();
                return Err(Failure::new(format!("no silence has the number {silence}")).help(format!(
                    "there are: {}",
                    if known.is_empty() { "none".to_owned() } else { known.join(", ") }
                )));
            }
            return Ok(Input::EndSilence { silence, by });
        }
        let threshold = args.threshold.as_deref().map(|title| desk.desk.threshold(title)).transpose()?;
        let labels = args.label.iter().map(|label| {
            let (name, value) = label.split_once('=').ok_or_else(|| {
                Failure::new(format!("`--label {label}` has no value")).help("write `--label name=value`")
            })?;
            Ok((name.into(), value.into()))
        });
        let labels: Labels = labels.collect::<Result<_, Failure>>()?;
        if let Some(threshold) = &threshold {
            known_labels(program, threshold, &labels)?;
        }
        let text = args.duration.as_deref().unwrap_or_default();
        let duration = match units::parse_quantity(text) {
            Ok(units::Quantity::Duration(nanoseconds)) if nanoseconds > 0 => SignedDuration::from_nanos(nanoseconds),
            _ => return Err(Failure::new(format!("`--for {text}` is no time")).help("write `--for 2h` or `--for 30m`")),
        };
        let until = system::now().checked_add(duration).map_err(|_| Failure::new("that is too far ahead"))?;
        let why = args.why.clone().unwrap_or_default().into();
        Ok(Input::Silence { threshold, labels, until, by, why })
    })
}

/// Refuses labels that no alert of a threshold has: such a silence would keep nothing quiet, and somebody relies on it. What
/// checks raise and others post may have any.
fn known_labels(program: &Program, title: &str, labels: &Labels) -> Result<(), Failure> {
    let threshold = program.thresholds.iter().find(|threshold| &*threshold.title == title);
    let Some(threshold) = threshold.filter(|threshold| !threshold.when.is_empty()) else { return Ok(()) };
    let metrics = threshold.metrics.iter().filter_map(|id| program.metrics.get(id.index()));
    let known: BTreeSet<&str> = metrics.flat_map(|metric| metric.labels.iter().map(|label| &*label.name)).collect();
    let Some((name, _)) = labels.iter().find(|(name, _)| !known.contains(&**name)) else { return Ok(()) };
    let help = match known.len() {
        0 => "its alerts have no labels: leave `--label` out".to_owned(),
        _ => format!("they have: {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    };
    Err(Failure::new(format!("no alert of \"{title}\" has a label `{name}`")).help(help))
}

fn open_incident(alerting: &Alerting, number: i64) -> Result<Arc<crate::alerting::Incident>, Failure> {
    let mut state = alerting.desk.state()?;
    let known: Vec<String> = state.incidents.keys().map(|number| format!("#{number}")).collect();
    state.incidents.remove(&number).ok_or_else(|| {
        let open = if known.is_empty() { "none is open".to_owned() } else { format!("open: {}", known.join(", ")) };
        Failure::new(format!("no open incident of this runbook has the number {number}")).help(open)
    })
}

/// Says something to the alerting of a runbook, tells whom it concerns, and says what came of it.
fn speak(
    speaker: &Speaker,
    console: &Console,
    input: impl FnOnce(&Alerting, &Program, Arc<str>) -> Result<Input, Failure>,
) -> Result<u8, Failure> {
    let asked = request::Asked { file: speaker.file.clone(), only: Vec::new(), set: speaker.set.clone() };
    let Some(prepared) = request::prepare_to_say(&asked, console)? else { return Ok(2) };
    let runtime = runtime(None)?;
    let exit = runtime.block_on(spoken(speaker, prepared, console, input));
    // A ledger that does not answer must not keep the answer back.
    runtime.shutdown_background();
    exit
}

async fn spoken(
    speaker: &Speaker,
    prepared: Prepared,
    console: &Console,
    input: impl FnOnce(&Alerting, &Program, Arc<str>) -> Result<Input, Failure>,
) -> Result<u8, Failure> {
    let mut signals = Signals::new()?;
    let ready = signals.or_stopped(understood(speaker, &prepared, console, input), "nothing was said");
    let (alerting, input) = ready.await?;
    let nothing = nothing(&input);
    let happened = alerting.desk.take(system::now(), input)?;
    if happened.is_empty() {
        console.print(&format!("{}\n", clean(&nothing?)))?;
    }
    tell(&happened, console)?;
    let left = "it is written down; who was not told of it yet is told by the next run or `runbook serve`";
    // It is said, whoever was not told of it.
    Ok(if signals.or_stopped(alerting.finish(console), left).await? { 0 } else { 3 })
}

/// What is said where nothing came of what a person said: somebody else has said it in the meantime. Whoever calls for help
/// must not believe that it was called.
fn nothing(input: &Input) -> Result<String, Failure> {
    let what = match input {
        Input::Acknowledge { incident, by } => {
            return Ok(format!("incident #{incident}: {by} has taken it on already"));
        }
        Input::Escalate { incident, level, .. } => {
            format!("nobody was called: incident #{incident} is over by now, or at level {level} or above")
        }
        _ => "it is over already: nothing has changed".to_owned(),
    };
    Err(Failure::new(what).help("`runbook incidents` says how it stands"))
}

/// What is to be said, and the alerting that it is said to.
async fn understood(
    speaker: &Speaker,
    prepared: &Prepared,
    console: &Console,
    input: impl FnOnce(&Alerting, &Program, Arc<str>) -> Result<Input, Failure>,
) -> Result<(Alerting, Input), Failure> {
    let by: Arc<str> = speaker.by.clone().unwrap_or_else(by).into();
    let facts = facts("said".into(), &prepared.program, &speaker.file)?;
    let (world, opened) = alerting::open(&Telling::default(), &speaker.state, prepared, &facts).await?;
    let Some(alerting) = opened else {
        return Err(Failure::new(format!("`{}` has no thresholds and no channels", speaker.file)));
    };
    let input = input(&alerting, &prepared.program, by)?;
    let alerting = alerting.reach_some(prepared, console).await?;
    // Whoever calls somebody wants the right one; all else is said at once.
    if matches!(input, Input::Escalate { .. } | Input::Called { .. }) {
        alerting.ask_who(prepared, &facts, &world, console).await?;
    }
    Ok((alerting, input))
}

fn tell(happened: &[Happening], console: &Console) -> Result<(), Failure> {
    for happening in happened {
        let about = match (happening.incident, happening.alert) {
            (Some(incident), _) => format!("incident #{incident}: "),
            (None, Some(alert)) => format!("alert #{alert}: "),
            (None, None) => String::new(),
        };
        console.print(&format!("{about}{}\n", clean(&happening.what.to_string())))?;
    }
    Ok(())
}
