//! A run as `JUnit` XML, for the test reports of CI.
//!
//! A section is a suite, and what was looked at, changed or asked for is a case. What could not be measured is an
//! error, never a pass; a change that was not begun is skipped, with the reason. A failed check of severity warning or
//! info does not fail a run, so it does not fail a case: it is noted in the case's output.

use std::io::{self, Write};

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event as Xml};
use quick_xml::writer::Writer;

use super::finding::{Finding, Verdict};
use crate::shown::{Shown, ShownBody};
use crate::store::event::{Event, Path, Record, RunStarted};

/// The cases of one section.
struct Suite {
    title: String,
    seconds: f64,
    cases: Vec<Case>,
}

struct Case {
    /// The step, or the section itself.
    group: String,
    finding: Finding,
}

/// The whole run. One that never finished says so as an error.
///
/// # Errors
/// Where it cannot be written.
pub fn write(out: &mut dyn Write, records: &[Record]) -> io::Result<()> {
    let (started, suites) = suites(records);
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let mut root = BytesStart::new("testsuites");
    root.push_attribute(("name", &*text(started.map_or("runbook", |started| &started.runbook))));
    let all = suites.iter().flat_map(|suite| &suite.cases);
    totals(&mut root, all, suites.iter().map(|suite| suite.seconds).sum());
    xml.write_event(Xml::Start(root))?;
    for suite in &suites {
        write_suite(&mut xml, suite, records)?;
    }
    xml.write_event(Xml::End(BytesEnd::new("testsuites")))?;
    xml.into_inner().write_all(b"\n")
}

/// A case by its section; what belongs to none is a suite of its own.
fn suites(records: &[Record]) -> (Option<&RunStarted>, Vec<Suite>) {
    let mut started = None;
    let mut finished = false;
    let mut sections: std::collections::BTreeMap<u32, Suite> = std::collections::BTreeMap::new();
    let mut steps: std::collections::BTreeMap<Vec<u32>, String> = std::collections::BTreeMap::new();
    let mut run = Suite { title: "the run itself".to_owned(), seconds: 0.0, cases: Vec::new() };
    for record in records {
        match &record.event {
            Event::RunStarted(begun) => started = Some(begun),
            Event::SectionStarted { path, title, .. } => {
                let suite = Suite { title: title.to_string(), seconds: 0.0, cases: Vec::new() };
                sections.insert(path.first().copied().unwrap_or(0), suite);
            }
            Event::SectionFinished { path, seconds, .. } => {
                if let Some(suite) = path.first().and_then(|section| sections.get_mut(section)) {
                    suite.seconds = *seconds;
                }
            }
            Event::StepStarted { path, title, label, .. } => {
                let label = label.as_ref().map_or_else(String::new, |label| format!(" [{label}]"));
                steps.insert(path.clone(), format!("{title}{label}"));
            }
            Event::RunFinished(_) => finished = true,
            event @ Event::Retried { .. } => {
                let all = sections.values_mut().flat_map(|suite| &mut suite.cases);
                all.for_each(|case| case.finding.retried(event));
            }
            event => {
                let Some(finding) = Finding::of(event) else { continue };
                let section = finding.place.as_ref().and_then(|place| place.path.first());
                let suite = section.and_then(|section| sections.get_mut(section)).unwrap_or(&mut run);
                let group = step(&steps, &finding).unwrap_or(&suite.title).to_owned();
                suite.cases.push(Case { group, finding });
            }
        }
    }
    if !finished {
        let mut finding = Finding::failed("the run did not finish");
        finding.verdict = Verdict::Unknown;
        run.cases.push(Case { group: run.title.clone(), finding });
    }
    let mut suites: Vec<Suite> = sections.into_values().collect();
    for suite in &mut suites {
        // What reads side by side is over in any order; a report is compared with the one before.
        suite.cases.sort_by(|one, other| path(one).cmp(&path(other)));
    }
    run.cases.sort_by(|one, other| (path(one), &one.finding.title).cmp(&(path(other), &other.finding.title)));
    if !run.cases.is_empty() {
        suites.push(run);
    }
    (started, suites)
}

fn path(case: &Case) -> Option<&Path> {
    case.finding.place.as_ref().map(|place| &place.path)
}

fn step<'s>(steps: &'s std::collections::BTreeMap<Vec<u32>, String>, finding: &Finding) -> Option<&'s str> {
    let path = &finding.place.as_ref()?.path;
    let (step, title) = steps.range(..=path.clone()).next_back()?;
    path.starts_with(step).then_some(title)
}

type Out<'w> = Writer<&'w mut dyn Write>;

