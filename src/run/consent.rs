//! Consent to the changes of a run: asked for once, before the first of them; and the approvals by a role, before each.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::context::Context;
use super::request::{Consent, Proposal, Standing, StandingApproval};
use crate::check::program::Change;
use crate::plan::{Agreed, bound_to};
use crate::store::event::Event;
use crate::types::Fault;

/// What is known of the consent to this run.
#[derive(Default)]
pub(crate) struct Consented {
    /// Whether somebody has agreed to all of it; `None` until it was asked for.
    all: Option<bool>,
    /// Whether a change has asked for it.
    begun: bool,
    /// The standing approvals that were used and told of.
    told: BTreeSet<Arc<str>>,
}

/// By which standing approvals a change is allowed, none where somebody agreed to this run. `None` where it is not allowed:
/// nothing more of the run is begun then.
pub(super) async fn given(context: &Context<'_>, change: &Change) -> Result<Option<Vec<Arc<str>>>, Fault> {
    let run = context.run;
    let mut consented = context.limits.race(run.consented.lock()).await?;
    if consented.all == Some(false) {
        return Ok(None);
    }
    let hash = &run.proposal.hash;
    if consented.all.is_none() {
        let how = match &run.consent {
            Consent::Given(given) => {
                let agreed: Vec<&Agreed> = given.iter().filter(|agreed| agreed.is_of(hash)).collect();
                if !holds_here(context, &agreed).await? {
                    consented.all = Some(false);
                    return Ok(None);
                }
                (!agreed.is_empty()).then(|| "--approve".to_owned())
            }
            Consent::Rehearsed { .. } => Some("rehearsal".to_owned()),
            Consent::ReadOnly | Consent::Plan | Consent::None | Consent::Ask(_) => None,
        };
        if let Some(how) = how {
            consented.all = Some(true);
            context.emit(Event::Approved { hash: hash.clone(), how });
        }
    }
    let rehearsed = matches!(run.consent, Consent::Rehearsed { .. });
    let role = change.approve_by.as_ref().filter(|_| !rehearsed);
    // A run that would have to stop half-way for want of an approval does not begin to change anything.
    let first = !rehearsed && !std::mem::replace(&mut consented.begun, true);
    let mut wanted: BTreeSet<&Arc<str>> = role.into_iter().collect();
    if first {
        wanted.extend(&run.proposal.roles);
    }
    if consented.all == Some(true) && wanted.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let Standing { approvals, mut others } = standing(context).await?;
    for role in wanted {
        let of_role: Vec<&StandingApproval> = approvals.iter().filter(|one| one.role == *role).collect();
        let own = of_role.iter().all(|one| one.by_asker);
        if own {
            others.extend(
                of_role
                    .iter()
                    .map(|own| format!("{} is by whoever began this run: nobody approves their own", own.words)),
            );
            consented.all = Some(false);
            let what = format!("a change waits for an approval by {role:?}");
            halt(context, Some(what), others, &Box::pin(proposed_here(context)).await?);
            return Ok(None);
        }
    }
    let used = match role {
        Some(role) => approvals.iter().find(|one| one.role == *role && !one.by_asker),
        None if consented.all == Some(true) => return Ok(Some(Vec::new())),
        None => approvals.first(),
    };
    if used.is_none()
        && consented.all.is_none()
        && let Consent::Ask(asking) = &run.consent
    {
        let how = context.limits.race(asking.ask(Box::pin(proposed_here(context)).await?)).await?;
        context.waited();
        consented.all = Some(how.is_some());
        if let Some(how) = how {
            context.emit(Event::Approved { hash: hash.clone(), how });
            return Ok(Some(Vec::new()));
        }
    }
    let Some(approval) = used else {
        consented.all = Some(false);
        halt(context, None, others, &Box::pin(proposed_here(context)).await?);
        return Ok(None);
    };
    if consented.told.insert(Arc::clone(&approval.id)) {
        context.emit(Event::Approved { hash: hash.clone(), how: format!("standing {}", approval.words) });
    }
    Ok(Some(vec![Arc::clone(&approval.id)]))
}

