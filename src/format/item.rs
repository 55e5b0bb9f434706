//! Declarations.

use super::doc::Doc;
use super::printer::{Blank, Part, Printer};
use super::statement::Line;
use super::types::path_text;
use crate::source::Span;
use crate::syntax::ast::{
    Block, Command, Driver, Expr, File, Header, Item, ItemKind, Metric, Report, Schedule, ScheduleRule, Section,
    SectionMember, Step, Tool, Written,
};

impl<'t> Printer<'t> {
    pub(super) fn file(&mut self, file: &File) -> Vec<Doc> {
        let mut parts: Vec<(Option<&'static str>, Part<'_, 't>)> = Vec::new();
        if let Some(header) = &file.header {
            let print = move |printer: &mut Printer<'t>| printer.header(header);
            parts.push((None, Part::new(header.span, Blank::Always, print)));
        }
        for item in &file.items {
            let print = move |printer: &mut Printer<'t>| printer.declaration(item);
            parts.push((one_line_kind(item), Part::new(item.span, Blank::Always, print)));
        }
        parts.sort_by_key(|(_, part)| part.span.start);
        let mut before = None;
        for (kind, part) in &mut parts {
            // A row of small declarations of one kind may stand together.
            if kind.is_some() && *kind == before {
                part.blank = Blank::AsWritten;
            }
            before = *kind;
        }
        let parts = parts.into_iter().map(|(_, part)| part).collect();
        let mut docs = self.lines(parts, u32::MAX);
        if matches!(docs.first(), Some(Doc::Hard { .. })) {
            docs.remove(0);
        }
        docs
    }

    fn header(&mut self, header: &Header) -> Doc {
        let mut docs = vec![Doc::text(format!("{} ", header.kind.node.name()))];
        self.middle(header.title.span.start, &mut docs);
        docs.extend([self.title(&header.title), Doc::text(" ")]);
        let parts = header
            .fields
            .iter()
            .map(|field| {
                let print = move |printer: &mut Printer<'t>| {
                    let mut docs = vec![Doc::text(format!("{} ", field.name))];
                    printer.middle(field.value.span.start, &mut docs);
                    docs.push(printer.written(field.value.span));
                    Doc::group(docs)
                };
                Part::new(field.span, Blank::AsWritten, print)
            })
            .collect();
        docs.extend(self.braced(parts, header.span.end));
        Doc::broken(docs)
    }

    fn declaration(&mut self, item: &Item) -> Doc {
        let mut line = Line::new(item.kind.keyword());
        match &item.kind {
            ItemKind::Use(found) => {
                line.value(self.title(&found.path));
                if let Some(alias) = &found.alias {
                    line.word(&format!("as {alias}"));
                }
            }
            ItemKind::Param(param) => {
                line.word(&format!("{}:", param.name));
                line.value(self.type_ref(&param.ty));
                if let Some(default) = &param.default {
                    line.word("=");
                    line.value(self.expr(default));
                }
            }
            ItemKind::Secret(secret) => self.made_by(secret.name.as_str(), &secret.source, &mut line),
            ItemKind::Connect(connect) => self.made_by(connect.name.as_str(), &connect.driver, &mut line),
            ItemKind::Channel(channel) => self.made_by(channel.name.as_str(), &channel.driver, &mut line),
            ItemKind::Tool(tool) => self.tool(tool, &mut line),
            ItemKind::Type(alias) => {
                line.word(&format!("{} =", alias.name));
                line.value(self.type_ref(&alias.definition));
            }
            ItemKind::Command(command) => self.command(command, item.span, &mut line),
            ItemKind::Metric(metric) => self.metric(metric, &mut line),
            ItemKind::Threshold(threshold) => {
                line.value(self.title(&threshold.title));
                self.middle(threshold.severity.span.start, &mut line.head);
                line.word(threshold.severity.node.name());
                line.block = self.threshold_block(&threshold.clauses, item.span.end);
            }
            ItemKind::Escalation(escalation) => {
                line.word(escalation.name.as_str());
                line.block = self.escalation_block(&escalation.clauses, item.span.end);
            }
            ItemKind::Section(section) => self.section(section, item.span.end, &mut line),
            ItemKind::Report(report) => self.report(report, &mut line),
            ItemKind::Test(test) => {
                line.value(self.title(&test.title));
                line.block = self.test_block(&test.statements, item.span.end);
            }
        }
        if line.block.is_empty() {
            self.leftover(item.span.end, &mut line.rest);
        }
        line.doc()
    }

