//! What decides about the changes of a run beside the person at the terminal: the approvals that are kept, and the policy.

use std::collections::BTreeSet;
use std::sync::Arc;

use jiff::Timestamp;

use super::console::Failure;
use super::edited;
use super::plan::command;
use super::policy;
use super::request;
use crate::check::program::{Change, Program};
use crate::plan::{self, Plan};
use crate::policy::Policy;
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
}

/// A plan that an approval may be of.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) hash: String,
    pub(super) only: Vec<String>,
    pub(super) parts: Vec<Part>,
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
            let fits = self.plans.iter().any(|plan| plan.hash == approval.plan);
            match (fits, good(one, &self.program.header.title, policy, now)) {
                (true, Ok(())) => standing.approvals.push(StandingApproval {
                    id: approval.id.as_str().into(),
                    role: approval.role.as_str().into(),
                    words: words(approval),
                    by_asker: approval.account.is_same(&self.asker) || approval.who == self.asker.user,
                    targets: approval.targets.clone(),
                }),
                (true, Err(why)) => standing.others.push(format!("{} {why}", words(approval))),
                (false, Ok(())) => {
                    let same = self.plans.iter().find(|plan| plan.only == approval.only);
                    edited.extend(same.map(|plan| (approval, plan)));
                }
                (false, Err(_)) => {}
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
    let text = approval.text();
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

/// Refuses a run whose changes the policy lets nobody make now.
pub(super) fn open_now(plan: &Plan, policy: Option<&Policy>) -> Result<(), Failure> {
    let Some(policy) = policy else { return Ok(()) };
    for change in &plan.changes {
        policy.may_change(&change.called, system::now()).map_err(|message| Failure {
            exit: 6,
            message,
            help: Some("nothing was run; `--read-only` looks and changes nothing".to_owned()),
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

/// What to type for approvals by the roles that changes ask for; nothing where they ask for none.
pub(super) fn ask_for(plan: &Plan, asked: &request::Asked) -> Vec<String> {
    let command = command("approve", asked);
    plan.roles().iter().map(|role| format!("approve as {role}: {command} --as {}", quoted(role))).collect()
}

impl Asked {
    pub(super) fn of(plan: &Plan, sources: &Sources, only: &[String]) -> Option<Self> {
        let hash = plan.hash.clone()?;
        Some(Self { hash, only: only.to_vec(), parts: edited::parts(plan, sources) })
    }
}
