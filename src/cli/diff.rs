//! `runbook diff`: what an edit changes, and for whom.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use clap::{Args, ValueEnum};

use super::checking;
use super::console::{Console, Failure};
use super::git::{Commit, Repository};
use super::inputs;
use crate::builtins;
use crate::catalog::Catalog;
use crate::check::program::Program;
use crate::diagnostics::render::terminal;
use crate::diagnostics::{Diagnostic, has_errors};
use crate::review::history::History;
use crate::review::{self, Kind, Review, Reviewed, Side, markdown};
use crate::shown::look::clean;
use crate::source::Sources;
use crate::syntax::ast::{File, HeaderKind};
use crate::system;

/// Say what an edit of runbooks changes, and for whom: who is told, what is changed, which rights, what is seen less.
/// Nothing is opened but the files. Exit 0: nothing does anything else; 2: something does.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// Two files, or two folders (all `.runbook` files below them). With `--git`: the base of the comparison, and the
    /// commit that is compared with it (the working tree where it is left out).
    #[arg(required = true, num_args = 1..=2, value_name = "OLD NEW")]
    sides: Vec<String>,
    /// Compare commits of this repository, as a pull request does: from where they parted.
    #[arg(long)]
    git: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Exit 2 only for these: `loosened`, `blind`, `dangerous`, `permissions`, `changed`, `safer`.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    fail_on: Vec<String>,
    /// What was recorded, as `runbook store export` writes it: says how often thresholds would have opened.
    #[arg(long, value_name = "FILE")]
    history: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    Terminal,
    /// A comment for a pull request.
    Markdown,
    /// One object.
    Json,
}

pub(super) fn run(args: &Diff, console: &Console) -> Result<u8, Failure> {
    let kinds = args.fail_on.iter().map(|name| kind(name)).collect::<Result<Vec<_>, _>>()?;
    let (mut before, mut after) = sides(args)?;
    let history = args.history.as_deref().map(history).transpose()?;
    let Some(review) = review(&mut before, &mut after, history.as_ref(), console)? else { return Ok(1) };
    match args.format {
        Format::Terminal => console.print_lines(&review::text::lines(&review, console.look()))?,
        Format::Markdown => console.print(&markdown::comment(&review))?,
        Format::Json => {
            let text = serde_json::to_string_pretty(&review);
            console.print(&(text.map_err(|error| Failure::new(format!("cannot write it: {error}")))? + "\n"))?;
        }
    }
    let counts =
        if kinds.is_empty() { review.is_different() } else { kinds.iter().any(|kind| review.count(*kind) > 0) };
    Ok(if counts { 2 } else { 0 })
}

fn history(name: &str) -> Result<History, Failure> {
    let file = std::fs::File::open(name)
        .map_err(|error| Failure::new(format!("`{}` cannot be opened: {error}", clean(name))))?;
    Ok(History::read(&mut std::io::BufReader::new(file))?)
}

fn kind(name: &str) -> Result<Kind, Failure> {
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let names = Kind::ALL.map(Kind::name).join(", ");
        Failure::new(format!("`--fail-on {}` is no kind of finding", clean(name))).help(format!("there are: {names}"))
    })
}

/// Where the files of a side are.
enum Files {
    /// Files of this machine, by the names that both sides have for them.
    Disk {
        named: BTreeMap<String, PathBuf>,
        root: PathBuf,
    },
    Commit(Commit),
}

/// One side, with what it is called in messages.
struct Tree {
    called: String,
    files: Files,
}

fn sides(args: &Diff) -> Result<(Tree, Tree), Failure> {
    if args.git {
        return git_sides(args);
    }
    let [old, new] = args.sides.as_slice() else {
        return Err(
            Failure::new("two sides are needed").help("write `runbook diff OLD NEW`, or `runbook diff --git BASE`")
        );
    };
    let (folders, single) = (Path::new(old).is_dir(), !Path::new(new).is_dir());
    if folders == single {
        return Err(Failure::new("a file cannot be compared with a folder").help("name two files, or two folders"));
    }
    let tree = |named: &String| -> Result<Tree, Failure> {
        let path = PathBuf::from(named);
        let (root, files) = if folders {
            let mut sources = Sources::new();
            let mut found = Vec::new();
            let files = inputs::expand(std::slice::from_ref(named), &mut sources, &mut found);
            // A folder without runbooks is one whose runbooks are all gone, or not there yet.
            (path.clone(), files)
        } else {
            (path.parent().map(Path::to_owned).unwrap_or_default(), vec![named.clone()])
        };
        let name = |file: &String| {
            let path = Path::new(file);
            let below = path.strip_prefix(&root).ok().and_then(Path::to_str).unwrap_or(file);
            below.to_owned()
        };
        let named_files = files.iter().map(|file| (name(file), PathBuf::from(file))).collect();
        Ok(Tree { called: named.clone(), files: Files::Disk { named: named_files, root } })
    };
    Ok((tree(old)?, tree(new)?))
}