/// Whether what was agreed to holds for the systems to which the connections lead here. Where it does not, the run waits.
async fn holds_here(context: &Context<'_>, agreed: &[&Agreed]) -> Result<bool, Fault> {
    if agreed.is_empty() || agreed.iter().any(|agreed| !agreed.is_bound()) {
        return Ok(true);
    }
    let places = places(context).await?;
    let places = || places.iter().map(|(name, place)| (&***name, &**place));
    if agreed.iter().any(|agreed| agreed.holds_at(places())) {
        return Ok(true);
    }
    let found = places().map(|(name, place)| format!("`{name}` leads to {place}"));
    let what = "the plan was made of other systems".to_owned();
    halt(context, Some(what), found.collect(), &Box::pin(proposed_here(context)).await?);
    Ok(false)
}

/// The approvals that stand, for the systems to which the connections lead here.
async fn standing(context: &Context<'_>) -> Result<Standing, Fault> {
    let run = context.run;
    let Some(rules) = &run.rules else { return Ok(Standing::default()) };
    let Standing { approvals, mut others } = rules.standing()?;
    if approvals.is_empty() {
        return Ok(Standing { approvals, others });
    }
    let places = places(context).await?;
    let mut good = Vec::new();
    for approval in approvals {
        let elsewhere =
            places.iter().find(|(name, place)| approval.targets.get(&***name).is_none_or(|own| **own != **place));
        match elsewhere {
            None => good.push(approval),
            Some((name, place)) => {
                let approved = approval.targets.get(&***name).map_or("nothing", String::as_str);
                others.push(format!("{} is for `{name}` at {approved}, and here it leads to {place}", approval.words));
            }
        }
    }
    Ok(Standing { approvals: good, others })
}

/// Where the connections lead that the changes are made on.
async fn places<'r>(context: &Context<'r>) -> Result<Vec<(&'r Arc<str>, Arc<str>)>, Fault> {
    let mut places = Vec::new();
    for name in &context.run.proposal.leads_to {
        places.push((name, context.limits.race(context.run.outside.place(name)).await??));
    }
    Ok(places)
}

/// What is to be agreed to, with the systems that its connections lead to here: what is declared may mean another cluster
/// or another server in each shell.
async fn proposed_here(context: &Context<'_>) -> Result<Proposal, Fault> {
    let mut proposal = context.run.proposal.clone();
    let mut targets: BTreeMap<Arc<str>, String> = BTreeMap::new();
    for name in proposal.changes.iter().flat_map(|change| &change.on) {
        if !targets.contains_key(name) {
            let target = match context.limits.race(context.run.outside.target(name)).await? {
                Ok(target) => target.to_string(),
                Err(fault) => format!("nobody knows where: {}", fault.message),
            };
            targets.insert(Arc::clone(name), target);
        }
    }
    for change in proposal.changes.iter_mut().filter(|change| !change.on.is_empty()) {
        let own: Vec<&str> = change.on.iter().filter_map(|name| targets.get(name).map(String::as_str)).collect();
        change.target = Some(own.join(", "));
    }
    // Who pastes what is printed agrees to these systems, and to no other.
    if let (Ok(places), false) = (places(context).await, proposal.leads_to.is_empty()) {
        proposal.help = bound_to(&proposal.help, places.iter().map(|(name, place)| (&***name, &**place)));
    }
    Ok(proposal)
}

/// Nothing more of the run is begun: it waits.
fn halt(context: &Context<'_>, what: Option<String>, others: Vec<String>, proposal: &Proposal) {
    let run = context.run;
    let _ = run.halted.set("the run waits for approval");
    let help = what.into_iter().chain(others).chain([proposal.help.clone()]);
    context.emit(Event::ApprovalNeeded {
        hash: run.proposal.hash.clone(),
        changes: proposal.changes.clone(),
        help: help.collect::<Vec<_>>().join("\n"),
    });
}
