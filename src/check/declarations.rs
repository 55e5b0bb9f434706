//! Declarations, in the order of the text: params, secrets, connections, channels, metrics and what holds statements.

use std::sync::Arc;

use super::arguments::{Filled, Given};
use super::builtin_calls::slot;
use super::checker::Checker;
use super::cycles::Node;
use super::names::{Declaration, Names, What};
use super::program::{Channel, Connection, Expr, Label, Made, Metric, Param, Program, Secret};
use super::scope::LocalKind;
use crate::catalog::{Driver, DriverKind};
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, Docs, Item, ItemKind};
use crate::types::Type;

/// What only a runbook can declare: it is about who runs what when.
const fn is_of_runbooks(item: &ItemKind) -> bool {
    matches!(
        item,
        ItemKind::Metric(_)
            | ItemKind::Threshold(_)
            | ItemKind::Channel(_)
            | ItemKind::Escalation(_)
            | ItemKind::Section(_)
            | ItemKind::Report(_)
            | ItemKind::Test(_)
    )
}

impl<'a> Checker<'a> {
    /// Checks every item of every file.
    pub(super) fn declarations(&mut self) -> Program {
        let names = self.names;
        let mut program = self.empty_program();
        let mut declared = names.declarations.iter().peekable();
        for (index, module) in names.modules.iter().enumerate() {
            self.module = index;
            let is_library = module.is_library();
            for item in &module.file.items {
                let own = declared.next_if(|declaration| std::ptr::eq(declaration.item, item));
                if is_library && is_of_runbooks(&item.kind) {
                    let message = format!("a library has no {}", item.kind.keyword());
                    let help = "declare it in the runbook that uses the library";
                    let word = Span {
                        end: item.span.start + u32::try_from(item.kind.keyword().len()).unwrap_or(0),
                        ..item.span
                    };
                    self.report(Diagnostic::new(Code::NotALibrary, word, message).help(help));
                }
                match own {
                    Some(declaration) => {
                        let outer = self.needs.begin(Node::Declared(declaration.what));
                        self.declaration(declaration, item, &mut program);
                        self.needs.end(outer);
                    }
                    None => self.item(item, &mut program),
                }
            }
        }
        program
    }

    fn declaration(&mut self, declaration: &Declaration<'a>, item: &'a Item, program: &mut Program) {
        let name = full_name(self.names, declaration);
        let doc = doc(&item.docs);
        let span = declaration.name.span;
        match &item.kind {
            ItemKind::Param(param) => {
                let ty = self.type_of_declared(declaration.what);
                let default = param.default.as_ref().map(|default| self.default(default, &ty, &param.name));
                self.check_param_type(&ty, &param.ty);
                program.params.push(Param { name, ty, default, doc, span });
            }
            ItemKind::Secret(secret) => {
                if let Some(source) = self.made(&secret.source, Wanted::Secret) {
                    program.secrets.push(Secret { name, source, span });
                }
            }
            ItemKind::Connect(connect) => {
                if let Some(made) = self.made(&connect.driver, Wanted::Connection) {
                    program.connections.push(Connection { name, made, doc, span });
                }
            }
            ItemKind::Channel(channel) => {
                if let Some(made) = self.made(&channel.driver, Wanted::Channel) {
                    program.channels.push(Channel { name, made, doc, span });
                }
            }
            ItemKind::Metric(metric) => {
                let ty = self.type_of_declared(declaration.what);
                let metric = self.metric(metric, ty, name, doc);
                program.metrics.push(metric);
            }
            ItemKind::Tool(tool) => {
                if let What::Tool(id) = declaration.what
                    && let Some(tool) = self.tool(id, tool, name, doc)
                {
                    program.tools.push(tool);
                }
            }
            ItemKind::Command(command) => {
                if let What::Command(id) = declaration.what {
                    let command = self.command(id, command, name, doc);
                    program.commands.push(command);
                }
            }
            _ => {}
        }
    }

    fn item(&mut self, item: &'a Item, program: &mut Program) {
        match &item.kind {
            ItemKind::Threshold(threshold) => {
                let threshold = self.threshold(threshold, &item.docs);
                program.thresholds.push(threshold);
            }
            ItemKind::Escalation(escalation) => {
                let first = program.escalations.first().map(|first| first.span);
                if let Some(first) = first {
                    let message = "a runbook has one escalation, so that a level is one level";
                    let diagnostic = Diagnostic::new(Code::DuplicateName, escalation.name.span, message);
                    self.report(diagnostic.label(first, "first here"));
                }
                let escalation = self.escalation(escalation, &item.docs);
                program.escalations.push(escalation);
            }
            ItemKind::Section(section) => {
                self.claim_title("section", &section.title);
                let section = self.section(section, &item.docs);
                program.sections.push(section);
            }
            ItemKind::Report(report) => {
                self.claim_title("section", &report.title);
                let report = self.report_item(report, &item.docs);
                program.sections.push(report);
            }
            _ => {}
        }
    }

    /// A title is somebody's identity, so two of a kind cannot share one.
    pub(super) fn claim_title(&mut self, kind: &'static str, title: &'a ast::Title) {
        if let Some(first) = self.titles.insert((kind, title.as_str()), title.span) {
            self.report(super::names::duplicate(title.as_str(), title.span, first));
        }
    }

    /// A param is given on the command line, so its value must have a text.
    fn check_param_type(&mut self, ty: &Type, written: &ast::Type) {
        if matches!(ty.present(), Type::Secret) {
            let message = "a param is given on the command line, where everybody sees it";
            let help = "declare `secret name = env(\"NAME\")`";
            self.report(Diagnostic::new(Code::SecretExposed, written.span, message).help(help));
        } else if matches!(ty.present(), Type::Connection(_)) {
            let message = "a param is a value, and a connection is declared with `connect`";
            self.report(Diagnostic::new(Code::TypeMismatch, written.span, message));
        }
    }

