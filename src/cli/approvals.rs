//! `runbook approvals` and `runbook revoke`: the standing approvals that are kept, and taking one back.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::console::{Console, Failure};
use super::request;
use super::run::{account, folder};
use super::standing::{self, at, good, words};
use super::state::Kept;
use crate::check::program::Program;
use crate::plan;
use crate::policy::Policy;
use crate::report::terminal::short;
use crate::shown::look::{Look, Tone, clean};
use crate::source::Sources;
use crate::store::approval::{Approval, Kept as KeptApproval, PublicKey, Revoked, Signature, Undoes};
use crate::store::ledger::Ledger;
use crate::system;

/// An id is told from others by no fewer characters.
const SHORTEST: usize = 4;

/// List standing approvals: who agreed to what, on what, until when. With a runbook, whether they still fit it.
#[derive(Debug, Args)]
pub(super) struct Approvals {
    /// Only those of this runbook, held against it as it is now.
    file: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    #[command(flatten)]
    state: Kept,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Terminal,
    /// One object a line.
    Json,
}

/// Take a standing approval back: what it covers waits for approval again, also in runs that are under way.
#[derive(Debug, Args)]
pub(super) struct Revoke {
    /// As `runbook approvals` prints it, or its beginning.
    id: String,
    /// Why, for those who wonder.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    #[command(flatten)]
    state: Kept,
}

/// The runbook that approvals are held against.
struct Own {
    program: Program,
    sources: Sources,
    policy: Option<Arc<Policy>>,
    folder: PathBuf,
}

/// Whether an approval stands.
enum State {
    Valid,
    /// Why not.
    No {
        word: &'static str,
        why: String,
    },
}

pub(super) fn run(args: &Approvals, console: &Console) -> Result<u8, Failure> {
    let own = match &args.file {
        Some(file) => match request::held(file, console) {
            Ok((program, sources, policy)) => Some(Own { program, sources, policy, folder: folder(file)? }),
            Err(exit) => return Ok(exit),
        },
        None => None,
    };
    let Some(ledger) = args.state.ledger()?.open_existing()? else {
        console.say("no approval is kept\n");
        return Ok(0);
    };
    let title = own.as_ref().map(|own| &*own.program.header.title);
    let kept = ledger.approvals(title)?;
    let now = system::now();
    for one in &kept {
        let state = state(one, own.as_ref(), now)?;
        match args.format {
            Format::Terminal => console.print_lines(&lines(one, &state, own.as_ref(), now, console.look()))?,
            Format::Json => console.print(&(json_of(one, &state).to_string() + "\n"))?,
        }
    }
    if kept.is_empty() {
        console.say("no approval is kept\n");
    }
    Ok(0)
}

/// Whether it stands; and with a runbook, whether it still fits it.
fn state(kept: &KeptApproval, own: Option<&Own>, now: Timestamp) -> Result<State, Failure> {
    let approval = &kept.approval;
    let policy = own.and_then(|own| own.policy.as_deref());
    if let Err(why) = good(kept, &approval.runbook, policy, now) {
        let word = match &kept.revoked {
            Some(_) => "revoked",
            None if approval.until <= now => "ended",
            None => "void",
        };
        return Ok(State::No { word, why });
    }
    let Some(Own { program, sources, folder, .. }) = own else { return Ok(State::Valid) };
    if approval.undoes.is_some() {
        // Whether it fits is known with the values of the run: when it is undone.
        return Ok(State::Valid);
    }
    let void = |why: String| Ok(State::No { word: "void", why });
    let set: Vec<String> = approval.set.iter().map(|(name, value)| format!("{name}={value}")).collect();
    // What it was given for may be gone.
    let selection = match request::select(program, &approval.only, "only") {
        Ok(selection) => selection,
        Err(failure) => return void(failure.message),
    };
    let typed = match request::settings(program, &set) {
        Ok((_, typed)) => typed,
        Err(failure) => return void(failure.message),
    };
    let plan = plan::plan(program, &selection, &typed)?;
    match standing::Asked::of(&plan, sources, &approval.only) {
        Some(plan) if plan.hash == approval.plan => {
            let here = standing::is_here(approval, &plan, folder);
            Ok(here.map_or_else(|why| State::No { word: "elsewhere", why }, |()| State::Valid))
        }
        Some(own) => void(standing::since(approval, &own)),
        None => void("nothing is changed any more".to_owned()),
    }
}