fn write_suite(xml: &mut Out<'_>, suite: &Suite, records: &[Record]) -> io::Result<()> {
    let mut start = BytesStart::new("testsuite");
    start.push_attribute(("name", &*text(&suite.title)));
    totals(&mut start, suite.cases.iter(), suite.seconds);
    if let Some(record) = records.first() {
        start.push_attribute(("timestamp", &*record.at.strftime("%Y-%m-%dT%H:%M:%S").to_string()));
    }
    xml.write_event(Xml::Start(start))?;
    for case in &suite.cases {
        write_case(xml, case)?;
    }
    xml.write_event(Xml::End(BytesEnd::new("testsuite")))
}

fn write_case(xml: &mut Out<'_>, case: &Case) -> io::Result<()> {
    let finding = &case.finding;
    let mut start = BytesStart::new("testcase");
    start.push_attribute(("name", &*text(&finding.title)));
    start.push_attribute(("classname", &*text(&case.group)));
    start.push_attribute(("time", &*format!("{:.3}", finding.seconds)));
    if let Some(place) = &finding.place {
        start.push_attribute(("file", &*text(&place.file)));
        start.push_attribute(("line", &*place.line.to_string()));
    }
    let element = match outcome(finding.verdict) {
        Outcome::Passed if finding.verdict == Verdict::Passed => return xml.write_event(Xml::Empty(start)),
        Outcome::Passed => "system-out",
        Outcome::Failure => "failure",
        Outcome::Error => "error",
        Outcome::Skipped => "skipped",
    };
    xml.write_event(Xml::Start(start))?;
    let body = body(finding);
    let mut inner = BytesStart::new(element);
    if element != "system-out" {
        let message =
            finding.fault.as_ref().map(|fault| fault.message.to_string()).or_else(|| finding.says.first().cloned());
        inner.push_attribute(("message", &*text(&message.unwrap_or_else(|| finding.title.clone()))));
    }
    xml.write_event(Xml::Start(inner))?;
    xml.write_event(Xml::Text(BytesText::new(&text(&body))))?;
    xml.write_event(Xml::End(BytesEnd::new(element)))?;
    xml.write_event(Xml::End(BytesEnd::new("testcase")))
}

#[derive(PartialEq)]
enum Outcome {
    Passed,
    Failure,
    Error,
    Skipped,
}

const fn outcome(verdict: Verdict) -> Outcome {
    match verdict {
        Verdict::Passed | Verdict::Warned | Verdict::Noted => Outcome::Passed,
        Verdict::Failed => Outcome::Failure,
        Verdict::Unknown => Outcome::Error,
        Verdict::Refused | Verdict::NotReached => Outcome::Skipped,
    }
}

fn totals<'c>(start: &mut BytesStart<'_>, cases: impl Iterator<Item = &'c Case>, seconds: f64) {
    let outcomes: Vec<Outcome> = cases.map(|case| outcome(case.finding.verdict)).collect();
    let count = |wanted: &Outcome| outcomes.iter().filter(|outcome| *outcome == wanted).count().to_string();
    start.push_attribute(("tests", &*outcomes.len().to_string()));
    start.push_attribute(("failures", &*count(&Outcome::Failure)));
    start.push_attribute(("errors", &*count(&Outcome::Error)));
    start.push_attribute(("skipped", &*count(&Outcome::Skipped)));
    start.push_attribute(("time", &*format!("{seconds:.3}")));
}

fn body(finding: &Finding) -> String {
    let mut lines = vec![format!("{}: {}", finding.verdict.label(), finding.title)];
    lines.extend(finding.evidence.iter().map(evidence));
    lines.extend(finding.says.iter().cloned());
    if let Some(fault) = &finding.fault {
        lines.push(format!("{}: {}", fault.kind.name(), fault.message));
        lines.extend(fault.help.iter().map(|help| format!("help: {help}")));
    }
    if !finding.doc.is_empty() {
        lines.push(finding.doc.to_string());
    }
    lines.join("\n")
}

fn evidence(shown: &Shown) -> String {
    let title = shown.title.as_deref().unwrap_or("");
    let mut lines = match &shown.body {
        ShownBody::Value { cell } if title.is_empty() => return cell.text.clone(),
        ShownBody::Value { cell } => return format!("{title}: {}", cell.text),
        ShownBody::Record { fields } => fields.iter().map(|(name, cell)| format!("{name}: {}", cell.text)).collect(),
        ShownBody::Table { columns, rows, .. } => {
            let rows = rows.iter().map(|row| row.iter().map(|cell| &*cell.text).collect::<Vec<_>>().join("  "));
            std::iter::once(columns.join("  ")).chain(rows).collect()
        }
        ShownBody::Lines { lines, .. } => lines.clone(),
    };
    if !title.is_empty() {
        lines.insert(0, title.to_owned());
    }
    lines.join("\n")
}

/// XML 1.0 has no way to write most control characters, not even as an escape: they are dropped.
fn text(text: &str) -> String {
    text.chars()
        .filter(|character| {
            matches!(character, '\t' | '\n' | '\r' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..)
        })
        .collect()
}