fn git_sides(args: &Diff) -> Result<(Tree, Tree), Failure> {
    let repository = Repository::of(Path::new("."))?;
    let base_name = args.sides.first().map_or("HEAD", String::as_str);
    let base = repository.resolve(base_name)?;
    let head_name = args.sides.get(1).map_or("HEAD", String::as_str);
    let head = repository.resolve(head_name)?;
    let parted = repository.merge_base(&base, &head)?;
    let commit = |hash: &str, name: &str| -> Result<Tree, Failure> {
        let commit = repository.commit(hash)?;
        let called = format!("{} ({})", clean(name), commit.hash.chars().take(9).collect::<String>());
        Ok(Tree { called, files: Files::Commit(commit) })
    };
    let before = commit(&parted, base_name)?;
    let after = if args.sides.len() > 1 {
        commit(&head, head_name)?
    } else {
        let files = repository.working_files()?;
        let path = |file: &String| repository.root.join(file);
        let named = files.iter().filter(|file| path(file).is_file()).map(|file| (file.clone(), path(file))).collect();
        Tree { called: "the working tree".to_owned(), files: Files::Disk { named, root: repository.root.clone() } }
    };
    Ok((before, after))
}

impl Tree {
    fn runbooks(&self) -> BTreeSet<String> {
        let is_runbook = |name: &&String| Path::new(name.as_str()).extension().is_some_and(|own| own == "runbook");
        match &self.files {
            Files::Disk { named, .. } => named.keys().filter(is_runbook).cloned().collect(),
            Files::Commit(commit) => commit.files().filter(is_runbook).cloned().collect(),
        }
    }

    /// Whether a runbook may be made of more than its own file: it has a `use`, or names a file that is there. It is
    /// asked of what was not edited, so that not all of a repository has to be checked.
    fn may_use_others(&mut self, name: &str) -> bool {
        let Ok(bytes) = self.read(name) else { return true };
        let text = String::from_utf8_lossy(&bytes);
        let folder = Path::new(name).parent().unwrap_or_else(|| Path::new(""));
        let is_there = |named: &str| {
            // Components leave out what leads nowhere, such as `./`.
            let path: PathBuf = folder.join(named).components().filter(|part| *part != Component::CurDir).collect();
            let Some(path) = path.to_str() else { return true };
            match &self.files {
                Files::Disk { root, .. } => root.join(path).is_file(),
                Files::Commit(commit) => path.contains("..") || commit.blob(path).is_some(),
            }
        };
        text.lines().any(|line| line.trim_start().starts_with("use "))
            || text.split('"').any(|piece| piece.contains('.') && piece.len() < 256 && is_there(piece))
    }

    /// A file by the name that it has on this side.
    fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        match &mut self.files {
            Files::Disk { named, root } => {
                let path = named.get(name).cloned().unwrap_or_else(|| root.join(name));
                let path = path.to_str().ok_or("its name is not UTF-8")?;
                // What a runbook names stays in its folder, also where links lead elsewhere.
                let folder = if root.as_os_str().is_empty() { Path::new(".") } else { root.as_path() };
                inputs::bytes_below(folder, path).map_err(|error| error.to_string())
            }
            Files::Commit(commit) => commit.read(name),
        }
    }
}

/// A runbook of one side, checked.
struct Checked {
    program: Arc<Program>,
    files: Vec<File>,
    sources: Sources,
}

impl Checked {
    fn side(&self) -> Side<'_> {
        Side { program: &self.program, files: &self.files, sources: &self.sources }
    }

    fn is_library(&self) -> bool {
        let header = self.files.first().and_then(|file| file.header.as_ref());
        header.is_some_and(|header| header.kind.node == HeaderKind::Library)
    }

    /// The names of all files that it is made of.
    fn names(&self) -> impl Iterator<Item = &str> {
        self.sources.ids().map(|id| self.sources.file(id).name.as_str())
    }
}

