//! Libraries: who uses whom, and what others can see.

use runbook::check;
use runbook::source::Sources;
use runbook::syntax;

use crate::checked::catalog;
use crate::checked::lines;

fn found(root: &str, others: &[(&str, &str)]) -> Vec<String> {
    let mut sources = Sources::new();
    let id = sources.add("ops/daily.runbook", root);
    let mut parse = |sources: &Sources, id| {
        let parsed = syntax::parse(id, &sources.file(id).text);
        (parsed.file, parsed.diagnostics)
    };
    let mut read = |name: &str| {
        let found = others.iter().find(|(own, _)| *own == name);
        found.map(|(_, text)| text.as_bytes().to_vec()).ok_or_else(|| "no such file".to_owned())
    };
    let (modules, mut diagnostics) = check::load(&mut sources, id, &mut parse, &mut read);
    diagnostics.extend(check::check(&sources, &modules, catalog()).diagnostics);
    lines(&sources, &diagnostics).iter().map(|line| line.split(' ').next().unwrap_or("").to_owned()).collect()
}

const CARE: &str = "library \"Care\" { edition 1 }\nparam grace: duration = 5m\ntype report = { pods: int, late: bool }\n\
    connect cluster = kubernetes()\ncommand unhealthy(pods: list<pod>, limit: duration = 1m) -> report {\n\
    return { pods: pods | count, late: limit > 2m } }\ncommand drain() changes { change cluster.drain(cluster.nodes()[0].name) }\n";

#[test]
fn a_library_lends_its_declarations() {
    let root = "use \"./care\" as care\nsection \"S\" {\n let r: care.report = care.cluster.pods() | care.unhealthy(limit: care.grace)\n\
        show r.pods show care.unhealthy(care.cluster.pods()).late do care.drain() }\n";
    assert_eq!(found(root, &[("ops/care.runbook", CARE)]), Vec::<String>::new());
}

#[test]
fn the_stem_stands_in_for_a_missing_alias() {
    assert_eq!(
        found("use \"./care\"\nsection \"S\" { show care.grace }\n", &[("ops/care.runbook", CARE)]),
        Vec::<String>::new()
    );
}

#[test]
fn what_a_library_does_not_have_is_unknown() {
    let root =
        "use \"./care\" as care\nsection \"S\" { show care.grce do care.drian() let x: care.reprt = 1 show x }\n";
    assert_eq!(
        found(root, &[("ops/care.runbook", CARE)]),
        ["unknown-name@2:25", "unknown-name@2:38", "unknown-type@2:58"]
    );
}

#[test]
fn files_that_are_no_libraries_or_not_there_are_reported_where_they_are_used() {
    assert_eq!(found("use \"./care\" as care\nsection \"S\" { show care.grace }\n", &[]), ["module-missing@1:5"]);
    let other = [("ops/care.runbook", "runbook \"X\" { edition 1 }\nparam grace: int = 1\n")];
    assert_eq!(found("use \"./care\" as care\nsection \"S\" { show care.grace }\n", &other), ["module-missing@1:5"]);
}

#[test]
fn circles_are_named() {
    let a = "library \"A\" { edition 1 }\nuse \"./b\" as b\n";
    let b = "library \"B\" { edition 1 }\nuse \"./a\" as a\n";
    let root = "use \"./a\" as a\nsection \"S\" { show 1 }\n";
    let found = found(root, &[("ops/a.runbook", a), ("ops/b.runbook", b)]);
    assert_eq!(found, ["module-cycle@2:5", "unused-name@1:14"]);
}
