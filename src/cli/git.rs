//! Files as a commit of a Git repository has them, by `git` itself.
//!
//! A repository that is reviewed is not trusted: only plumbing is asked, which runs no hooks, no filters and no external
//! diff; what the repository's configuration could start is turned off; and nothing is fetched.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use super::console::Failure;
use crate::shown::look::clean;
use crate::source::MAX_BYTES;

/// A repository.
pub(super) struct Repository {
    /// Its outermost folder.
    pub(super) root: PathBuf,
}

/// A commit, by its whole hash, with what leads to each file.
pub(super) struct Commit {
    pub(super) hash: String,
    /// The blob of each file, and whether it may be started.
    files: BTreeMap<String, (String, bool)>,
    reader: Reader,
}

impl Repository {
    /// The one that a folder is in.
    pub(super) fn of(folder: &Path) -> Result<Self, Failure> {
        let root = asked(folder, &["rev-parse", "--show-toplevel"])?;
        let root = String::from_utf8(root).map_err(|_| Failure::new("the path of this repository is not UTF-8"))?;
        Ok(Self { root: PathBuf::from(root.trim_end_matches('\n')) })
    }

    /// The commit of a name: `main`, `HEAD~2`, `v1.0`.
    pub(super) fn resolve(&self, name: &str) -> Result<String, Failure> {
        let wanted = format!("{name}^{{commit}}");
        let found = self.ask(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]);
        let failed = |_| {
            let failure = Failure::new(format!("this repository has no commit `{}`", clean(name)));
            failure.help(format!("in a clone of CI, fetch it first: `git fetch origin {}`", clean(name)))
        };
        text(found.map_err(failed)?)
    }

    /// The commit that both come from: what a pull request is compared with.
    pub(super) fn merge_base(&self, base: &str, head: &str) -> Result<String, Failure> {
        match self.ask(&["merge-base", base, head]) {
            Ok(found) => text(found),
            Err(_) if self.is_shallow()? => Err(Failure::new("this clone is shallow, and has no commit that both come from")
                .help("fetch the history: `git fetch --unshallow`; in a GitHub workflow, `fetch-depth: 0` of actions/checkout")),
            Err(_) => Err(Failure::new("the two commits have no history in common")
                .help("compare two folders instead: `runbook diff OLD NEW`")),
        }
    }

    fn is_shallow(&self) -> Result<bool, Failure> {
        Ok(text(self.ask(&["rev-parse", "--is-shallow-repository"])?)? == "true")
    }

    /// The files of the working tree that are not ignored.
    pub(super) fn working_files(&self) -> Result<Vec<String>, Failure> {
        let listed = self.ask(&["ls-files", "-z", "--cached", "--others", "--exclude-standard"])?;
        let mut files: Vec<String> = names(&listed).collect();
        files.sort();
        files.dedup();
        Ok(files)
    }

    /// A commit with its files.
    pub(super) fn commit(&self, hash: &str) -> Result<Commit, Failure> {
        let listed = self.ask(&["ls-tree", "-r", "-z", "--full-tree", hash])?;
        let mut files = BTreeMap::new();
        for line in listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()) {
            // `100644 blob HASH\tNAME`. A link (120000) and a repository in it (160000) are no files.
            let Ok(line) = std::str::from_utf8(line) else { continue };
            let Some((facts, name)) = line.split_once('\t') else { continue };
            let mut facts = facts.split(' ');
            let (mode, _, blob) = (facts.next(), facts.next(), facts.next());
            if let (Some(mode @ ("100644" | "100755")), Some(blob)) = (mode, blob) {
                files.insert(name.to_owned(), (blob.to_owned(), mode == "100755"));
            }
        }
        Ok(Commit { hash: hash.to_owned(), files, reader: Reader::start(&self.root)? })
    }

    fn ask(&self, args: &[&str]) -> Result<Vec<u8>, Failure> {
        asked(&self.root, args)
    }

    /// Since which commit a file has a line, or has it no more. Not by `git blame`, which starts what the configuration of the
    /// repository names.
    pub(super) fn since(&self, name: &str, line: &str, gone: bool) -> Result<Since, Failure> {
        let most = MOST_COMMITS.to_string();
        let listed = text(self.ask(&["rev-list", "--max-count", &most, "HEAD", "--", name])?)?;
        let mut found = None;
        for hash in listed.lines() {
            let has = self
                .ask(&["cat-file", "blob", &format!("{hash}:{name}")])
                .is_ok_and(|bytes| String::from_utf8_lossy(&bytes).lines().any(|one| one.trim() == line));
            if has == gone {
                return match found {
                    Some(hash) => self.made(hash).map(Since::Commit),
                    None => Ok(Since::NotCommitted),
                };
            }
            found = Some(hash);
        }
        match found {
            Some(hash) if listed.lines().count() < MOST_COMMITS => self.made(hash).map(Since::Commit),
            Some(_) => Ok(Since::LongAgo),
            None => Ok(Since::NotCommitted),
        }
    }

    /// Who has made a commit, and when.
    fn made(&self, hash: &str) -> Result<Made, Failure> {
        let object = self.ask(&["cat-file", "commit", hash])?;
        let object = String::from_utf8_lossy(&object);
        let (head, message) = object.split_once("\n\n").unwrap_or((&object, ""));
        let author = head.lines().find_map(|line| line.strip_prefix("author ")).unwrap_or_default();
        let (author, stamp) = author.rsplit_once('>').unwrap_or((author, ""));
        let author = author.split('<').next().unwrap_or_default().trim().to_owned();
        let second = stamp.split_whitespace().next().and_then(|second| second.parse().ok());
        let at = second.and_then(|second| jiff::Timestamp::from_second(second).ok());
        let subject = message.lines().next().unwrap_or_default().to_owned();
        Ok(Made { hash: hash.to_owned(), author, at, subject })
    }
}

