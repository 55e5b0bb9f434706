//! The version of a runbook that is served now, and its runs.

use std::sync::Arc;

use jiff::Timestamp;

use super::{Beginning, Home, Links, Loaded};
use crate::catalog::{Past, World};
use crate::desk::{Courier, Desk};
use crate::run::{self, Interrupt, Request};
use crate::schedule::Timetable;
use crate::shown::look::counted;
use crate::store::event::RunStarted;
use crate::store::ledger::Fence;
use crate::types::Fault;

/// The version of it that is served now.
#[derive(Clone)]
pub(super) struct Current {
    pub(super) loaded: Loaded,
    pub(super) desk: Arc<Desk>,
    pub(super) world: Arc<dyn World>,
    pub(super) courier: Courier,
}

impl Current {
    /// With all that serving it needs.
    pub(super) fn of(loaded: Loaded, home: &dyn Home, holder: &str, links: Option<Arc<Links>>) -> Result<Self, Fault> {
        let (program, facts) = (Arc::clone(&loaded.program), Arc::clone(&loaded.facts));
        let desk = Desk::open(home.ledger()?, Arc::clone(&program), loaded.set.clone(), Arc::clone(&facts))?;
        let desk = Arc::new(desk);
        let world = home.world(&loaded, Arc::clone(&desk) as Arc<dyn Past>);
        let outside = Arc::clone(&world);
        let courier = Courier::new(
            home.ledger()?,
            Arc::clone(&desk),
            program,
            loaded.set.clone(),
            facts,
            outside,
            holder.to_owned(),
        );
        let courier = match links {
            Some(links) => courier.with_links(Arc::new(move |runbook, incident, now| links.of(runbook, incident, now))),
            None => courier,
        };
        Ok(Self { loaded, desk, world, courier })
    }

    /// The same, for what is done in the name of a lease.
    pub(super) fn under(&self, fence: &Fence) -> Self {
        let desk = Arc::new(self.desk.under(fence.clone()));
        Self { desk, courier: self.courier.under(fence), ..self.clone() }
    }
}

/// What is done of a runbook by itself, and when first. `Err` where that is nothing.
pub(super) fn outlook(loaded: &Loaded, now: Timestamp) -> Result<String, String> {
    let program = &loaded.program;
    let zone = &program.header.timezone;
    let timed = program.sections.iter().filter_map(|section| {
        let table = Timetable::new(section.schedule.as_ref()?, zone, &program.header.title, &section.title);
        Some((table.next(now)?.at, &section.title))
    });
    let timed: Vec<_> = timed.collect();
    let answers = program.sections.iter().filter(|section| !section.on_alert.is_empty()).count();
    let sampled = program.metrics.iter().filter(|metric| metric.every.is_some()).count();
    let posted = program.thresholds.iter().filter(|threshold| !threshold.from.is_empty()).count();
    let climbs = !program.escalations.is_empty();
    let many = |count: usize, what: &str| match count {
        0 => format!("no {what}"),
        count => counted(count as u64, what),
    };
    let next = timed.iter().min().map_or_else(String::new, |(next, title)| {
        let at = next.to_zoned(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %Z");
        format!(", \"{title}\" next, at {at}")
    });
    let parts = [
        (true, format!("{} by the clock{next}", many(timed.len(), "section"))),
        (answers > 0, format!("{} on an alert", many(answers, "section"))),
        (true, format!("{} sampled", many(sampled, "metric"))),
        (true, many(program.thresholds.len(), "threshold")),
        (posted > 0, format!("{posted} of them of alerts that others post")),
        (climbs, "incidents climb in their time".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().filter(|(is, _)| *is).map(|(_, text)| text).collect();
    let does_something = !timed.is_empty() || answers > 0 || sampled > 0 || posted > 0 || climbs;
    if does_something { Ok(parts.join("; ")) } else { Err(parts.join("; ")) }
}

/// A run of a section.
pub(super) async fn running(
    beginning: Beginning,
    current: Current,
    interrupt: Interrupt,
    home: Arc<dyn Home>,
    title: Arc<str>,
) {
    let Beginning { started, facts, proposal, selection, consent, rules, recording, exclusive } = beginning;
    let id = Arc::clone(&started.run);
    let request = Request {
        program: current.loaded.program,
        sources: current.loaded.sources,
        started,
        facts,
        selection,
        set: current.loaded.set,
        proposal,
        consent,
        rules: Some(rules),
        person: None,
        interrupt,
        exclusive: Some(exclusive),
        known: run::known::Known::default(),
    };
    let run = run::run(request, Arc::clone(&current.world), Arc::clone(&recording).sink());
    let finished = Box::pin(current.desk.beside(&*current.world, run)).await;
    let (exit, faults) = recording.end();
    let exit = exit.unwrap_or(finished.exit);
    let waits = if exit == 5 { ", waits for approval" } else { "" };
    home.say(&format!("\"{title}\" ends: run {id}, exit {exit}{waits}, {:.1} s", finished.seconds));
    for fault in faults {
        home.warn(&format!("run {id}: {fault}"));
    }
}

/// What stands for a run where only samples are taken.
pub(super) fn sampled(current: &Current) -> RunStarted {
    RunStarted {
        run: "samples".into(),
        source_hash: current.loaded.fingerprint.clone(),
        read_only: true,
        ..run::started(&current.loaded.program, &current.loaded.facts)
    }
}
