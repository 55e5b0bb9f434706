//! Tests as `JUnit` XML, for the test reports of CI: a file is a suite, a test a case.

use std::io::{self, Write};
use std::time::Duration;

use quick_xml::events::{BytesDecl, BytesEnd, BytesStart, BytesText, Event as Xml};
use quick_xml::writer::Writer;

use super::Rehearsed;
use crate::source::Sources;

/// The tests of one file.
pub struct Suite<'a> {
    pub name: String,
    pub sources: &'a Sources,
    pub tests: Vec<(&'a Rehearsed, Duration)>,
}

/// A file whose tests cannot be rehearsed.
pub struct Invalid<'a> {
    pub name: &'a str,
    /// What was found in it.
    pub found: &'a str,
}

/// # Errors
/// Where it cannot be written.
pub fn write(out: &mut dyn Write, suites: &[Suite<'_>], invalid: &[Invalid<'_>]) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(out, b' ', 2);
    xml.write_event(Xml::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    xml.write_event(Xml::Start(BytesStart::new("testsuites")))?;
    for suite in suites {
        let failed = suite.tests.iter().filter(|(test, _)| test.failure.is_some()).count();
        let seconds: f64 = suite.tests.iter().map(|(_, took)| took.as_secs_f64()).sum();
        let mut start = BytesStart::new("testsuite");
        start.push_attribute(("name", &*text(&suite.name)));
        start.push_attribute(("tests", &*suite.tests.len().to_string()));
        start.push_attribute(("failures", &*failed.to_string()));
        start.push_attribute(("time", &*format!("{seconds:.3}")));
        xml.write_event(Xml::Start(start))?;
        for (test, took) in &suite.tests {
            case(&mut xml, suite, test, *took)?;
        }
        xml.write_event(Xml::End(BytesEnd::new("testsuite")))?;
    }
    for file in invalid {
        not_rehearsed(&mut xml, file)?;
    }
    xml.write_event(Xml::End(BytesEnd::new("testsuites")))?;
    xml.into_inner().write_all(b"\n")
}

/// A suite with one case, which is an error: whoever reads only the report has to see that its tests are missing.
fn not_rehearsed(xml: &mut Writer<&mut dyn Write>, file: &Invalid<'_>) -> io::Result<()> {
    let name = text(file.name);
    let mut suite = BytesStart::new("testsuite");
    suite.extend_attributes([("name", &*name), ("tests", "1"), ("failures", "0"), ("errors", "1"), ("time", "0.000")]);
    let mut case = BytesStart::new("testcase");
    case.extend_attributes([("name", "it is valid"), ("classname", &*name), ("time", "0.000"), ("file", &*name)]);
    let mut error = BytesStart::new("error");
    error.push_attribute(("message", "it is not valid, and its tests were not rehearsed"));
    for start in [suite, case, error] {
        xml.write_event(Xml::Start(start))?;
    }
    xml.write_event(Xml::Text(BytesText::new(&text(file.found))))?;
    for end in ["error", "testcase", "testsuite"] {
        xml.write_event(Xml::End(BytesEnd::new(end)))?;
    }
    Ok(())
}

fn case(xml: &mut Writer<&mut dyn Write>, suite: &Suite<'_>, test: &Rehearsed, took: Duration) -> io::Result<()> {
    let mut start = BytesStart::new("testcase");
    start.push_attribute(("name", &*text(&test.title)));
    start.push_attribute(("classname", &*text(&suite.name)));
    start.push_attribute(("time", &*format!("{:.3}", took.as_secs_f64())));
    start.push_attribute(("file", &*text(&suite.name)));
    let span = test.failure.as_ref().map_or(test.span, |failure| failure.span);
    start.push_attribute(("line", &*suite.sources.position(span).line.to_string()));
    let Some(failure) = &test.failure else { return xml.write_event(Xml::Empty(start)) };
    xml.write_event(Xml::Start(start))?;
    let mut inner = BytesStart::new("failure");
    inner.push_attribute(("message", &*text(&failure.message)));
    xml.write_event(Xml::Start(inner))?;
    let found = failure.found.iter().map(|line| format!("{line}\n"));
    let story = test.timeline.iter().map(|(after, happening)| format!("{after:#}  {}\n", happening.what));
    xml.write_event(Xml::Text(BytesText::new(&text(&found.chain(story).collect::<String>()))))?;
    xml.write_event(Xml::End(BytesEnd::new("failure")))?;
    xml.write_event(Xml::End(BytesEnd::new("testcase")))
}

/// XML 1.0 has no way to write most control characters: they are dropped.
fn text(text: &str) -> String {
    text.chars().filter(|letter| !letter.is_control() || matches!(letter, '\t' | '\n' | '\r')).collect()
}
