//! Statements.

use super::doc::Doc;
use super::expr::list_text;
use super::printer::{Blank, Part, Printer};
use crate::source::Span;
use crate::syntax::ast::{
    Block, Change, Check, CheckElse, Expr, IfBranch, Label, Statement, StatementKind, Template, Title,
};

impl<'t> Printer<'t> {
    pub(super) fn block(&mut self, block: &Block) -> Vec<Doc> {
        let parts = self.statement_parts(&block.statements);
        self.braced(parts, block.span.end)
    }

    #[expect(clippy::unused_self, reason = "the parts borrow for as long as the printer does")]
    pub(super) fn statement_parts<'p>(&self, statements: &'p [Statement]) -> Vec<Part<'p, 't>> {
        let part = |statement: &'p Statement| {
            Part::new(statement.span, Blank::AsWritten, move |printer: &mut Printer<'t>| printer.statement(statement))
        };
        statements.iter().map(part).collect()
    }

    pub(super) fn statement(&mut self, statement: &Statement) -> Doc {
        let mut line = Line::new(statement.kind.keyword());
        match &statement.kind {
            StatementKind::Let { name, ty, value } => {
                line.word(name.as_str());
                if let Some(ty) = ty {
                    let ty = self.type_ref(ty);
                    line.head.extend([Doc::text(": "), ty]);
                }
                line.word("=");
                line.value(self.expr(value));
            }
            StatementKind::Show { value, title } | StatementKind::Require { condition: value, title } => {
                line.value(self.expr(value));
                self.title_clause(title.as_ref(), &mut line);
            }
            StatementKind::Check(check) => self.check(check, &mut line),
            StatementKind::Measure { metrics } => line.word(&list_text(metrics)),
            StatementKind::Change(change) => self.change(change, &mut line),
            StatementKind::Manual { text, link, within } => {
                line.value(self.template(text));
                if let Some(link) = link {
                    self.clause(&mut line, "link", link.span, |printer| printer.template(link));
                }
                self.within(within.as_ref(), &mut line);
            }
            StatementKind::Wait { condition, every, within } => {
                line.word("until");
                line.value(self.expr(condition));
                self.clause(&mut line, "every", every.span, |printer| printer.expr(every));
                self.within(Some(within), &mut line);
            }
            StatementKind::Retry { times, every, body } => {
                line.word(&times.node);
                line.word("every");
                line.value(self.expr(every));
                line.block = self.block(body);
            }
            StatementKind::For(found) => {
                line.word(&format!("{} in", found.variable));
                line.value(self.expr(&found.list));
                if let Some(at_most) = &found.at_most {
                    self.clause(&mut line, "at most", at_most.span, |_| Doc::text(&*at_most.node));
                }
                line.block = self.block(&found.body);
            }
            StatementKind::If { branches, otherwise } => return self.branches(branches, otherwise.as_ref()),
            StatementKind::Do { call } | StatementKind::Return { value: call } => line.value(self.expr(call)),
            StatementKind::Notify { channels, message } => {
                line.word(&list_text(channels));
                self.message(message.as_ref(), &mut line);
            }
            StatementKind::Raise { threshold, message } => {
                line.value(self.title(threshold));
                self.message(message.as_ref(), &mut line);
            }
            StatementKind::Escalate { level, message } => {
                line.word(&format!("to level {}", level.node));
                self.message(message.as_ref(), &mut line);
            }
            StatementKind::Send { channels } => line.word(&format!("to {}", list_text(channels))),
        }
        let mut docs = Vec::new();
        if line.block.is_empty() {
            self.leftover(statement.span.end, &mut docs);
        }
        line.rest = docs;
        line.doc()
    }

    pub(super) fn title(&mut self, title: &Title) -> Doc {
        self.written(title.span)
    }

    /// `word …`, with the comments before it.
    pub(super) fn clause(&mut self, line: &mut Line, word: &str, at: Span, print: impl FnOnce(&mut Self) -> Doc) {
        self.anchor(at.start, &mut line.clauses);
        line.clauses.push(Doc::Line);
        let value = print(self);
        line.clauses.push(if word.is_empty() { value } else { Doc::group(vec![Doc::text(format!("{word} ")), value]) });
    }

    pub(super) fn within(&mut self, limit: Option<&Expr>, line: &mut Line) {
        if let Some(limit) = limit {
            self.clause(line, "within", limit.span, |printer| printer.expr(limit));
        }
    }

    fn title_clause(&mut self, title: Option<&Template>, line: &mut Line) {
        if let Some(title) = title {
            self.clause(line, "as", title.span, |printer| printer.template(title));
        }
    }

    fn message(&mut self, message: Option<&Template>, line: &mut Line) {
        if let Some(message) = message {
            self.clause(line, "", message.span, |printer| printer.template(message));
        }
    }

    fn check(&mut self, check: &Check, line: &mut Line) {
        line.value(self.expr(&check.condition));
        self.title_clause(check.title.as_ref(), line);
        let Some(otherwise) = &check.otherwise else { return };
        let (place, word, message) = match otherwise {
            CheckElse::Severity { severity, message } => (severity.span, severity.node.name().to_owned(), message),
            CheckElse::Raise { threshold, message } => {
                (threshold.span, format!("raise {}", self.source(threshold.span)), message)
            }
        };
        self.clause(line, "else", place, |printer| {
            let mut docs = vec![Doc::text(word)];
            if let Some(message) = message {
                docs.push(Doc::text(" "));
                printer.middle(message.span.start, &mut docs);
                docs.push(printer.template(message));
            }
            Doc::group(docs)
        });
    }

    /// The clauses stand in the order of the language, unless a comment holds them where they are.
    fn change(&mut self, change: &Change, line: &mut Line) {
        if let Some(binding) = &change.binding {
            line.word(&format!("{binding} ="));
        }
        line.value(self.expr(&change.call));
        let mut clauses: Vec<(Span, Clause<'_>)> = Vec::new();
        clauses.extend(change.title.iter().map(|title| (title.span, Clause::Title(title))));
        clauses.extend(change.within.iter().map(|limit| (limit.span, Clause::Expr("within", limit))));
        clauses.extend(change.approve_by.iter().map(|role| (role.span, Clause::Role(role))));
        clauses.extend(change.verify.iter().map(|verify| (verify.span, Clause::Expr("verify", verify))));
        clauses.extend(change.undo.iter().map(|undo| (undo.span, Clause::Expr("undo", undo))));
        let end = clauses.iter().map(|(span, _)| span.end).max().unwrap_or(change.call.span.end);
        if self.has_comment(Span { end, ..change.call.span }) {
            clauses.sort_by_key(|(span, _)| span.start);
        }
        line.break_clauses = clauses.len() > 1;
        for (span, clause) in clauses {
            match clause {
                Clause::Title(title) => self.clause(line, "as", span, |printer| printer.template(title)),
                Clause::Role(role) => self.clause(line, "approve by", span, |printer| printer.title(role)),
                Clause::Expr(word, expr) => self.clause(line, word, span, |printer| printer.expr(expr)),
            }
        }
    }

    /// `for x in xs`
    pub(super) fn label(&mut self, label: &Label) -> Doc {
        let mut docs = Vec::new();
        self.middle(label.span.start, &mut docs);
        docs.push(Doc::text(format!("for {} in ", label.name)));
        docs.push(self.expr(&label.list));
        Doc::group(docs)
    }

    fn branches(&mut self, branches: &[IfBranch], otherwise: Option<&Block>) -> Doc {
        let mut docs = Vec::new();
        for branch in branches {
            docs.push(Doc::text(if docs.is_empty() { "if " } else { " else if " }));
            docs.push(self.expr(&branch.condition));
            docs.push(Doc::text(" "));
            self.middle(branch.body.span.start, &mut docs);
            docs.extend(self.block(&branch.body));
        }
        if let Some(otherwise) = otherwise {
            docs.push(Doc::text(" else "));
            self.middle(otherwise.span.start, &mut docs);
            docs.extend(self.block(otherwise));
        }
        Doc::broken(docs)
    }
}

