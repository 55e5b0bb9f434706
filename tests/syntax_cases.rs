//! The inputs of tests/spec/syntax: what each gives.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use runbook::source::Sources;
use runbook::syntax::{Parsed, ast, dump, parse};

const CASES: &str = include_str!("spec/syntax/cases.md");
const DAILY: &str = include_str!("spec/syntax/daily.runbook");

fn read(text: &str) -> Parsed {
    parse(Sources::new().add("case.runbook", text), text)
}

/// The dump of a text that has no mistake.
fn dumped(text: &str) -> Option<String> {
    let parsed = read(text);
    parsed.diagnostics.is_empty().then(|| dump::file(&parsed.file))
}

/// An input as a file, as the statements of a step, or as an expression.
fn readings(input: &str) -> Vec<String> {
    let file = input.to_owned();
    let statements = format!("section \"s\" {{ step \"t\" {{\n{input}\n}} }}");
    let members = format!("section \"s\" {{\n{input}\n}}");
    let expression = format!("section \"s\" {{ step \"t\" {{ show (\n{input}\n) }} }}");
    [file, statements, members, expression].iter().filter_map(|text| dumped(text)).collect()
}

struct Case<'a> {
    line: usize,
    input: String,
    /// None if it is refused.
    gives: Option<&'a str>,
}

fn cases() -> Vec<Case<'static>> {
    let lines = CASES.lines().enumerate().filter(|(_, line)| line.starts_with("- `"));
    lines
        .map(|(index, line)| {
            let (input, gives) = line.rsplit_once(" → ").unwrap();
            let input = input.strip_prefix("- `` ").unwrap().strip_suffix(" ``").unwrap();
            let gives = (gives != "**refused**").then(|| gives.trim_matches('`').trim());
            Case {
                line: index + 1,
                input: input.replace("\\r⏎", "\r\n").replace('⏎', "\n").replace("\\t", "\t"),
                gives,
            }
        })
        .collect()
}

#[test]
fn every_case_gives_what_it_says() {
    let cases = cases();
    assert!(cases.len() > 140, "{} cases", cases.len());
    let mut wrong = Vec::new();
    for Case { line, input, gives } in cases {
        let readings = readings(&input);
        let right = match gives {
            None => readings.is_empty(),
            Some(gives) => readings.iter().any(|reading| reading.contains(gives)),
        };
        if !right {
            wrong.push(format!("line {line}: {input}\n  gives {readings:?}\n  not   {gives:?}"));
        }
    }
    assert!(wrong.is_empty(), "{} wrong\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn a_whole_runbook_has_no_mistake() {
    let parsed = read(DAILY);
    assert_eq!(parsed.diagnostics, []);
    assert_eq!(parsed.file.junk, []);
    assert_eq!(parsed.file.header.as_ref().unwrap().fields.len(), 6);
    let count = |wanted: &str| parsed.file.items.iter().filter(|item| item.kind.keyword() == wanted).count();
    assert_eq!((count("section"), count("report"), count("threshold"), count("connect")), (8, 6, 9, 13));
    let notes = parsed.file.comments.iter().filter(|comment| !comment.is_doc()).count();
    assert_eq!((parsed.file.comments.len(), notes), (5, 3));
}

#[test]
fn spans_are_of_what_was_written() {
    let text =
        "section \"s\" {\n  # note\n  check f(a, \"{b:x}\")  # why\n    as \"t\"  # then\n\n  show [1, 2] # end\n}\n";
    let mut sources = Sources::new();
    let id = sources.add("s.runbook", text);
    let parsed = parse(id, text);
    assert_eq!(parsed.diagnostics, []);
    let ast::ItemKind::Section(section) = &parsed.file.items[0].kind else { panic!() };
    let spans: Vec<&str> = section
        .members
        .iter()
        .map(|member| match member {
            ast::SectionMember::Statement(statement) => sources.text(statement.span),
            ast::SectionMember::Step(step) => sources.text(step.span),
        })
        .collect();
    assert_eq!(spans, ["check f(a, \"{b:x}\")  # why\n    as \"t\"", "show [1, 2]"]);
    let ast::SectionMember::Statement(check) = &section.members[0] else { panic!() };
    let ast::StatementKind::Check(check) = &check.kind else { panic!() };
    assert_eq!(sources.text(check.condition.span), "f(a, \"{b:x}\")");
}

#[test]
fn docs_belong_to_what_follows() {
    let text = "## One.\n## Two.\nparam a: int\n# note\n\n## Three.\n# between\nsection \"s\" {\n  ## Four.\n  show a\n  show a ## no doc\n  show a\n}\n### banner ###\nparam b: int\n";
    let parsed = read(text);
    assert_eq!(parsed.diagnostics, []);
    let docs: Vec<String> = parsed.file.items.iter().map(|item| item.docs.text()).collect();
    assert_eq!(docs, ["One.\nTwo.", "Three.", ""]);
    let ast::ItemKind::Section(section) = &parsed.file.items[1].kind else { panic!() };
    let inner: Vec<String> = section
        .members
        .iter()
        .map(|member| match member {
            ast::SectionMember::Statement(statement) => statement.docs.text(),
            ast::SectionMember::Step(step) => step.docs.text(),
        })
        .collect();
    assert_eq!(inner, ["Four.", "", ""]);
}

#[test]
fn a_block_of_text_loses_the_indentation_of_its_closing_quotes() {
    let cases = [
        ("\"\"\"\n    SELECT *\n      FROM t\n    \"\"\"", "SELECT *\n  FROM t\n"),
        ("\"\"\"\n  a\n\n  b\"\"\"", "  a\n\n  b"),
        ("'''\r\n  a {x} \\n\r\n  '''", "a {x} \\n\n"),
        ("\"\"\"\n\t\\{a\\}\n\t\"\"\"", "{a}\n"),
        ("\"\"\"\n  \"\"\"", ""),
        ("\"a\\tb \\u{e9}\"", "a\tb é"),
        ("''", ""),
    ];
    for (written, wanted) in cases {
        let parsed = read(&format!("param a: string = {written}\n"));
        assert_eq!(parsed.diagnostics, [], "{written}");
        let ast::ItemKind::Param(param) = &parsed.file.items[0].kind else { panic!() };
        let ast::ExprKind::Template(template) = &param.default.as_ref().unwrap().kind else { panic!() };
        assert_eq!(template.constant(), Some(wanted), "{written}");
    }
}
