//! What a program means, as text: the same whatever its layout, its comments and the names in it are; another one as soon
//! as it does something else, with something else, or in another order that matters.
//!
//! A consent and a review stand on it. A name that is declared in a block stands for what it was given and for where that
//! was: what is read before a change is not what is read after it. Where a consent is meant, what is declared in the file
//! stands for what it is, too, and what can neither change anything nor hold a change back is left out.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use super::fingerprint::hash_of;
use super::given;
use super::outline::{Of, Outline};
use super::text::{self, Named, Names};
use crate::check::program::walk;
use crate::check::program::{
    Block, CheckElse, Command, CommandId, Expr, LocalId, Member, MetricId, Parameter, Program, Section, Statement,
    StatementKind, Threshold, ThresholdId,
};

/// How deep commands call each other: a circle is an error of the check.
const DEEPEST: u32 = 16;

/// The meaning of a program's parts.
pub(crate) struct Meaning<'p> {
    program: &'p Program,
    of: Of,
    set: &'p BTreeMap<Arc<str>, String>,
    locals: RefCell<HashMap<LocalId, String>>,
    /// The commands whose names are among them.
    placed: RefCell<HashSet<CommandId>>,
    /// What declarations are, as far as they were asked for.
    declared: RefCell<HashMap<Named, String>>,
}

impl Names for Meaning<'_> {
    fn name(&self, named: Named) -> String {
        match (named, self.of) {
            (Named::Local(id), _) => self.locals.borrow().get(&id).cloned().unwrap_or_else(|| "?".to_owned()),
            (_, Of::Consent) => self.content(named),
            _ => self.program.name(named),
        }
    }

    fn is_exact(&self) -> bool {
        true
    }

    /// What the alerts say depends on what opens them.
    fn depends(&self, builtin: &'static str) -> Option<String> {
        let all = || short(self.program.thresholds.iter().flat_map(|one| self.threshold(one)));
        (self.of == Of::Consent && builtin == "alerts").then(all)
    }

    /// By its own conditions, by what raises it, and unless what keeps it quiet is open.
    fn opens(&self, id: ThresholdId) -> Option<String> {
        let threshold = self.program.thresholds.get(id.index()).filter(|_| self.of == Of::Consent)?;
        let mut all = self.threshold(threshold);
        let quiet = threshold.quiet_while.iter().filter_map(|id| self.program.thresholds.get(id.index()));
        all.extend(quiet.map(|other| format!("quiet while {}", short(self.threshold(other)))));
        self.place_commands();
        let mut raised = self.raised(id);
        raised.sort_unstable();
        all.extend(raised);
        Some(short(all))
    }
}

impl<'p> Meaning<'p> {
    pub(crate) fn new(program: &'p Program, of: Of, set: &'p BTreeMap<Arc<str>, String>) -> Self {
        let meaning = Self {
            program,
            of,
            set,
            locals: RefCell::default(),
            placed: RefCell::default(),
            declared: RefCell::default(),
        };
        program.tools.iter().for_each(|tool| meaning.parameters(&tool.params));
        for label in program.metrics.iter().flat_map(|metric| &metric.labels) {
            meaning.declare(label.local, ["label", &meaning.expr(&label.list)]);
        }
        for section in &program.sections {
            Place::default().section(&meaning, section);
        }
        meaning
    }

    /// With the names of all commands.
    pub(crate) fn with_commands(self) -> Self {
        self.place_commands();
        self
    }

    fn place_commands(&self) {
        for (index, command) in (0..).zip(&self.program.commands) {
            self.place(CommandId(index), command);
        }
    }

    fn declare<T: AsRef<str>>(&self, local: LocalId, parts: impl IntoIterator<Item = T>) {
        let name = short(parts);
        self.locals.borrow_mut().insert(local, name);
    }

    fn parameters(&self, params: &[Parameter]) {
        for (index, param) in params.iter().enumerate() {
            self.declare(param.local, ["parameter", &index.to_string(), &param.ty.to_string()]);
        }
    }

