//! Whatever the text: an answer, soon, and no panic.

use std::time::{Duration, Instant};

use proptest::prelude::*;
use runbook::diagnostics::Code;
use runbook::source::Sources;
use runbook::syntax::{Parsed, parse};

const DAILY: &str = include_str!("spec/syntax/daily.runbook");

fn read(text: &str) -> Parsed {
    let mut sources = Sources::new();
    let parsed = parse(sources.add("case.runbook", text), text);
    for found in &parsed.diagnostics {
        let span = found.span();
        assert!(span.start <= span.end && span.end as usize <= text.len(), "{found:?}");
        assert!(text.is_char_boundary(span.start as usize) && text.is_char_boundary(span.end as usize), "{found:?}");
    }
    assert_eq!(parsed.diagnostics.is_empty(), parsed.file.junk.is_empty());
    parsed
}

/// The code of the only mistake of a text, which is found in good time.
fn refused(text: &str) -> Code {
    let start = Instant::now();
    let parsed = read(text);
    assert!(start.elapsed() < Duration::from_mins(1), "{:?} for {} bytes", start.elapsed(), text.len());
    let [found] = parsed.diagnostics.as_slice() else {
        panic!("{} diagnostics, the first {:?}", parsed.diagnostics.len(), parsed.diagnostics.first())
    };
    found.code
}

fn show(expression: &str) -> String {
    format!("section \"s\" {{ show {expression} }}")
}

/// `inner` within `count` of `open` and `close`.
fn nested(open: &str, inner: &str, close: &str, count: usize) -> String {
    format!("{}{inner}{}", open.repeat(count), close.repeat(count))
}

/// The ways to nest, each with its opening, its closing, and how many brackets one level takes.
const WAYS: [(&str, &str, usize); 12] = [
    ("(", ")", 1),
    ("[", "]", 1),
    ("{a:", "}", 1),
    ("f(", ")", 1),
    ("x.f(", ")", 1),
    ("x[", "]", 1),
    ("f(a: ", ")", 1),
    ("f(x => ", ")", 1),
    ("x | f(", ")", 1),
    ("\"{", "}\"", 1),
    ("(not ", ")", 1),
    ("if a then ", " else b", 1),
];

#[test]
fn nesting_up_to_the_cap_is_read_in_good_time() {
    for (open, close, brackets) in WAYS {
        let count = 60 / brackets;
        let text = show(&nested(open, "1", close, count));
        let start = Instant::now();
        assert_eq!(read(&text).diagnostics, [], "{open}");
        // What fails at the innermost place is where alternatives would be tried again and again.
        let wrong = show(&nested(open, "1 1", close, count));
        assert_eq!(read(&wrong).diagnostics.len(), 1, "{open}");
        assert!(start.elapsed() < Duration::from_secs(20), "{open} took {:?}", start.elapsed());
    }
    let blocks = format!("section \"s\" {{ {} }}", nested("if a { ", "show b", " }", 60));
    assert_eq!(read(&blocks).diagnostics, []);
    assert_eq!(read(&blocks.replace("show b", "show b b")).diagnostics.len(), 1);
    let types = format!("param a: {}", nested("list<", "int", ">", 60));
    assert_eq!(read(&types).diagnostics, []);
}

#[test]
fn nesting_beyond_the_cap_is_refused() {
    for (open, close, _) in WAYS {
        for count in [65, 1_000, 100_000] {
            assert_eq!(refused(&show(&nested(open, "1", close, count))), Code::NestedTooDeeply, "{open} {count}");
        }
    }
    assert_eq!(refused(&"(".repeat(100_000)), Code::NestedTooDeeply);
    assert_eq!(refused(&format!("param a: {}", nested("list<", "int", ">", 100_000))), Code::NestedTooDeeply);
    assert_eq!(refused(&show(&format!("{}1", "if ".repeat(100_000)))), Code::NestedTooDeeply);
    assert_eq!(refused(&show(&format!("{}1", "try a otherwise ".repeat(100_000)))), Code::NestedTooDeeply);
    assert_eq!(refused(&format!("section \"s\" {{ {}", "if a { ".repeat(100_000))), Code::NestedTooDeeply);
}

#[test]
fn long_chains_are_refused_and_not_recurred_into() {
    let chains = [
        format!("a{}", " + a".repeat(100_000)),
        format!("a{}", " and a".repeat(100_000)),
        format!("a{}", " | f".repeat(100_000)),
        format!("a{}", ".b".repeat(100_000)),
        format!("a{}", "[0]".repeat(100_000)),
        format!("a{}", ".b()".repeat(100_000)),
        format!("{}a", "not ".repeat(100_000)),
        format!("{}a", "- ".repeat(100_000)),
        format!("a{}", " == not a".repeat(30_000)),
        format!("{}c", "if a then b else ".repeat(30_000)),
    ];
    for chain in chains {
        let cut: String = chain.chars().take(20).collect();
        assert_eq!(refused(&show(&chain)), Code::NestedTooDeeply, "{cut}");
    }
}

