//! `runbook diff`: a check is another one where it stands elsewhere, and where the names in it stand for something else.

use crate::diff_renamed::findings;

const COMMON: &str = r#"runbook "Shop" { edition 1 }
param limit: percent = 85%
param other: percent = 85%
param dry: bool = false
connect db = postgres(host: "db", database: "shop")
connect site = http("https://example.com")
channel mail = email(to: ["a@example.com"])
channel boss = email(to: ["b@example.com"])
"#;

const USED: &str = "\nsection \"Used\" { show [limit, other] show dry notify mail, boss \"x\" check db.answers() check site.answers(\"/\") }\n";

/// Edits, and what each of them is said to be; nothing where it does the same.
const CASES: &[(&str, &str, &str)] = &[
    // Another side of what holds back.
    (
        r#"section "S" { check db.answers() as "d" change db.execute("V") check site.answers("/") as "s" }"#,
        r#"section "S" { check site.answers("/") as "s" change db.execute("V") check db.answers() as "d" }"#,
        "changed check \"d\" in section \"S\"",
    ),
    (
        r#"command c() changes { check db.answers() as "d" change db.execute("V") check site.answers("/") as "s" } section "S" { do c() }"#,
        r#"command c() changes { check site.answers("/") as "s" change db.execute("V") check db.answers() as "d" } section "S" { do c() }"#,
        "changed check \"d\" in command c",
    ),
    (
        r#"report "R" daily at 08:00 { check db.answers() as "d" send to mail check site.answers("/") as "s" }"#,
        r#"report "R" daily at 08:00 { check site.answers("/") as "s" send to mail check db.answers() as "d" }"#,
        "changed check \"d\" in report \"R\"",
    ),
    (
        r#"section "S" { retry 3 every 1s { check db.answers() as "d" } retry 3 every 1m { check site.answers("/") as "s" } }"#,
        r#"section "S" { retry 3 every 1s { check site.answers("/") as "s" } retry 3 every 1m { check db.answers() as "d" } }"#,
        "changed check \"d\" in section \"S\"",
    ),
    // The order of what looks only is no matter.
    (
        r#"section "S" { check db.answers() as "d" check site.answers("/") as "s" change db.execute("V") }"#,
        r#"section "S" { check site.answers("/") as "s" check db.answers() as "d" change db.execute("V") }"#,
        "",
    ),
    // A new change above a check is a new change, and the check is as it was.
    (
        r#"section "S" { change db.execute("V") check db.answers() as "d" }"#,
        r#"section "S" { change db.execute("V") change db.execute("W") check db.answers() as "d" }"#,
        "dangerous change db.execute(\"W\")",
    ),
    // Names that stand for something else.
    (
        r#"section "S" { let a = db.size() change db.execute("V") let b = db.size() check b > 1GiB as "x" show a }"#,
        r#"section "S" { let b = db.size() change db.execute("V") let a = db.size() check b > 1GiB as "x" show a }"#,
        "changed check \"x\" in section \"S\"",
    ),
    (
        r#"section "S" { let a = host.memory().free let b = host.memory().total check a > 1GiB as "x" show b }"#,
        r#"section "S" { let b = host.memory().free let a = host.memory().total check a > 1GiB as "x" show b }"#,
        "changed check \"x\" in section \"S\"",
    ),
    // What is the same until somebody sets it.
    (
        r#"section "S" { check host.memory().used_share < limit as "m" }"#,
        r#"section "S" { check host.memory().used_share < other as "m" }"#,
        "changed check \"m\" in section \"S\"",
    ),
    (
        r#"section "S" { check host.memory().used_share < limit as "m" }"#,
        r#"section "S" { check host.memory().used_share < 85% as "m" }"#,
        "changed check \"m\" in section \"S\"",
    ),
    (
        r#"section "S" { if not dry { change db.execute("V") } }"#,
        r#"section "S" { if dry { change db.execute("V") } }"#,
        "changed change db.execute(\"V\")",
    ),
    // Bounds between whole numbers, lists with an item twice, and numbers that a float cannot tell apart.
    (
        r#"section "S" { check host.processes() | count <= 5.5 as "p" }"#,
        r#"section "S" { check host.processes() | count < 6.5 as "p" }"#,
        "blind check \"p\" in section \"S\"",
    ),
    (
        r#"section "S" { check host.processes() | count < 6 as "p" }"#,
        r#"section "S" { check host.processes() | count <= 5 as "p" }"#,
        "",
    ),
    (
        r#"section "S" { check ["a", "a", "b"] | count > 2 as "p" }"#,
        r#"section "S" { check ["a", "b"] | count > 2 as "p" }"#,
        "changed check \"p\" in section \"S\"",
    ),
    (
        r#"section "S" { check db.size() < 9007199254740993B as "p" }"#,
        r#"section "S" { check db.size() < 9007199254740992B as "p" }"#,
        "changed check \"p\" in section \"S\"",
    ),
    // Who is told more, or the same.
    (r#"section "S" { notify mail "done" }"#, r#"section "S" { notify mail, boss "done" }"#, "safer notify boss, mail"),
    (r#"section "S" { notify mail, boss "done" }"#, r#"section "S" { notify mail "done" }"#, "loosened notify mail"),
];

#[test]
fn a_check_is_another_one_elsewhere_and_of_something_else() {
    for (old, new, begins) in CASES {
        let found = findings(&format!("{COMMON}{old}{USED}"), &format!("{COMMON}{new}{USED}"), &[]);
        let is_said = found.iter().any(|one| one.starts_with(begins));
        assert!(if begins.is_empty() { found.is_empty() } else { is_said }, "{old}\n{new}\n{found:#?}");
        // Nothing is said of a check that stands where it stood.
        assert!(begins.contains("check") || !found.iter().any(|one| one.contains("check \"")), "{old}\n{found:#?}");
    }
}

#[test]
fn what_is_written_otherwise_and_means_the_same_is_no_finding_and_what_is_weaker_says_so() {
    let old = "runbook \"R\" { edition 1 }\nsecret key = env(\"K\")\nchannel hook = webhook(\"https://hooks.example.com/x\", secret: key)\n\
        metric m: percent every 1m = host.memory().used_share\nmetric n: int every 1m = host.processes() | count\n\
        metric full: percent for disk in host.disks() | where(.mount != \"/\") every 1m = disk.used_share\n\
        threshold \"M\" warning {\n  when m > 85% or n > 3\n  until m < 80%\n  notify hook\n}\n\
        threshold \"F\" warning {\n  when full > 90%\n  notify hook\n}\n\
        section \"S\" {\n  check host.memory().used_share < 90%\n  check host.memory().available > 1GiB\n  require host.load().one < 5 and host.load().five < 5\n}\n";
    for (from, to, wanted) in [
        ("m > 85%", "m > 0.85", ""),
        ("n > 3", "n >= 4", ""),
        ("m < 80%", "m < 0.8", ""),
        ("used_share < 90%", "used_share < 0.9", ""),
        (
            "used_share < 90%",
            "used_share < 0.95",
            "blind check \"host.memory().used_share < 0.95\" in section \"S\": weaker",
        ),
        ("> 1GiB", "> 1KiB", "blind check \"host.memory().available > 1KiB\" in section \"S\": weaker"),
        ("> 1GiB", "> 2GiB", "safer check \"host.memory().available > 2GiB\" in section \"S\": stricter"),
        (" and host.load().five < 5", "", "blind require \"host.load().one < 5\" in section \"S\": weaker"),
        (", secret: key", ", headers: { \"X-Key\": key }", "dangerous channel hook: more dangerous"),
        (
            "where(.mount != \"/\")",
            "where(.mount != \"/\") | where(.mount != \"/x\")",
            "blind metric full: sampled of fewer",
        ),
        (
            "where(.mount != \"/\")",
            "where(.mount != \"/\" and .mount != \"/x\")",
            "blind metric full: sampled of fewer",
        ),
    ] {
        assert_eq!(old.matches(from).count(), 1, "`{from}` is there once");
        let found = findings(old, &old.replace(from, to), &[]);
        let wanted: Vec<&str> = [wanted].into_iter().filter(|one| !one.is_empty()).collect();
        assert_eq!(found, wanted, "`{from}` to `{to}`");
    }
}