    /// The names of a command: before anything is said of what is in it, whoever asks first.
    fn place(&self, id: CommandId, command: &Command) {
        if self.placed.borrow_mut().insert(id) {
            self.parameters(&command.params);
            Place::default().block(self, &command.body);
        }
    }

    pub(crate) fn expr(&self, expr: &Expr) -> String {
        text::expr(self, expr)
    }

    /// What a declaration is, and not what it is called.
    fn content(&self, named: Named) -> String {
        if let Some(known) = self.declared.borrow().get(&named) {
            return known.clone();
        }
        // A circle is an error of the check, and goes round once here.
        self.declared.borrow_mut().insert(named, "circle".to_owned());
        let content = self.declaration(named).map_or_else(|| "?".to_owned(), |parts| short(&parts));
        self.declared.borrow_mut().insert(named, content.clone());
        content
    }

    fn declaration(&self, named: Named) -> Option<Vec<String>> {
        let program = self.program;
        Some(match named {
            Named::Local(_) => return None,
            Named::Param(id) => {
                let param = program.params.get(id.index())?;
                let value = match (given::set(param, self.set), &param.default) {
                    (Some(typed), _) => format!("set {typed:?}"),
                    (None, Some(default)) => self.expr(default),
                    (None, None) => format!("given as {}", param.name),
                };
                vec!["param".to_owned(), param.ty.to_string(), value]
            }
            Named::Secret(id) => {
                vec!["secret".to_owned(), text::made(self, &program.secrets.get(id.index())?.source)]
            }
            Named::Connection(id) => {
                vec!["connection".to_owned(), text::made(self, &program.connections.get(id.index())?.made)]
            }
            Named::Metric(id) => {
                let metric = program.metrics.get(id.index())?;
                let labels = metric.labels.iter().map(|label| format!("for {}", self.expr(&label.list)));
                let own = [metric.ty.to_string(), format!("{:?}", metric.every), self.expr(&metric.value)];
                ["metric".to_owned()].into_iter().chain(own).chain(labels).collect()
            }
            Named::Tool(id) => {
                let tool = program.tools.get(id.index())?;
                let own = [format!("{} {:?} {}", tool.returns, tool.effect, tool.idempotent), text::tool(self, tool)];
                ["tool".to_owned()].into_iter().chain(self.signature(&tool.params)).chain(own).collect()
            }
            Named::Command(id) => self.command(id, program.commands.get(id.index())?),
        })
    }

    /// What a command is: its parameters, what it gives, and what it does.
    pub(crate) fn command(&self, id: CommandId, command: &Command) -> Vec<String> {
        self.place(id, command);
        let returns = command.returns.as_ref().map_or_else(String::new, ToString::to_string);
        let mut all = vec!["command".to_owned(), format!("{returns} {}", command.idempotent)];
        all.extend(self.signature(&command.params));
        all.extend(self.outline().of_command(&command.body));
        all
    }

    fn signature(&self, params: &[Parameter]) -> Vec<String> {
        let of = |param: &Parameter| {
            let name = if self.of == Of::Behaviour { &*param.name } else { "" };
            let default = param.default.as_ref().map_or_else(String::new, |default| self.expr(default));
            format!("({name}: {} = {default})", param.ty)
        };
        params.iter().map(of).collect()
    }