#[test]
fn long_rows_are_read() {
    let statements = format!("section \"s\" {{ if a {{ show b }}{} }}", " else if a { show b }".repeat(20_000));
    assert_eq!(read(&statements).diagnostics, []);
    let list = show(&format!("[{}]", "1, ".repeat(100_000)));
    assert_eq!(read(&list).diagnostics, []);
    let line = show(&format!("\"{}\"", "x".repeat(1_000_000)));
    assert_eq!(read(&line).diagnostics, []);
    let comment = format!("# {}", "x".repeat(1_000_000));
    assert_eq!(read(&comment).diagnostics, []);
    let chain = show(&format!("a{}", " + a".repeat(200)));
    assert_eq!(read(&chain).diagnostics, []);
}

#[test]
fn many_mistakes_are_found_in_good_time() {
    let start = Instant::now();
    let statements = format!("section \"s\" {{\n{}}}", "show a b\nchek c\n".repeat(2_000));
    assert_eq!(read(&statements).diagnostics.len(), 4_000);
    let items = "param a int\nparm b: int\nsection \"s\" { shw c }\n".repeat(1_000);
    assert_eq!(read(&items).diagnostics.len(), 3_000);
    let quotes = "param a: string = \"b\n".repeat(2_000);
    assert_eq!(read(&quotes).diagnostics.len(), 2_000);
    let braces = "section \"s\" {\n".repeat(60);
    assert_eq!(read(&braces).diagnostics.len(), 60);
    read(&"}\n".repeat(10_000));
    read(&"\"{".repeat(50));
    read(&"a ".repeat(20_000));
    read(&"/a".repeat(20_000));
    read(&"<".repeat(20_000));
    assert!(start.elapsed() < Duration::from_mins(2), "{:?}", start.elapsed());
}

#[test]
fn odd_ends_of_a_text_are_answered() {
    for text in [
        "",
        "\u{FEFF}",
        "\r",
        "\r\n",
        "#",
        "##",
        "\"",
        "'",
        "\"\"\"",
        "'''",
        "\"{",
        "\"\\",
        "\"\\u{",
        "/",
        "3",
        "é",
        "\0",
        "\"\"\"\n\\",
        "\"\"\"\n{a",
    ] {
        read(text);
        read(&format!("section \"s\" {{ show {text}"));
        read(&format!("param a: string = {text}"));
    }
    assert_eq!(read("\u{FEFF}param a: int\r\n").diagnostics, []);
    // The formatted and the spoiled: each prefix of a real runbook.
    for end in (0..DAILY.len()).step_by(97) {
        read(DAILY.get(..end).unwrap());
    }
}

const TOKENS: &[&str] = &[
    "section",
    "step",
    "\"s\"",
    "\"{a}\"",
    "\"{",
    "}\"",
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "show",
    "check",
    "let",
    "x",
    "=",
    "==",
    "|",
    ".",
    ".a",
    ",",
    ":",
    "10GiB",
    "5 %",
    "/a/",
    "/",
    "if",
    "else",
    "then",
    "try",
    "otherwise",
    "on",
    "failure",
    "\n",
    " ",
    "#c\n",
    "##d\n",
    "'",
    "\"\"\"\n",
    "\"",
    "change",
    "for",
    "in",
    "not",
    "-",
    "é",
    "param",
    "int",
    "threshold",
    "critical",
    "when",
    "notify",
    "<",
    ">",
    "->",
    "=>",
    "?",
    "?.",
    "08:00",
    "\r\n",
    "test",
    "given",
    "is",
    "expect",
    "level",
    "1",
    "escalation",
    "e",
    "runbook",
    "edition",
];

fn pieces() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(TOKENS), 0..60).prop_map(|tokens| tokens.join(" "))
}

/// A real runbook with some of it deleted, doubled or moved.
fn mutated() -> impl Strategy<Value = String> {
    let edit = (0..DAILY.len(), 1..40_usize, 0..DAILY.len(), 0..4_u8);
    prop::collection::vec(edit, 1..6).prop_map(|edits| {
        let mut text = DAILY.to_owned();
        for (at, len, other, kind) in edits {
            let boundary =
                |at: usize| (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
            let (start, end) = (boundary(at), boundary(at + len));
            let other = boundary(other);
            let piece = text.get(start..end).unwrap_or("").to_owned();
            match kind {
                0 => text.replace_range(start..end, ""),
                1 => text.insert_str(end, &piece),
                2 => text.insert_str(other, &piece),
                _ => text.replace_range(start..end, &piece.chars().rev().collect::<String>()),
            }
        }
        text
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_row_of_tokens_is_answered(text in pieces()) {
        read(&text);
    }

    #[test]
    fn any_mutation_is_answered(text in mutated()) {
        read(&text);
    }
}
