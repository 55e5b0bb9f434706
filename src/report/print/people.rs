//! Who is told of what, and who is called when nobody answers.

use super::page::{Block, Line, code, joined, strong, text};
use super::places::is_secret;
use super::sheet::of;
use super::steps::Writer;
use super::words::duration;
use crate::check::program::{ChannelId, EscalateWhen, Escalation, Expr, Made, Threshold, ThresholdId, Unless};

impl<'p> Writer<'p> {
    /// The end of the page.
    pub(super) fn people(&mut self, whole: bool) {
        let program = self.knowledge.program;
        if whole {
            self.thresholds = (0..program.thresholds.len())
                .map(|index| ThresholdId(u32::try_from(index).unwrap_or(u32::MAX)))
                .collect();
        }
        self.thresholds.sort_unstable();
        let mut channels = Vec::new();
        if !self.thresholds.is_empty() {
            self.sheet.step();
            self.sheet.heading(2, "Alerts");
            let rows: Vec<Vec<Line>> =
                self.thresholds.clone().iter().filter_map(|id| self.alert(*id, &mut channels)).collect();
            self.sheet.block(Block::Table(vec!["alert", "when", "tell", "call"], rows));
        }
        // Whoever does a part of it by hand may need help with it, whatever it is about.
        for escalation in &program.escalations {
            self.escalation(escalation, &mut channels);
        }
        if whole {
            channels =
                (0..program.channels.len()).map(|index| ChannelId(u32::try_from(index).unwrap_or(u32::MAX))).collect();
        }
        channels.sort_unstable();
        channels.dedup();
        if !channels.is_empty() {
            self.sheet.heading(2, "Where to tell people");
            let rows = channels.iter().filter_map(|id| program.channels.get(id.index()));
            let rows = rows.map(|channel| {
                vec![
                    of([code(channel.name.to_string())]),
                    of([text(channel.made.driver.name)]),
                    self.declaration(&channel.made, INNER),
                ]
            });
            let rows = rows.collect();
            self.sheet.block(Block::Table(vec!["name", "by", "where"], rows));
        }
    }

    fn alert(&mut self, id: ThresholdId, channels: &mut Vec<ChannelId>) -> Option<Vec<Line>> {
        let threshold = self.knowledge.program.thresholds.get(id.index())?;
        let mut whens = self.whens(threshold);
        if let Some(unknown) = threshold.unknown_for {
            whens.push(of([text(format!("nobody can tell for {}", duration(unknown)))]));
        }
        if whens.is_empty() {
            whens.push(of([text("a check above says so")]));
        }
        let mut calls = Vec::new();
        for escalate in &threshold.escalate {
            let mut line = of([text(format!("level {}", escalate.level))]);
            match &escalate.when {
                EscalateWhen::AtOnce => line.push(text(" at once")),
                EscalateWhen::After(after) => line.push(text(format!(" after {}", duration(*after)))),
                EscalateWhen::Condition(condition) => {
                    line.extend([text(" if "), code(self.knowledge.source(condition))]);
                    line.extend(self.given(condition));
                }
            }
            calls.push(line);
        }
        let is_called =
            threshold.severity == crate::types::Severity::Critical && !self.knowledge.program.escalations.is_empty();
        let at_once = threshold.escalate.iter().any(|one| matches!(one.when, EscalateWhen::AtOnce));
        if is_called && !at_once {
            calls.insert(0, of([text("level 1")]));
        }
        let mut name = of([strong(threshold.title.to_string()), text(format!(" ({})", threshold.severity.name()))]);
        if let Some(link) = threshold.link.as_ref().and_then(|link| self.knowledge.text(link)) {
            name.push(text(" "));
            name.push(super::page::Inline::Link { text: "link".to_owned(), url: link });
        }
        channels.extend(&threshold.notify);
        Some(vec![name, joined(whens, ", or "), self.names(&threshold.notify), joined(calls, ", ")])
    }

    /// When a threshold is crossed: each of its conditions, with the params in it, and how long it has to hold.
    pub(super) fn whens(&mut self, threshold: &'p Threshold) -> Vec<Line> {
        let mut whens = Vec::new();
        for when in &threshold.when {
            let mut line = of([code(self.knowledge.source(&when.condition))]);
            line.extend(self.given(&when.condition));
            line.extend(when.held.map(|held| text(format!(" for {}", duration(held)))));
            whens.push(line);
        }
        whens
    }

