//! The two sides of a comparison: files of this machine, or of a commit; and which of them belong together.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::PermissionsExt;
use std::path::{Component, Path, PathBuf};

use super::Diff;
use crate::cli::console::Failure;
use crate::cli::git::{Commit, Repository};
use crate::cli::inputs;
use crate::shown::look::clean;
use crate::source::Sources;

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
pub(super) struct Tree {
    pub(super) called: String,
    files: Files,
    /// Only this file is meant, and not all of a folder.
    is_one: bool,
}

pub(super) fn sides(args: &Diff) -> Result<(Tree, Tree), Failure> {
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
        Ok(Tree { called: named.clone(), files: Files::Disk { named: named_files, root }, is_one: single })
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
        Ok(Tree { called, files: Files::Commit(commit), is_one: false })
    };
    let before = commit(&parted, base_name)?;
    let after = if args.sides.len() > 1 {
        commit(&head, head_name)?
    } else {
        let files = repository.working_files()?;
        let path = |file: &String| repository.root.join(file);
        let named = files.iter().filter(|file| path(file).is_file()).map(|file| (file.clone(), path(file))).collect();
        let files = Files::Disk { named, root: repository.root.clone() };
        Tree { called: "the working tree".to_owned(), files, is_one: false }
    };
    Ok((before, after))
}

impl Tree {
    fn runbooks(&self) -> BTreeSet<String> {
        let is_runbook = |name: &&String| Path::new(name.as_str()).extension().is_some_and(|own| own == "runbook");
        self.all().filter(is_runbook).cloned().collect()
    }

    /// Where policies would be that hold for its runbooks: in their folders and above them.
    fn policies(&self) -> BTreeSet<String> {
        self.runbooks().iter().flat_map(|name| policies_above(name)).collect()
    }

    /// Whether there is such a file, as far as one can be looked at.
    fn has(&self, name: &str) -> bool {
        match &self.files {
            Files::Disk { root, .. } => std::fs::symlink_metadata(root.join(name)).is_ok(),
            Files::Commit(commit) => commit.blob(name).is_some(),
        }
    }

    /// Whether a runbook may be made of more than its own file: it has a `use`, or names a file that is there. It is
    /// asked of what was not edited, so that not all of a repository has to be checked.
    pub(super) fn may_use_others(&mut self, name: &str) -> bool {
        let Ok(bytes) = self.read(name) else { return true };
        let text = String::from_utf8_lossy(&bytes);
        text.lines().any(|line| line.trim_start().starts_with("use "))
            || self.named(folder(name), &text).next().is_some()
    }

    /// The files of this side that the text of a file in a folder names in quotes, such as a program that it starts, or a
    /// kubeconfig, each with the name. In a name with a value in it, all that could be meant.
    pub(super) fn named<'t>(&'t self, folder: &Path, text: &'t str) -> impl Iterator<Item = (&'t str, String)> + 't {
        let folder = folder.to_owned();
        let pieces = text.split('"').filter(|piece| piece.contains(['.', '/']) && piece.len() < 256);
        let named = pieces.filter_map(move |piece| Some((piece, below(&folder, piece)?)));
        named.flat_map(|(piece, path)| {
            let all = match path.split_once('{') {
                Some((begin, rest)) if begin.contains('/') => {
                    let (begin, end) = (begin.to_owned(), rest.rsplit_once('}').map_or("", |(_, end)| end).to_owned());
                    self.all().filter(|own| own.starts_with(&begin) && own.ends_with(&end)).cloned().collect::<Vec<_>>()
                }
                _ => Some(path).filter(|path| self.is_program(path).is_some()).into_iter().collect(),
            };
            all.into_iter().map(move |path| (piece, path))
        })
    }

    fn all(&self) -> Box<dyn Iterator<Item = &String> + '_> {
        match &self.files {
            Files::Disk { named, .. } => Box::new(named.keys()),
            Files::Commit(commit) => Box::new(commit.files()),
        }
    }

    /// Whether a file may be started; `None` where there is none.
    pub(super) fn is_program(&self, name: &str) -> Option<bool> {
        match &self.files {
            Files::Disk { root, .. } => {
                let facts = std::fs::metadata(root.join(name)).ok().filter(std::fs::Metadata::is_file)?;
                Some(facts.permissions().mode() & 0o111 != 0)
            }
            Files::Commit(commit) => commit.is_program(name),
        }
    }

    /// The policies that hold for a runbook of this side.
    pub(super) fn policies_above(&self, name: &str) -> BTreeSet<String> {
        policies_above(name).filter(|path| self.has(path)).collect()
    }

    /// A file by the name that it has on this side.
    pub(super) fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
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

/// Where policies would be that hold for a runbook: in its folder and above it.
fn policies_above(name: &str) -> impl Iterator<Item = String> {
    let folders = Path::new(name).ancestors().skip(1);
    folders.filter_map(|folder| folder.join(crate::policy::FILE).to_str().map(str::to_owned))
}

/// The folder that a file is in.
pub(super) fn folder(name: &str) -> &Path {
    Path::new(name).parent().unwrap_or_else(|| Path::new(""))
}

/// What a name in a file of a folder means, as both sides call it; `None` where that is not below them.
pub(super) fn below(folder: &Path, named: &str) -> Option<String> {
    let mut path = folder.to_owned();
    for part in Path::new(named).components() {
        match part {
            Component::Normal(part) => path.push(part),
            Component::CurDir => {}
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    path.to_str().map(str::to_owned)
}

/// Which files are the same on both sides.
#[derive(Default)]
pub(super) struct Same(BTreeMap<String, bool>);

impl Same {
    pub(super) fn is(&mut self, before: &mut Tree, after: &mut Tree, name: &str) -> bool {
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

/// The name of a runbook before and after, where it has one.
pub(super) type Named = (Option<String>, Option<String>);

/// The runbooks that belong together, by their names on both sides.
pub(super) fn pairs(before: &mut Tree, after: &mut Tree) -> Result<Vec<Named>, Failure> {
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

/// The policies of both sides, each with whether it is there. Where two files are compared, none is looked for.
pub(super) fn policies(before: &Tree, after: &Tree) -> Vec<(String, bool, bool)> {
    if before.is_one || after.is_one {
        return Vec::new();
    }
    let mut names = before.policies();
    names.extend(after.policies());
    let there = |name: String| {
        let (old, new) = (before.has(&name), after.has(&name));
        (old || new).then_some((name, old, new))
    };
    names.into_iter().filter_map(there).collect()
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
