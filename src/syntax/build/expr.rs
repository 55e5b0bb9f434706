//! Expressions.

use pest::iterators::Pair;

use super::operators::Piece;
use super::{Builder, Built, Children, Lost};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{Arg, Args, BinaryOp, Entry, Expr, ExprKind, Name, UnaryOp};
use crate::syntax::grammar::Rule;

/// An expression and how deep it nests.
pub(super) struct Node {
    pub(super) expr: Expr,
    pub(super) depth: usize,
}

pub(super) const fn is_expr(rule: Rule) -> bool {
    matches!(rule, Rule::if_expr | Rule::try_expr | Rule::binary)
}

impl Builder<'_> {
    /// The next child, an expression.
    pub(super) fn next_expr(&mut self, children: &mut Children<'_>) -> Built<Expr> {
        let pair = children.take_if(is_expr).ok_or(Lost)?;
        Ok(self.expr(pair)?.expr)
    }

    /// The next children, an operand and its stages.
    pub(super) fn next_pipeline(&mut self, children: &mut Children<'_>) -> Built<Expr> {
        Ok(self.pipeline(children)?.expr)
    }

    /// The next child, an operand.
    pub(super) fn next_operand(&mut self, children: &mut Children<'_>) -> Built<Expr> {
        let pair = children.need(Rule::operand)?;
        Ok(self.operand(pair)?.expr)
    }

    /// A record that stands where nothing else may.
    pub(super) fn record_expr(&mut self, pair: Pair<'_, Rule>) -> Built<Expr> {
        Ok(self.primary(pair)?.expr)
    }

    pub(super) fn expr(&mut self, pair: Pair<'_, Rule>) -> Built<Node> {
        match pair.as_rule() {
            Rule::if_expr => self.if_expr(pair),
            Rule::try_expr => self.try_expr(pair),
            Rule::binary => self.row(pair),
            _ => Err(Lost),
        }
    }

    /// `if a then b else if c then d else e` nests to the right.
    fn if_expr(&mut self, pair: Pair<'_, Rule>) -> Built<Node> {
        let end = self.span(&pair);
        let mut starts = Vec::new();
        let mut parts = Vec::new();
        for inner in pair.into_inner() {
            if inner.as_rule() == Rule::kw_if {
                starts.push(self.span(&inner));
            } else if is_expr(inner.as_rule()) {
                parts.push(self.expr(inner)?);
            }
        }
        let mut whole = parts.pop().ok_or(Lost)?;
        while let (Some(start), Some(then), Some(condition)) = (starts.pop(), parts.pop(), parts.pop()) {
            let depth = condition.depth.max(then.depth).max(whole.depth);
            let kind = ExprKind::If {
                condition: Box::new(condition.expr),
                then: Box::new(then.expr),
                otherwise: Box::new(whole.expr),
            };
            whole = self.node(kind, start.to(end), depth)?;
        }
        Ok(whole)
    }

    fn try_expr(&mut self, pair: Pair<'_, Rule>) -> Built<Node> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let value = children.take_if(is_expr).ok_or(Lost)?;
        let value = self.expr(value)?;
        let on = children.take(Rule::try_on).map_or_else(Vec::new, |on| self.names(on));
        let otherwise = children.take_if(is_expr).ok_or(Lost)?;
        let otherwise = self.expr(otherwise)?;
        let depth = value.depth.max(otherwise.depth);
        let kind = ExprKind::Try { value: Box::new(value.expr), on, otherwise: Box::new(otherwise.expr) };
        self.node(kind, span, depth)
    }

    /// All words and names that are children of a pair.
    pub(super) fn names(&self, pair: Pair<'_, Rule>) -> Vec<Name> {
        pair.into_inner()
            .filter(|inner| matches!(inner.as_rule(), Rule::word | Rule::ident))
            .map(|inner| self.name(&inner))
            .collect()
    }

    fn row(&mut self, pair: Pair<'_, Rule>) -> Built<Node> {
        let mut children = Children::new(pair);
        let mut row = Vec::new();
        while let Some(rule) = children.peek() {
            row.push(match rule {
                Rule::operand => Piece::Operand(self.pipeline(&mut children)?),
                Rule::prefix => Piece::Prefix(self.prefix(&children.any()?)),
                Rule::op => Piece::Op(self.op(&children.any()?)?),
                _ => return Err(Lost),
            });
        }
        if let [Piece::Operand(_)] = row.as_slice()
            && let Some(Piece::Operand(node)) = row.pop()
        {
            return Ok(node);
        }
        self.operators(row)
    }

    fn prefix(&self, pair: &Pair<'_, Rule>) -> Spanned<UnaryOp> {
        let op = if pair.as_str() == "-" { UnaryOp::Negate } else { UnaryOp::Not };
        Spanned::new(op, self.span(pair))
    }

    fn op(&self, pair: &Pair<'_, Rule>) -> Built<Spanned<BinaryOp>> {
        let found = BinaryOp::ALL.into_iter().find(|op| op.symbol() == pair.as_str()).ok_or(Lost)?;
        Ok(Spanned::new(found, self.span(pair)))
    }

    fn pipeline(&mut self, children: &mut Children<'_>) -> Built<Node> {
        let first = children.need(Rule::operand)?;
        let mut node = self.operand(first)?;
        while let Some(stage) = children.take(Rule::stage) {
            let end = self.span(&stage);
            let mut parts = Children::new(stage);
            let path = parts.all(Rule::word).iter().map(|word| self.name(word)).collect();
            let (args, depth) = self.maybe_args(&mut parts)?;
            let span = node.expr.span.to(end);
            let depth = depth.max(node.depth);
            node = self.node(ExprKind::Pipe { base: Box::new(node.expr), path, args }, span, depth)?;
        }
        Ok(node)
    }

    pub(super) fn operand(&mut self, pair: Pair<'_, Rule>) -> Built<Node> {
        let mut children = Children::new(pair);
        let primary = children.any()?;
        let mut node = self.primary(primary)?;
        while let Some(rule) = children.peek() {
            let suffix = children.any()?;
            node = match rule {
                Rule::access => self.access(node, suffix)?,
                _ => self.index(node, suffix)?,
            };
        }
        Ok(node)
    }

    fn access(&mut self, base: Node, pair: Pair<'_, Rule>) -> Built<Node> {
        let span = base.expr.span.to(self.span(&pair));
        let optional = pair.as_str().starts_with('?');
        let mut children = Children::new(pair);
        let name = self.name(&children.need(Rule::word)?);
        let (args, depth) = self.maybe_args(&mut children)?;
        let depth = depth.max(base.depth);
        let base = Box::new(base.expr);
        let kind = match args {
            Some(args) => ExprKind::Method { base, optional, name, args },
            None => ExprKind::Field { base, optional, name },
        };
        self.node(kind, span, depth)
    }

    fn index(&mut self, base: Node, pair: Pair<'_, Rule>) -> Built<Node> {
        let span = base.expr.span.to(self.span(&pair));
        let inner = Children::new(pair).need(Rule::in_index)?;
        let inner = Children::new(inner).take_if(is_expr).ok_or(Lost)?;
        let index = self.expr(inner)?;
        let depth = base.depth.max(index.depth);
        let kind = ExprKind::Index { base: Box::new(base.expr), index: Box::new(index.expr) };
        self.node(kind, span, depth)
    }

    fn primary(&mut self, pair: Pair<'_, Rule>) -> Built<Node> {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::text | Rule::raw | Rule::block_text | Rule::block_raw => {
                let (template, depth) = self.template_node(pair)?;
                self.node(ExprKind::Template(template), span, depth)
            }
            Rule::own => self.own(pair, span),
            Rule::name_or_call => self.name_or_call(pair, span),
            Rule::paren => {
                let inner = Children::new(pair).take_if(is_expr).ok_or(Lost)?;
                let inner = self.expr(inner)?;
                self.node(ExprKind::Paren(Box::new(inner.expr)), span, inner.depth)
            }
            Rule::list => {
                let (items, depth) = self.list(pair)?;
                self.node(ExprKind::List(items), span, depth)
            }
            Rule::record => {
                let (entries, depth) = self.record(pair)?;
                self.node(ExprKind::Record(entries), span, depth)
            }
            _ => {
                let kind = Self::literal(&pair)?;
                self.node(kind, span, 0)
            }
        }
    }

    fn own(&mut self, pair: Pair<'_, Rule>, span: Span) -> Built<Node> {
        let mut children = Children::new(pair);
        let name = self.name(&children.need(Rule::word)?);
        let (args, depth) = self.maybe_args(&mut children)?;
        let kind = match args {
            Some(args) => ExprKind::OwnCall { name, args },
            None => ExprKind::OwnField { name },
        };
        self.node(kind, span, depth)
    }

    fn name_or_call(&mut self, pair: Pair<'_, Rule>, span: Span) -> Built<Node> {
        let mut children = Children::new(pair);
        let name = self.name(&children.need(Rule::ident)?);
        let (args, depth) = self.maybe_args(&mut children)?;
        let kind = match args {
            Some(args) => ExprKind::Call { name, args },
            None => ExprKind::Name(name),
        };
        self.node(kind, span, depth)
    }

    fn list(&mut self, pair: Pair<'_, Rule>) -> Built<(Vec<Expr>, usize)> {
        let mut items = Vec::new();
        let mut depth = 0;
        for inner in pair.into_inner() {
            let node = self.expr(inner)?;
            depth = depth.max(node.depth);
            items.push(node.expr);
        }
        Ok((items, depth))
    }

    fn record(&mut self, pair: Pair<'_, Rule>) -> Built<(Vec<Entry>, usize)> {
        let mut entries = Vec::new();
        let mut depth = 0;
        for inner in pair.into_inner() {
            let span = self.span(&inner);
            let mut children = Children::new(inner);
            let key = children.any()?;
            let shorthand = key.as_rule() == Rule::ident;
            let key = self.key(key);
            let value = if shorthand {
                Expr { kind: ExprKind::Name(key.clone()), span: key.span }
            } else {
                let node = children.take_if(is_expr).ok_or(Lost)?;
                let node = self.expr(node)?;
                depth = depth.max(node.depth);
                node.expr
            };
            entries.push(Entry { key, value, shorthand, span });
        }
        Ok((entries, depth.max(1)))
    }

    fn key(&self, pair: Pair<'_, Rule>) -> Name {
        let span = self.span(&pair);
        match pair.as_rule() {
            Rule::name | Rule::raw => Name { text: Self::constant(pair), span },
            _ => self.name(&pair),
        }
    }

    /// The arguments, if they come next, and how deep they nest.
    fn maybe_args(&mut self, children: &mut Children<'_>) -> Built<(Option<Args>, usize)> {
        let Some(pair) = children.take(Rule::args) else { return Ok((None, 0)) };
        let (args, depth) = self.args_node(pair)?;
        Ok((Some(args), depth))
    }

    pub(super) fn args_node(&mut self, pair: Pair<'_, Rule>) -> Built<(Args, usize)> {
        let span = self.span(&pair);
        let mut items = Vec::new();
        let mut depth = 0;
        for inner in pair.into_inner() {
            let (arg, inner_depth) = self.arg(inner)?;
            depth = depth.max(inner_depth);
            items.push(arg);
        }
        Ok((Args { items, span }, depth))
    }

    fn arg(&mut self, pair: Pair<'_, Rule>) -> Built<(Arg, usize)> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let name = children.take(Rule::arg_name).map(|name| self.name(&name));
        let value = children.any()?;
        let node = if value.as_rule() == Rule::lambda { self.lambda(value)? } else { self.expr(value)? };
        Ok((Arg { name, value: node.expr, span }, node.depth))
    }

    fn lambda(&mut self, pair: Pair<'_, Rule>) -> Built<Node> {
        let span = self.span(&pair);
        let mut children = Children::new(pair);
        let param = self.name(&children.need(Rule::ident)?);
        let body = children.take_if(is_expr).ok_or(Lost)?;
        let body = self.expr(body)?;
        self.node(ExprKind::Lambda { param, body: Box::new(body.expr) }, span, body.depth)
    }
}
