//! The one canonical text: the same tree, every comment, and itself when formatted again.
#![expect(
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::format_push_string,
    reason = "a test ends where something is not as it should be"
)]

use proptest::prelude::*;
use runbook::format::format;
use runbook::source::Sources;
use runbook::syntax::{Parsed, dump, parse};

const CASES: &str = include_str!("spec/syntax/cases.md");
const DAILY: &str = include_str!("spec/syntax/daily.runbook");
const UGLY: &str = include_str!("spec/format/ugly.runbook");
const FORMATTED: &str = include_str!("spec/format/formatted.runbook");

fn read(text: &str) -> Parsed {
    parse(Sources::new().add("case.runbook", text), text)
}

fn formatted(text: &str) -> String {
    format(text, &read(text).file)
}

/// Formats a text that has no mistake, and holds the result to all that is promised.
fn checked(text: &str) -> String {
    let parsed = read(text);
    assert_eq!(parsed.diagnostics, [], "{text}");
    let once = format(text, &parsed.file);
    let again = read(&once);
    assert_eq!(again.diagnostics, [], "{text}\n---- became\n{once}");
    assert_eq!(dump::file(&again.file), dump::file(&parsed.file), "{text}\n---- became\n{once}");
    for comment in &parsed.file.comments {
        assert!(once.contains(&*comment.text), "{} is lost\n{text}\n---- became\n{once}", comment.text);
    }
    let words = |parsed: &Parsed| {
        let texts: Vec<String> = parsed.file.comments.iter().map(|comment| comment.text.to_string()).collect();
        texts.join(" ")
    };
    assert_eq!(words(&again), words(&parsed), "{text}\n---- became\n{once}");
    let twice = format(&once, &again.file);
    if let Some(at) = once.lines().zip(twice.lines()).position(|(first, second)| first != second) {
        let around = |text: &str| text.lines().skip(at.saturating_sub(4)).take(9).collect::<Vec<_>>().join("\n");
        panic!("not the same when formatted again\n{}\n---- became\n{}", around(&once), around(&twice));
    }
    assert_eq!(twice, once);
    assert!(!once.contains('\r') && !once.starts_with('\u{FEFF}'));
    assert!(once.is_empty() || (once.ends_with('\n') && !once.ends_with("\n\n")), "{once:?}");
    once
}

#[test]
fn an_ugly_file_becomes_a_formatted_one() {
    let once = checked(UGLY);
    if std::env::var_os("UPDATE_SPEC").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/spec/format/formatted.runbook");
        std::fs::write(path, &once).unwrap();
        return;
    }
    assert_eq!(once, FORMATTED);
    for line in FORMATTED.lines() {
        assert_eq!(line, line.trim_end());
    }
}

#[test]
fn a_formatted_file_stays_as_it_is() {
    assert_eq!(checked(FORMATTED), FORMATTED);
}

#[test]
fn a_real_runbook_keeps_its_tree_and_its_comments() {
    let once = checked(DAILY);
    // The sketch is nearly canonical: only lines that are too long are broken.
    let kept = DAILY.lines().filter(|line| once.lines().any(|other| other == *line)).count();
    assert!(DAILY.lines().count() - kept < 12, "{once}");
    let crlf = format!("\u{FEFF}{}", DAILY.replace('\n', "\r\n"));
    assert_eq!(checked(&crlf), once);
}

#[test]
fn every_case_keeps_its_tree() {
    let mut count = 0;
    for line in CASES.lines().filter(|line| line.starts_with("- `")) {
        let (input, _) = line.rsplit_once(" → ").unwrap();
        let input = input.strip_prefix("- `` ").unwrap().strip_suffix(" ``").unwrap();
        let input = input.replace("\\r⏎", "\r\n").replace('⏎', "\n").replace("\\t", "\t");
        for text in [
            input.clone(),
            format!("section \"s\" {{ step \"t\" {{\n{input}\n}} }}"),
            format!("section \"s\" {{ show (\n{input}\n) }}"),
            format!("section \"s\" {{ check f(a, [{input}]) as \"x\" }}"),
        ] {
            if read(&text).diagnostics.is_empty() {
                checked(&text);
                count += 1;
            }
        }
    }
    assert!(count > 150, "{count}");
}

#[test]
fn what_cannot_be_read_is_left_as_it_is() {
    let text = "param a:int\n  chek b";
    assert_eq!(formatted(text), text);
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("\n\n"), "");
    assert_eq!(formatted("# only\n\n\n# comments"), "# only\n\n# comments\n");
}

/// The places in a text where a comment may be put: before a line's first character, behind its last.
fn commented(text: &str, places: &[(usize, bool, usize)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (place, (line, own, blank)) in places.iter().enumerate() {
        let index = line % lines.len();
        if *own {
            let kind = if place % 3 == 0 { "##" } else { "#" };
            lines.insert(index, format!("{kind} c{place}{}", "\n".repeat(*blank)));
        } else if !lines[index].contains('#') {
            lines[index].push_str(&format!("  # c{place}"));
        }
    }
    lines.join("\n")
}

/// A text with line ends in place of some blanks, so that comments fall between any two tokens.
fn torn(text: &str, every: usize, at: usize) -> String {
    let mut out = String::new();
    let (mut quoted, mut comment, mut regex) = (false, false, false);
    let mut count = at;
    let mut last = ' ';
    for character in text.chars() {
        match character {
            '\n' => (quoted, comment, regex) = (false, false, false),
            '"' if !comment => quoted = !quoted,
            '#' if !quoted => comment = true,
            '/' if !quoted && !comment => regex = !regex,
            _ => {}
        }
        count += 1;
        let blank = character == ' ' && !quoted && !comment && !regex && last != '/';
        out.push(if blank && count.is_multiple_of(every) { '\n' } else { character });
        last = character;
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn comments_anywhere_stay(
        every in 1..9_usize,
        at in 0..9_usize,
        places in prop::collection::vec((0..5000_usize, any::<bool>(), 0..3_usize), 0..40),
        daily in any::<bool>(),
    ) {
        let text = commented(&torn(if daily { DAILY } else { UGLY }, every, at), &places);
        // A comment can fall into a block of text or between a bracket and what it touches.
        if read(&text).diagnostics.is_empty() {
            checked(&text);
        }
    }

    #[test]
    fn mutations_that_parse_keep_their_tree(cuts in prop::collection::vec((0..UGLY.len(), 1..30_usize), 1..4)) {
        let mut text = UGLY.to_owned();
        for (at, len) in cuts {
            let boundary = |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (boundary(at), boundary(at + len));
            text.replace_range(start..end, "");
        }
        if read(&text).diagnostics.is_empty() {
            checked(&text);
        }
    }
}
