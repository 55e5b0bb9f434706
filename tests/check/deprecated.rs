//! Built-ins that are marked as deprecated, in a catalogue of the test's own.

use runbook::builtins;
use runbook::catalog::{Catalog, Deprecated};
use runbook::check::{self, Modules};
use runbook::source::Sources;
use runbook::syntax;

use crate::checked::lines;

fn catalog() -> Catalog {
    builtins::catalog().deprecating(&[
        Deprecated { name: "http.get", instead: "write `api.answers(…)`" },
        Deprecated { name: "host.disks", instead: "write `host.disk(…)`" },
        Deprecated { name: "count", instead: "write `is_empty`" },
    ])
}

/// Where something is deprecated, and what is said to do instead.
fn found(text: &str) -> Vec<(String, String)> {
    let mut sources = Sources::new();
    let id = sources.add("a.runbook", text);
    let parsed = syntax::parse(id, text);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let diagnostics = check::check(&sources, &Modules::of(parsed.file), &catalog()).diagnostics;
    assert!(!runbook::diagnostics::has_errors(&diagnostics), "{:?}", lines(&sources, &diagnostics));
    let helps = diagnostics.iter().map(|diagnostic| diagnostic.help.clone().unwrap_or_default());
    lines(&sources, &diagnostics).into_iter().zip(helps).collect()
}

#[test]
fn a_call_of_a_built_in_that_is_deprecated_says_what_to_write_instead() {
    let text = "connect api = http(\"https://x.example\")\nsection \"S\" {\n  show api.get(\"/\").status\n  \
        show host.disks() | count\n  show host.memory()\n  show host.disks().count()\n}\n";
    let says = |place: &str, name: &str, instead: &str| {
        let found = format!("deprecated@{place} `{name}` is deprecated: it still works, and will go one day");
        (found, format!("write `{instead}`"))
    };
    let mut all = found(text);
    all.sort();
    assert_eq!(
        all,
        [
            says("3:12", "http.get", "api.answers(…)"),
            says("4:13", "host.disks", "host.disk(…)"),
            says("4:23", "count", "is_empty"),
            says("6:13", "host.disks", "host.disk(…)"),
            says("6:21", "count", "is_empty"),
        ]
    );
}

#[test]
fn a_test_that_only_speaks_of_a_call_has_nothing_to_replace() {
    let text = "connect api = http(\"https://x.example\")\nsection \"S\" {\n  check api.get(\"/\").ok as \"up\"\n}\n\
        test \"t\" {\n  given api.get(\"/\") is unreachable\n  run \"S\"\n  expect \"up\" not measured\n}\n";
    let places: Vec<String> = found(text).into_iter().map(|(place, _)| place).collect();
    assert_eq!(places, ["deprecated@3:13 `http.get` is deprecated: it still works, and will go one day"]);
}

#[test]
#[should_panic(expected = "no built-in named host.disc to deprecate")]
fn what_is_not_there_cannot_be_deprecated() {
    let _ = builtins::catalog().deprecating(&[Deprecated { name: "host.disc", instead: "nothing" }]);
}
