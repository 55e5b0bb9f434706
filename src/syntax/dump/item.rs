//! Declarations.

use super::Dump;
use crate::syntax::ast::{
    ChangesEffect, Driver, EscalateTrigger, EscalationClause, EscalationClauseKind, Item, ItemKind, LevelClause,
    LevelClauseKind, Metric, Parameter, Schedule, ScheduleRule, Section, SectionMember, Step, ThresholdClause,
    ThresholdClauseKind, Type,
};

impl Dump {
    pub(super) fn item(&mut self, item: &Item) {
        self.docs(&item.docs);
        self.node(item.kind.keyword(), |dump| dump.item_kind(&item.kind));
    }

    fn item_kind(&mut self, kind: &ItemKind) {
        match kind {
            ItemKind::Use(found) => {
                self.title(&found.path);
                if let Some(alias) = &found.alias {
                    self.name(alias);
                }
            }
            ItemKind::Param(param) => {
                self.name(&param.name);
                self.type_ref(&param.ty);
                self.maybe_expr("default", param.default.as_ref());
            }
            ItemKind::Secret(secret) => {
                self.name(&secret.name);
                self.driver(&secret.source);
            }
            ItemKind::Connect(connect) => {
                self.name(&connect.name);
                self.driver(&connect.driver);
            }
            ItemKind::Channel(channel) => {
                self.name(&channel.name);
                self.driver(&channel.driver);
            }
            ItemKind::Tool(tool) => {
                self.name(&tool.name);
                self.signature(&tool.params, tool.result.as_ref(), tool.changes);
                self.driver(&tool.program);
            }
            ItemKind::Type(alias) => {
                self.name(&alias.name);
                self.type_ref(&alias.definition);
            }
            ItemKind::Command(command) => {
                self.name(&command.name);
                self.signature(&command.params, command.result.as_ref(), command.changes);
                if let Some(deprecated) = &command.deprecated {
                    self.node("deprecated", |dump| dump.title(deprecated));
                }
                self.maybe_block("block", command.body.as_ref());
            }
            ItemKind::Metric(metric) => self.metric(metric),
            ItemKind::Threshold(threshold) => {
                self.title(&threshold.title);
                self.atom(threshold.severity.node.name());
                for clause in &threshold.clauses {
                    self.threshold_clause(clause);
                }
            }
            ItemKind::Escalation(escalation) => {
                self.name(&escalation.name);
                for clause in &escalation.clauses {
                    self.escalation_clause(clause);
                }
            }
            ItemKind::Section(section) => self.section(section),
            ItemKind::Report(report) => {
                self.title(&report.title);
                if let Some(schedule) = &report.schedule {
                    self.schedule(schedule);
                }
                self.block("block", &report.body);
            }
            ItemKind::Test(test) => {
                self.title(&test.title);
                for statement in &test.statements {
                    self.test_statement(statement);
                }
            }
        }
    }

    fn driver(&mut self, driver: &Driver) {
        let path: Vec<&str> = driver.path.iter().map(super::Name::as_str).collect();
        self.node(&path.join("."), |dump| dump.args(&driver.args));
    }

    fn signature(&mut self, params: &[Parameter], result: Option<&Type>, changes: Option<ChangesEffect>) {
        for param in params {
            self.docs(&param.docs);
            self.node("param", |dump| {
                dump.name(&param.name);
                dump.type_ref(&param.ty);
                dump.maybe_expr("default", param.default.as_ref());
            });
        }
        if let Some(result) = result {
            self.node("->", |dump| dump.type_ref(result));
        }
        if let Some(changes) = changes {
            self.atom(if changes.idempotent { "changes idempotent" } else { "changes" });
        }
    }

    fn metric(&mut self, metric: &Metric) {
        self.name(&metric.name);
        self.type_ref(&metric.ty);
        for label in &metric.labels {
            self.label(label);
        }
        if let Some(every) = &metric.every {
            self.expr(every);
        }
        self.expr(&metric.value);
    }

    fn section(&mut self, section: &Section) {
        self.title(&section.title);
        if let Some(schedule) = &section.schedule {
            self.schedule(schedule);
        }
        self.maybe_expr("limit", section.within.as_ref());
        if !section.quiet.is_empty() {
            self.node("quiet", |dump| section.quiet.iter().for_each(|title| dump.title(title)));
        }
        for member in &section.members {
            match member {
                SectionMember::Step(step) => self.step(step),
                SectionMember::Statement(statement) => self.statement(statement),
            }
        }
        self.maybe_block("on_failure", section.on_failure.as_ref());
        self.maybe_block("always", section.always.as_ref());
    }

