//! `runbook diff`: what an edit changes, and for whom.

mod checked;
mod trees;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use clap::{Args, ValueEnum};

use self::checked::{Checked, Invalid};
use self::trees::{Same, Tree, below, folder, pairs, policies, sides};
use super::console::{Console, Failure};
use super::state::Kept;
use crate::apart;
use crate::builtins;
use crate::catalog::Catalog;
use crate::policy::Written;
use crate::review::history::History;
use crate::review::{self, About, Finding, Kind, Review, Reviewed, markdown};
use crate::shown::look::clean;
use crate::store::approval::Kept as KeptApproval;
use crate::system;

/// Say what an edit of runbooks changes, and for whom: who is told, what is changed, which rights, what is seen less.
/// Nothing is opened but the files. Exit 0: nothing does anything else; 2: something does.
#[derive(Debug, Args)]
pub(super) struct Diff {
    /// Two files, or two folders (all `.runbook` files below them). With `--git`: the base of the comparison, and the
    /// commit that is compared with it (the working tree where it is left out). Policies are compared in folders and commits:
    /// for two files none is looked for.
    #[arg(required = true, num_args = 1..=2, value_name = "OLD NEW")]
    sides: Vec<String>,
    /// Compare commits of this repository, as a pull request does: from where they parted.
    #[arg(long)]
    git: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Exit 2 only for these: `loosened`, `blind`, `dangerous`, `permissions`, `changed`, `safer`; `test` for a test that
    /// fails now, `warning` for a new warning of the check.
    #[arg(long, value_name = "KIND", value_delimiter = ',')]
    fail_on: Vec<String>,
    /// What was recorded, as `runbook store export` writes it: says how often thresholds would have opened.
    #[arg(long, value_name = "FILE")]
    history: Option<String>,
    /// The same from what is recorded here: in the state folder, or where `--store` says; and which standing approvals the edit
    /// makes void.
    #[arg(long, conflicts_with = "history")]
    recorded: bool,
    #[command(flatten)]
    kept: Kept,
}

/// What `--fail-on` takes.
#[derive(Clone, Copy)]
enum Counts {
    Finding(Kind),
    Remark(About),
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
    let wanted = args.fail_on.iter().map(|name| counts(name)).collect::<Result<Vec<_>, _>>()?;
    let (mut before, mut after) = sides(args)?;
    let recorded = recorded(args)?;
    let Some(review) = review(&mut before, &mut after, &recorded, console)? else { return Ok(1) };
    match args.format {
        Format::Terminal => console.print_lines(&review::text::lines(&review, console.look()))?,
        Format::Markdown => console.print(&markdown::comment(&review))?,
        Format::Json => {
            let text = serde_json::to_string_pretty(&review);
            console.print(&(text.map_err(|error| Failure::new(format!("cannot write it: {error}")))? + "\n"))?;
        }
    }
    let is_there = |counts: &Counts| match counts {
        Counts::Finding(kind) => review.count(*kind) > 0,
        Counts::Remark(about) => review.remarks(*about).next().is_some(),
    };
    let counts = if wanted.is_empty() { review.is_different() } else { wanted.iter().any(is_there) };
    Ok(if counts { 2 } else { 0 })
}

/// What was recorded beside the runbooks.
#[derive(Default)]
struct Recorded {
    history: Option<History>,
    approvals: Vec<KeptApproval>,
}

fn recorded(args: &Diff) -> Result<Recorded, Failure> {
    if let Some(name) = &args.history {
        let file = std::fs::File::open(name)
            .map_err(|error| Failure::new(format!("`{}` cannot be opened: {error}", clean(name))))?;
        let history = Some(History::read(&mut std::io::BufReader::new(file))?);
        return Ok(Recorded { history, approvals: Vec::new() });
    }
    if !args.recorded {
        return Ok(Recorded::default());
    }
    let place = args.kept.ledger()?;
    let Some(ledger) = place.open_existing()? else {
        return Err(Failure::new(format!("nothing is recorded: there is no ledger {place}"))
            .help("name another with `--state DIR` or `--store ADDRESS`, or an export of one with `--history FILE`"));
    };
    Ok(Recorded { history: Some(History::recorded(&ledger)?), approvals: ledger.approvals(None)? })
}

fn counts(name: &str) -> Result<Counts, Failure> {
    let finding = Kind::ALL.into_iter().map(|kind| (kind.name(), Counts::Finding(kind)));
    let remark = About::ALL.into_iter().map(|about| (about.name(), Counts::Remark(about)));
    let all: Vec<_> = finding.chain(remark).collect();
    all.iter().find(|(known, _)| *known == name).map(|(_, counts)| *counts).ok_or_else(|| {
        let names: Vec<_> = all.iter().map(|(known, _)| *known).collect();
        Failure::new(format!("`--fail-on {}` is no kind of finding", clean(name)))
            .help(format!("there are: {}", names.join(", ")))
    })
}