/// `None` where a side is not valid, which has been said then.
fn review(
    before: &mut Tree,
    after: &mut Tree,
    history: Option<&History>,
    console: &Console,
) -> Result<Option<Review>, Failure> {
    let catalog = builtins::catalog();
    let now = system::now();
    let mut review = Review { history: history.map(History::span), ..Review::default() };
    let mut libraries = Vec::new();
    let mut used = BTreeSet::new();
    let mut valid = true;
    let mut same = Same::default();
    for (old, new) in pairs(before, after)? {
        let mut known = None;
        if let (Some(old), Some(new)) = (&old, &new)
            && old == new
            && same.is(before, after, new)
        {
            // What it uses may still be different.
            if !after.may_use_others(new) {
                continue;
            }
            let Some(checked) = check(after, new, &catalog, console)? else {
                valid = false;
                continue;
            };
            let names: Vec<String> = checked.names().map(str::to_owned).collect();
            if names.iter().all(|name| same.is(before, after, name)) {
                continue;
            }
            known = Some(checked);
        }
        let old_side = old.as_ref().map(|name| check(before, name, &catalog, console)).transpose()?;
        let new_side = match known {
            Some(checked) => Some(Some(checked)),
            None => new.as_ref().map(|name| check(after, name, &catalog, console)).transpose()?,
        };
        let (Some(old_side), Some(new_side)) = (flat(old_side), flat(new_side)) else {
            valid = false;
            continue;
        };
        let one = (old, new, old_side, new_side);
        let is_library = |side: &Option<Checked>| side.as_ref().is_some_and(Checked::is_library);
        if is_library(&one.2) || is_library(&one.3) {
            libraries.push(one);
            continue;
        }
        for side in [&one.2, &one.3].into_iter().flatten() {
            used.extend(side.names().skip(1).map(str::to_owned));
        }
        review.runbooks.extend(compared(one, history, now)?);
    }
    // What runbooks use was compared with each of them.
    for one in libraries {
        let names = [one.0.as_ref(), one.1.as_ref()];
        if !names.into_iter().flatten().any(|name| used.contains(name)) {
            review.runbooks.extend(compared(one, history, now)?);
        }
    }
    Ok(valid.then_some(review))
}

/// Which files are the same on both sides.
#[derive(Default)]
struct Same(BTreeMap<String, bool>);

impl Same {
    fn is(&mut self, before: &mut Tree, after: &mut Tree, name: &str) -> bool {
        if let Some(known) = self.0.get(name) {
            return *known;
        }
        let same = match (&before.files, &after.files) {
            (Files::Commit(old), Files::Commit(new)) => old.blob(name).is_some() && old.blob(name) == new.blob(name),
            _ => matches!((before.read(name), after.read(name)), (Ok(old), Ok(new)) if old == new),
        };
        self.0.insert(name.to_owned(), same);
        same
    }
}

/// `Some(None)` where there is no such side, `None` where it is not valid.
#[expect(clippy::option_option, reason = "three things can be: not there, not valid, and valid")]
fn flat(side: Option<Option<Checked>>) -> Option<Option<Checked>> {
    match side {
        None => Some(None),
        Some(None) => None,
        Some(checked) => Some(checked),
    }
}

type Compared = (Option<String>, Option<String>, Option<Checked>, Option<Checked>);

fn compared(
    (old, new, old_side, new_side): Compared,
    history: Option<&History>,
    now: jiff::Timestamp,
) -> Result<Option<Reviewed>, Failure> {
    let texts = |side: &Option<Checked>| {
        let sides = side.iter().flat_map(|side| side.sources.ids().map(|id| side.sources.file(id).text.clone()));
        sides.collect::<Vec<_>>()
    };
    let lines = lines(&texts(&old_side), &texts(&new_side));
    if lines == 0 && old == new {
        return Ok(None);
    }
    let nothing = Checked::nothing();
    let (before, after) = (old_side.as_ref().unwrap_or(&nothing), new_side.as_ref().unwrap_or(&nothing));
    let findings = review::compare(before.side(), after.side(), history, now)?;
    Ok(Some(Reviewed { before: old, after: new, findings, lines }))
}

/// How many lines are on one side only, blanks around them left aside.
fn lines(old: &[Arc<str>], new: &[Arc<str>]) -> usize {
    let mut counted: BTreeMap<&str, i64> = BTreeMap::new();
    for (texts, step) in [(old, -1), (new, 1)] {
        for line in texts.iter().flat_map(|text| text.lines()).map(str::trim).filter(|line| !line.is_empty()) {
            *counted.entry(line).or_default() += step;
        }
    }
    let (gone, added) =
        counted.values().fold((0, 0), |(gone, added), count| (gone + (-count).max(0), added + (*count).max(0)));
    // A line that is written otherwise is one line. One that was moved only is none here, and its text is another.
    let edited = usize::try_from(gone.max(added)).unwrap_or(usize::MAX);
    if edited == 0 && old != new { 1 } else { edited }
}

