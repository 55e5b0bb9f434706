//! What decides about the changes of a run beside the person at the terminal: the approvals that are kept, and the policy.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;

use super::console::Failure;
use super::edited;
use super::here;
use super::inputs::STDIN;
use super::plan::command;
use super::policy;
use super::request;
use super::state;
use crate::check::program::{Change, Program};
use crate::plan::{self, Plan};
use crate::policy::Policy;
use crate::report::terminal::short;
use crate::run::{Rules, Standing, StandingApproval};
use crate::shown::look::{clean, quoted};
use crate::source::Sources;
use crate::store::approval::{Account, Approval, Kept, Part};
use crate::store::ledger::Place;
use crate::system;
use crate::types::{Fault, FaultKind};

/// The rules of a run.
pub(super) struct Rulebook {
    pub(super) program: Arc<Program>,
    /// The files of the runbook: the policies around them are read anew before each change.
    pub(super) sources: Arc<Sources>,
    /// Where approvals are kept.
    pub(super) place: Place,
    /// Who began the run.
    pub(super) asker: Account,
    /// The plans whose approvals count, the widest last.
    pub(super) plans: Vec<Asked>,
    /// Whether a change is undone: what was agreed to of plans is none of that.
    pub(super) undoes: bool,
    /// The folder of the runbook.
    pub(super) folder: PathBuf,
}

/// A plan that an approval may be of.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) hash: String,
    pub(super) only: Vec<String>,
    pub(super) parts: Vec<Part>,
    /// The programs of this machine that it starts.
    pub(super) programs: BTreeSet<String>,
}

impl Rules for Rulebook {
    fn standing(&self) -> Result<Standing, Fault> {
        let Some(ledger) = self.place.open_existing()? else { return Ok(Standing::default()) };
        let kept = ledger.approvals(Some(&self.program.header.title))?;
        let policy = policy::now(&self.program, &self.sources);
        let policy = policy.map_err(|why| Fault::new(FaultKind::Forbidden, why))?;
        Ok(self.judged(&kept, policy.as_deref(), system::now()))
    }

    fn lets(&self, change: &Change) -> Result<(), String> {
        let Some(policy) = policy::now(&self.program, &self.sources)? else { return Ok(()) };
        policy.may_change(&plan::called(&self.program, change), system::now())
    }
}

impl Rulebook {
    fn judged(&self, kept: &[Kept], policy: Option<&Policy>, now: Timestamp) -> Standing {
        let mut standing = Standing::default();
        let mut edited: Vec<(&Approval, &Asked)> = Vec::new();
        // The newest first: it is the one that people know of.
        for one in kept.iter().rev() {
            let approval = &one.approval;
            let fits = self.plans.iter().find(|plan| plan.hash == approval.plan);
            let stands = good(one, &self.program.header.title, policy, now);
            match (fits, stands.and_then(|()| fits.map_or(Ok(()), |plan| is_here(approval, plan, &self.folder)))) {
                (Some(_), Ok(())) => standing.approvals.push(StandingApproval {
                    id: approval.id.as_str().into(),
                    role: approval.role.as_str().into(),
                    words: words(approval),
                    by_asker: approval.account.is_same(&self.asker) || approval.who == self.asker.user,
                    targets: approval.targets.clone(),
                }),
                (Some(_), Err(why)) => standing.others.push(format!("{} {why}", words(approval))),
                // What is agreed to of an undoing is for nothing else, and the other way round.
                (None, Ok(())) if approval.undoes.is_some() != self.undoes => {}
                (None, Ok(())) if approval.undoes.is_some() => {
                    standing
                        .others
                        .push(format!("{} is for another undoing, or the runbook was edited since", words(approval)));
                }
                (None, Ok(())) => match self.plans.iter().find(|plan| plan.only == approval.only) {
                    Some(plan) => edited.push((approval, plan)),
                    None => standing.others.push(format!("{} is for {}", words(approval), part(&approval.only))),
                },
                (None, Err(_)) => {}
            }
        }
        let mut roles: Vec<&str> = standing.approvals.iter().map(|one| &*one.role).collect();
        let mut void = Vec::new();
        for (approval, plan) in edited {
            if !roles.contains(&&*approval.role) {
                roles.push(&approval.role);
                void.push(format!("{} {}", words(approval), since(approval, plan)));
            }
        }
        standing.others.extend(void);
        standing
    }
}

/// Whether the programs that are started are those of the approval, on its machine.
///
/// # Errors
/// Which of them is not.
pub(super) fn is_here(approval: &Approval, plan: &Asked, folder: &Path) -> Result<(), String> {
    let here = here::targets(&plan.programs, folder).map_err(|fault| fault.message.to_string())?;
    let is_other =
        |(name, place): &(&String, &String)| approval.targets.get(*name).is_none_or(|own| !here::is_same(own, place));
    let Some((name, place)) = here.iter().find(is_other) else { return Ok(()) };
    let approved = approval.targets.get(name).map_or("nothing", String::as_str);
    Err(format!("is for {name} as {approved}, and here it is {place}"))
}

/// Which part of a runbook something was given for that is none for this run.
fn part(only: &[String]) -> String {
    if only.is_empty() {
        return "the whole runbook, and this run is of a part of it, which is approved by itself".to_owned();
    }
    let titles: Vec<String> = only.iter().map(|title| format!("`{title}`")).collect();
    format!("{} alone, and this run is of something else", titles.join(" and "))
}

/// That an approval is void by an edit, and by which.
pub(super) fn since(approval: &Approval, plan: &Asked) -> String {
    let edits = edited::edits(&approval.parts, &plan.parts);
    format!("is void since an edit: {}", edits.join("; "))
}