    fn step(&mut self, step: &Step) {
        self.docs(&step.docs);
        self.node("step", |dump| {
            dump.title(&step.title);
            if let Some(label) = &step.label {
                dump.label(label);
            }
            dump.maybe_expr("limit", step.within.as_ref());
            for statement in &step.body.statements {
                dump.statement(statement);
            }
            dump.maybe_block("on_failure", step.body.on_failure.as_ref());
            dump.maybe_block("always", step.body.always.as_ref());
        });
    }

    fn schedule(&mut self, schedule: &Schedule) {
        self.node("schedule", |dump| {
            match &schedule.rule {
                ScheduleRule::Every { interval } => {
                    dump.atom("every");
                    dump.expr(interval);
                }
                ScheduleRule::Daily { at } => {
                    dump.atom("daily");
                    dump.clocks(at);
                }
                ScheduleRule::Weekly { on, at } => {
                    dump.atom("weekly");
                    dump.names(on);
                    dump.clocks(at);
                }
                ScheduleRule::Monthly { days, at } => {
                    dump.atom("monthly");
                    for day in days {
                        dump.written(day);
                    }
                    dump.clocks(at);
                }
                ScheduleRule::Cron { pattern } => {
                    dump.atom("cron");
                    dump.title(pattern);
                }
                ScheduleRule::OnAlert { thresholds } => {
                    dump.atom("on_alert");
                    for title in thresholds {
                        dump.title(title);
                    }
                }
            }
            if let Some(options) = &schedule.options {
                dump.args(options);
            }
        });
    }

    fn clocks(&mut self, at: &[super::Written]) {
        for clock in at {
            self.atom(&format!("clock:{}", clock.node));
        }
    }

    fn threshold_clause(&mut self, clause: &ThresholdClause) {
        self.docs(&clause.docs);
        match &clause.kind {
            ThresholdClauseKind::When { condition, held } => self.node("when_c", |dump| {
                dump.expr(condition);
                if let Some(held) = held {
                    dump.expr(held);
                }
            }),
            ThresholdClauseKind::WhenUnknown { held } => self.node("when_c", |dump| {
                dump.atom("unknown");
                if let Some(held) = held {
                    dump.expr(held);
                }
            }),
            ThresholdClauseKind::Until { condition } => self.maybe_expr("until_c", Some(condition)),
            ThresholdClauseKind::From { source, names } => self.node("from_c", |dump| {
                dump.names(std::slice::from_ref(source));
                for name in names {
                    dump.title(name);
                }
            }),
            ThresholdClauseKind::Notify { channels } => self.node("notify", |dump| dump.names(channels)),
            ThresholdClauseKind::Escalate { level, trigger } => self.node("jump_c", |dump| {
                dump.written(level);
                match trigger {
                    Some(EscalateTrigger::After(delay)) => {
                        dump.atom("after");
                        dump.expr(delay);
                    }
                    Some(EscalateTrigger::When(condition)) => dump.expr(condition),
                    None => {}
                }
            }),
            ThresholdClauseKind::QuietWhile { threshold } => self.node("quiet_c", |dump| dump.title(threshold)),
            ThresholdClauseKind::GroupBy { labels } => self.node("group_c", |dump| dump.names(labels)),
            ThresholdClauseKind::Link { target } => self.node("link", |dump| dump.template(target)),
        }
    }

    fn escalation_clause(&mut self, clause: &EscalationClause) {
        self.docs(&clause.docs);
        match &clause.kind {
            EscalationClauseKind::Level(level) => self.node("level", |dump| {
                dump.written(&level.number);
                dump.title(&level.title);
                for clause in &level.clauses {
                    dump.level_clause(clause);
                }
            }),
            EscalationClauseKind::ByHand { reason, level } => self.node("by_hand", |dump| {
                dump.title(reason);
                dump.written(level);
            }),
            EscalationClauseKind::Roles { file } => self.node("roles", |dump| dump.title(file)),
            EscalationClauseKind::RolesOf { call } => self.node("roles", |dump| dump.expr(call)),
            EscalationClauseKind::Repeat { times } => self.node("repeat", |dump| dump.written(times)),
        }
    }

    fn level_clause(&mut self, clause: &LevelClause) {
        self.docs(&clause.docs);
        match &clause.kind {
            LevelClauseKind::Notify { channels } => self.node("notify", |dump| dump.names(channels)),
            LevelClauseKind::RespondWithin { limit } => self.maybe_expr("respond", Some(limit)),
            LevelClauseKind::EscalateAfter { delay, unless } => self.node("step_up", |dump| {
                dump.expr(delay);
                if let Some(unless) = unless {
                    dump.atom(unless.node.name());
                }
            }),
        }
    }
}