    fn made_by(&mut self, name: &str, driver: &Driver, line: &mut Line) {
        line.word(&format!("{name} ="));
        line.value(self.driver(driver));
    }

    fn driver(&mut self, driver: &Driver) -> Doc {
        let mut docs = Vec::new();
        self.middle(driver.span.start, &mut docs);
        docs.push(Doc::text(path_text(&driver.path)));
        docs.push(self.args(&driver.args));
        Doc::group(docs)
    }

    fn tool(&mut self, tool: &Tool, line: &mut Line) {
        line.word(tool.name.as_str());
        let signature = self.signature(&tool.params, tool.result.as_ref(), tool.changes, tool.program.span.start);
        line.head.extend(signature);
        line.word("=");
        line.value(self.driver(&tool.program));
    }

    fn command(&mut self, command: &Command, span: Span, line: &mut Line) {
        line.word(command.name.as_str());
        let end = command
            .result
            .as_ref()
            .map(|result| result.span.start)
            .or(command.changes.map(|changes| changes.span.start))
            .or(command.deprecated.as_ref().map(|deprecated| deprecated.span.start))
            .or(command.body.as_ref().map(|body| body.span.start))
            .unwrap_or(span.end);
        let signature = self.signature(&command.params, command.result.as_ref(), command.changes, end);
        line.head.extend(signature);
        if let Some(deprecated) = &command.deprecated {
            self.middle(deprecated.span.start, &mut line.head);
            line.word("deprecated");
            line.value(self.title(deprecated));
        }
        if let Some(body) = &command.body {
            self.middle(body.span.start, &mut line.rest);
            line.block = self.block(body);
        }
    }

    /// What is measured stands on a line of its own if all of it does not fit on one.
    fn metric(&mut self, metric: &Metric, line: &mut Line) {
        line.word(&format!("{}:", metric.name));
        line.value(self.type_ref(&metric.ty));
        for label in &metric.labels {
            line.value(self.label(label));
        }
        if let Some(every) = &metric.every {
            line.word("every");
            line.value(self.expr(every));
        }
        line.word("=");
        self.clause(line, "", metric.value.span, |printer| printer.expr(&metric.value));
    }

