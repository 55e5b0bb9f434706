//! What stands in a library is one finding, however many runbooks use it, with what it is for each of them.

use super::{Finding, Place, Reviewed, Row};

/// A finding of several runbooks.
struct Shared<'r> {
    finding: Finding,
    /// Each with the name of its runbook.
    of: Vec<(&'r str, &'r Finding)>,
}

/// All findings, those of one place in a library as one.
pub(super) fn together(runbooks: &[Reviewed]) -> Vec<Finding> {
    let mut found: Vec<Shared<'_>> = Vec::new();
    for runbook in runbooks {
        for finding in &runbook.findings {
            let is_own =
                |place: &Place| [&runbook.before, &runbook.after].into_iter().flatten().any(|own| *own == place.file);
            let place = finding.after.as_ref().or(finding.before.as_ref());
            let is_shared = place.is_some_and(|place| !is_own(place));
            let known = found.iter_mut().find(|one| is_shared && !one.of.is_empty() && is_one(&one.finding, finding));
            if let Some(one) = known {
                one.finding.chapter = one.finding.chapter.min(finding.chapter);
                one.finding.kind = one.finding.kind.min(finding.kind);
                one.of.push((runbook.name(), finding));
                continue;
            }
            let of = if is_shared { vec![(runbook.name(), finding)] } else { Vec::new() };
            found.push(Shared { finding: finding.clone(), of });
        }
    }
    found.into_iter().map(Shared::told).collect()
}

/// Whether two findings are of one edit: what runbooks call the place, and what follows for them, is their own.
fn is_one(one: &Finding, other: &Finding) -> bool {
    let rows = |finding: &Finding| finding.rows.iter().filter(|row| is_common(row)).cloned().collect::<Vec<_>>();
    one.headline == other.headline
        && one.before == other.before
        && one.after == other.after
        && rows(one) == rows(other)
        && what(&one.subject) == what(&other.subject)
}

/// Whether a row is of what is written, and not of where it is used.
fn is_common(row: &Row) -> bool {
    !matches!(row.what, "in" | "on" | "with")
}

/// What it is, without where it is used.
fn what(subject: &str) -> &str {
    subject.split_once(" in ").map_or(subject, |(what, _)| what)
}

impl Shared<'_> {
    fn told(self) -> Finding {
        let Self { mut finding, of } = self;
        if of.is_empty() {
            return finding;
        }
        let is_common = |note: &String| of.iter().all(|(_, one)| one.notes.contains(note));
        finding.notes.retain(is_common);
        let mut names: Vec<&str> = of.iter().map(|(name, _)| *name).collect();
        names.dedup();
        for name in names {
            let mut own: Vec<String> = Vec::new();
            for (_, one) in of.iter().filter(|(other, _)| *other == name) {
                let subject = (one.subject != finding.subject).then(|| one.subject.clone());
                let notes = one.notes.iter().filter(|note| !is_common(note)).map(|note| note.trim().to_owned());
                own.extend(subject.into_iter().chain(notes).filter(|said| !own.contains(said)).collect::<Vec<_>>());
            }
            let own = if own.is_empty() { String::new() } else { format!(": {}", own.join("; ")) };
            finding.notes.push(format!("in {name}{own}"));
        }
        finding
    }
}
