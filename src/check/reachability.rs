//! Whether every threshold is measured or raised, every critical one reaches a person, and every level is reached.

use std::collections::HashSet;

use super::checker::Checker;
use super::names::What;
use super::program::{ChannelId, Escalation, MetricId, Program, Severity, Threshold, ThresholdId, walk};
use crate::catalog::DriverKind;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::ItemKind;

impl Checker<'_> {
    pub(super) fn check_reachability(&mut self, program: &Program) {
        self.module = 0;
        let levels = program.escalations.first();
        for (threshold, id) in program.thresholds.iter().zip(0..) {
            self.check_measured(threshold, ThresholdId(id));
            if threshold.severity == Severity::Critical {
                self.check_told(threshold, levels);
            }
        }
        self.check_levels(levels);
        if let Some(escalation) = levels {
            self.check_anew(program, escalation);
        }
        self.check_held_open(program);
    }

    /// What a section `on alert` raises is looked at again when it is begun again. Where it is begun only by what it raises
    /// itself, that is never: people are not told anew of what is open.
    fn check_held_open(&mut self, program: &Program) {
        let mut raised: Vec<(usize, ThresholdId, Span)> = Vec::new();
        for part in walk::blocks_of(program) {
            let section = part.section.and_then(|own| program.sections.iter().position(|one| std::ptr::eq(one, own)));
            let Some(section) = section else { continue };
            walk::statements(part.block, &mut |statement| {
                raised.extend(statement.raises().map(|threshold| (section, threshold, statement.span)));
            });
        }
        let answers =
            |at: usize| program.sections.get(at).map(|section| section.on_alert.as_slice()).unwrap_or_default();
        for (section, threshold, span) in &raised {
            // What is begun by it, and by what that raises in turn.
            let mut begun = vec![*threshold];
            let mut at = 0;
            while let Some(by) = begun.get(at).copied() {
                at += 1;
                for (_, next, _) in raised.iter().filter(|(own, ..)| answers(*own).contains(&by)) {
                    if !begun.contains(next) {
                        begun.push(*next);
                    }
                }
            }
            let on = answers(*section);
            if on.is_empty() || !on.iter().all(|id| begun.contains(id)) {
                continue;
            }
            let title = |id: ThresholdId| program.thresholds.get(id.index()).map_or("", |one| &one.title);
            let name = program.sections.get(*section).map_or("", |section| &section.title);
            let message =
                format!("`{}` stays open: `{name}`, which raises it here, begins only with it", title(*threshold));
            let help = "raise it in a section with a schedule, which looks again; or `show` here what was found";
            self.report(Diagnostic::new(Code::HeldOpen, *span, message).help(help));
        }
    }

    /// A channel that owns an incident has it from the level that told it first. Where it was handed to a policy on the
    /// other side, that is meant.
    fn check_anew(&mut self, program: &Program, escalation: &Escalation) {
        let owns = |id: &ChannelId| {
            program.channels.get(id.index()).is_some_and(|channel| channel.is_handed_over() == Some(false))
        };
        for level in &escalation.levels {
            let before = |id: &ChannelId| {
                let lower = escalation.levels.iter().filter(|lower| lower.number < level.number);
                lower.flat_map(|lower| &lower.notify).any(|own| program.is_same_channel(*own, *id))
            };
            if level.notify.is_empty() || !level.notify.iter().all(|id| owns(id) && before(id)) {
                continue;
            }
            let message = format!("level {} pages nobody who was not paged already", level.number);
            let help = "give it a channel of its own: `pagerduty` with the key of another service, or mail";
            self.report(Diagnostic::new(Code::NobodyNew, level.span, message).help(help));
        }
    }

    fn check_measured(&mut self, threshold: &Threshold, id: ThresholdId) {
        let raised = self.alerting.raised.get(&id).copied();
        if threshold.when.is_empty() {
            if raised.is_none()
                && threshold.from.is_empty()
                && !self.is_in_junk(&threshold.title)
                && !self.was_cut_short()
            {
                let message = format!("nothing measures or raises `{}`", threshold.title);
                let help = format!("give it `when …`, or raise it: `check … else raise \"{}\"`", threshold.title);
                self.report(Diagnostic::new(Code::ThresholdUnmeasured, threshold.span, message).help(help));
            }
            return;
        }
        if raised.is_some() || !threshold.from.is_empty() {
            let message =
                format!("`{}` has a `when` and is raised as well, so nobody could say when it closes", threshold.title);
            let diagnostic = Diagnostic::new(Code::ThresholdBoth, threshold.span, message);
            let diagnostic = match raised {
                Some(raised) => diagnostic.label(raised, "raised here"),
                None => diagnostic,
            };
            self.report(diagnostic.help("split it into two thresholds, or take one of them away"));
        }
        for metric in &threshold.metrics {
            self.check_sampled(*metric, threshold);
        }
    }

    fn check_sampled(&mut self, metric: MetricId, threshold: &Threshold) {
        let Some(declaration) = self.names.declaration(What::Metric(metric)) else { return };
        let ItemKind::Metric(written) = &declaration.item.kind else { return };
        let name = declaration.name.clone();
        if written.every.is_some() || self.alerting.measured.contains(&metric) || self.is_in_junk(&name.text) {
            return;
        }
        let message = format!("`{}` looks at `{name}`, and nothing takes samples of it", threshold.title);
        let diagnostic =
            Diagnostic::new(Code::ThresholdUnmeasured, threshold.span, message).label(name.span, "declared here");
        self.report(diagnostic.help(format!("give the metric an interval, `every 5m`, or a step `measure {name}`")));
    }

    fn check_told(&mut self, threshold: &Threshold, escalation: Option<&Escalation>) {
        let here = threshold.notify.iter().any(|channel| self.reaches_person(*channel));
        let later = escalation.is_some_and(|escalation| {
            let starts = threshold.escalate.iter().map(|escalate| escalate.level).chain([1]);
            let told = reached(escalation, starts);
            escalation
                .levels
                .iter()
                .filter(|level| told.contains(&level.number))
                .any(|level| level.notify.iter().any(|channel| self.reaches_person(*channel)))
        });
        if here || later || self.was_cut_short() {
            return;
        }
        let message = format!("`{}` is critical, and reaches no person by itself", threshold.title);
        let catalog = self.catalog;
        let paging = catalog.drivers().filter(|driver| matches!(driver.kind, DriverKind::Channel { person: true, .. }));
        let paging = super::wording::alternatives(paging.map(|driver| driver.name));
        let help = if paging.is_empty() {
            "notify a channel that pages somebody".to_owned()
        } else {
            format!("notify a channel that pages somebody, such as {paging}, or escalate to one")
        };
        self.report(Diagnostic::new(Code::NobodyTold, threshold.span, message).help(help));
    }

    /// Whether a message through a channel reaches somebody by itself. An unknown driver is a mistake already.
    fn reaches_person(&self, channel: ChannelId) -> bool {
        let Some(declaration) = self.names.declaration(What::Channel(channel)) else { return true };
        let ItemKind::Channel(channel) = &declaration.item.kind else { return true };
        let driver = channel.driver.path.first().and_then(|name| self.catalog.driver(&name.text));
        driver.is_none_or(|driver| matches!(driver.kind, DriverKind::Channel { person: true, .. }))
    }

    fn check_levels(&mut self, escalation: Option<&Escalation>) {
        let known: HashSet<u32> =
            escalation.into_iter().flat_map(|escalation| &escalation.levels).map(|level| level.number).collect();
        if !self.was_cut_short() {
            for (level, span) in self.alerting.escalated.clone() {
                if !known.contains(&level) {
                    let message = format!("there is no level {level}");
                    let mut numbers: Vec<u32> = known.iter().copied().collect();
                    numbers.sort_unstable();
                    let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
                    let help = if numbers.is_empty() {
                        "declare it: `escalation name { level 1 \"…\" { notify … } }`".to_owned()
                    } else {
                        format!("there are {}", numbers.join(", "))
                    };
                    self.report(Diagnostic::new(Code::UnknownLevel, span, message).help(help));
                }
            }
        }
        let Some(escalation) = escalation else { return };
        let starts = self.alerting.escalated.iter().map(|(level, _)| *level).chain([1]);
        let told = reached(escalation, starts);
        for level in &escalation.levels {
            if told.contains(&level.number) {
                continue;
            }
            let message = format!("nothing leads to level {}", level.number);
            let help = "let the level before it `escalate after …`, or a threshold `escalate to level …`";
            self.report(Diagnostic::new(Code::UnreachableLevel, level.span, message).help(help));
        }
    }

    /// Whether a part of the file could not be read: what seems to be absent may stand there.
    pub(super) fn was_cut_short(&self) -> bool {
        self.names.modules.first().is_some_and(|module| !module.file.junk.is_empty())
    }

    fn is_in_junk(&self, name: &str) -> bool {
        self.names.is_in_junk(0, name)
    }
}

/// The levels that an incident comes to from some of them.
fn reached(escalation: &Escalation, starts: impl Iterator<Item = u32>) -> HashSet<u32> {
    let mut levels: Vec<(u32, bool)> =
        escalation.levels.iter().map(|level| (level.number, level.next.is_some())).collect();
    levels.sort_unstable();
    let starts: HashSet<u32> = starts.collect();
    let mut told = HashSet::new();
    let mut comes = false;
    for (number, goes_on) in levels {
        if comes || starts.contains(&number) {
            told.insert(number);
            comes = goes_on;
        } else {
            comes = false;
        }
    }
    told
}