/// `approval 3f2a91bc by ann@laptop as "dba", until 2026-12-31 00:00 UTC`
pub(super) fn words(approval: &Approval) -> String {
    let Approval { id, who, role, until, .. } = approval;
    format!("approval {id} by {who} as {role:?}, until {}", at(*until))
}

/// As whoever approves or waits reads it anywhere.
pub(super) fn at(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

/// Whether an approval stands, the plan aside.
///
/// # Errors
/// Why not.
pub(super) fn good(kept: &Kept, title: &str, policy: Option<&Policy>, now: Timestamp) -> Result<(), String> {
    let Kept { approval, revoked } = kept;
    if let Some(revoked) = revoked {
        let reason = revoked.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        return Err(format!("was revoked by {} at {}{reason}", revoked.by, at(revoked.at)));
    }
    if approval.until <= now {
        return Err("has ended".to_owned());
    }
    // Before anything of it is believed.
    if approval.own_id().map_err(|fault| fault.message.to_string())? != approval.id {
        return Err(
            "is not what was given: it was changed in the store, or is of a version before; approve again".to_owned()
        );
    }
    if approval.runbook != title {
        return Err(format!("was given for \"{}\"", approval.runbook));
    }
    let Some(people) = policy.and_then(|policy| policy.approvers(&approval.role)) else { return Ok(()) };
    let Some(signature) = &approval.signature else {
        return Err(format!("is not signed, and the policy names the keys of {:?}", approval.role));
    };
    let Some(keys) = people.get(&approval.who) else {
        return Err(format!("is by somebody whom the policy does not name as {:?}", approval.role));
    };
    let text = approval.text().map_err(|fault| fault.message.to_string())?;
    let mut why = "is signed by no key of the policy".to_owned();
    for key in keys {
        match key.verify(&text, &signature.armoured) {
            Ok(()) => return Ok(()),
            // What one key has signed, another one has not.
            Err(other) if key.fingerprint() == signature.key => why = format!("does not count: {other}"),
            Err(_) => {}
        }
    }
    Err(why)
}

/// Refuses changes, by what they are called, that the policy lets nobody make now. `look`: how to look all the same.
pub(super) fn open_now<'c>(
    called: impl Iterator<Item = &'c Vec<&'static str>>,
    policy: Option<&Policy>,
    look: &str,
) -> Result<(), Failure> {
    let Some(policy) = policy else { return Ok(()) };
    for called in called {
        policy.may_change(called, system::now()).map_err(|message| Failure {
            exit: 6,
            message,
            help: Some(format!("nothing was run{look}")),
        })?;
    }
    Ok(())
}

/// Which policy holds, and when it lets changes be made.
pub(super) fn policy_lines(plan: &Plan, policy: Option<&Policy>) -> Vec<String> {
    let Some(policy) = policy else { return Vec::new() };
    let mut lines = vec![format!("policy: {}", clean(&policy.name()))];
    let mut seen = BTreeSet::new();
    for change in &plan.changes {
        let Some((name, windows)) = policy.windows(&change.called) else { continue };
        if !seen.insert(name.clone()) {
            continue;
        }
        let now = match policy.may_change(&change.called, system::now()) {
            Ok(()) => "open now",
            Err(_) => "closed now",
        };
        lines.push(format!("  {name} only {}: {now}", clean(&windows)));
    }
    lines
}

/// What to type so that the changes of a plan are made. Where they ask for roles, nobody agrees to them by themselves. `places`: the
/// hash of where it leads.
pub(super) fn how_to_approve(
    plan: &Plan,
    asked: &request::Asked,
    state: &state::Kept,
    places: Option<&str>,
) -> Vec<String> {
    let run = command("run", asked, state);
    let mut lines = by_roles(plan, asked, state);
    lines.push(match &plan.hash {
        Some(hash) if lines.is_empty() => format!("approve: {run} --approve {}", typed(hash, places)),
        _ => format!("then run it: {run}"),
    });
    lines
}

/// What is typed to agree to a plan, wherever it leads or where it leads now.
pub(super) fn typed(hash: &str, places: Option<&str>) -> String {
    places.map_or_else(|| short(hash).to_owned(), |places| format!("{}@{}", short(hash), short(places)))
}

/// What those type whose approval the changes of a plan ask for.
pub(super) fn by_roles(plan: &Plan, asked: &request::Asked, state: &state::Kept) -> Vec<String> {
    of_roles(&plan.roles(), "runs", &command("approve", asked, state))
}

/// What those type whose approval the undoing of a change asks for.
pub(super) fn by_roles_to_undo(
    roles: &BTreeSet<Arc<str>>,
    file: &str,
    state: &state::Kept,
    run: &str,
    change: u32,
) -> Vec<String> {
    let file = if file == STDIN { "FILE".to_owned() } else { quoted(file) };
    of_roles(roles, "undoes", &format!("{} {file} --undo {run}:{change}", state.again().command("approve")))
}

fn of_roles(roles: &BTreeSet<Arc<str>>, does: &str, approve: &str) -> Vec<String> {
    let of_role = |role: &Arc<str>| {
        format!("approve as {role}, by somebody else than whoever {does} it: {approve} --as {}", quoted(role))
    };
    roles.iter().map(of_role).collect()
}

impl Asked {
    pub(super) fn of(plan: &Plan, sources: &Sources, only: &[String]) -> Option<Self> {
        let hash = plan.hash.clone()?;
        Some(Self { hash, only: only.to_vec(), parts: edited::parts(plan, sources), programs: plan.programs.clone() })
    }
}
