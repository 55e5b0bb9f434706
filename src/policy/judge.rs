//! Whether a runbook is as its policy wants it, by what is written in it.

use super::{Named, Policy, Required, Written, is_of, word};
use crate::catalog::Builtin;
use crate::check::program::foregone::Foregone;
use crate::check::program::walk;
use crate::check::program::{Change, ExprKind, Made, Program, StatementKind};
use crate::diagnostics::{Code, Diagnostic};
use crate::plan::{TOOL, called, endpoints};
use crate::source::Span;

/// All that a policy has against a program.
#[must_use]
pub fn judge(program: &Program, policy: &Policy) -> Vec<Diagnostic> {
    policy.0.iter().flat_map(|file| judged(program, file)).collect()
}

fn judged(program: &Program, policy: &Written) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    forbidden(program, policy, &mut found);
    let names = Foregone::of(program);
    for part in walk::blocks_of(program) {
        walk::statements(part.block, &mut |statement| {
            if let StatementKind::Change(change) = &statement.kind {
                required((program, &names), policy, change, statement.span, &mut found);
            }
        });
    }
    if let Some(hosts) = &policy.hosts {
        for (span, name, endpoint) in endpoints(program) {
            if let Err(why) = policy.may_reach(&endpoint.host) {
                let message = format!("`{name}` leads to a host that is not allowed: {why}");
                let diagnostic = Diagnostic::new(Code::PolicyHost, span, message).label(hosts.span, "those that are");
                found.push(diagnostic.help("name another host, or let those who look after the policy allow this one"));
            }
        }
    }
    found
}

/// The rules that want a change to be approved in two roles: it names one, so nothing could ever meet both.
#[must_use]
pub fn at_odds(files: &[Written]) -> Vec<Diagnostic> {
    let rules: Vec<(&Required, &Named)> = files
        .iter()
        .flat_map(|file| &file.require)
        .filter_map(|rule| Some((rule, rule.approve_by.as_ref()?)))
        .collect();
    let mut found = Vec::new();
    for (index, (rule, role)) in rules.iter().enumerate() {
        let (own, before) = (&rule.family, rules.get(..index).unwrap_or_default());
        let other =
            before.iter().find(|(other, others)| others.name != role.name && meet(&own.name, &other.family.name));
        if let Some((_, others)) = other {
            let message = format!(
                "no change can meet this: it is approved in one role, and another rule that holds for it asks for {:?}",
                others.name
            );
            let diagnostic =
                Diagnostic::new(Code::PolicyMistake, role.span, message).label(others.span, "asked for here");
            found.push(
                diagnostic
                    .help("ask for one role in both, or write the rules for families that have no change in common"),
            );
        }
    }
    found
}

/// Whether there may be changes that are of two families.
fn meet(one: &str, other: &str) -> bool {
    is_of(one, other) || is_of(other, one)
}

/// Whether a finding says that the policy refuses what is else valid.
#[must_use]
pub const fn is_refusal(code: Code) -> bool {
    matches!(code, Code::PolicyForbids | Code::PolicyRequires | Code::PolicyHost)
}

fn forbidden(program: &Program, policy: &Written, found: &mut Vec<Diagnostic>) {
    let mut uses: Vec<(&str, Span)> = Vec::new();
    for tool in &program.tools {
        uses.extend([(tool.builtin.name, tool.span), (TOOL, tool.span)]);
    }
    let made = |made: &Made| (made.driver.name, made.span);
    uses.extend(program.connections.iter().map(|one| made(&one.made)));
    uses.extend(program.channels.iter().map(|one| made(&one.made)));
    uses.extend(program.secrets.iter().map(|one| made(&one.source)));
    walk::exprs(program, &mut |expr| {
        if let ExprKind::Call(call) = &expr.kind {
            let builtin: &Builtin = call.builtin;
            uses.push((builtin.name, expr.span));
        }
    });
    for (name, span) in uses {
        if let Some(rule) = policy.forbid.iter().find(|rule| is_of(name, &rule.name)) {
            let message = format!("`{name}` is not to be used here: `{}` forbids it", policy.name);
            found.push(
                Diagnostic::new(Code::PolicyForbids, span, message)
                    .label(rule.span, "forbidden here")
                    .help("do it in another way, or let those who look after the policy allow it"),
            );
        }
    }
}

fn required(
    (program, of): (&Program, &Foregone<'_>),
    policy: &Written,
    change: &Change,
    span: Span,
    found: &mut Vec<Diagnostic>,
) {
    let names = called(program, change);
    for rule in policy.require.iter().filter(|rule| names.iter().any(|name| is_of(name, &rule.family.name))) {
        for (lacks, help) in lacking(rule, change, of) {
            let name = word(&names, &rule.family.name);
            let message = format!("this change (`{name}`) has {lacks}, which `{}` requires", policy.name);
            let diagnostic = Diagnostic::new(Code::PolicyRequires, span, message);
            found.push(diagnostic.label(rule.family.span, "required here").help(help));
        }
    }
}

fn lacking(rule: &Required, change: &Change, names: &Foregone<'_>) -> Vec<(String, String)> {
    let mut lacking = Vec::new();
    let mut lack = |what: &str, help: &str| lacking.push((what.to_owned(), help.to_owned()));
    if rule.limit && change.within.is_none() {
        lack("no limit", "add `within 10m`: how long it may take");
    }
    if rule.verify && change.verify.is_none() {
        lack("no `verify`", "add `verify CONDITION`: what is so once it has worked");
    }
    if rule.verify && change.verify.as_ref().is_some_and(|verify| names.holds(verify) == Some(true)) {
        lack("no `verify` that could fail", "say what is so once it has worked: this one holds whatever is found");
    }
    if rule.undo && change.undo.is_none() {
        lack("no `undo`", "add `undo CALL`: what takes it back");
    }
    if let Some(Named { name: role, .. }) = &rule.approve_by
        && change.approve_by.as_deref() != Some(role)
    {
        let what = match &change.approve_by {
            Some(other) => format!("an approval by {other:?}, not by {role:?}"),
            None => format!("no approval by {role:?}"),
        };
        lacking.push((what, format!("add `approve by {role:?}`")));
    }
    lacking
}
