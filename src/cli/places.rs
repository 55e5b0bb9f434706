//! Where the connections of a runbook lead from this machine.

use std::sync::Arc;

use super::alerting::{self, Telling};
use super::console::Failure;
use super::request::{Asked, Prepared};
use super::run::{facts, id, runtime};
use super::state::Kept;
use crate::catalog::RunFacts;
use crate::run::Asking;
use crate::shown::look::clean;
use crate::store::past::Made;
use crate::types::Fault;

/// A connection by its name, and where it leads.
pub(super) type Placed = (Arc<str>, Result<Arc<str>, Fault>);

/// The same, with what it leads to as people read it.
pub(super) struct Led {
    pub(super) name: Arc<str>,
    pub(super) place: Result<Arc<str>, Fault>,
    pub(super) target: Result<Arc<str>, Fault>,
}

/// Each of these connections, in their order, with where it leads or why that is not known.
pub(super) fn places(
    prepared: &Prepared,
    names: &[Arc<str>],
    facts: &Arc<RunFacts>,
    state: &Kept,
) -> Result<Vec<Placed>, Failure> {
    let led = led(prepared, names, facts, state)?;
    Ok(led.into_iter().map(|led| (led.name, led.place)).collect())
}

/// The same, with the words in which a run says it.
pub(super) fn led(
    prepared: &Prepared,
    names: &[Arc<str>],
    facts: &Arc<RunFacts>,
    state: &Kept,
) -> Result<Vec<Led>, Failure> {
    if names.is_empty() {
        return Ok(Vec::new());
    }
    let runtime = runtime(None)?;
    let found = runtime.block_on(async {
        let (world, _) = alerting::open(&Telling::nobody(), state, prepared, facts).await?;
        let asking = Asking::new(Arc::clone(&prepared.program), prepared.set.clone(), Arc::clone(facts), world);
        let mut found = Vec::new();
        for name in names {
            let place = asking.place(name).await;
            // What cannot be opened is tried once.
            let target = match &place {
                Ok(_) => asking.target(name).await,
                Err(fault) => Err(fault.clone()),
            };
            found.push(Led { name: Arc::clone(name), place, target });
        }
        Ok(found)
    });
    runtime.shutdown_background();
    found
}

/// Where these connections lead, and those through which changes of a run were made: refused where one of those leads to
/// another system now, or nobody can say. What was done there was not done here.
pub(super) fn as_before(
    made: &[&Made],
    others: &[Arc<str>],
    prepared: &Prepared,
    asked: &Asked,
    state: &Kept,
) -> Result<Vec<Placed>, Failure> {
    let mut names = others.to_vec();
    for led_to in made.iter().filter_map(|made| made.led_to.as_ref()) {
        if !names.contains(&led_to.connection) {
            names.push(Arc::clone(&led_to.connection));
        }
    }
    let now = places(prepared, &names, &facts(id().into(), &prepared.program, &asked.file)?, state)?;
    for made in made {
        let Some(led_to) = &made.led_to else { continue };
        let found = now.iter().find(|(name, _)| *name == led_to.connection).map(|(_, place)| place);
        let (name, then) = (&led_to.connection, clean(&led_to.system));
        let which = format!("change {} of run {}, `{}`,", made.change, made.run, clean(&made.title));
        match found {
            Some(Ok(place)) if *place == led_to.system => {}
            Some(Ok(place)) => {
                let message = format!("`{name}` leads to {} here, and {which} was made on {then}", clean(place));
                return Err(Failure::new(message).help(
                    "nothing was run; go on where it began, with the variables and files that named that system there",
                ));
            }
            Some(Err(fault)) => {
                let message =
                    format!("nobody can say whether `{name}` leads to {then}, where {which} was made: {fault}");
                return Err(Failure::new(message).help("nothing was run"));
            }
            None => {}
        }
    }
    Ok(now)
}
