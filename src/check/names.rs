//! Which names are declared: collected before anything is checked, so that the order of declarations does not matter.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::modules::Modules;
use super::program::{ChannelId, CommandId, ConnectionId, MetricId, ParamId, SecretId, ThresholdId, ToolId};
use crate::catalog::Catalog;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{self, File, HeaderKind, Item, ItemKind, Name};

/// The names that can be used without being declared.
pub(super) const PREDECLARED: &str = "run";

/// All declarations of all files.
pub(super) struct Names<'a> {
    pub(super) modules: Vec<Module<'a>>,
    pub(super) declarations: Vec<Declaration<'a>>,
    pub(super) aliases: Vec<Alias<'a>>,
    /// Of the root file: a library has none.
    pub(super) thresholds: Vec<&'a ast::Threshold>,
    threshold_ids: HashMap<Arc<str>, ThresholdId>,
    places: HashMap<What, usize>,
}

/// One file.
pub(super) struct Module<'a> {
    pub(super) file: &'a File,
    /// What the names of a library are told apart by: `care` in `care.grace`.
    pub(super) prefix: Option<Arc<str>>,
    names: HashMap<Arc<str>, usize>,
    types: HashMap<Arc<str>, usize>,
    junk: HashSet<&'a str>,
}

/// A name at the top of a file.
pub(super) struct Declaration<'a> {
    pub(super) name: Name,
    pub(super) module: usize,
    pub(super) what: What,
    pub(super) item: &'a Item,
    pub(super) used: Cell<bool>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum What {
    Param(ParamId),
    Secret(SecretId),
    Connection(ConnectionId),
    Tool(ToolId),
    Command(CommandId),
    Metric(MetricId),
    Channel(ChannelId),
    /// A used file; `None` where it could not be had, which has been reported.
    Module(Option<usize>),
}

impl What {
    pub(super) const fn noun(self) -> &'static str {
        match self {
            Self::Param(_) => "param",
            Self::Secret(_) => "secret",
            Self::Connection(_) => "connection",
            Self::Tool(_) => "tool",
            Self::Command(_) => "command",
            Self::Metric(_) => "metric",
            Self::Channel(_) => "channel",
            Self::Module(_) => "module",
        }
    }
}

/// `type name = …`
pub(super) struct Alias<'a> {
    pub(super) alias: &'a ast::TypeAlias,
    pub(super) module: usize,
}

impl<'a> Names<'a> {
    pub(super) fn collect(modules: &'a Modules, catalog: &Catalog, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let mut names = Self {
            modules: modules.files.iter().enumerate().map(|(index, file)| Module::new(modules, index, file)).collect(),
            declarations: Vec::new(),
            aliases: Vec::new(),
            thresholds: Vec::new(),
            threshold_ids: HashMap::new(),
            places: HashMap::new(),
        };
        let mut counts = Counts::default();
        for (index, file) in modules.files.iter().enumerate() {
            let mut uses = modules.uses.get(index).into_iter().flatten();
            for item in &file.items {
                if let Some((name, what)) = counts.declared(item, &mut uses) {
                    names.declare(
                        Declaration { name, module: index, what, item, used: Cell::new(false) },
                        catalog,
                        diagnostics,
                    );
                }
                match &item.kind {
                    ItemKind::Type(alias) => names.declare_type(Alias { alias, module: index }, diagnostics),
                    ItemKind::Threshold(threshold) => names.declare_threshold(threshold, diagnostics),
                    _ => {}
                }
            }
        }
        names
    }

    /// The declaration of a name in a file.
    pub(super) fn find(&self, module: usize, name: &str) -> Option<&Declaration<'a>> {
        let index = *self.modules.get(module)?.names.get(name)?;
        self.declarations.get(index)
    }

    pub(super) fn find_type(&self, module: usize, name: &str) -> Option<usize> {
        self.modules.get(module)?.types.get(name).copied()
    }

    pub(super) fn threshold(&self, title: &str) -> Option<ThresholdId> {
        self.threshold_ids.get(title).copied()
    }

    pub(super) fn threshold_titles(&self) -> impl Iterator<Item = &str> {
        self.thresholds.iter().map(|threshold| threshold.title.as_str())
    }

    /// The names of a file.
    pub(super) fn visible(&self, module: usize) -> impl Iterator<Item = &str> {
        self.modules.get(module).into_iter().flat_map(|module| module.names.keys()).map(|name| &**name)
    }

    pub(super) fn visible_types(&self, module: usize) -> impl Iterator<Item = &str> {
        self.modules.get(module).into_iter().flat_map(|module| module.types.keys()).map(|name| &**name)
    }

    /// Where something is declared. Each id was given out with its declaration.
    pub(super) fn declaration(&self, what: What) -> Option<&Declaration<'a>> {
        self.declarations.get(*self.places.get(&what)?)
    }

    /// Whether a part of the file that could not be read speaks of a name: then its absence is an echo.
    pub(super) fn is_in_junk(&self, module: usize, name: &str) -> bool {
        self.modules.get(module).is_some_and(|module| module.junk.contains(name))
    }

    fn declare(&mut self, declaration: Declaration<'a>, catalog: &Catalog, diagnostics: &mut Vec<Diagnostic>) {
        let name = declaration.name.clone();
        let hidden =
            matches!(declaration.what, What::Command(_) | What::Tool(_)) && catalog.builtin(&name.text).is_some();
        if hidden || *name.text == *PREDECLARED {
            let noun = declaration.what.noun();
            let message = format!("the {noun} `{name}` has the name of a built-in");
            diagnostics.push(Diagnostic::new(Code::DuplicateName, name.span, message).help("give it another name"));
        }
        let index = self.declarations.len();
        if let Some(first) = self.find(declaration.module, &name.text) {
            diagnostics.push(duplicate(&name.text, name.span, first.name.span));
            declaration.used.set(true);
        } else if let Some(module) = self.modules.get_mut(declaration.module) {
            module.names.insert(name.text.clone(), index);
        }
        self.places.insert(declaration.what, index);
        self.declarations.push(declaration);
    }

    fn declare_type(&mut self, alias: Alias<'a>, diagnostics: &mut Vec<Diagnostic>) {
        let name = &alias.alias.name;
        let first = self.find_type(alias.module, &name.text).and_then(|index| self.aliases.get(index));
        if let Some(first) = first {
            diagnostics.push(duplicate(&name.text, name.span, first.alias.name.span));
        } else if let Some(module) = self.modules.get_mut(alias.module) {
            module.types.insert(name.text.clone(), self.aliases.len());
        }
        self.aliases.push(alias);
    }

    fn declare_threshold(&mut self, threshold: &'a ast::Threshold, diagnostics: &mut Vec<Diagnostic>) {
        let id = ThresholdId(u32::try_from(self.thresholds.len()).unwrap_or(u32::MAX));
        let first = self.threshold(threshold.title.as_str()).and_then(|id| self.thresholds.get(id.index()));
        if let Some(first) = first {
            diagnostics.push(duplicate(threshold.title.as_str(), threshold.title.span, first.title.span));
        } else {
            self.threshold_ids.insert(threshold.title.text.clone(), id);
        }
        self.thresholds.push(threshold);
    }
}