    /// A driver with its arguments.
    fn made(&mut self, written: &'a ast::Driver, wanted: Wanted) -> Option<Made> {
        let Some(driver) = self.driver(written, wanted) else {
            for arg in &written.args.items {
                self.touch(&arg.value);
            }
            return None;
        };
        let slots: Vec<_> = driver.params.iter().map(slot).collect();
        let name = written.path.last().map_or(written.span, |name| name.span);
        let Filled { given, .. } = self.fill(driver.name, &slots, None, &written.args.items, name);
        let mut args: Vec<Option<Expr>> = Vec::new();
        for (info, given) in driver.params.iter().zip(given) {
            args.push(match given {
                Some(Given::Written(arg)) => Some(self.driver_arg(driver, info, &arg.value)),
                Some(Given::Receiver(_)) | None => None,
            });
        }
        Some(Made { driver, args, span: written.span })
    }

    fn driver_arg(
        &mut self,
        driver: &'static Driver,
        info: &'static crate::catalog::ParamInfo,
        value: &'a ast::Expr,
    ) -> Expr {
        if let crate::catalog::Accepts::Literal(landing) = info.accepts {
            return self.literal_arg(value, landing, &format!("`{}`", info.name));
        }
        let expr = self.expr(value);
        self.accept_value(driver.name, info, info.accepts, expr)
    }

    fn driver(&mut self, written: &'a ast::Driver, wanted: Wanted) -> Option<&'static Driver> {
        let name = written.path.iter().map(ast::Name::as_str).collect::<Vec<_>>().join(".");
        let span = written
            .path
            .first()
            .map_or(written.span, |first| written.path.last().map_or(first.span, |last| first.span.to(last.span)));
        let found = self.catalog.driver(&name).filter(|driver| wanted.is(driver.kind));
        if found.is_some() {
            return found;
        }
        if self.catalog.driver(&name).is_some() {
            let message = format!("`{name}` does not make a {}", wanted.noun());
            self.report(Diagnostic::new(Code::UnknownBuiltin, span, message).help(self.drivers_help(wanted)));
            return None;
        }
        let catalog = self.catalog;
        let known = catalog.drivers().filter(|driver| wanted.is(driver.kind)).map(|driver| driver.name);
        let meant = self.meant(&name, known);
        let nothing_near = meant.is_none();
        let message = format!("there is no {} driver `{name}`", wanted.noun());
        self.report_unknown(Code::UnknownBuiltin, span, &message, meant);
        if nothing_near {
            let help = self.drivers_help(wanted);
            if let Some(last) = self.diagnostics.last_mut() {
                last.help = Some(help);
            }
        }
        None
    }

    fn drivers_help(&self, wanted: Wanted) -> String {
        let known = self.catalog.drivers().filter(|driver| wanted.is(driver.kind)).map(|driver| driver.name);
        format!("there are {}", super::wording::alternatives(known).replace(" or ", " and "))
    }

    fn metric(&mut self, metric: &'a ast::Metric, ty: Type, name: Arc<str>, doc: Arc<str>) -> Metric {
        let mark = self.enter();
        let labels = metric.labels.iter().map(|label| self.label(label)).collect();
        let every = metric.every.as_ref().and_then(|every| {
            let every = self.expr_as(every, &Type::Duration, "the interval of the samples");
            self.constant_duration(&every, "the interval of the samples")
        });
        if !(ty.is_number() || matches!(ty, Type::Bool | Type::Unknown)) {
            let message = format!("a metric is a number or a bool, and not {}", super::wording::a(&ty));
            self.report(Diagnostic::new(Code::TypeMismatch, metric.ty.span, message));
        }
        let value = self.expr(&metric.value);
        let what = format!("`{}`", metric.name);
        let value = self.coerce(value, &super::convert::Want::new(&ty, &what).declared(metric.name.span));
        self.leave(mark);
        Metric { name, ty, labels, every, value, doc, span: metric.name.span }
    }

    /// `for name in list`: the name is visible from here on.
    pub(super) fn label(&mut self, label: &'a ast::Label) -> Label {
        let list = self.expr(&label.list);
        let (list, item) = self.loop_list(list);
        let local = self.declare_local(&label.name, item, LocalKind::Loop);
        self.scope.comes_from(local, self.origin(&list));
        self.scope.mark_used(local);
        Label { local, name: label.name.text.clone(), list }
    }
}

/// What a declaration makes.
#[derive(Clone, Copy)]
enum Wanted {
    Connection,
    Channel,
    Secret,
}

impl Wanted {
    const fn is(self, kind: DriverKind) -> bool {
        matches!(
            (self, kind),
            (Self::Connection, DriverKind::Connection)
                | (Self::Channel, DriverKind::Channel { .. })
                | (Self::Secret, DriverKind::Secret)
        )
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Connection => "connection",
            Self::Channel => "channel",
            Self::Secret => "secret",
        }
    }
}

/// `grace`, or `care.grace` of a library.
fn full_name(names: &Names<'_>, declaration: &Declaration<'_>) -> Arc<str> {
    match names.modules.get(declaration.module).and_then(|module| module.prefix.as_ref()) {
        Some(prefix) => format!("{prefix}.{}", declaration.name).into(),
        None => declaration.name.text.clone(),
    }
}

pub(super) fn doc(docs: &Docs) -> Arc<str> {
    docs.text().into()
}
