//! What is known of a value before a run: constants and params in full, the day as a question to the clock, secrets by
//! where they come from, and the rest as a blank for a person to fill in.

use std::collections::{BTreeSet, HashMap};
use std::fmt::Write as _;
use std::sync::Arc;

use jiff::SignedDuration;

use super::word::{Piece, is_variable, quoted};
use crate::check::program::{BinaryOp, Expr, ExprKind, LocalId, ParamId, Program, RunField, SecretId};
use crate::run;
use crate::shown::look::clean;
use crate::source::{Sources, Span};
use crate::syntax::one_line;
use crate::types::Value;

/// As far as a value is known.
#[derive(Clone, Debug)]
pub(super) enum Known<'p> {
    Value(Value),
    /// A text that is not all known.
    Pieces(Vec<Piece>),
    /// A number that the shell puts in.
    Number(Vec<Piece>),
    /// A text with values in it that its place joins.
    Parts(Vec<Part<'p>>),
    List(Vec<Known<'p>>),
    Record(Vec<(Arc<str>, Known<'p>)>),
    /// The time of the run.
    Moment {
        is_date: bool,
        later: SignedDuration,
    },
    /// Only the run will tell.
    Blank(&'p Expr),
}

#[derive(Clone, Debug)]
pub(super) enum Part<'p> {
    Text(Arc<str>),
    Value(Known<'p>),
}

/// What a name inside a block stands for.
#[derive(Clone, Debug)]
pub(super) enum Bound<'p> {
    Is(&'p Expr),
    /// A variable of the shell, set for each item of a list. Each is plain: it means the same in SQL, JSON and a URL.
    Each {
        numbers: bool,
    },
    /// One item of a list.
    Item(Value),
    /// An item of a list that only the run knows.
    Open,
}

/// Something to fill in, and where to get it from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Blank {
    pub(super) name: String,
    pub(super) from: String,
}

/// A name stands for a name stands for a name: not longer than this.
const DEPTH: usize = 64;

pub(super) struct Knowledge<'p> {
    pub(super) program: &'p Program,
    pub(super) sources: &'p Sources,
    pub(super) set: &'p HashMap<ParamId, Value>,
    pub(super) bound: HashMap<LocalId, Bound<'p>>,
    /// What came up while something was written, for its reader.
    pub(super) blanks: Vec<Blank>,
    pub(super) variables: BTreeSet<LocalId>,
    /// Of the whole page.
    pub(super) secrets: BTreeSet<SecretId>,
    depth: usize,
}

impl<'p> Knowledge<'p> {
    pub(super) fn new(program: &'p Program, sources: &'p Sources, set: &'p HashMap<ParamId, Value>) -> Self {
        Self {
            program,
            sources,
            set,
            bound: HashMap::new(),
            blanks: Vec::new(),
            variables: BTreeSet::new(),
            secrets: BTreeSet::new(),
            depth: 0,
        }
    }

    /// As it was written, in one line.
    pub(super) fn source(&self, expr: &Expr) -> String {
        self.written_at(expr.span)
    }

    pub(super) fn written_at(&self, span: Span) -> String {
        let text = self.sources.text(span);
        clean(&one_line(text))
    }

    /// The expression that a name or a conversion stands for.
    pub(super) fn behind(&self, expr: &'p Expr) -> &'p Expr {
        let mut expr = expr;
        for _ in 0..DEPTH {
            expr = match &expr.kind {
                ExprKind::Convert(inner) => inner,
                ExprKind::Local(local) => match self.bound.get(local) {
                    Some(Bound::Is(value)) => value,
                    _ => return expr,
                },
                _ => return expr,
            };
        }
        expr
    }

    /// What is known of an expression.
    pub(super) fn of(&mut self, expr: &'p Expr) -> Known<'p> {
        if self.depth > DEPTH {
            return Known::Blank(expr);
        }
        self.depth += 1;
        let known = self.look(expr);
        self.depth -= 1;
        known
    }

    fn look(&mut self, expr: &'p Expr) -> Known<'p> {
        match &expr.kind {
            ExprKind::Literal(value) => Known::Value(value.clone()),
            ExprKind::Convert(inner) => match self.of(inner) {
                Known::Value(value) => run::convert(value, &expr.ty).map_or(Known::Blank(expr), Known::Value),
                known => known,
            },
            ExprKind::Param(id) => {
                let program = self.program;
                let default = program.params.get(id.index()).and_then(|param| param.default.as_ref());
                match (self.set.get(id), default) {
                    (Some(value), _) => Known::Value(value.clone()),
                    (None, Some(default)) => self.of(default),
                    (None, None) => Known::Blank(expr),
                }
            }
            ExprKind::Secret(id) => self.secret(*id),
            ExprKind::Local(local) => match self.bound.get(local).cloned() {
                Some(Bound::Is(value)) => match self.of(value) {
                    // The name says more than what is behind it.
                    Known::Blank(_) => Known::Blank(expr),
                    known => known,
                },
                Some(Bound::Each { numbers }) => self.variable(*local, numbers),
                Some(Bound::Item(value)) => Known::Value(value),
                Some(Bound::Open) | None => Known::Blank(expr),
            },
            ExprKind::Run(RunField::Date) => Known::Moment { is_date: true, later: SignedDuration::ZERO },
            ExprKind::Run(RunField::StartedAt | RunField::ScheduledAt) => {
                Known::Moment { is_date: false, later: SignedDuration::ZERO }
            }
            ExprKind::Binary { op: op @ (BinaryOp::Add | BinaryOp::Subtract), left, right } => {
                match (self.of(left), self.of(right)) {
                    (Known::Moment { is_date, later }, Known::Value(Value::Duration(by))) => {
                        let moved = if *op == BinaryOp::Add { later.checked_add(by) } else { later.checked_sub(by) };
                        moved.map_or(Known::Blank(expr), |later| Known::Moment { is_date, later })
                    }
                    (Known::Value(left), Known::Value(right)) => computed(expr, *op, left, right),
                    _ => Known::Blank(expr),
                }
            }
            ExprKind::Binary { op: BinaryOp::Coalesce, left, right } => match self.of(left) {
                Known::Value(value) if value.clone().plainly().equals(&Value::Null) => self.of(right),
                Known::Blank(_) => Known::Blank(expr),
                known => known,
            },
            ExprKind::Binary { op, left, right } => match (self.of(left), self.of(right)) {
                (Known::Value(left), Known::Value(right)) => computed(expr, *op, left, right),
                _ => Known::Blank(expr),
            },
            ExprKind::Field { base, name, .. } => self.field(expr, base, name),
            ExprKind::List(items) => Known::List(items.iter().map(|item| self.of(item)).collect()),
            ExprKind::Record(fields) => {
                Known::Record(fields.iter().map(|(name, value)| (name.clone(), self.of(value))).collect())
            }
            ExprKind::Text(parts) => {
                let pieces = self.text_of(parts);
                Known::Pieces(pieces)
            }
            ExprKind::Template(parts) => Known::Parts(self.template(parts)),
            _ => Known::Blank(expr),
        }
    }

    fn field(&mut self, whole: &'p Expr, base: &'p Expr, name: &str) -> Known<'p> {
        match self.of(base) {
            Known::Record(fields) => {
                fields.into_iter().find(|(own, _)| **own == *name).map_or(Known::Blank(whole), |(_, known)| known)
            }
            Known::Value(Value::Record(record)) => record.get(name).cloned().map_or(Known::Blank(whole), Known::Value),
            Known::Value(Value::Data(data)) => match data.get(name) {
                Some(value) => Known::Value(Value::Data(Arc::new(value.clone()))),
                None => Known::Blank(whole),
            },
            _ => Known::Blank(whole),
        }
    }

    fn variable(&mut self, local: LocalId, is_number: bool) -> Known<'p> {
        self.variables.insert(local);
        let pieces = vec![Piece::Shell(format!("${}", variable(self.program, local)))];
        if is_number { Known::Number(pieces) } else { Known::Pieces(pieces) }
    }

    /// What the clock is asked for a time of the run.
    pub(super) fn clock(later: SignedDuration, pattern: &str, zone: &str) -> Piece {
        let (seconds, day) = (later.as_secs(), 86_400);
        let moved = match seconds {
            0 => String::new(),
            _ if seconds % day == 0 => {
                let days = seconds / day;
                format!(" -d '{days:+} day{}'", if days.abs() == 1 { "" } else { "s" })
            }
            _ => format!(" -d '{seconds:+} seconds'"),
        };
        Piece::Shell(format!("$(TZ={} date{moved} +{})", quoted(zone), quoted(pattern)))
    }

    fn secret(&mut self, id: SecretId) -> Known<'p> {
        self.secrets.insert(id);
        let program = self.program;
        let Some(secret) = program.secrets.get(id.index()) else { return Known::Pieces(Vec::new()) };
        let argument = secret.source.args.iter().flatten().next();
        let from = argument.and_then(|argument| self.text(argument)).unwrap_or_default();
        Known::Pieces(vec![match secret.source.driver.name {
            "env" if is_variable(&from) => Piece::Shell(format!("${from}")),
            "file" => Piece::Shell(format!("$(cat {})", quoted(&from))),
            _ => Piece::Blank(secret.name.to_string()),
        }])
    }

    /// A text that is known in full.
    pub(super) fn text(&mut self, expr: &'p Expr) -> Option<String> {
        let known = self.of(expr);
        let pieces = match known {
            Known::Value(value) => return plain(&value),
            Known::Pieces(pieces) => pieces,
            Known::Parts(parts) => parts
                .into_iter()
                .flat_map(|part| match part {
                    Part::Text(text) => vec![Piece::Text(text.to_string())],
                    Part::Value(known) => self.plain(&known),
                })
                .collect(),
            _ => return None,
        };
        pieces.iter().map(|piece| if let Piece::Text(text) = piece { Some(text.as_str()) } else { None }).collect()
    }

    /// The pieces of a value where it stands for itself.
    pub(super) fn plain(&mut self, known: &Known<'p>) -> Vec<Piece> {
        match known {
            // A run stops there: `/tasks/` deletes more than `/tasks/7`.
            Known::Value(value) if value.clone().plainly().equals(&Value::Null) => vec![self.missing()],
            Known::Value(value) => vec![Piece::Text(plain(value).unwrap_or_else(|| value.to_json().to_string()))],
            Known::Pieces(pieces) | Known::Number(pieces) => pieces.clone(),
            Known::Parts(parts) => {
                let mut pieces = Vec::new();
                for part in parts {
                    match part {
                        Part::Text(text) => pieces.push(Piece::Text(text.to_string())),
                        Part::Value(known) => pieces.extend(self.plain(known)),
                    }
                }
                pieces
            }
            Known::Moment { is_date, later } => {
                vec![self.moment(*is_date, *later)]
            }
            Known::List(_) | Known::Record(_) => super::json::pieces(self, known),
            Known::Blank(expr) => vec![self.blank(expr, None)],
        }
    }

    /// A blank, with where to get what belongs there.
    pub(super) fn blank(&mut self, expr: &'p Expr, place: Option<&str>) -> Piece {
        let blank = self.blank_of(expr, place);
        self.fill_in(blank)
    }

    pub(super) fn fill_in(&mut self, blank: Blank) -> Piece {
        let name = blank.name.clone();
        if !self.blanks.contains(&blank) {
            self.blanks.push(blank);
        }
        Piece::Blank(name)
    }

    fn missing(&mut self) -> Piece {
        self.refused("missing", "there is no value for it here")
    }

    /// What a run does not send is not typed, either.
    pub(super) fn refused(&mut self, name: &str, why: &str) -> Piece {
        let from = format!("{why}, and a run would stop: leave the line out");
        self.fill_in(Blank { name: name.to_owned(), from })
    }

    /// What has to be filled in for an expression.
    pub(super) fn blank_of(&self, expr: &'p Expr, place: Option<&str>) -> Blank {
        let source = self.source(expr);
        let is_item = |inner: &Expr| match &inner.uncovered().kind {
            ExprKind::Local(local) => matches!(self.bound.get(local), Some(Bound::Open)),
            _ => false,
        };
        let item = match &expr.uncovered().kind {
            ExprKind::Field { base, .. } => is_item(base),
            _ => is_item(expr),
        };
        let name = match &expr.uncovered().kind {
            ExprKind::Local(_) | ExprKind::Param(_) | ExprKind::Run(_) | ExprKind::Field { .. }
                if source.len() <= 40 =>
            {
                source.clone()
            }
            _ => place.unwrap_or("value").to_owned(),
        };
        let from = match &expr.uncovered().kind {
            ExprKind::Param(id) => {
                let doc = self.program.params.get(id.index()).map(|param| param.doc.as_ref()).unwrap_or_default();
                let doc = clean(doc.lines().next().unwrap_or_default());
                if doc.is_empty() { "you decide".to_owned() } else { doc }
            }
            ExprKind::Run(_) => "any text that tells this time from others".to_owned(),
            ExprKind::Field { name, .. } if item => {
                format!("the {name} of the `{}` whose turn it is", self.root(expr).unwrap_or_default())
            }
            _ if item => format!("the `{source}` whose turn it is"),
            _ => match self.root(expr) {
                Some(root) if root == source => self.behind_name(expr),
                Some(root) => format!("`{source}`: look in what `{root}` above printed"),
                None => format!("what `{source}` is"),
            },
        };
        Blank { name, from }
    }

    /// Where to get what a name stands for.
    fn behind_name(&self, expr: &'p Expr) -> String {
        let behind = self.behind(expr);
        match &behind.kind {
            ExprKind::Call(call) if call.builtin.by_hand.is_empty() && super::commands::is_outside(call) => {
                format!("`{}`: only the records of `runbook` say it", self.source(behind))
            }
            // A parameter of a tool or a command is named nowhere on the page: what it is given is.
            ExprKind::Local(_) if self.source(behind) != self.source(expr) => {
                format!("the `{}` whose turn it is", self.source(behind))
            }
            ExprKind::Local(_) => format!("see `{}` above", self.source(expr)),
            _ => format!("`{}`, see above", self.source(behind)),
        }
    }

    /// The name that an expression begins with.
    fn root(&self, expr: &'p Expr) -> Option<String> {
        match &expr.kind {
            ExprKind::Convert(inner) => self.root(inner),
            ExprKind::Field { base, .. } | ExprKind::Index { base, .. } => self.root(base),
            ExprKind::Local(id) => self.program.locals.get(id.index()).map(|local| local.name.to_string()),
            _ => None,
        }
    }
}

/// What a run makes of two values.
fn computed(expr: &Expr, op: BinaryOp, left: Value, right: Value) -> Known<'_> {
    run::binary(op, left, right, &expr.ty).map_or(Known::Blank(expr), Known::Value)
}

/// What a variable of the shell is called for a name: some names mean something to one.
pub(super) fn variable(program: &Program, local: LocalId) -> String {
    const TAKEN: &[&str] = &["path", "status", "argv", "home", "user", "prompt", "pipestatus", "cdpath", "fpath"];
    let name = program.locals.get(local.index()).map_or("item", |local| &*local.name);
    let is_plain = name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_plain && !TAKEN.contains(&name) {
        name.to_owned()
    } else {
        let plain: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        format!("this_{plain}")
    }
}

/// The plain text of a value, a length of time as most tools take it.
pub(super) fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Duration(duration) => Some(duration_text(*duration)),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Percent(_) => Some(value.to_json().to_string()),
        Value::Size(bytes) => Some(bytes.to_string()),
        Value::Time(_) | Value::Date(_) | Value::Clock(_) => Some(value.to_string()),
        Value::Data(data) => data.as_str().map(str::to_owned).or_else(|| Some(data.to_string())),
        _ => None,
    }
}

/// `2h`, `1h30m`, `90s`: in no larger unit than hours, for not every tool knows days.
fn duration_text(duration: SignedDuration) -> String {
    let seconds = duration.as_secs();
    if duration.subsec_nanos() != 0 {
        return format!("{}ms", duration.as_millis());
    }
    let (hours, minutes, rest) = (seconds / 3600, seconds % 3600 / 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "m"), (rest, "s")];
    let mut text = String::new();
    for (count, unit) in parts.into_iter().filter(|(count, _)| *count != 0) {
        let _ = write!(text, "{count}{unit}");
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}
