//! Diagnostics as they are printed: for a terminal, a pipe, GitHub, scripts and code scanning.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::time::{Duration, Instant};

use runbook::diagnostics::render::terminal::{Look, summary};
use runbook::diagnostics::render::{github, json, sarif, terminal};
use runbook::diagnostics::{Code, Diagnostic};
use runbook::source::{FileId, Sources, Span};

const BOXES: Look = Look { colour: false, boxes: true, width: Some(80) };

/// The span of the first `needle`.
fn span(sources: &Sources, file: FileId, needle: &str) -> Span {
    let start = sources.file(file).text.find(needle).expect("the needle is in the text");
    Span::new(file, u32::try_from(start).unwrap(), u32::try_from(start + needle.len()).unwrap())
}

fn file(text: &str) -> (Sources, FileId) {
    let mut sources = Sources::new();
    let id = sources.add("daily.runbook", text);
    (sources, id)
}

fn unit_mismatch(sources: &Sources, id: FileId) -> Diagnostic {
    Diagnostic::new(Code::UnitMismatch, span(sources, id, "10%"), "`response_time` is a duration, `10%` is a percent")
        .at("percent")
        .label(span(sources, id, "response_time"), "duration")
        .help("write a time, such as `> 10s`")
        .fix(span(sources, id, "10%"), "10s")
}

