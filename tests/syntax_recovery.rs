//! Mistakes: each is reported once, at its place, and the rest of the tree stays.

use runbook::source::Sources;
use runbook::syntax::{dump, parse};

/// `line:column code message` of each mistake.
fn mistakes(text: &str) -> Vec<String> {
    let mut sources = Sources::new();
    let id = sources.add("case.runbook", text);
    let found = parse(id, text).diagnostics;
    let line = |found: &runbook::diagnostics::Diagnostic| {
        let at = sources.position(found.span());
        format!("{}:{} {} {}", at.line, at.column, found.code.name(), found.message)
    };
    found.iter().map(line).collect()
}

/// What remains of a text that has mistakes.
fn rest(text: &str) -> String {
    let parsed = parse(Sources::new().add("case.runbook", text), text);
    assert!(!parsed.diagnostics.is_empty() && !parsed.file.junk.is_empty());
    dump::file(&parsed.file)
}

/// The text after the fix of its only mistake.
fn fixed(text: &str) -> String {
    let parsed = parse(Sources::new().add("case.runbook", text), text);
    let [mistake] = parsed.diagnostics.as_slice() else { panic!("{text}: {:?}", parsed.diagnostics) };
    let fix = mistake.fix.as_ref().unwrap_or_else(|| panic!("{text}: no fix, {mistake:?}"));
    let (start, end) = (fix.span.start as usize, fix.span.end as usize);
    format!("{}{}{}", &text[..start], fix.replacement, &text[end..])
}

fn step(statement: &str) -> String {
    format!("section \"s\" {{\n{statement}\n}}\n")
}

/// The messages about the statements of a section, each with its place.
fn about(statements: &str) -> Vec<String> {
    mistakes(&step(statements))
}