    fn names(&self, channels: &[ChannelId]) -> Line {
        let names = channels.iter().filter_map(|id| self.knowledge.program.channels.get(id.index()));
        joined(names.map(|channel| of([code(channel.name.to_string())])), ", ")
    }

    fn escalation(&mut self, escalation: &'p Escalation, channels: &mut Vec<ChannelId>) {
        self.sheet.step();
        self.sheet.heading(2, "Escalation");
        self.sheet.doc(&escalation.doc);
        let rows = escalation.levels.iter().map(|level| {
            let next = level.next.map_or_else(
                || "stays here".to_owned(),
                |next| {
                    let unless = match next.unless {
                        Unless::Resolved => "it is over",
                        Unless::Acknowledged => "somebody has taken it",
                    };
                    format!("after {}, unless {unless}", duration(next.after))
                },
            );
            let respond = level.respond.map_or_else(String::new, |respond| format!("within {}", duration(respond)));
            channels.extend(&level.notify);
            vec![
                of([text(level.number.to_string())]),
                of([strong(level.role.to_string())]),
                self.names(&level.notify),
                of([text(respond)]),
                of([text(next)]),
            ]
        });
        let rows = rows.collect();
        self.sheet.block(Block::Table(vec!["level", "who", "tell", "has to answer", "then the next level"], rows));
        let by_hand = escalation
            .by_hand
            .iter()
            .map(|(reason, level)| of([strong(reason.to_string()), text(format!(": begin at level {level}"))]));
        let by_hand: Vec<Line> = by_hand.collect();
        if !by_hand.is_empty() {
            self.sheet.block(Block::Points(by_hand));
        }
        if escalation.repeat > 0 {
            let times = if escalation.repeat == 1 {
                "once more".to_owned()
            } else {
                format!("{} times more", escalation.repeat)
            };
            self.sheet.say(of([text(format!("After the last level, begin again: {times}."))]));
        }
    }

    /// What a declaration says, secrets by where they come from.
    pub(super) fn declaration(&mut self, made: &'p Made, leave: &[&str]) -> Line {
        let mut parts: Vec<Line> = Vec::new();
        for (param, arg) in made.driver.params.iter().zip(&made.args) {
            let Some(arg) = arg else { continue };
            if leave.contains(&param.name) {
                continue;
            }
            let label = match param.name {
                "change" => "changes with",
                "change_user" => "changes as",
                "change_password" => "password of that",
                "read" => "reads with",
                name => name,
            };
            let mut line = if label == "url" { Line::new() } else { of([text(format!("{label} "))]) };
            if is_secret(&param.accepts) {
                line.extend(self.secret_words(arg));
            } else {
                line.push(code(self.shown(arg)));
            }
            parts.push(line);
        }
        joined(parts, ", ")
    }

    fn shown(&mut self, expr: &'p Expr) -> String {
        use super::known::{Known, plain};
        use crate::types::Value;
        let texts = |items: &[Value]| items.iter().map(plain).collect::<Option<Vec<_>>>().map(|items| items.join(", "));
        let found = match self.knowledge.of(expr) {
            Known::Value(Value::List(items)) => texts(&items),
            Known::List(items) => {
                let values: Option<Vec<Value>> = items
                    .into_iter()
                    .map(|item| if let Known::Value(value) = item { Some(value) } else { None })
                    .collect();
                values.and_then(|values| texts(&values))
            }
            _ => self.knowledge.text(expr),
        };
        found.unwrap_or_else(|| self.knowledge.source(expr))
    }

    /// Where a secret comes from. What is no declared secret is one all the same, by where it stands.
    pub(super) fn secret_words(&mut self, expr: &'p Expr) -> Line {
        use crate::check::program::ExprKind;
        let program = self.knowledge.program;
        let ExprKind::Secret(id) = &expr.uncovered().kind else {
            return of([text("as the runbook says")]);
        };
        let Some(secret) = program.secrets.get(id.index()) else { return Line::new() };
        let from =
            secret.source.args.iter().flatten().next().and_then(|arg| self.knowledge.text(arg)).unwrap_or_default();
        let what = if secret.source.driver.name == "env" { "in the environment variable " } else { "in the file " };
        of([text(what), code(from)])
    }
}

/// What is nobody's concern who tells people by hand.
const INNER: &[&str] = &["at_most", "within", "template", "tls", "ca", "from", "server", "user", "password", "url"];
