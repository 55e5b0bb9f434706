//! Expressions.

use std::sync::Arc;

use super::{Name, Written};
use crate::source::{Span, Spanned};

#[derive(Clone, Debug, PartialEq)]
pub struct Expr {
    pub kind: ExprKind,
    pub span: Span,
}

#[derive(Clone, Debug, PartialEq)]
pub enum ExprKind {
    Bool(bool),
    Null,
    /// `3`, `0.5`, `1_000`, as written.
    Number(Arc<str>),
    /// A number with units: `10GiB`, `1h30m`, `120EUR`, as written.
    Quantity(Arc<str>),
    /// `3/min`, `10MiB/s`, as written.
    Rate(Arc<str>),
    /// `5%`, as written.
    Percent(Arc<str>),
    /// `2025-09-09` or `2025-09-09T08:00:00Z`, as written.
    Date(Arc<str>),
    /// `08:00`, as written.
    Clock(Arc<str>),
    /// `/source/flags`, the source as written.
    Regex {
        source: Arc<str>,
        flags: Arc<str>,
    },
    Template(Template),
    Name(Name),
    /// The item of the stage or built-in around it.
    It,
    /// `.name`, a field of the item.
    OwnField {
        name: Name,
    },
    /// `.name(args)`, a call on the item.
    OwnCall {
        name: Name,
        args: Args,
    },
    /// `base.name`, or `base?.name` where the base may be missing. The base may be a module (`care.grace`).
    Field {
        base: Box<Expr>,
        optional: bool,
        name: Name,
    },
    /// `base.name(args)`, or `base?.name(args)`. The base may be a module (`care.unhealthy(pods)`).
    Method {
        base: Box<Expr>,
        optional: bool,
        name: Name,
        args: Args,
    },
    /// `name(args)`.
    Call {
        name: Name,
        args: Args,
    },
    /// `base[index]`.
    Index {
        base: Box<Expr>,
        index: Box<Expr>,
    },
    /// `base | stage`, `base | stage(args)`, `base | module.stage(args)`. The path has at least one name.
    Pipe {
        base: Box<Expr>,
        path: Vec<Name>,
        args: Option<Args>,
    },
    Unary {
        op: Spanned<UnaryOp>,
        operand: Box<Expr>,
    },
    Binary {
        left: Box<Expr>,
        op: Spanned<BinaryOp>,
        right: Box<Expr>,
    },
    /// `if condition then then else otherwise`.
    If {
        condition: Box<Expr>,
        then: Box<Expr>,
        otherwise: Box<Expr>,
    },
    /// `try value on kinds otherwise otherwise`. No kinds: every error is forgiven.
    Try {
        value: Box<Expr>,
        on: Vec<Name>,
        otherwise: Box<Expr>,
    },
    List(Vec<Expr>),
    Record(Vec<Entry>),
    /// `(inner)`. It means what the inner one means.
    Paren(Box<Expr>),
    /// `param => body`. Only as the value of an argument.
    Lambda {
        param: Name,
        body: Box<Expr>,
    },
}

impl Expr {
    /// Without the parentheses around it.
    #[must_use]
    pub fn bare(&self) -> &Self {
        match &self.kind {
            ExprKind::Paren(inner) => inner.bare(),
            _ => self,
        }
    }

    /// The call that this is, in whichever of its forms it was written: `f(x, a)`, `x.f(a)` and `x | f(a)` are one.
    #[must_use]
    pub fn as_call(&self) -> Option<Call<'_>> {
        let (receiver, optional, path, args) = match &self.kind {
            ExprKind::Call { name, args } => (Receiver::None, false, std::slice::from_ref(name), Some(args)),
            ExprKind::OwnCall { name, args } => (Receiver::It, false, std::slice::from_ref(name), Some(args)),
            ExprKind::Method { base, optional, name, args } => {
                (Receiver::Value(base), *optional, std::slice::from_ref(name), Some(args))
            }
            ExprKind::Pipe { base, path, args } => (Receiver::Value(base), false, path.as_slice(), args.as_ref()),
            _ => return None,
        };
        Some(Call { receiver, optional, path, args: args.map_or(&[], |args| args.items.as_slice()), span: self.span })
    }

    /// Calls `visit` with each expression right inside this one, in the order of the text.
    pub fn each_child<'a>(&'a self, visit: &mut dyn FnMut(&'a Self)) {
        match &self.kind {
            ExprKind::Bool(_)
            | ExprKind::Null
            | ExprKind::Number(_)
            | ExprKind::Quantity(_)
            | ExprKind::Rate(_)
            | ExprKind::Percent(_)
            | ExprKind::Date(_)
            | ExprKind::Clock(_)
            | ExprKind::Regex { .. }
            | ExprKind::Name(_)
            | ExprKind::It
            | ExprKind::OwnField { .. } => {}
            ExprKind::Template(template) => template.interpolations().for_each(|found| visit(&found.value)),
            ExprKind::OwnCall { args, .. } | ExprKind::Call { args, .. } => args.each_value(visit),
            ExprKind::Field { base, .. } => visit(base),
            ExprKind::Method { base, args, .. } => {
                visit(base);
                args.each_value(visit);
            }
            ExprKind::Index { base, index } => {
                visit(base);
                visit(index);
            }
            ExprKind::Pipe { base, args, .. } => {
                visit(base);
                if let Some(args) = args {
                    args.each_value(visit);
                }
            }
            ExprKind::Unary { operand, .. } => visit(operand),
            ExprKind::Binary { left, right, .. } => {
                visit(left);
                visit(right);
            }
            ExprKind::If { condition, then, otherwise } => {
                visit(condition);
                visit(then);
                visit(otherwise);
            }
            ExprKind::Try { value, otherwise, .. } => {
                visit(value);
                visit(otherwise);
            }
            ExprKind::List(items) => items.iter().for_each(visit),
            ExprKind::Record(entries) => entries.iter().for_each(|entry| visit(&entry.value)),
            ExprKind::Paren(inner) => visit(inner),
            ExprKind::Lambda { body, .. } => visit(body),
        }
    }
}

