//! Everything else that sections, commands and reports do, statement by statement: what is read, computed, shown, waited
//! for and said. Checks and changes are compared on their own.

use std::collections::{BTreeMap, BTreeSet};

use super::{Chapter, Finding, Kind, Side};
use crate::check::program::{ChannelId, Expr, Member, Program, Statement, StatementKind};
use crate::plan::{text, walk};
use crate::types::Value;

/// How many lines of one block are shown.
const SHOWN: usize = 12;

pub(super) fn compare(before: Side<'_>, after: Side<'_>) -> Vec<Finding> {
    let (old, new) = (all(before.program), all(after.program));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut findings = Vec::new();
    for name in names {
        let empty = Vec::new();
        let (was, is) = (old.get(name).unwrap_or(&empty), new.get(name).unwrap_or(&empty));
        let (gone, added) = (without(was, is), without(is, was));
        if gone.is_empty() && added.is_empty() {
            continue;
        }
        let mut finding = Finding::new(Chapter::Reads, Kind::Changed, name.clone(), "changed");
        let shown = gone.iter().map(|line| format!("- {line}")).chain(added.iter().map(|line| format!("+ {line}")));
        let shown: Vec<String> = shown.collect();
        let more = shown.len().saturating_sub(SHOWN);
        finding.notes.extend(shown.into_iter().take(SHOWN));
        if more > 0 {
            finding.notes.push(format!("and {more} more"));
        }
        findings.push(finding);
    }
    findings
}

/// What is in the first list and not in the second, each as often as it is there more often.
fn without<'l>(of: &'l [String], other: &[String]) -> Vec<&'l String> {
    let mut counted: BTreeMap<&String, usize> = BTreeMap::new();
    for line in other {
        *counted.entry(line).or_default() += 1;
    }
    let mut left = Vec::new();
    for line in of {
        match counted.get_mut(line) {
            Some(count) if *count > 0 => *count -= 1,
            _ => left.push(line),
        }
    }
    left
}

/// The lines of each block.
fn all(program: &Program) -> BTreeMap<String, Vec<String>> {
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, block) in walk::blocks_of(program) {
        let lines = found.entry(name).or_default();
        walk::statements(block, &mut |statement| lines.extend(line(program, statement)));
    }
    for section in &program.sections {
        for member in &section.members {
            let Member::Step(step) = member else { continue };
            let name = format!("{} / \"{}\"", section.name(), step.title);
            let lines = found.entry(name).or_default();
            if let Some((local, list)) = &step.each {
                let name = program.locals.get(local.index()).map_or("?", |one| &*one.name);
                lines.push(format!("for {name} in {}", text::expr(program, list)));
            }
            lines.extend(step.within.as_ref().map(|within| format!("within {}", text::expr(program, within))));
        }
    }
    for command in &program.commands {
        let params = command.params.iter().map(|param| {
            let default =
                param.default.as_ref().map_or_else(String::new, |value| format!(" = {}", text::expr(program, value)));
            format!("{}: {}{default}", param.name, param.ty)
        });
        let params = params.collect::<Vec<_>>().join(", ");
        let returns = command.returns.as_ref().map_or_else(String::new, |ty| format!(" -> {ty}"));
        let lines = found.entry(format!("command {}", command.name)).or_default();
        lines.push(format!("({params}){returns}{}", if command.idempotent { " idempotent" } else { "" }));
    }
    found
}

/// A statement without the blocks in it; nothing for those that are compared on their own.
fn line(program: &Program, statement: &Statement) -> Option<String> {
    let expr = |expr: &Expr| text::expr(program, expr);
    let said = |what: &str, message: &Option<Expr>| match message {
        Some(message) => format!("{what} {}", text::expr(program, message)),
        None => what.to_owned(),
    };
    let told = |channels: &[ChannelId]| {
        let names = channels.iter().filter_map(|id| program.channels.get(id.index()));
        names.map(|one| one.name.to_string()).collect::<Vec<_>>().join(", ")
    };
    Some(match &statement.kind {
        StatementKind::Check { .. } | StatementKind::Require { .. } | StatementKind::Change(_) => return None,
        StatementKind::Let { local, value } => {
            let name = program.locals.get(local.index()).map_or("?", |one| &*one.name);
            format!("let {name} = {}", expr(value))
        }
        StatementKind::Show { value, title, .. } => said(&format!("show {}", expr(value)), title),
        StatementKind::Measure { metrics } => {
            let names = metrics.iter().filter_map(|id| program.metrics.get(id.index()));
            format!("measure {}", names.map(|one| &*one.name).collect::<Vec<_>>().join(", "))
        }
        StatementKind::Manual { text, link, within } => {
            let within = within.map_or_else(String::new, |within| format!(" within {}", Value::Duration(within)));
            said(&format!("manual {}{within}", expr(text)), link)
        }
        StatementKind::Wait { condition, every, within, .. } => {
            format!("wait until {} every {} within {}", expr(condition), expr(every), expr(within))
        }
        StatementKind::Retry { times, every, .. } => format!("retry {times} times every {}", expr(every)),
        StatementKind::For(each) => {
            let name = program.locals.get(each.local.index()).map_or("?", |one| &*one.name);
            let most = each.at_most.map_or_else(String::new, |most| format!(" at most {most}"));
            format!("for {name} in {}{most}", expr(&each.list))
        }
        StatementKind::If { branches, otherwise } => {
            let conditions: Vec<String> = branches.iter().map(|branch| expr(&branch.condition)).collect();
            format!("if {}{}", conditions.join(" else if "), if otherwise.is_some() { " else" } else { "" })
        }
        StatementKind::Do { command, args } => {
            let name = program.commands.get(command.index()).map_or("?", |one| &*one.name);
            format!("do {name}({})", args.iter().map(expr).collect::<Vec<_>>().join(", "))
        }
        StatementKind::Notify { channels, message } => said(&format!("notify {}", told(channels)), message),
        StatementKind::Raise { threshold, message } => {
            let title = program.thresholds.get(threshold.index()).map_or("?", |one| &*one.title);
            said(&format!("raise \"{title}\""), message)
        }
        StatementKind::Escalate { level, message } => said(&format!("escalate to level {level}"), message),
        StatementKind::Return { value } => format!("return {}", expr(value)),
        StatementKind::Send { channels } => format!("send to {}", told(channels)),
    })
}