    /// Where a threshold is raised, and where what opens it is measured, each with all that decides whether it is come to.
    fn raised(&self, id: ThresholdId) -> Vec<String> {
        let mut found = Vec::new();
        for section in &self.program.sections {
            let schedule = section.schedule.as_ref();
            let mut runs: Vec<String> =
                schedule.map(|one| format!("{:?} {:?}", one.rule, one.gap)).into_iter().collect();
            let alerts = section.on_alert.iter().filter_map(|alert| self.program.thresholds.get(alert.index()));
            runs.extend(alerts.map(|alert| format!("on alert {:?}", alert.title)));
            let mut look = |runs: &[String], block: &[Statement], more: Option<String>| {
                let mut around: Vec<String> = runs.iter().cloned().chain(more).collect();
                self.raising(block, id, &mut around, &mut found);
            };
            for member in &section.members {
                match member {
                    Member::Statement(statement) => {
                        look(&runs, std::slice::from_ref(statement), None);
                        // It holds back all that is below it in the section.
                        runs.extend(self.given(statement));
                    }
                    Member::Step(step) => {
                        let each = step.each.as_ref().map(|(_, list)| format!("for {}", self.expr(list)));
                        look(&runs, &step.body, each);
                        step.on_failure.iter().for_each(|block| look(&runs, block, Some("on failure".to_owned())));
                        step.always.iter().for_each(|block| look(&runs, block, Some("always".to_owned())));
                    }
                }
            }
            section.on_failure.iter().for_each(|block| look(&runs, block, Some("on failure".to_owned())));
            section.always.iter().for_each(|block| look(&runs, block, Some("always".to_owned())));
        }
        for command in &self.program.commands {
            self.raising(&command.body, id, &mut Vec::new(), &mut found);
        }
        found
    }

    /// Where a block raises a threshold: `around` says what decides whether the block is come to.
    fn raising(&self, block: &[Statement], id: ThresholdId, around: &mut Vec<String>, found: &mut Vec<String>) {
        let depth = around.len();
        for statement in block {
            let mut inside = |what: String, block: &Block| {
                around.push(what);
                self.raising(block, id, around, found);
                around.pop();
            };
            let what = match &statement.kind {
                StatementKind::For(each) => {
                    inside(format!("for {}", self.expr(&each.list)), &each.body);
                    continue;
                }
                StatementKind::Retry { body, .. } => {
                    inside("retry".to_owned(), body);
                    continue;
                }
                StatementKind::If { branches, otherwise } => {
                    let mut none = String::new();
                    for branch in branches {
                        let condition = self.expr(&branch.condition);
                        inside(format!("{none}if {condition}"), &branch.body);
                        none = format!("{none}unless {condition} ");
                    }
                    if let Some(block) = otherwise {
                        inside(none, block);
                    }
                    continue;
                }
                StatementKind::Check { condition, otherwise: CheckElse::Raise { threshold, .. }, .. }
                    if *threshold == id =>
                {
                    format!("unless {}", self.expr(condition))
                }
                StatementKind::Raise { threshold, .. } if *threshold == id => "raised".to_owned(),
                StatementKind::Measure { metrics } if self.opens_by(metrics, id) => "measured".to_owned(),
                StatementKind::Do { command, args } if self.raises(*command, id, DEEPEST) => {
                    let args: Vec<String> = args.iter().map(|arg| self.expr(arg)).collect();
                    format!("do {} {args:?}", self.content(Named::Command(*command)))
                }
                _ => {
                    around.extend(self.given(statement));
                    continue;
                }
            };
            found.push(format!("{what} in {around:?}"));
        }
        around.truncate(depth);
    }

    /// What a statement requires of all that is below it.
    fn given(&self, statement: &Statement) -> Option<String> {
        let StatementKind::Require { condition, .. } = &statement.kind else { return None };
        Some(format!("given {}", self.expr(condition)))
    }

    /// Whether a command raises a threshold or measures what opens it, by itself or by another.
    fn raises(&self, command: CommandId, id: ThresholdId, depth: u32) -> bool {
        let mut raises = false;
        let body = self.program.commands.get(command.index()).filter(|_| depth > 0).map(|one| &one.body);
        walk::statements(body.map_or(&[], |body| body), &mut |statement| {
            raises |= match &statement.kind {
                StatementKind::Do { command, .. } => self.raises(*command, id, depth.saturating_sub(1)),
                StatementKind::Measure { metrics } => self.opens_by(metrics, id),
                _ => statement.raises() == Some(id),
            };
        });
        raises
    }

    /// Whether a threshold is opened by samples of any of some metrics.
    fn opens_by(&self, metrics: &[MetricId], id: ThresholdId) -> bool {
        self.program.thresholds.get(id.index()).is_some_and(|one| metrics.iter().any(|id| one.metrics.contains(id)))
    }