/// How far back a line is looked for.
const MOST_COMMITS: usize = 500;

/// Since when a line is as it is.
pub(super) enum Since {
    Commit(Made),
    /// Only in the working tree.
    NotCommitted,
    /// Longer than it is looked back.
    LongAgo,
}

/// A commit, for people.
pub(super) struct Made {
    pub(super) hash: String,
    pub(super) author: String,
    pub(super) at: Option<jiff::Timestamp>,
    pub(super) subject: String,
}

impl Commit {
    pub(super) fn files(&self) -> impl Iterator<Item = &String> {
        self.files.keys()
    }

    /// The blob of a file: two files with one blob are the same.
    pub(super) fn blob(&self, name: &str) -> Option<&str> {
        self.files.get(name).map(|(blob, _)| blob.as_str())
    }

    /// Whether a file may be started.
    pub(super) fn is_program(&self, name: &str) -> Option<bool> {
        self.files.get(name).map(|(_, is_program)| *is_program)
    }

    pub(super) fn read(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let Some((blob, _)) = self.files.get(name) else {
            return Err("there is no such file in this commit".to_owned());
        };
        self.reader.blob(blob)
    }
}

/// `git cat-file --batch`, asked for one object after the other.
struct Reader {
    child: Child,
    asks: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Reader {
    fn start(folder: &Path) -> Result<Self, Failure> {
        let mut command = git(folder, &["cat-file", "--batch"]);
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| missing(&error))?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(asks), Some(answers)) => Ok(Self { child, asks, answers: BufReader::new(answers) }),
            _ => Err(Failure::new("`git cat-file` has no streams")),
        }
    }

    fn blob(&mut self, hash: &str) -> Result<Vec<u8>, String> {
        let failed = |error: std::io::Error| format!("git does not give it: {error}");
        writeln!(self.asks, "{hash}").and_then(|()| self.asks.flush()).map_err(failed)?;
        let mut line = String::new();
        self.answers.read_line(&mut line).map_err(failed)?;
        // `HASH blob SIZE`, or `HASH missing`.
        let size: Option<u64> = line
            .trim_end()
            .rsplit_once(" blob ")
            .or_else(|| line.trim_end().rsplit_once("blob "))
            .and_then(|(_, size)| size.parse().ok());
        let Some(size) = size else { return Err(format!("git does not have it: {}", clean(line.trim()))) };
        let mut bytes = Vec::new();
        // What is too large is known by its first byte too many; the rest is read past.
        let kept = size.min(MAX_BYTES as u64 + 1);
        (&mut self.answers).take(kept).read_to_end(&mut bytes).map_err(failed)?;
        std::io::copy(&mut (&mut self.answers).take(size - kept + 1), &mut std::io::sink()).map_err(failed)?;
        if bytes.len() as u64 == kept { Ok(bytes) } else { Err("git stopped in the middle of it".to_owned()) }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // It only reads, and nobody waits for it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn git(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .arg("--no-pager")
        .arg("--no-replace-objects")
        .arg("--literal-pathspecs")
        // Programs that the configuration of the repository may name.
        .args(["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.attributesFile=/dev/null"])
        // Objects that a partial clone lacks are not fetched.
        .args(["-c", "protocol.allow=never"])
        .env("GIT_NO_LAZY_FETCH", "1")
        .env("GIT_OPTIONAL_LOCKS", "0")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .current_dir(folder)
        .args(args);
    command
}

fn missing(error: &std::io::Error) -> Failure {
    Failure::new(format!("`git` does not start: {error}"))
        .help("install git, or compare two folders: `runbook diff OLD NEW`")
}

fn asked(folder: &Path, args: &[&str]) -> Result<Vec<u8>, Failure> {
    let output = git(folder, args).stdin(Stdio::null()).output().map_err(|error| missing(&error))?;
    if output.status.success() {
        return Ok(output.stdout);
    }
    let said = String::from_utf8_lossy(&output.stderr);
    let said = said.lines().find(|line| !line.trim().is_empty()).unwrap_or("it says no more");
    let verb = args.first().copied().unwrap_or_default();
    Err(Failure::new(format!("`git {verb}` failed: {}", clean(said.trim()))))
}

fn text(bytes: Vec<u8>) -> Result<String, Failure> {
    let text = String::from_utf8(bytes).map_err(|_| Failure::new("git gave no text"))?;
    Ok(text.trim().to_owned())
}

/// Names that are UTF-8; no runbook has another.
fn names(listed: &[u8]) -> impl Iterator<Item = String> {
    let names = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.filter_map(|name| std::str::from_utf8(name).ok().map(str::to_owned))
}