/// `None` where a side is not valid, which has been said then.
fn review(
    before: &mut Tree,
    after: &mut Tree,
    recorded: &Recorded,
    console: &Console,
) -> Result<Option<Review>, Failure> {
    let catalog = builtins::catalog();
    let now = system::now();
    let mut review = Review { history: recorded.history.as_ref().map(History::span), ..Review::default() };
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
            if !before.may_use_others(old) && !after.may_use_others(new) {
                continue;
            }
            let Some(checked) = said(Checked::of(after, new, &catalog)?, after, console) else {
                valid = false;
                continue;
            };
            let names: Vec<String> = checked.names().map(str::to_owned).collect();
            let is_same = names.iter().all(|name| same.is(before, after, name));
            if is_same && edited(before, after, [Some(&checked), None], &mut same).is_empty() {
                continue;
            }
            known = Some(checked);
        }
        let (old_side, new_side) =
            side_by_side((&mut *before, old.as_deref()), (&mut *after, new.as_deref()), known, &catalog);
        let (old_side, new_side) = (old_side?.transpose(), new_side?.transpose());
        let sides = (said(old_side, before, console), said(new_side, after, console));
        let (Some(old_side), Some(new_side)) = sides else {
            valid = false;
            continue;
        };
        let edited = edited(before, after, [old_side.as_ref(), new_side.as_ref()], &mut same);
        let mut around: Vec<Finding> =
            edited.iter().filter_map(|(old, new)| named(before, after, (old, new))).collect();
        if let (Some(old), Some(new)) = (&old, &new)
            && old != new
        {
            around.extend(review::moved(&before.policies_above(old), &after.policies_above(new)));
        }
        let one = (old, new, old_side, new_side, around);
        let is_library = |side: &Option<Checked>| side.as_ref().is_some_and(Checked::is_library);
        if is_library(&one.2) || is_library(&one.3) {
            libraries.push(one);
            continue;
        }
        for side in [&one.2, &one.3].into_iter().flatten() {
            used.extend(side.names().skip(1).map(str::to_owned));
        }
        review.runbooks.extend(compared(one, recorded, &catalog, now)?);
    }
    for (name, old, new) in policies(before, after) {
        valid &= policy_compared(before, after, &name, (old, new), &mut review, console)?;
    }
    // What runbooks use was compared with each of them.
    for one in libraries {
        let names = [one.0.as_ref(), one.1.as_ref()];
        if !names.into_iter().flatten().any(|name| used.contains(name)) {
            review.runbooks.extend(compared(one, recorded, &catalog, now)?);
        }
    }
    Ok(valid.then_some(review))
}

/// A side that is valid. What is wrong with one that is not is said.
fn said<T>(side: Result<T, Invalid>, tree: &Tree, console: &Console) -> Option<T> {
    side.map_err(|invalid| invalid.say(tree, console)).ok()
}

/// A side of a runbook; `None` where it has none.
type Looked = Result<Option<Result<Checked, Invalid>>, Failure>;

/// Both sides of a runbook, checked at the same time; the later one unless that is known.
fn side_by_side(
    (before, old): (&mut Tree, Option<&str>),
    (after, new): (&mut Tree, Option<&str>),
    known: Option<Checked>,
    catalog: &Catalog,
) -> (Looked, Looked) {
    let new = new.filter(|_| known.is_none());
    let parts = [(Mutex::new(before), old), (Mutex::new(after), new)];
    let mut sides = apart::each(&parts, parts.len(), |(tree, name)| {
        let mut tree = tree.lock().unwrap_or_else(PoisonError::into_inner);
        name.map(|name| Checked::of(&mut tree, name, catalog)).transpose()
    });
    let mut next = || sides.pop().unwrap_or(Ok(None));
    let (later, earlier) = (next(), next());
    (earlier, known.map_or(later, |known| Ok(Some(Ok(known)))))
}

/// A policy that was edited, and what that does. `false` where a side is not valid, which has been said then.
fn policy_compared(
    before: &mut Tree,
    after: &mut Tree,
    name: &str,
    (old, new): (bool, bool),
    review: &mut Review,
    console: &Console,
) -> Result<bool, Failure> {
    let old = old.then(|| checked::policy(before, name)).transpose()?.transpose();
    let new = new.then(|| checked::policy(after, name)).transpose()?.transpose();
    let (Some(old), Some(new)) = (said(old, before, console), said(new, after, console)) else { return Ok(false) };
    let text = |side: &Option<(Arc<str>, Written)>| side.iter().map(|(text, _)| Arc::clone(text)).collect::<Vec<_>>();
    let lines = lines(&text(&old), &text(&new));
    if lines == 0 {
        return Ok(true);
    }
    let named = |side: &Option<(Arc<str>, Written)>| side.is_some().then(|| name.to_owned());
    let finding = review::policy(old.as_ref().map(|(_, one)| one), new.as_ref().map(|(_, one)| one));
    let findings = finding.into_iter().collect();
    review.runbooks.push(Reviewed { before: named(&old), after: named(&new), findings, remarks: Vec::new(), lines });
    Ok(true)
}