    /// What a threshold says.
    fn threshold(&self, threshold: &Threshold) -> Vec<String> {
        let mut all = vec![format!("{:?} {:?} {:?}", threshold.title, threshold.severity, threshold.unknown_for)];
        all.extend(threshold.from.iter().map(|name| format!("from {name:?}")));
        all.extend(threshold.when.iter().map(|when| format!("{} {:?}", self.expr(&when.condition), when.held)));
        all.extend(threshold.until.iter().map(|until| format!("until {}", self.expr(until))));
        all
    }

    /// The statements of its parts.
    pub(crate) fn outline(&self) -> Outline<'_> {
        Outline::new(self.program, self.of, self)
    }
}

/// A name that says what it stands for.
fn short<T: AsRef<str>>(parts: impl IntoIterator<Item = T>) -> String {
    let hash = hash_of(parts);
    format!("${}", hash.get(..32).unwrap_or(&hash))
}

/// Where names are declared: what is above them decides what a read of the same words would find.
#[derive(Default)]
struct Place {
    /// How many statements above hold back what is below them.
    barriers: u32,
    /// What stands around.
    around: Vec<String>,
}

impl Place {
    fn section(&mut self, meaning: &Meaning<'_>, section: &Section) {
        for member in &section.members {
            match member {
                Member::Statement(statement) => self.statement(meaning, statement),
                // Nobody outside sees the names of a step.
                Member::Step(step) => {
                    let mut own = Self::default();
                    if let Some((local, list)) = &step.each {
                        let list = meaning.expr(list);
                        own.declare(meaning, *local, "each", &list);
                        own.around.push(format!("for {list}"));
                    }
                    own.block(meaning, &step.body);
                    own.closing(meaning, step.on_failure.as_ref(), step.always.as_ref());
                    self.barriers += u32::from(own.barriers > 0);
                }
            }
        }
        self.closing(meaning, section.on_failure.as_ref(), section.always.as_ref());
    }

    fn closing(&mut self, meaning: &Meaning<'_>, on_failure: Option<&Block>, always: Option<&Block>) {
        for (what, block) in [("on failure", on_failure), ("always", always)] {
            if let Some(block) = block {
                self.inside(what.to_owned(), |place| place.block(meaning, block));
            }
        }
    }

    fn inside(&mut self, what: String, look: impl FnOnce(&mut Self)) {
        self.around.push(what);
        look(self);
        self.around.pop();
    }

    fn declare(&self, meaning: &Meaning<'_>, local: LocalId, what: &str, value: &str) {
        let barriers = self.barriers.to_string();
        let parts = [what, value, &barriers].into_iter().chain(self.around.iter().map(String::as_str));
        meaning.declare(local, parts);
    }

    fn block(&mut self, meaning: &Meaning<'_>, block: &[Statement]) {
        for statement in block {
            self.statement(meaning, statement);
        }
    }

    fn statement(&mut self, meaning: &Meaning<'_>, statement: &Statement) {
        match &statement.kind {
            StatementKind::Let { local, value } => {
                let value = meaning.expr(value);
                self.declare(meaning, *local, "let", &value);
            }
            StatementKind::Change(change) => {
                if let Some(local) = change.binding {
                    let call = meaning.expr(&change.call);
                    self.declare(meaning, local, "result", &call);
                }
            }
            StatementKind::For(each) => {
                let list = meaning.expr(&each.list);
                self.declare(meaning, each.local, "each", &list);
                self.inside(format!("for {list}"), |place| place.block(meaning, &each.body));
            }
            StatementKind::Retry { body, .. } => {
                self.inside("retry".to_owned(), |place| place.block(meaning, body));
            }
            StatementKind::If { branches, otherwise } => {
                for branch in branches {
                    let condition = meaning.expr(&branch.condition);
                    self.inside(format!("if {condition}"), |place| place.block(meaning, &branch.body));
                }
                if let Some(block) = otherwise {
                    self.inside("else".to_owned(), |place| place.block(meaning, block));
                }
            }
            _ => {}
        }
        if statement.barrier && walk::blocks(statement).is_empty() {
            self.barriers += 1;
        }
    }
}