/// The name of a runbook before and after, where it has one.
type Named = (Option<String>, Option<String>);

/// The runbooks that belong together, by their names on both sides.
fn pairs(before: &mut Tree, after: &mut Tree) -> Result<Vec<Named>, Failure> {
    let (old, new) = (before.runbooks(), after.runbooks());
    // Two files are meant, whatever they are called.
    if let (Files::Disk { named: a, .. }, Files::Disk { named: b, .. }) = (&before.files, &after.files)
        && let (Some(a), Some(b), 1, 1) = (a.keys().next(), b.keys().next(), a.len(), b.len())
    {
        return Ok(vec![(Some(a.clone()), Some(b.clone()))]);
    }
    let mut found: Vec<_> = old.intersection(&new).map(|name| (Some(name.clone()), Some(name.clone()))).collect();
    let mut gone: Vec<&String> = old.difference(&new).collect();
    for name in new.difference(&old) {
        let text = text(after, name)?;
        let mut like = None;
        for (place, former) in gone.iter().enumerate() {
            if alike(&self::text(before, former)?, &text) {
                like = Some(place);
                break;
            }
        }
        found.push((like.map(|place| gone.remove(place).clone()), Some(name.clone())));
    }
    found.extend(gone.into_iter().map(|name| (Some(name.clone()), None)));
    Ok(found)
}

fn text(tree: &mut Tree, name: &str) -> Result<String, Failure> {
    let bytes = tree.read(name);
    let failed = |why| Failure::new(format!("{}: `{}` cannot be read: {why}", tree.called, clean(name)));
    Ok(String::from_utf8_lossy(&bytes.map_err(failed)?).into_owned())
}

/// Whether one file is the other under a new name: half of their lines are the same.
fn alike(old: &str, new: &str) -> bool {
    let lines = |text: &str| -> BTreeSet<String> {
        text.lines().map(str::trim).filter(|line| line.len() > 1).map(str::to_owned).collect()
    };
    let (old, new) = (lines(old), lines(new));
    old.intersection(&new).count() * 2 >= old.len().max(new.len()).max(1)
}

/// Checks a runbook of a side. `None` where it is not valid, which has been said then.
fn check(tree: &mut Tree, name: &str, catalog: &Catalog, console: &Console) -> Result<Option<Checked>, Failure> {
    let bytes = tree.read(name);
    let failed = |why| Failure::new(format!("{}: `{}` cannot be read: {why}", tree.called, clean(name)));
    let bytes = bytes.map_err(failed)?;
    let mut sources = Sources::new();
    let mut found = Vec::new();
    let input = inputs::add(name, &bytes, &mut sources, &mut found);
    if !input.is_text {
        say(&found, &sources, &tree.called, console);
        return Ok(None);
    }
    // Both ways lead to the same files, and are asked one after the other.
    let tree_cell = std::cell::RefCell::new(&mut *tree);
    let mut read = |name: &str| tree_cell.borrow_mut().read(name);
    let mut read_below = |name: &str| tree_cell.borrow_mut().read(name);
    let (checked, modules) = checking::check_with(input.id, &mut sources, catalog, &mut read, &mut read_below);
    if has_errors(&checked.diagnostics) {
        say(&checked.diagnostics, &sources, &tree.called, console);
        return Ok(None);
    }
    Ok(Some(Checked { program: Arc::new(checked.program), files: modules.files, sources }))
}

/// What is wrong with a side. It is named: the text is not where its name says.
fn say(found: &[Diagnostic], sources: &Sources, side: &str, console: &Console) {
    console.say(&terminal::render(found, sources, console.diagnostics_look_err()));
    console.say(&format!("{} in {}: it cannot be compared\n\n", terminal::summary(found), clean(side)));
}

impl Checked {
    /// What a runbook is compared with that is new, or gone.
    fn nothing() -> Self {
        let mut sources = Sources::new();
        let id = sources.add("", "");
        let mut none = |_: &str| Err(String::new());
        let mut neither = |_: &str| Err(String::new());
        let (checked, modules) = checking::check_with(id, &mut sources, &builtins::catalog(), &mut none, &mut neither);
        Self { program: Arc::new(checked.program), files: modules.files, sources }
    }
}