#[test]
fn a_pipe_gets_place_and_message_on_one_line_and_both_labels() {
    let (sources, id) = file("metric m\n  when response_time > 10%\n");
    let text = terminal::render(&[unit_mismatch(&sources, id)], &sources, Look::PLAIN);
    let expected = "\
error: daily.runbook:2:24 `response_time` is a duration, `10%` is a percent [unit-mismatch]
   ,----
 2 |   when response_time > 10%
   :        ^^^^^^|^^^^^^   ^|^
   :              |          `-- percent
   :              `-- duration
   `----
  help: write a time, such as `> 10s`

";
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn a_terminal_gets_boxes_and_colour_only_where_it_can_show_them() {
    let (sources, id) = file("metric m\n  when response_time > 10%\n");
    let plain = terminal::render(&[unit_mismatch(&sources, id)], &sources, BOXES);
    assert!(plain.contains("2 │   when response_time > 10%"), "{plain}");
    assert!(!plain.contains('\x1b'), "{plain}");
    let coloured = terminal::render(&[unit_mismatch(&sources, id)], &sources, Look { colour: true, ..BOXES });
    assert!(coloured.contains("\x1b[1;31merror\x1b[0m"), "{coloured}");
}

#[test]
fn labels_in_another_file_are_shown_under_its_name() {
    let mut sources = Sources::new();
    let main = sources.add("daily.runbook", "use \"./care\" as care\ndo care.tidy()\n");
    let care = sources.add("care.runbook", "\n\ncommand tidy(days: int) {}\n");
    let diagnostic = Diagnostic::new(Code::MissingArgument, span(&sources, main, "care.tidy()"), "`days` is missing")
        .label(span(&sources, care, "days: int"), "declared here");
    let text = terminal::render(&[diagnostic], &sources, Look::PLAIN);
    assert!(text.starts_with("error: daily.runbook:2:4 `days` is missing"), "{text}");
    assert!(text.contains(" 2 | do care.tidy()"), "{text}");
    assert!(text.contains("[care.runbook]\n 3 | command tidy(days: int) {}"), "{text}");
}

#[test]
fn nothing_of_the_source_reaches_the_terminal_raw() {
    let (sources, id) = file("let a\x1b[2J\u{202e}b = 1 # \x07\r\nlet c = 2\r\n");
    let diagnostic = Diagnostic::new(Code::HiddenCharacter, span(&sources, id, "\u{202e}"), "a hidden \x1b[31m one")
        .help("remove\x1b]0;title\x07 it");
    for look in [Look::PLAIN, BOXES] {
        let text = terminal::render(std::slice::from_ref(&diagnostic), &sources, look);
        assert!(text.contains("let a\\x1b[2J\\u{202e}b = 1 # \\x07"), "{text}");
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
    }
}

#[test]
fn labels_stand_under_tabs_and_wide_characters() {
    let (sources, id) = file("\tlet 家 = x\n");
    let text = terminal::render(
        &[Diagnostic::new(Code::UnknownName, span(&sources, id, "x"), "`x` is not declared")],
        &sources,
        Look::PLAIN,
    );
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines[0].starts_with("error: daily.runbook:1:10 "), "{text}");
    // The wide character takes two columns of a terminal and one of a string.
    let column = lines[2].chars().position(|character| character == 'x').unwrap() + 1;
    assert_eq!(lines[3].chars().position(|character| character == '^'), Some(column), "{text}");
}

#[test]
fn a_place_behind_the_last_character_is_shown() {
    let (sources, id) = file("check (1\n");
    let end = Span::new(id, 8, 8);
    let text = terminal::render(
        &[Diagnostic::new(Code::Unclosed, end, "`(` is not closed").at("here")],
        &sources,
        Look::PLAIN,
    );
    assert!(text.contains("1 | check (1\n   :         ^\n   :         `-- here"), "{text}");
}

#[test]
fn a_line_of_a_megabyte_is_cut_and_a_thousand_findings_on_it_take_no_time() {
    let line = "ä x, ".repeat(200_000);
    let (sources, id) = file(&line);
    let diagnostics: Vec<Diagnostic> = (0..1000_u32)
        .map(|index| {
            let start = index * 1200 + 3;
            Diagnostic::new(Code::UnknownName, Span::new(id, start, start + 1), "`x` is not declared")
                .label(Span::new(id, 3, 900_003), "from here")
        })
        .collect();
    let begun = Instant::now();
    let text = terminal::render(&diagnostics, &sources, Look::PLAIN);
    let lines = json::render(&diagnostics, &sources);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(text.lines().all(|line| line.chars().count() < 700));
    assert!(text.contains('…'));
    assert!(text.starts_with("error: daily.runbook:1:3 "), "{}", &text[..80]);
    assert_eq!(lines.lines().count(), 1000);
}

#[test]
fn counts_what_was_found() {
    let (sources, id) = file("a b");
    let error = Diagnostic::new(Code::UnknownName, span(&sources, id, "a"), "x");
    let warning = Diagnostic::new(Code::UnusedName, span(&sources, id, "b"), "y");
    assert_eq!(summary(&[error.clone(), error.clone(), warning.clone()]), "2 errors, 1 warning in 1 file");
    assert_eq!(summary(&[warning]), "1 warning in 1 file");
}

#[test]
fn json_says_all_of_it_on_one_line() {
    let (sources, id) = file("metric m\n  when response_time > 10%\n");
    let text = json::render(&[unit_mismatch(&sources, id)], &sources);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(
        value,
        serde_json::json!({
            "code": "unit-mismatch",
            "level": "error",
            "message": "`response_time` is a duration, `10%` is a percent",
            "file": "daily.runbook", "line": 2, "column": 24, "end_line": 2, "end_column": 27,
            "labels": [
                {"file": "daily.runbook", "line": 2, "column": 24, "end_line": 2, "end_column": 27, "text": "percent"},
                {"file": "daily.runbook", "line": 2, "column": 8, "end_line": 2, "end_column": 21, "text": "duration"},
            ],
            "help": "write a time, such as `> 10s`",
            "fix": {"file": "daily.runbook", "line": 2, "column": 24, "end_line": 2, "end_column": 27, "replacement": "10s"},
        })
    );
}

#[test]
fn github_commands_cannot_be_broken_out_of() {
    let mut sources = Sources::new();
    let id = sources.add("a,b:c%.runbook", "x\n");
    let diagnostic = Diagnostic::new(Code::UnknownName, Span::new(id, 0, 1), "50% of\n::error::forged").help("say `y`");
    assert_eq!(
        github::render(&[diagnostic], &sources),
        "::error file=a%2Cb%3Ac%25.runbook,line=1,col=1,endLine=1,endColumn=1,title=unknown-name\
         ::50%25 of%0A::error::forged%0Ahelp: say `y`\n"
    );
}

#[test]
fn sarif_has_what_the_schema_requires() {
    let (sources, id) = file("metric m\n  when response_time > 10%\n");
    let text = sarif::render(&[unit_mismatch(&sources, id)], &sources).unwrap();
    let log: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    assert_eq!(rules.len(), Code::ALL.len());
    assert!(rules.iter().all(|rule| rule["id"].is_string() && rule["help"]["text"].is_string()));
    let result = &run["results"][0];
    assert_eq!(rules[usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap()]["id"], result["ruleId"]);
    assert_eq!(result["ruleId"], "unit-mismatch");
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "daily.runbook");
    assert_eq!(place["region"], serde_json::json!({"startLine": 2, "startColumn": 24, "endLine": 2, "endColumn": 27}));
    assert_eq!(result["relatedLocations"][0]["message"]["text"], "duration");
    let change = &result["fixes"][0]["artifactChanges"][0];
    assert_eq!(change["replacements"][0]["insertedContent"]["text"], "10s");
}
