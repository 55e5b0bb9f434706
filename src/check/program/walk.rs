//! The parts of statements and expressions, so that a question can be asked of all of them.

use super::{
    Block, CallArg, CheckElse, EscalateWhen, Expr, ExprKind, Member, Program, Section, Statement, StatementKind, Step,
    TextPart,
};

/// Visits an expression and everything in it, from the outside in.
pub(crate) fn expr<'e>(root: &'e Expr, visit: &mut dyn FnMut(&'e Expr)) {
    visit(root);
    for part in parts(root) {
        expr(part, visit);
    }
}

/// What an expression is made of.
pub(crate) fn parts(root: &Expr) -> Vec<&Expr> {
    match &root.kind {
        ExprKind::Literal(_)
        | ExprKind::Local(_)
        | ExprKind::Param(_)
        | ExprKind::Secret(_)
        | ExprKind::Connection(_)
        | ExprKind::Metric(_)
        | ExprKind::Run(_)
        | ExprKind::Broken => Vec::new(),
        ExprKind::Field { base, .. } => vec![base],
        ExprKind::Index { base, index } => vec![base, index],
        ExprKind::Unary { operand, .. } => vec![operand],
        ExprKind::Binary { left, right, .. } => vec![left, right],
        ExprKind::If { condition, then, otherwise } => vec![condition, then, otherwise],
        ExprKind::Try { value, otherwise, .. } => vec![value, otherwise],
        ExprKind::List(items) | ExprKind::Command { args: items, .. } | ExprKind::Tool { args: items, .. } => {
            items.iter().collect()
        }
        ExprKind::Record(fields) => fields.iter().map(|(_, value)| value).collect(),
        ExprKind::Text(parts) | ExprKind::Template(parts) => parts
            .iter()
            .filter_map(|part| if let TextPart::Value { value, .. } = part { Some(value) } else { None })
            .collect(),
        ExprKind::Call(call) => call
            .args
            .iter()
            .flatten()
            .map(|arg| match arg {
                CallArg::Value(value) => value,
                CallArg::PerItem(lambda) => &*lambda.body,
            })
            .collect(),
        ExprKind::Convert(inner) => vec![inner],
    }
}

/// The expressions of a statement itself, those of its blocks left aside.
pub(crate) fn own_exprs(statement: &Statement) -> Vec<&Expr> {
    let mut found: Vec<Option<&Expr>> = Vec::new();
    match &statement.kind {
        StatementKind::Let { value, .. } | StatementKind::Return { value } => found.push(Some(value)),
        StatementKind::Show { value, title, .. } => found.extend([Some(value), title.as_ref()]),
        StatementKind::Check { condition, title, otherwise, .. } => {
            let (CheckElse::Severity { message, .. } | CheckElse::Raise { message, .. }) = otherwise;
            found.extend([Some(condition), title.as_ref(), message.as_ref()]);
        }
        StatementKind::Require { condition, title, .. } => found.extend([Some(condition), title.as_ref()]),
        StatementKind::Change(change) => found.extend([
            Some(&change.call),
            change.title.as_ref(),
            change.within.as_ref(),
            change.verify.as_ref(),
            change.undo.as_ref(),
        ]),
        StatementKind::Manual { text, link, .. } => found.extend([Some(text), link.as_ref()]),
        StatementKind::Wait { condition, every, within, .. } => {
            found.extend([Some(condition), Some(every), Some(within)]);
        }
        StatementKind::Retry { every, .. } => found.push(Some(every)),
        StatementKind::For(each) => found.push(Some(&each.list)),
        StatementKind::If { branches, .. } => found.extend(branches.iter().map(|branch| Some(&branch.condition))),
        StatementKind::Do { args, .. } => found.extend(args.iter().map(Some)),
        StatementKind::Notify { message, .. }
        | StatementKind::Raise { message, .. }
        | StatementKind::Escalate { message, .. } => found.push(message.as_ref()),
        StatementKind::Measure { .. } | StatementKind::Send { .. } => {}
    }
    found.into_iter().flatten().collect()
}

/// The blocks of a statement.
pub(crate) fn blocks(statement: &Statement) -> Vec<&Block> {
    match &statement.kind {
        StatementKind::Retry { body, .. } => vec![body],
        StatementKind::For(each) => vec![&each.body],
        StatementKind::If { branches, otherwise } => {
            branches.iter().map(|branch| &branch.body).chain(otherwise.as_ref()).collect()
        }
        _ => Vec::new(),
    }
}

