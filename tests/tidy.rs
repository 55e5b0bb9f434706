//! The house's rules, held by a test: ARCHITECTURE.md says why.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What stands on which floor. A module imports only from lower floors and from itself.
const FLOORS: &[(&str, u32)] = &[
    ("source", 0),
    ("units", 0),
    ("apart", 0),
    ("diagnostics", 1),
    ("shown", 1),
    ("types", 1),
    ("syntax", 2),
    ("catalog", 2),
    ("check", 3),
    ("format", 3),
    ("builtins", 3),
    ("plan", 4),
    ("store", 4),
    ("diff", 5),
    ("run", 5),
    ("policy", 5),
    ("alerting", 6),
    ("schedule", 6),
    ("report", 6),
    ("ide", 6),
    ("desk", 7),
    ("rehearsal", 7),
    ("review", 7),
    ("server", 8),
    ("system", 8),
    ("lsp", 9),
    ("cli", 9),
    ("main", 10),
];

/// Crates that one room alone knows, with the folders that are that room.
const ROOMS: &[(&str, &[&str])] = &[
    ("miette", &["src/diagnostics/render/", "src/cli/"]),
    ("axum", &["src/server/"]),
    ("pest", &["src/syntax/"]),
    ("pest_derive", &["src/syntax/"]),
    ("clap", &["src/cli/", "src/main.rs"]),
    ("hyper", &["src/builtins/http/"]),
    ("reqsign", &["src/builtins/s3/"]),
    ("quick_xml", &["src/builtins/s3/", "src/report/", "src/rehearsal/"]),
    ("hickory_resolver", &["src/builtins/dns/"]),
    ("x509_parser", &["src/builtins/tls/", "src/builtins/http/"]),
    ("sysinfo", &["src/builtins/host/"]),
    ("whoami", &["src/cli/"]),
    ("kube", &["src/builtins/kubernetes/"]),
    ("k8s_openapi", &["src/builtins/kubernetes/"]),
    ("prost", &["src/builtins/kubernetes/"]),
    // The ledger is in a file or in PostgreSQL; sessions come from the built-ins' door (`src/builtins/postgres/door.rs`).
    ("tokio_postgres", &["src/builtins/postgres/", "src/store/ledger/"]),
    ("bytes", &["src/builtins/postgres/"]),
    ("lettre", &["src/builtins/channels/"]),
    ("minijinja", &["src/builtins/channels/"]),
    ("redis", &["src/builtins/redis/", "src/builtins/mod.rs"]),
    ("indicatif", &["src/report/"]),
    ("rusqlite", &["src/store/ledger/"]),
    ("croner", &["src/check/program/"]),
    ("toml_edit", &["src/check/", "src/policy/"]),
    ("ipnet", &["src/policy/"]),
    ("ssh_key", &["src/store/approval/"]),
    ("aws_lc_rs", &["src/store/approval/"]),
];

const MOST_LINES: usize = 500;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder with an extension, as paths from the root.
fn files(folder: &str, extension: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut folders = vec![root().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())) {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|own| own == extension) {
                found.push(path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found.sort();
    assert!(!found.is_empty(), "no .{extension} below {folder}");
    found
}

fn text(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The module of the first level that a source file belongs to.
fn module(path: &str) -> &str {
    let rest = path.strip_prefix("src/").unwrap();
    rest.split_once('/').map_or_else(|| rest.trim_end_matches(".rs"), |(module, _)| module)
}

fn floor(module: &str) -> Option<u32> {
    FLOORS.iter().find(|(name, _)| *name == module).map(|(_, floor)| *floor)
}

/// Code without comments, line by line: what a line says after `//` is no import.
fn code_lines(source: &str) -> impl Iterator<Item = (usize, &str)> {
    source
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"))
        .map(|(index, line)| (index + 1, line))
}

/// The modules that a line names behind `crate::`, also in a list in braces.
fn imported(line: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (index, _) in line.match_indices("crate::") {
        let rest = &line[index + "crate::".len()..];
        let names = rest.strip_prefix('{').and_then(|list| list.split_once('}')).map_or(rest, |(list, _)| list);
        let several = rest.starts_with('{');
        for name in names.split(if several { ',' } else { '\n' }) {
            let name: String = name.trim().chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
            if name.chars().next().is_some_and(|first| first.is_ascii_lowercase()) {
                found.push(name);
            }
        }
    }
    found
}

fn complain(about: &str, found: &[String]) {
    assert!(found.is_empty(), "{about}:\n  {}", found.join("\n  "));
}

#[test]
fn modules_import_from_lower_floors_only() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        let own = module(&path).to_owned();
        if own == "lib" {
            continue;
        }
        let Some(own_floor) = floor(&own) else {
            wrong.push(format!("{path}: `{own}` has no floor in tests/tidy.rs and ARCHITECTURE.md"));
            continue;
        };
        for (line, code) in code_lines(&text(&path)) {
            for other in imported(code) {
                if let Some(other_floor) = floor(&other)
                    && other != own
                    && other_floor >= own_floor
                    // The command line wires the system; both are the top floor's.
                    && !(own == "cli" && other == "system")
                {
                    wrong.push(format!(
                        "{path}:{line}: `{own}` (floor {own_floor}) imports `{other}` (floor {other_floor})"
                    ));
                }
            }
        }
    }
    complain("a module imports only from lower floors", &wrong);
}

