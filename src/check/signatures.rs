//! What every declaration takes and gives: known before any body is looked at.

use std::sync::Arc;

use indexmap::IndexMap;

use super::checker::Checker;
use super::convert::Want;
use super::cycles::Node;
use super::names::What;
use super::program::{CommandId, ConnectionId, Expr, MetricId, ParamId, ToolId};
use crate::catalog::{DriverKind, Effect};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, ItemKind};
use crate::types::{Field, RecordType, Type};

/// The signatures of all declarations, by their ids.
#[derive(Clone, Default)]
pub(super) struct Signatures {
    params: Vec<Type>,
    connections: Vec<Type>,
    metrics: Vec<(Type, Type)>,
    commands: Vec<Arc<Signature>>,
    tools: Vec<Arc<Signature>>,
}

/// Of a command or a tool.
pub(super) struct Signature {
    pub(super) params: Vec<Parameter>,
    pub(super) returns: Option<Type>,
    pub(super) effect: Effect,
    pub(super) idempotent: bool,
}

pub(super) struct Parameter {
    pub(super) name: Arc<str>,
    pub(super) ty: Type,
    pub(super) default: Option<Expr>,
    pub(super) span: Span,
}

impl Signatures {
    pub(super) fn param(&self, id: ParamId) -> Type {
        self.params.get(id.index()).cloned().unwrap_or(Type::Unknown)
    }

    pub(super) fn connection(&self, id: ConnectionId) -> Type {
        self.connections.get(id.index()).cloned().unwrap_or(Type::Unknown)
    }

    pub(super) fn metric(&self, id: MetricId) -> Type {
        self.metrics.get(id.index()).map_or(Type::Unknown, |(value, _)| value.clone())
    }

    /// The type of a metric's samples.
    pub(super) fn samples(&self, id: MetricId) -> Type {
        self.metrics.get(id.index()).map_or(Type::Unknown, |(_, samples)| samples.clone())
    }

    pub(super) fn command(&self, id: CommandId) -> Option<Arc<Signature>> {
        self.commands.get(id.index()).cloned()
    }

    pub(super) fn tool(&self, id: ToolId) -> Option<Arc<Signature>> {
        self.tools.get(id.index()).cloned()
    }
}

impl<'a> Checker<'a> {
    /// Resolves every type, then every signature. Types come first: a default may name a param of any file.
    pub(super) fn sign(&mut self) {
        for index in 0..self.names.aliases.len() {
            self.alias(index);
        }
        let names = self.names;
        let mut signatures = Signatures::default();
        for declaration in &names.declarations {
            self.module = declaration.module;
            match &declaration.item.kind {
                ItemKind::Param(param) => signatures.params.push(self.resolve_type(&param.ty)),
                ItemKind::Connect(connect) => signatures.connections.push(self.connection_type(&connect.driver)),
                ItemKind::Metric(metric) => {
                    let ty = self.resolve_type(&metric.ty);
                    let samples = samples(&ty, metric);
                    signatures.metrics.push((ty, samples));
                }
                _ => {}
            }
        }
        self.signatures = Arc::new(signatures.clone());
        for declaration in &names.declarations {
            self.module = declaration.module;
            let outer = self.needs.begin(Node::Declared(declaration.what));
            match &declaration.item.kind {
                ItemKind::Command(command) => {
                    let mut signature = self.signature(&command.params, command.result.as_ref(), command.changes);
                    // One that does not say that it changes something is reported once, and not wherever it is called.
                    if command.body.as_ref().is_some_and(super::effects::has_change) {
                        signature.effect = Effect::Changes;
                    }
                    signatures.commands.push(Arc::new(signature));
                }
                ItemKind::Tool(tool) => {
                    let signature = self.signature(&tool.params, tool.result.as_ref(), tool.changes);
                    let returns = signature.returns.clone().or(Some(Type::String));
                    signatures.tools.push(Arc::new(Signature { returns, ..signature }));
                }
                _ => {}
            }
            self.needs.end(outer);
        }
        self.signatures = Arc::new(signatures);
    }

    fn connection_type(&self, driver: &ast::Driver) -> Type {
        match driver.path.as_slice() {
            [name] if self.catalog.driver(&name.text).is_some_and(|driver| driver.kind == DriverKind::Connection) => {
                Type::Connection(name.text.clone())
            }
            _ => Type::Unknown,
        }
    }

    fn signature(
        &mut self,
        params: &'a [ast::Parameter],
        result: Option<&'a ast::Type>,
        changes: Option<ast::ChangesEffect>,
    ) -> Signature {
        let mut optional_before: Option<Span> = None;
        let params = params
            .iter()
            .map(|param| {
                let ty = self.resolve_type(&param.ty);
                let default = param.default.as_ref().map(|default| self.default(default, &ty, &param.name));
                match (&default, optional_before) {
                    (None, Some(before)) => {
                        let message = format!("`{}` has no default and stands behind one that has", param.name);
                        let diagnostic = Diagnostic::new(Code::MissingArgument, param.name.span, message);
                        self.report(diagnostic.label(before, "this has a default").help("put it before them"));
                    }
                    (Some(_), None) => optional_before = Some(param.name.span),
                    _ => {}
                }
                Parameter { name: param.name.text.clone(), ty, default, span: param.name.span }
            })
            .collect();
        Signature {
            params,
            returns: result.map(|result| self.resolve_type(result)),
            effect: if changes.is_some() { Effect::Changes } else { Effect::Reads },
            idempotent: changes.is_none_or(|changes| changes.idempotent),
        }
    }

    /// What stands in where nothing is given: it is known before anything runs.
    pub(super) fn default(&mut self, default: &'a ast::Expr, ty: &Type, name: &ast::Name) -> Expr {
        let expr = self.expr(default);
        if expr.effect != Effect::Pure {
            let message = format!(
                "the default of `{name}` is known before anything runs, and {} is read",
                self.quoted(expr.span)
            );
            let help = "write a constant, and read the value where it is used";
            self.report(Diagnostic::new(Code::NotALiteral, expr.span, message).help(help));
            return super::checker::broken(expr.span);
        }
        let what = format!("`{name}`");
        self.coerce(expr, &Want::new(ty, &what).declared(name.span))
    }

    /// The type that a declared name has, for those who know what it is.
    pub(super) fn type_of_declared(&self, what: What) -> Type {
        match what {
            What::Param(id) => self.signatures.param(id),
            What::Connection(id) => self.signatures.connection(id),
            What::Metric(id) => self.signatures.metric(id),
            _ => Type::Unknown,
        }
    }
}

/// The samples of a metric: when, what, and the text of each label.
fn samples(value: &Type, metric: &ast::Metric) -> Type {
    let field = |ty: Type, doc: &str| Field { ty, doc: doc.into() };
    let mut fields: IndexMap<Arc<str>, Field> = IndexMap::new();
    fields.insert("time".into(), field(Type::Time, "When it was taken."));
    fields.insert("value".into(), field(value.clone(), "What was measured."));
    for label in &metric.labels {
        fields.insert(label.name.text.clone(), field(Type::String, "Of what it was measured."));
    }
    Type::list(Type::Record(Arc::new(RecordType { name: Some("sample".into()), fields })))
}