/// Visits all statements of a block and of the blocks in it, in the order of the text.
pub(crate) fn statements<'s>(block: &'s [Statement], visit: &mut dyn FnMut(&'s Statement)) {
    for statement in block {
        visit(statement);
        for inner in blocks(statement) {
            statements(inner, visit);
        }
    }
}

/// Visits all statements of a program.
pub(crate) fn all<'p>(program: &'p Program, visit: &mut dyn FnMut(&'p Statement)) {
    for part in blocks_of(program) {
        statements(part.block, visit);
    }
}

/// The expressions of a program, with all in them: those of its statements, and what stands beside them.
pub(crate) fn exprs<'p>(program: &'p Program, visit: &mut dyn FnMut(&'p Expr)) {
    let mut found = Vec::new();
    all(program, &mut |statement| found.extend(own_exprs(statement)));
    for metric in &program.metrics {
        found.push(&metric.value);
        found.extend(metric.labels.iter().map(|label| &label.list));
    }
    found.extend(program.escalations.iter().filter_map(|escalation| escalation.rota.as_ref()));
    for threshold in &program.thresholds {
        found.extend(threshold.when.iter().map(|when| &when.condition).chain(&threshold.until).chain(&threshold.link));
        found.extend(threshold.escalate.iter().filter_map(|escalate| match &escalate.when {
            EscalateWhen::Condition(condition) => Some(condition),
            EscalateWhen::AtOnce | EscalateWhen::After(_) => None,
        }));
    }
    for member in program.sections.iter().flat_map(|section| &section.members) {
        if let Member::Step(step) = member {
            found.extend(step.each.as_ref().map(|(_, list)| list).into_iter().chain(&step.within));
        }
    }
    for root in found {
        expr(root, visit);
    }
}

/// A block of statements, and what it is of.
pub(crate) struct Part<'p> {
    named: Named<'p>,
    pub(crate) section: Option<&'p Section>,
    /// The step whose body it is.
    pub(crate) step: Option<&'p Step>,
    pub(crate) block: &'p [Statement],
}

/// Whose block it is.
enum Named<'p> {
    Section(&'p Section),
    Step(&'p Section, &'p Step),
    /// What is done at the end of a section or a step, and when.
    Closing(&'p Section, Option<&'p Step>, &'static str),
    Command(&'p str),
}

impl Part<'_> {
    /// What people call it.
    pub(crate) fn title(&self) -> String {
        match self.named {
            Named::Section(section) => section.name(),
            Named::Step(section, step) => section.name_of(step),
            Named::Closing(section, None, what) => format!("{}, {what}", section.name()),
            Named::Closing(section, Some(step), what) => format!("{}, {what}", section.name_of(step)),
            Named::Command(name) => format!("command {name}"),
        }
    }
}

/// All blocks of a program.
pub(crate) fn blocks_of(program: &Program) -> Vec<Part<'_>> {
    let mut found = Vec::new();
    for section in &program.sections {
        let own = Some(section);
        for member in &section.members {
            match member {
                Member::Statement(statement) => found.push(Part {
                    named: Named::Section(section),
                    section: own,
                    step: None,
                    block: std::slice::from_ref(statement),
                }),
                Member::Step(step) => {
                    let named = Named::Step(section, step);
                    found.push(Part { named, section: own, step: Some(step), block: &step.body });
                    found.extend(closing(section, Some(step), step.on_failure.as_ref(), step.always.as_ref()));
                }
            }
        }
        found.extend(closing(section, None, section.on_failure.as_ref(), section.always.as_ref()));
    }
    found.extend(program.commands.iter().map(|one| Part {
        named: Named::Command(&one.name),
        section: None,
        step: None,
        block: &one.body,
    }));
    found
}

fn closing<'p>(
    section: &'p Section,
    step: Option<&'p Step>,
    on_failure: Option<&'p Block>,
    always: Option<&'p Block>,
) -> impl Iterator<Item = Part<'p>> {
    let named = [("on failure", on_failure), ("always", always)];
    named.into_iter().filter_map(move |(what, block)| {
        let named = Named::Closing(section, step, what);
        Some(Part { named, section: Some(section), step: None, block: block? })
    })
}