fn lines(kept: &KeptApproval, state: &State, own: Option<&Own>, now: Timestamp, look: Look) -> Vec<String> {
    let approval = &kept.approval;
    let (tone, word) = match state {
        State::Valid => (Tone::Good, format!("valid, ends in {}", rough(approval.until.duration_since(now)))),
        State::No { word, .. } => (Tone::Doubtful, (*word).to_owned()),
    };
    let mut lines = vec![format!(
        "{}  {}  {}",
        look.paint(Tone::Strong, &approval.id),
        look.paint(tone, &word),
        clean(&approval.runbook)
    )];
    lines.push(format!("  {}, given {}, plan {}", clean(&words(approval)), at(approval.at), short(&approval.plan)));
    if let State::No { why, .. } = state {
        lines.push(format!("  {}", clean(why)));
    }
    if let Some(Undoes { run, change }) = &approval.undoes {
        lines.push(format!("  to undo change {change} of run {}", clean(run)));
    }
    for change in &approval.changes {
        lines.push(format!("    {}", clean(&change.change)));
    }
    for (name, place) in &approval.targets {
        lines.push(format!("    {} at {}", clean(name), clean(place)));
    }
    lines.extend(signed(approval, own));
    lines
}

/// By which key, as far as that is known: whose it is, a policy says.
fn signed(approval: &Approval, own: Option<&Own>) -> Option<String> {
    let signature = approval.signature.as_ref()?;
    let key = clean(&signature.key);
    let role = &approval.role;
    Some(match (own, fits(approval, signature)) {
        (_, Err(why)) => format!("    said to be signed with {key}, and {why}"),
        (None, Ok(())) => format!("    signed with {key}; with the runbook, its policy is asked whose that is"),
        (Some(own), Ok(())) if own.policy.as_ref().is_none_or(|policy| policy.approvers(role).is_none()) => {
            format!("    signed with {key}; no policy says whose that is")
        }
        // Held against the policy before.
        (Some(_), Ok(())) => format!("    signed with {key}"),
    })
}

/// Whether the signature is by the key that it names, over what the approval says.
fn fits(approval: &Approval, signature: &Signature) -> Result<(), String> {
    let text = approval.text().map_err(|fault| fault.message.to_string())?;
    let key = PublicKey::of_signature(&signature.armoured)?;
    if key.fingerprint() != signature.key {
        return Err("it is signed by another key".to_owned());
    }
    key.verify(&text, &signature.armoured)
}

fn rough(left: SignedDuration) -> String {
    let (hours, minutes) = (left.as_hours(), left.as_mins());
    match hours {
        48.. => format!("{} days", hours / 24),
        1..48 => format!("{hours} h"),
        _ => format!("{} min", minutes.max(1)),
    }
}

fn json_of(kept: &KeptApproval, state: &State) -> serde_json::Value {
    let Approval { id, runbook, file, only, set, plan, role, who, account, at, until, targets, changes, .. } =
        &kept.approval;
    let (state, why) = match state {
        State::Valid => ("valid", None),
        State::No { word, why } => (*word, Some(why)),
    };
    let set: BTreeMap<&String, &String> = set.iter().map(|(name, value)| (name, value)).collect();
    json!({
        "id": id, "state": state, "why": why, "runbook": runbook, "file": file, "only": only, "set": set, "plan": plan,
        "role": role, "who": who, "account": account, "at": at, "until": until, "targets": targets, "changes": changes,
        "key": kept.approval.signature.as_ref().map(|signature| &signature.key),
        "signature_fits": kept.approval.signature.as_ref().map(|signature| fits(&kept.approval, signature).is_ok()),
        "revoked": kept.revoked, "undoes": kept.approval.undoes,
    })
}

pub(super) fn revoke(args: &Revoke, console: &Console) -> Result<u8, Failure> {
    let Some(mut ledger) = args.state.ledger()?.open_existing()? else {
        return Err(Failure::new(format!("there is no approval `{}`: none is kept", args.id)));
    };
    let id = meant(&ledger, &args.id)?;
    let revoked = Revoked { at: system::now(), by: account().to_string(), reason: args.reason.clone() };
    match ledger.revoke(&id, &revoked)? {
        Some(Ok(())) => console.print(&format!("approval {id} is revoked\n")).map(|()| 0),
        Some(Err(before)) => {
            Err(Failure::new(format!("approval {id} was revoked by {} at {}", clean(&before.by), at(before.at))))
        }
        None => Err(Failure::new(format!("there is no approval `{id}`"))),
    }
}

/// The id of which a person has typed the beginning.
fn meant(ledger: &Ledger, typed: &str) -> Result<String, Failure> {
    let kept = ledger.approvals(None)?;
    let ids = kept.iter().map(|one| one.approval.id.as_str()).filter(|id| id.starts_with(typed));
    match ids.collect::<Vec<_>>().as_slice() {
        [] => {
            Err(Failure::new(format!("there is no approval `{}`", clean(typed))).help("`runbook approvals` lists them"))
        }
        [id] if typed.len() >= SHORTEST => Ok((*id).to_owned()),
        _ => Err(Failure::new(format!("`{}` is too short to say which approval is meant", clean(typed)))
            .help("`runbook approvals` prints their ids")),
    }
}