#[test]
fn only_the_top_floor_wires_the_built_ins() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        if matches!(module(&path), "builtins" | "cli" | "system" | "lib" | "lsp" | "server") {
            continue;
        }
        // It takes a session of a database from there, and no built-in.
        if path.starts_with("src/store/ledger/") {
            continue;
        }
        for (line, code) in code_lines(&text(&path)) {
            if imported(code).iter().any(|name| name == "builtins") {
                wrong.push(format!("{path}:{line}"));
            }
        }
    }
    complain("the stages take a `&Catalog`; only the command line knows which built-ins there are", &wrong);
}

#[test]
fn each_room_keeps_its_crates_to_itself() {
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        for (line, code) in code_lines(&text(&path)) {
            for (name, rooms) in ROOMS {
                let named = code.contains(&format!("use {name}::")) || code.contains(&format!(" {name}::"));
                if named && !rooms.iter().any(|room| path.starts_with(room)) {
                    wrong.push(format!("{path}:{line}: `{name}` belongs to {}", rooms.join(", ")));
                }
            }
        }
    }
    complain("a crate is known in one room", &wrong);
}

#[test]
fn no_file_is_longer_than_a_sitting() {
    let long: Vec<String> = files("src", "rs")
        .into_iter()
        .chain(files("tests", "rs"))
        .filter_map(|path| {
            let lines = text(&path).lines().count();
            (lines > MOST_LINES).then(|| format!("{path}: {lines} lines"))
        })
        .collect();
    complain(&format!("a file has at most {MOST_LINES} lines: split it by thing or by question"), &long);
}

#[test]
fn every_file_says_what_it_is() {
    let silent: Vec<String> = files("src", "rs")
        .into_iter()
        .chain(files("tests", "rs"))
        .filter(|path| !text(path).starts_with("//!"))
        .collect();
    complain("a file begins with `//!`", &silent);
}

#[test]
fn no_file_is_a_drawer() {
    let drawers: Vec<String> = files("src", "rs")
        .into_iter()
        .filter(|path| {
            let stem = Path::new(path).file_stem().unwrap().to_str().unwrap();
            ["utils", "util", "helpers", "helper", "common", "misc", "manager", "shared"].contains(&stem)
        })
        .collect();
    complain("a file is named after the thing in it", &drawers);
}

#[test]
fn the_map_and_the_land_agree() {
    let map = text("ARCHITECTURE.md");
    let mut wrong = Vec::new();
    // Every path in backticks that looks like one of ours exists.
    for (index, code) in map.split('`').enumerate() {
        let ours = ["src/", "tests/", "grammar/", "editors/", "runbooks/", "benches/", ".ci/"];
        let named = index % 2 == 1 && ours.iter().any(|start| code.starts_with(start));
        if named && !code.contains(['*', '<', '{', ' ']) && !root().join(code).exists() {
            wrong.push(format!("ARCHITECTURE.md names `{code}`, which is not there"));
        }
    }
    // Every folder right below src is on the map.
    for entry in fs::read_dir(root().join("src")).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && !map.contains(&format!("`src/{name}/`")) {
            wrong.push(format!("ARCHITECTURE.md does not name `src/{name}/`"));
        }
    }
    complain("ARCHITECTURE.md is the map", &wrong);
}

#[test]
fn nothing_is_left_for_later_in_silence() {
    let markers = ["TODO", "FIXME", "XXX", "HACK"];
    let mut wrong = Vec::new();
    for path in files("src", "rs") {
        for (index, line) in text(&path).lines().enumerate() {
            if markers.iter().any(|marker| line.contains(marker)) {
                wrong.push(format!("{path}:{}", index + 1));
            }
        }
    }
    complain("what is not done is said in the README and by the program, not in a marker", &wrong);
}

#[test]
fn floors_are_told_once() {
    let mut seen = BTreeMap::new();
    for (name, floor) in FLOORS {
        assert!(seen.insert(name, floor).is_none(), "{name} is on two floors");
    }
}
