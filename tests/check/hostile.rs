//! Texts that would take a naive checker forever, or its stack.

use std::fmt::Write as _;

use crate::checked::checked;

fn written(count: usize, item: impl Fn(&mut String, usize)) -> String {
    let mut text = String::new();
    for index in 0..count {
        item(&mut text, index);
    }
    text
}

/// Whether the findings include a code.
fn raises(text: &str, code: &str) -> bool {
    let (_, _, diagnostics) = checked(text);
    diagnostics.iter().any(|diagnostic| diagnostic.code.name() == code)
}

#[test]
fn long_chains_of_declarations_do_not_overflow_the_stack() {
    let types = written(2_000, |text, n| writeln!(text, "type t{n} = t{}", n + 1).unwrap());
    assert!(raises(&types, "nested-too-deeply"));
    let commands = written(2_000, |text, n| writeln!(text, "command c{n}() {{ do c{}() }}", n + 1).unwrap());
    assert!(raises(&commands, "unknown-builtin"));
    let connections =
        written(1_000, |text, n| writeln!(text, "connect c{n} = postgres(through: c{}.answers())", n + 1).unwrap());
    assert!(raises(&connections, "unknown-name"));
    let circle = written(1_000, |text, n| writeln!(text, "command c{n}() {{ do c{}() }}", (n + 1) % 1_000).unwrap());
    assert!(raises(&circle, "name-before-value"));
}

#[test]
fn types_and_texts_that_double_stay_small() {
    let types = written(60, |text, n| writeln!(text, "type t{n} = {{ a: t{0}, b: t{0} }}", n + 1).unwrap());
    assert!(raises(&types, "nested-too-deeply"));
    let values = written(60, |text, n| writeln!(text, "let v{} = {{ a: v{n}, b: v{n} }}", n + 1).unwrap());
    let text = format!(
        "connect db = postgres()\nsection \"S\" {{ let v0 = 1 {values} change db.execute(\"V {{v60}}\") let x: int = v9 show x }}"
    );
    assert!(raises(&text, "nested-too-deeply"));
    let texts = written(60, |text, n| writeln!(text, "let v{} = \"{{v{n}}}{{v{n}}}\"", n + 1).unwrap());
    let text =
        format!("connect db = postgres()\nsection \"S\" {{ let v0 = \"x\" {texts} change db.execute(\"V {{v60}}\") }}");
    assert!(!raises(&text, "nested-too-deeply"));
}

#[test]
fn nothing_but_mistakes_is_checked_to_its_end() {
    let text = written(5_000, |text, n| writeln!(text, "metric m{n}: int every 1m = unknown_{n}").unwrap());
    let (_, _, diagnostics) = checked(&text);
    assert_eq!(diagnostics.len(), 5_000);
}