    fn section(&mut self, section: &Section, end: u32, line: &mut Line) {
        line.value(self.title(&section.title));
        self.schedule_clause(section.schedule.as_ref(), line);
        self.within(section.within.as_ref(), line);
        if let Some(first) = section.quiet.first() {
            let titles: Vec<String> = section.quiet.iter().map(|title| self.source(title.span)).collect();
            self.clause(line, "quiet", first.span, |_| Doc::text(titles.join(", ")));
        }
        let mut parts: Vec<Part<'_, 't>> = Vec::new();
        let mut after_step = false;
        for member in &section.members {
            let (span, is_step) = match member {
                SectionMember::Step(step) => (step.span, true),
                SectionMember::Statement(statement) => (statement.span, false),
            };
            let blank = if is_step || after_step { Blank::Always } else { Blank::AsWritten };
            after_step = is_step;
            let print = move |printer: &mut Printer<'t>| match member {
                SectionMember::Step(step) => printer.step(step),
                SectionMember::Statement(statement) => printer.statement(statement),
            };
            parts.push(Part::new(span, blank, print));
        }
        parts.extend(self.closing_parts(section.on_failure.as_ref(), section.always.as_ref()));
        line.block = self.braced(parts, end);
    }

    fn step(&mut self, step: &Step) -> Doc {
        let mut line = Line::new("step");
        line.value(self.title(&step.title));
        if let Some(label) = &step.label {
            self.clause(&mut line, "", label.span, |printer| printer.label(label));
        }
        self.within(step.within.as_ref(), &mut line);
        self.middle(step.body.span.start, &mut line.rest);
        let mut parts = self.statement_parts(&step.body.statements);
        parts.extend(self.closing_parts(step.body.on_failure.as_ref(), step.body.always.as_ref()));
        line.block = self.braced(parts, step.body.span.end);
        line.doc()
    }

    /// `on failure { … }`, `always { … }`
    fn closing_parts<'p>(&self, on_failure: Option<&'p Block>, always: Option<&'p Block>) -> Vec<Part<'p, 't>> {
        let named = [("on failure ", on_failure), ("always ", always)];
        let blocks = named.into_iter().filter_map(|(word, block)| Some((word, block?)));
        blocks
            .map(|(word, block)| {
                // The block's span begins at its brace; the word stands before it.
                let start = self.word_start(word, block.span.start);
                let print = move |printer: &mut Printer<'t>| {
                    let mut docs = vec![Doc::text(word)];
                    printer.middle(block.span.start, &mut docs);
                    docs.extend(printer.block(block));
                    Doc::broken(docs)
                };
                Part::new(Span { start, ..block.span }, Blank::AsWritten, print)
            })
            .collect()
    }

    fn word_start(&self, word: &str, brace: u32) -> u32 {
        let first = word.split(' ').next().unwrap_or(word);
        let before = self.slice(0, brace);
        before.rfind(first).and_then(|found| u32::try_from(found).ok()).unwrap_or(brace)
    }

    fn report(&mut self, report: &Report, line: &mut Line) {
        line.value(self.title(&report.title));
        self.schedule_clause(report.schedule.as_ref(), line);
        self.middle(report.body.span.start, &mut line.rest);
        line.block = self.block(&report.body);
    }

    fn schedule_clause(&mut self, schedule: Option<&Schedule>, line: &mut Line) {
        let Some(schedule) = schedule else { return };
        self.clause(line, "", schedule.span, |printer| {
            let mut docs = printer.schedule_rule(&schedule.rule);
            if let Some(options) = &schedule.options {
                docs.push(Doc::text(" "));
                docs.push(printer.args(options));
            }
            Doc::group(docs)
        });
    }

    fn schedule_rule(&mut self, rule: &ScheduleRule) -> Vec<Doc> {
        let text = match rule {
            ScheduleRule::Every { interval } => return self.every(interval),
            ScheduleRule::Daily { at } => format!("daily at {}", list(at)),
            ScheduleRule::Weekly { on, at } => {
                format!("weekly on {} at {}", super::expr::list_text(on), list(at))
            }
            ScheduleRule::Monthly { days, at } => format!("monthly on day {} at {}", list(days), list(at)),
            ScheduleRule::Cron { pattern } => format!("cron {}", self.source(pattern.span)),
            ScheduleRule::OnAlert { thresholds } => {
                let titles: Vec<String> = thresholds.iter().map(|title| self.source(title.span)).collect();
                format!("on alert {}", titles.join(", "))
            }
        };
        vec![Doc::text(text)]
    }

    fn every(&mut self, interval: &Expr) -> Vec<Doc> {
        vec![Doc::text("every "), self.expr(interval)]
    }
}

fn list(written: &[Written]) -> String {
    written.iter().map(|each| each.node.as_ref()).collect::<Vec<_>>().join(", ")
}

/// Declarations without a block, which may stand in rows.
const fn one_line_kind(item: &Item) -> Option<&'static str> {
    match &item.kind {
        ItemKind::Use(_)
        | ItemKind::Param(_)
        | ItemKind::Secret(_)
        | ItemKind::Connect(_)
        | ItemKind::Tool(_)
        | ItemKind::Type(_)
        | ItemKind::Channel(_)
        | ItemKind::Metric(_)
        | ItemKind::Command(Command { body: None, .. }) => Some(item.kind.keyword()),
        _ => None,
    }
}
