//! Long files are read in parts, side by side: what comes of it is what reading them whole gives.

use std::fmt::Write as _;

use runbook::source::Sources;
use runbook::syntax::{dump, parse};

/// Declarations of many kinds, with docs and comments where a part could begin or end, some hundred kilobytes in all.
fn long() -> Vec<String> {
    let declarations = (0..800).map(|n| {
        format!(
            "## Doc of {n}.\nsection \"S {n}\" daily at 08:00 {{\n  step \"T\" {{\n    # why\n    check {{ a: {n} }}.a == {n} as \"holds\"\n  }}\n}}\n\
            param p{n}: data = {{ a: {n} }}\n# between\ntype t{n} = {{ a: int }}\n"
        )
    });
    declarations.collect()
}

#[test]
fn a_long_file_has_the_tree_of_its_parts() {
    let pieces = long();
    let whole = pieces.concat();
    assert!(whole.len() > 128 << 10, "long enough for several parts: {}", whole.len());
    let parsed = parse(Sources::new().add("long.runbook", whole.as_str()), &whole);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics.first());
    let mut expected = String::new();
    for piece in &pieces {
        let parsed = parse(Sources::new().add("piece.runbook", piece.as_str()), piece);
        let _ = write!(expected, "{}", dump::file(&parsed.file));
    }
    let flat = |dump: &str| dump.split_whitespace().collect::<String>();
    assert_eq!(flat(&dump::file(&parsed.file)), flat(&expected));
    // Places are those of the file, and docs go with what they stand on.
    let starts: Vec<u32> = parsed.file.items.iter().map(|item| item.span.start).collect();
    assert!(starts.is_sorted() && starts.len() == 3 * pieces.len(), "{}", starts.len());
    for item in &parsed.file.items {
        let span = item.span;
        let text = &whole[span.start as usize..span.end as usize];
        assert!(["section", "param", "type"].iter().any(|word| text.starts_with(word)), "{text}");
    }
}

#[test]
fn mistakes_of_a_long_file_are_at_their_places() {
    let mut pieces = long();
    pieces[3].push_str("section \"Bad\" { chek x }\n");
    pieces[700].push_str("runbook \"Late\" { edition 1 }\nrunbook \"Later\" { edition 1 }\n");
    let whole = pieces.concat();
    let mut sources = Sources::new();
    let id = sources.add("long.runbook", whole.as_str());
    let found = parse(id, &whole).diagnostics;
    let lines: Vec<&str> =
        found.iter().map(|found| whole[found.span().start as usize..].lines().next().unwrap_or_default()).collect();
    assert_eq!(lines, ["chek x }", "runbook \"Later\" { edition 1 }"], "{found:?}");
}