/// A name that is declared twice.
pub(super) fn duplicate(name: &str, again: Span, first: Span) -> Diagnostic {
    Diagnostic::new(Code::DuplicateName, again, format!("`{name}` is declared twice"))
        .at("again")
        .label(first, "first here")
        .help("give one of them another name: a name means one thing in a file, also as a parameter")
}

impl<'a> Module<'a> {
    fn new(modules: &Modules, index: usize, file: &'a File) -> Self {
        let is_library = index > 0;
        Self {
            file,
            prefix: is_library.then(|| modules.stem(index)),
            names: HashMap::new(),
            types: HashMap::new(),
            junk: file.junk.iter().flat_map(|junk| junk.words.iter().map(|word| &**word)).collect(),
        }
    }

    /// Whether others may use what it declares.
    pub(super) fn is_library(&self) -> bool {
        self.prefix.is_some() || self.file.header.as_ref().is_some_and(|header| header.kind.node == HeaderKind::Library)
    }
}

#[derive(Default)]
struct Counts {
    params: u32,
    secrets: u32,
    connections: u32,
    tools: u32,
    commands: u32,
    metrics: u32,
    channels: u32,
}

impl Counts {
    /// The name that an item declares, and its number among its like.
    fn declared<'m>(
        &mut self,
        item: &Item,
        uses: &mut impl Iterator<Item = &'m Option<usize>>,
    ) -> Option<(Name, What)> {
        let next = |count: &mut u32| {
            *count += 1;
            *count - 1
        };
        Some(match &item.kind {
            ItemKind::Param(param) => (param.name.clone(), What::Param(ParamId(next(&mut self.params)))),
            ItemKind::Secret(secret) => (secret.name.clone(), What::Secret(SecretId(next(&mut self.secrets)))),
            ItemKind::Connect(connect) => {
                (connect.name.clone(), What::Connection(ConnectionId(next(&mut self.connections))))
            }
            ItemKind::Tool(tool) => (tool.name.clone(), What::Tool(ToolId(next(&mut self.tools)))),
            ItemKind::Command(command) => (command.name.clone(), What::Command(CommandId(next(&mut self.commands)))),
            ItemKind::Metric(metric) => (metric.name.clone(), What::Metric(MetricId(next(&mut self.metrics)))),
            ItemKind::Channel(channel) => (channel.name.clone(), What::Channel(ChannelId(next(&mut self.channels)))),
            ItemKind::Use(used) => {
                let module = uses.next().copied().flatten();
                (alias(used), What::Module(module))
            }
            ItemKind::Type(_)
            | ItemKind::Threshold(_)
            | ItemKind::Escalation(_)
            | ItemKind::Section(_)
            | ItemKind::Report(_)
            | ItemKind::Test(_) => return None,
        })
    }
}

/// The name of a used file: what is behind `as`, or the stem of its path.
fn alias(used: &ast::Use) -> Name {
    used.alias
        .clone()
        .unwrap_or_else(|| Name { text: super::modules::stem(used.path.as_str()).into(), span: used.path.span })
}