/// The files that a runbook names in quotes, that are no part of it and that are different, by where each side looks for
/// them: in the folder of the runbook there.
fn edited(
    before: &mut Tree,
    after: &mut Tree,
    [old, new]: [Option<&Checked>; 2],
    same: &mut Same,
) -> Vec<(String, String)> {
    let root = |side: Option<&Checked>| side.and_then(|side| side.names().next().map(folder)).map(Path::to_owned);
    let (was, is) = (root(old), root(new));
    let moved = was.as_ref().zip(is.as_ref()).filter(|(was, is)| was != is);
    // Where the other side has a folder that moved with the runbook.
    let there =
        |own: &Path, from: &Path, to: &Path| own.strip_prefix(from).map_or(own.to_owned(), |rest| to.join(rest));
    let texts = || new.iter().flat_map(|side| side.sources.ids().map(|id| &side.sources.file(id).text));
    let is_named = |piece: &str| texts().any(|text| text.contains(&format!("\"{piece}\"")));
    let (mut own, mut names) = (BTreeSet::new(), BTreeSet::new());
    for (side, is_old) in [(old, true), (new, false)] {
        for id in side.iter().flat_map(|side| side.sources.ids()) {
            let Some(file) = side.map(|side| side.sources.file(id)) else { continue };
            own.insert(file.name.clone());
            let here = folder(&file.name);
            let (then, now) = match moved {
                Some((was, is)) if is_old => (here.to_owned(), there(here, was, is)),
                Some((was, is)) => (there(here, is, was), here.to_owned()),
                None => (here.to_owned(), here.to_owned()),
            };
            let found = before.named(&then, &file.text).chain(after.named(&now, &file.text));
            names.extend(found.map(|(piece, path)| {
                // What could be meant by a value, and what is named no more, is looked at where it is.
                let both = below(&then, piece).zip(below(&now, piece));
                let both = both.filter(|_| moved.is_some() && !piece.contains('{') && (!is_old || is_named(piece)));
                both.unwrap_or_else(|| (path.clone(), path))
            }));
        }
    }
    let is_other = |name: &String| !own.contains(name) && !name.ends_with(".runbook");
    let mut is_edited = |(old, new): &(String, String)| {
        before.is_program(old) != after.is_program(new)
            || if old == new { !same.is(before, after, new) } else { before.read(old).ok() != after.read(new).ok() }
    };
    names.into_iter().filter(|names| is_other(&names.0) && is_other(&names.1) && is_edited(names)).collect()
}

/// What is different in a file that a runbook names.
fn named(before: &mut Tree, after: &mut Tree, (old, new): (&str, &str)) -> Option<Finding> {
    let side = |tree: &mut Tree, name: &str| {
        let is_program = tree.is_program(name);
        let content = is_program.map(|_| match tree.read(name) {
            Ok(bytes) => bytes,
            Err(why) => format!("it cannot be read in {}: {why}\n", tree.called).into_bytes(),
        });
        review::Named { name: name.to_owned(), content, is_program: is_program.unwrap_or_default() }
    };
    review::named(&side(before, old), &side(after, new))
}

type Compared = (Option<String>, Option<String>, Option<Checked>, Option<Checked>, Vec<Finding>);

fn compared(
    (old, new, old_side, new_side, around): Compared,
    recorded: &Recorded,
    catalog: &Catalog,
    now: jiff::Timestamp,
) -> Result<Option<Reviewed>, Failure> {
    let texts = |side: &Option<Checked>| {
        let sides = side.iter().flat_map(|side| side.sources.ids().map(|id| side.sources.file(id).text.clone()));
        sides.collect::<Vec<_>>()
    };
    let lines = lines(&texts(&old_side), &texts(&new_side));
    if lines == 0 && old == new && around.is_empty() {
        return Ok(None);
    }
    let nothing = Checked::nothing();
    let (before, after) = (old_side.as_ref().unwrap_or(&nothing), new_side.as_ref().unwrap_or(&nothing));
    // Tests are rehearsed meanwhile: they take as long.
    let (remarks, findings) =
        apart::both(|| checked::remarks(before, after), || found(before, after, recorded, catalog, now));
    let mut findings = findings?;
    findings.extend(checked::elsewhere(before, &around, &recorded.approvals, now));
    findings.extend(around);
    Ok(Some(Reviewed { before: old, after: new, findings, remarks, lines }))
}

/// All that is different, and the standing approvals that it makes void.
fn found(
    before: &Checked,
    after: &Checked,
    recorded: &Recorded,
    catalog: &Catalog,
    now: jiff::Timestamp,
) -> Result<Vec<Finding>, Failure> {
    let called = before.called_like(after, catalog, now);
    let earlier = called.as_ref().map_or(before, |called| &called.side);
    let history = recorded.history.as_ref().map(|history| match &called {
        Some(called) => Cow::Owned(history.with_names(&called.names)),
        None => Cow::Borrowed(history),
    });
    let mut findings = review::compare(earlier.side(), after.side(), history.as_deref(), now)?;
    findings.extend(called.into_iter().flat_map(|called| called.findings));
    findings.extend(checked::voided(before, after, &recorded.approvals, now));
    Ok(findings)
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