enum Clause<'a> {
    Title(&'a Template),
    Role(&'a Title),
    Expr(&'static str, &'a Expr),
}

/// A statement: its head, its clauses, its block.
pub(super) struct Line {
    pub(super) head: Vec<Doc>,
    /// Each on its own line if they do not fit behind the head; with the places where a line may end.
    pub(super) clauses: Vec<Doc>,
    pub(super) break_clauses: bool,
    pub(super) block: Vec<Doc>,
    /// Comments that stood before the end.
    pub(super) rest: Vec<Doc>,
}

impl Line {
    pub(super) fn new(keyword: &str) -> Self {
        Self {
            head: vec![Doc::text(keyword)],
            clauses: Vec::new(),
            break_clauses: false,
            block: Vec::new(),
            rest: Vec::new(),
        }
    }

    pub(super) fn word(&mut self, word: &str) {
        self.head.push(Doc::text(format!(" {word}")));
    }

    pub(super) fn value(&mut self, value: Doc) {
        self.head.extend([Doc::text(" "), value]);
    }

    pub(super) fn doc(self) -> Doc {
        let mut docs = self.head;
        if !self.clauses.is_empty() {
            docs.push(Doc::Nest(self.clauses));
        }
        docs.extend(self.rest);
        let head = if self.break_clauses { Doc::broken(docs) } else { Doc::group(docs) };
        if self.block.is_empty() {
            return head;
        }
        let mut docs = vec![head, Doc::text(" ")];
        docs.extend(self.block);
        Doc::broken(docs)
    }
}