#[test]
fn ten_mistakes_are_ten_diagnostics() {
    let text = r#"runbook "x" { edition }
parm a: int = 1
param b: int = 10 GiB
section "s" {
  step "t" {
    chek a
    show f (x)
    check a < b < c
    let check = 1
    show "{ x }"
    check x else "m"
  }
  step "u" for x on xs {
    show ok
  }
}
test "v" { expect "a" faild }
"#;
    assert_eq!(
        mistakes(text),
        [
            "1:22 syntax expected a title in quotes or a text behind `edition`",
            "2:1 unknown-statement there is no declaration `parm`",
            "3:16 syntax a unit touches its number",
            "6:5 unknown-statement there is no statement `chek`",
            "7:12 detached-bracket a call's `(` touches the name before it",
            "8:17 chained-comparison comparisons do not chain",
            "9:9 reserved-name `check` is a word of the language and cannot be a name",
            "10:11 syntax the braces of an interpolation touch what they hold",
            "11:18 syntax a severity is missing behind `else`",
            "13:18 syntax expected `in`, found `on`",
            "17:23 syntax nothing ends as `faild`",
        ]
    );
    assert_eq!(rest(text), r#"<runbook "x"> <section "s" <step "t">> <test "v">"#);
}

#[test]
fn slips_of_the_hand_are_named() {
    let cases = [
        ("check !a", "2:7 syntax there is no operator `!` here"),
        ("check a = b", "2:9 syntax there is no operator `=` here"),
        ("check a || b", "2:9 syntax there is no operator `||` here"),
        ("show a b", "2:8 syntax nothing joins `b` to what stands before it"),
        ("let x =", "2:8 syntax expected a value behind `=`"),
        ("let x 1", "2:7 syntax expected `=` or `:`, found `1`"),
        ("show xs [0]", "2:9 detached-bracket an index's `[` touches the name before it"),
        ("show xs .a", "2:9 detached-bracket a `.` with a blank before it is the item's own field"),
        ("show 3_a", "2:6 syntax `3_a` is not a number"),
        ("show 1 + if a then b else c", "2:10 syntax `if` needs brackets inside of an expression"),
        ("show x ~ /ab", "2:10 unclosed this regex is not closed on its line"),
        ("show x ~ /a/b/i", "2:14 syntax the regex has ended before this `/`"),
        ("show { a: 1, check }", "2:14 reserved-name `check` is a word of the language and cannot be a name"),
        ("change f() within 5m within 6m", "2:22 syntax `within` is given twice"),
        ("change f() witin 5m", "2:12 syntax `witin` cannot stand here"),
        ("wait until x every 5s", "2:22 syntax expected `within` behind `5s`"),
        ("retry three every 5s { show x }", "2:7 syntax expected a number, found `three`"),
        ("param a: int", "2:1 unknown-statement `param` cannot begin a statement here"),
        ("notify slack \"a\" \"b\"", "2:18 syntax nothing joins `\"b\"` to what stands before it"),
        ("show Pods", "2:6 syntax a name begins with a lowercase letter, `Pods` does not"),
        ("on failure { notify a }\nshow a", "3:1 syntax nothing but `always` follows `on failure`"),
    ];
    for (statement, wanted) in cases {
        assert_eq!(about(statement), [wanted], "{statement}");
    }
    assert_eq!(
        mistakes("threshold \"T {x}\" critical { when a }"),
        ["1:14 syntax a title is constant, so nothing can be interpolated here"]
    );
    assert_eq!(mistakes("threshold \"\" critical { when a }"), ["1:11 syntax a title is not empty"]);
    assert_eq!(mistakes("threshold \"a\" critical\nparam b: int"), ["1:23 syntax expected `{` behind `critical`"]);
}

#[test]
fn a_clause_beside_a_mistake_is_no_mistake() {
    let night = |clause: &str| format!("escalation night {{\n  level 1 \"Engineer\" {{ notify a }}\n  {clause}\n}}\n");
    assert_eq!(mistakes(&night("repeat three\n  roles on_call()")), ["3:10 syntax expected a number, found `three`"]);
    assert_eq!(
        mistakes(&night("roles \"on-call.toml\"\n  repeat three")),
        ["4:10 syntax expected a number, found `three`"]
    );
    assert_eq!(fixed(&night("rolse on_call()")), night("roles on_call()"));
    let threshold = |clause: &str| format!("threshold \"T\" critical {{\n  {clause}\n  notify a\n}}\n");
    assert_eq!(
        mistakes(&threshold("from alertmanager \"Down\"\n  group by")),
        ["3:11 syntax expected a name behind `by`"]
    );
    assert_eq!(
        mistakes(&threshold("group by\n  from alertmanager \"Down\"")),
        ["2:11 syntax expected a name behind `by`"]
    );
    assert_eq!(
        mistakes(&threshold("when x\n  from alertmanager \"Down\"\n  group by")),
        ["4:11 syntax expected a name behind `by`"]
    );
    assert_eq!(fixed(&threshold("fron alertmanager \"Down\"")), threshold("from alertmanager \"Down\""));

    let help = |text: &str| {
        let parsed = parse(Sources::new().add("case.runbook", text), text);
        let [mistake] = parsed.diagnostics.as_slice() else { panic!("{text}: {:?}", parsed.diagnostics) };
        mistake.help.clone().unwrap_or_default()
    };
    assert_eq!(help(&step("roles \"on-call.toml\"")), "it stands in an escalation");
    assert_eq!(help(&night("roles")), "the form is `roles \"on-call.toml\"`");
    assert_eq!(help(&threshold("from \"Down\"")), "the form is `from alertmanager \"InstanceDown\"`");
    // Each of two is said.
    assert_eq!(mistakes(&night("repeat three\n  roles")).len(), 2);
    assert_eq!(mistakes(&threshold("group by\n  from \"Down\"")).len(), 2);
}

#[test]
fn a_fix_mends_the_text() {
    let cases = [
        ("chek a", "check a"),
        ("Check a", "check a"),
        ("show f (x)", "show f(x)"),
        ("show xs  [0]", "show xs[0]"),
        ("show xs | where (.a)", "show xs | where(.a)"),
        ("show 10 GiB", "show 10GiB"),
        ("check a > 5 %", "check a > 5%"),
        ("show a/b", "show a/ b"),
        ("check !a", "check not a"),
        ("check a && b", "check a and b"),
        ("check a = b", "check a == b"),
        ("let y = 2;", "let y = 2"),
        ("show a // why", "show a # why"),
        ("check a else warnin", "check a else warning"),
        ("change f() Within 5m", "change f() within 5m"),
        ("raise 'T'", "raise \"T\""),
        ("show True", "show true"),
    ];
    for (wrong, right) in cases {
        assert_eq!(fixed(&step(wrong)), step(right));
        assert_eq!(about(right), [""; 0], "{right}");
    }
}

#[test]
fn a_missing_bracket_is_reported_once_and_the_rest_is_read() {
    let cases: [(&str, &[&str], &str); 8] = [
        (
            "section \"a\" {\n  step \"b\" {\n    show x\n\n  step \"c\" {\n    show y\n  }\n}\nparam p: int\n",
            &["2:12 unclosed this `{` is not closed"],
            "<section \"a\" <step \"b\" <show x>> <step \"c\" <show y>>> <param p int>",
        ),
        (
            "section \"a\" {\n  step \"b\"\n    show x\n  }\n  step \"c\" {\n    show y\n  }\n}\n",
            &["2:11 unclosed the block of this `step` is not opened"],
            "<section \"a\" <step \"b\" <show x>> <step \"c\" <show y>>>",
        ),
        (
            "section \"a\" {\n  step \"b\" {\n    show x\n  }\n  }\n  step \"c\" {\n    show y\n  }\n}\n",
            &["5:3 syntax this `}` closes nothing"],
            "<section \"a\" <step \"b\" <show x>> <step \"c\" <show y>>>",
        ),
        (
            "section \"a\" {\n  let x = f(a, [1, 2)\n  show x\n}\n",
            &["2:16 unclosed this `[` is not closed"],
            "<section \"a\" <show x>>",
        ),
        (
            "section \"a\" {\n  let x = f(a\n  show x\n}\nsection \"b\" {\n  show y\n}\n",
            &["2:12 unclosed this `(` is not closed"],
            "<section \"a\" <show x>> <section \"b\" <show y>>",
        ),
        (
            "section \"a\" {\n  if x {\n    show y\n\nsection \"b\" {\n  show z\n}\n",
            &["2:8 unclosed this `{` is not closed"],
            "<section \"a\" <if x <block <show y>>>> <section \"b\" <show z>>",
        ),
        (
            "section \"a\" {\n  show \"abc\n  show b\n}\n",
            &["2:8 unclosed this text is not closed on its line"],
            "<section \"a\" <show b>>",
        ),
        (
            "section \"a\" {\n  show b\n}\nsection \"c\" {\n  show \"\"\"\n  abc\n}\n",
            &["4:13 unclosed this `{` is not closed", "5:8 unclosed this block of text is not closed"],
            "<section \"a\" <show b>> <section \"c\">",
        ),
    ];
    for (text, wanted, remains) in cases {
        assert_eq!(mistakes(text), wanted, "{text}");
        assert_eq!(rest(text), remains, "{text}");
    }
}

#[test]
fn a_bad_head_does_not_hide_what_is_in_its_block() {
    let text = "section a daily at 8 {\n  step \"t\" {\n    shw x\n  }\n}\nif x > {\n}\nsection \"b\" {\n  if a < {\n    shw y\n  } else {\n    shw z\n  }\n}\n";
    assert_eq!(
        mistakes(text),
        [
            "1:9 syntax expected a title in quotes, found `a`",
            "3:5 unknown-statement there is no statement `shw`",
            "6:1 unknown-statement `if` cannot begin a declaration here",
            "9:9 syntax expected a value behind `<`",
            "10:5 unknown-statement there is no statement `shw`",
            "12:5 unknown-statement there is no statement `shw`",
        ]
    );
}

#[test]
fn what_cannot_be_read_is_known_by_its_words() {
    let text = "param a int\nparam b: int\nthreshold \"T\" crit { when b }\n";
    let parsed = parse(Sources::new().add("case.runbook", text), text);
    assert_eq!(dump::file(&parsed.file), "<param b int>");
    assert!(parsed.file.is_in_junk("a") && parsed.file.is_in_junk("T") && !parsed.file.is_in_junk("c"));
}