/// A call in any of its forms.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub receiver: Receiver<'a>,
    /// Written with `?.`: nothing is called where the receiver is missing.
    pub optional: bool,
    /// At least one name; more only in a pipe through a module's stage.
    pub path: &'a [Name],
    /// What stands in the brackets: the receiver is not among them.
    pub args: &'a [Arg],
    pub span: Span,
}

/// What stands before the name of a call, and so is its first argument (or its connection, or its module).
#[derive(Clone, Copy, Debug)]
pub enum Receiver<'a> {
    None,
    /// The item: `.name(args)`.
    It,
    Value(&'a Expr),
}

/// The arguments of a call.
#[derive(Clone, Debug, PartialEq)]
pub struct Args {
    pub items: Vec<Arg>,
    /// With the brackets.
    pub span: Span,
}

impl Args {
    fn each_value<'a>(&'a self, visit: &mut dyn FnMut(&'a Expr)) {
        self.items.iter().for_each(|arg| visit(&arg.value));
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Arg {
    pub name: Option<Name>,
    pub value: Expr,
    pub span: Span,
}

/// An entry of a record.
#[derive(Clone, Debug, PartialEq)]
pub struct Entry {
    /// A word, or a constant text in quotes; without the quotes here, with them in its span.
    pub key: Name,
    /// With `shorthand`, the name that the key is.
    pub value: Expr,
    /// `{ before }` for `{ before: before }`.
    pub shorthand: bool,
    pub span: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum UnaryOp {
    Not,
    Negate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BinaryOp {
    Or,
    And,
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// `~`: a text matches a regex.
    Matches,
    In,
    /// `??`: the right one stands in where the left one is missing.
    Coalesce,
    Add,
    Subtract,
    Multiply,
    Divide,
}

impl BinaryOp {
    /// The one that says the same of a value and a limit with the sides turned round: `5 < x` is `x > 5`. `None` of what
    /// does not say on which side of the limit the value is.
    #[must_use]
    pub const fn turned(self) -> Option<Self> {
        Some(match self {
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
            Self::Equal => Self::Equal,
            _ => return None,
        })
    }

    pub const ALL: [Self; 15] = [
        Self::Or,
        Self::And,
        Self::Equal,
        Self::NotEqual,
        Self::Less,
        Self::LessOrEqual,
        Self::Greater,
        Self::GreaterOrEqual,
        Self::Matches,
        Self::In,
        Self::Coalesce,
        Self::Add,
        Self::Subtract,
        Self::Multiply,
        Self::Divide,
    ];

    /// As it is written.
    #[must_use]
    pub const fn symbol(self) -> &'static str {
        match self {
            Self::Or => "or",
            Self::And => "and",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Matches => "~",
            Self::In => "in",
            Self::Coalesce => "??",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        }
    }

    /// How tightly it binds: a higher one binds tighter. Those of one binding associate to the left, but
    /// comparisons do not chain at all.
    #[must_use]
    pub const fn binding(self) -> u8 {
        match self {
            Self::Or => 1,
            Self::And => 2,
            Self::Equal
            | Self::NotEqual
            | Self::Less
            | Self::LessOrEqual
            | Self::Greater
            | Self::GreaterOrEqual
            | Self::Matches
            | Self::In => 4,
            Self::Coalesce => 5,
            Self::Add | Self::Subtract => 6,
            Self::Multiply | Self::Divide => 7,
        }
    }

    #[must_use]
    pub const fn is_comparison(self) -> bool {
        self.binding() == 4
    }
}

/// A text that may have values in it.
#[derive(Clone, Debug, PartialEq)]
pub struct Template {
    /// In the order of the text. Two texts never follow one another; the empty text has no part.
    pub parts: Vec<Part>,
    pub quoting: Quoting,
    /// With the quotes.
    pub span: Span,
}

impl Template {
    /// Its text, if nothing is interpolated.
    #[must_use]
    pub fn constant(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(&text.node),
            _ => None,
        }
    }

    pub fn interpolations(&self) -> impl Iterator<Item = &Interpolation> {
        self.parts.iter().filter_map(|part| match part {
            Part::Interpolation(found) => Some(found),
            Part::Text(_) => None,
        })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    /// Escapes decoded; in a block, its common indentation taken away and `\r\n` made `\n`. The span is of what was
    /// written.
    Text(Written),
    Interpolation(Interpolation),
}

/// `{value}` or `{value:format}` in a text.
#[derive(Clone, Debug, PartialEq)]
pub struct Interpolation {
    pub value: Box<Expr>,
    /// Without its `:`.
    pub format: Option<Written>,
    /// With the braces.
    pub span: Span,
}

/// In what a text was written.
///
/// A block begins on the line after its quotes. The blanks before the closing quotes, if nothing else stands on their
/// line, are taken away from the start of every line; where they stand alone, the line end before them stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Quoting {
    /// `"…"`
    Text,
    /// `'…'`: neither interpolations nor escapes.
    Raw,
    /// `"""…"""`
    Block,
    /// `'''…'''`: neither interpolations nor escapes.
    BlockRaw,
}

impl Quoting {
    #[must_use]
    pub const fn is_block(self) -> bool {
        matches!(self, Self::Block | Self::BlockRaw)
    }
}
