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

/// # Errors
/// Where it cannot be written.
pub fn write(out: &mut dyn Write, suites: &[Suite<'_>]) -> io::Result<()> {
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
    xml.write_event(Xml::End(BytesEnd::new("testsuites")))?;
    xml.into_inner().write_all(b"\n")
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
