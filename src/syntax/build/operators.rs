//! Which operator binds what: a flat row of operands and operators becomes a tree.

use std::iter::Peekable;
use std::vec::IntoIter;

use super::expr::Node;
use super::{Builder, Built, Lost};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, MAX_DEPTH, UnaryOp};

/// What `not` takes: all that binds at least as tightly as a comparison.
const NOT: u8 = 4;
/// What a `-` before an operand takes: no operator at all.
const NEGATE: u8 = 8;

/// A member of the flat row.
pub(super) enum Piece {
    Prefix(Spanned<UnaryOp>),
    Operand(Node),
    Op(Spanned<BinaryOp>),
}

impl Builder<'_> {
    pub(super) fn operators(&mut self, row: Vec<Piece>) -> Built<Node> {
        self.climb(&mut row.into_iter().peekable(), 0, 0)
    }

    /// Takes what binds at least as tightly as `least`. It recurs once a level of binding, and once a prefix.
    fn climb(&mut self, row: &mut Peekable<IntoIter<Piece>>, least: u8, level: usize) -> Built<Node> {
        let mut left = match row.next() {
            Some(Piece::Operand(node)) => node,
            Some(Piece::Prefix(op)) => {
                if level > MAX_DEPTH {
                    return Err(self.too_deep(op.span));
                }
                let takes = if op.node == UnaryOp::Not { NOT } else { NEGATE };
                let operand = self.climb(row, takes, level + 1)?;
                self.unary(op, operand)?
            }
            Some(Piece::Op(_)) | None => return Err(Lost),
        };
        let mut compared: Option<Span> = None;
        while let Some(Piece::Op(op)) = row.peek() {
            let op = *op;
            if op.node.binding() < least {
                break;
            }
            row.next();
            if op.node.is_comparison() {
                if let Some(first) = compared {
                    return Err(self.chained(first, op));
                }
                compared = Some(op.span);
            } else {
                compared = None;
            }
            let right = self.climb(row, op.node.binding() + 1, level + 1)?;
            left = self.binary(left, op, right)?;
        }
        Ok(left)
    }

    fn unary(&mut self, op: Spanned<UnaryOp>, operand: Node) -> Built<Node> {
        let span = op.span.to(operand.expr.span);
        let depth = operand.depth;
        self.node(ExprKind::Unary { op, operand: Box::new(operand.expr) }, span, depth)
    }

    fn binary(&mut self, left: Node, op: Spanned<BinaryOp>, right: Node) -> Built<Node> {
        let span = left.expr.span.to(right.expr.span);
        let depth = left.depth.max(right.depth);
        let (left, right) = (Box::new(left.expr), Box::new(right.expr));
        self.node(ExprKind::Binary { left, op, right }, span, depth)
    }

    /// A node around parts that are `depth` deep.
    pub(super) fn node(&mut self, kind: ExprKind, span: Span, depth: usize) -> Built<Node> {
        if depth >= MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        Ok(Node { expr: Expr { kind, span }, depth: depth + 1 })
    }

    fn too_deep(&mut self, span: Span) -> Lost {
        let end = Span::new(span.file, span.end.saturating_sub(1).max(span.start), span.end);
        self.fault(
            Diagnostic::new(
                Code::NestedTooDeeply,
                end,
                format!("this expression nests more than {MAX_DEPTH} operators and calls"),
            )
            .help("name the inner parts with `let`, or put them into a list"),
        )
    }

    fn chained(&mut self, first: Span, second: Spanned<BinaryOp>) -> Lost {
        self.fault(
            Diagnostic::new(Code::ChainedComparison, second.span, "comparisons do not chain")
                .label(first, "compared here already")
                .help("join two comparisons with `and`, or put brackets around one of them"),
        )
    }
}
