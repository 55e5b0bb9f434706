//! What is shown as an example is one: the blocks of the README and of LANGUAGE.md, the shipped runbooks, the catalogue.

mod pages;

use std::fmt::Write as _;
use std::path::PathBuf;
use std::process::Command;

use pages::{Fence, fences, formatted, look};
use runbook::catalog::Catalog;
use runbook::diagnostics::Code;
use runbook::syntax::words::{ITEMS, STATEMENTS};

/// How a block of a page is told to be read, behind its ```` ```runbook ````.
enum Reading {
    /// It checks clean. With `file=x.runbook` the blocks below can use it.
    Clean { file: Option<String> },
    /// `error=code`: it raises that code and no other.
    Raises(Code),
}

fn reading(page: &str, fence: &Fence) -> Option<Reading> {
    let (language, words) = fence.info.split_first()?;
    if language != "runbook" {
        return None;
    }
    let at = format!("{page}:{}", fence.line);
    Some(match words {
        [] => Reading::Clean { file: None },
        [word] => match word.split_once('=') {
            Some(("file", name)) => Reading::Clean { file: Some(name.to_owned()) },
            Some(("error", code)) => {
                Reading::Raises(code.parse().unwrap_or_else(|()| panic!("{at}: no code `{code}`")))
            }
            _ => panic!("{at}: `{word}` says nothing"),
        },
        _ => panic!("{at}: too many words behind the fence"),
    })
}

/// What is wrong with the blocks of a page, and how many there are.
fn wrong_blocks(catalog: &Catalog, page: &str) -> (usize, Vec<String>) {
    let text = std::fs::read_to_string(page).unwrap_or_else(|error| panic!("{page}: {error}"));
    let mut wrong = Vec::new();
    let mut files: Vec<(String, Vec<u8>)> = Vec::new();
    let mut count = 0;
    for fence in fences(&text) {
        let Some(reading) = reading(page, &fence) else { continue };
        count += 1;
        let others: Vec<(&str, &[u8])> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
        let seen = look(catalog, &fence.text, &others);
        let right = match &reading {
            Reading::Clean { .. } => seen.diagnostics.is_empty(),
            Reading::Raises(code) => {
                !seen.diagnostics.is_empty() && seen.diagnostics.iter().all(|found| found.code == *code)
            }
        };
        if !right {
            wrong.push(format!("{page}:{}: {:#?}", fence.line, seen.lines()));
        }
        if formatted(&fence.text) != fence.text {
            wrong.push(format!("{page}:{}: the formatter writes\n{}", fence.line, formatted(&fence.text)));
        }
        if let Reading::Clean { file: Some(name) } = reading {
            files.push((name, fence.text.into_bytes()));
        }
    }
    (count, wrong)
}

#[test]
fn the_blocks_of_the_pages_check_and_are_formatted() {
    let catalog = runbook::builtins::catalog();
    for (page, at_least) in [("LANGUAGE.md", 10)] {
        let (count, wrong) = wrong_blocks(&catalog, page);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(count >= at_least, "{page} has {count} runbooks");
    }
}

fn shipped() -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir("runbooks").unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "runbook"));
    paths.sort();
    paths
}

#[test]
fn the_shipped_runbooks_check_and_are_formatted() {
    let catalog = runbook::builtins::catalog();
    let paths = shipped();
    assert!(paths.iter().any(|path| path.ends_with("host.runbook")));
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = look(&catalog, &text, &[]).lines();
        assert!(lines.is_empty(), "{}: {lines:#?}", path.display());
        assert_eq!(formatted(&text), text, "{} is not as `runbook fmt` writes it", path.display());
    }
}

/// The names that examples speak of without declaring them.
const DECLARED: &str = r#"
param id: string = "7"
secret tracker_token = env("TRACKER_TOKEN")
secret slack_webhook = env("SLACK_WEBHOOK")
secret pagerduty_key = env("PAGERDUTY_KEY")
metric disk_used: percent for disk in host.disks() every 5m = disk.used_share
"#;

/// A whole file around an example of the catalogue, which is a declaration, a statement or an expression.
fn around(example: &str) -> String {
    let first = example.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let body = if ITEMS.contains(&first) && !example.starts_with(&format!("{first}(")) {
        return format!("{example}\n{DECLARED}");
    } else if STATEMENTS.contains(&first) {
        example.to_owned()
    } else {
        format!("show {example}")
    };
    format!("connect api = http(\"https://api.example.com\")\n{DECLARED}section \"example\" {{\n{body}\n}}\n")
}

#[test]
fn the_examples_of_the_catalogue_check() {
    let catalog = runbook::builtins::catalog();
    let mut wrong = Vec::new();
    let examples = catalog
        .builtins()
        .flat_map(|builtin| builtin.examples.iter().map(move |example| (builtin.name, example.source)))
        .chain(
            catalog
                .drivers()
                .flat_map(|driver| driver.examples.iter().map(move |example| (driver.name, example.source))),
        );
    for (name, source) in examples {
        let seen = look(&catalog, &around(source), &[]);
        // What stands alone is not used, and a shell is warned of wherever it is.
        let expected = |code| code == Code::UnusedName || name == "shell" && code == Code::ShellUsed;
        if seen.diagnostics.iter().any(|found| !expected(found.code)) {
            wrong.push(format!("{name}: `{source}`: {:#?}", seen.lines()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn everything_in_the_catalogue_has_an_example() {
    let catalog = runbook::builtins::catalog();
    let builtins = catalog.builtins().filter(|builtin| builtin.examples.is_empty()).map(|builtin| builtin.name);
    let drivers = catalog.drivers().filter(|driver| driver.examples.is_empty()).map(|driver| driver.name);
    assert_eq!(builtins.chain(drivers).collect::<Vec<_>>(), Vec::<&str>::new());
}

/// One run shows them all: what each gives is what a person reads.
#[test]
fn the_examples_that_compute_give_what_they_say() {
    let catalog = runbook::builtins::catalog();
    let examples: Vec<_> = catalog
        .builtins()
        .flat_map(|builtin| builtin.examples)
        .filter_map(|example| Some((example.source, example.gives?)))
        .collect();
    assert!(examples.len() > 40, "{} examples", examples.len());
    let mut source = String::from("section \"examples\" {\n");
    for (example, _) in &examples {
        writeln!(source, "show {example} as \"x\"").unwrap();
    }
    source.push_str("}\n");
    let shown = run_and_show(&source);
    assert_eq!(shown.len(), examples.len());
    let wrong: Vec<String> = examples
        .iter()
        .zip(shown)
        .filter(|((_, gives), shown)| shown != gives)
        .map(|((example, gives), shown)| format!("`{example}` gives `{shown}`, not `{gives}`"))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Runs a runbook with the tool itself and gives what it showed, in the order of the text.
fn run_and_show(source: &str) -> Vec<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("examples.runbook");
    std::fs::write(&file, source).expect("the folder takes a file");
    let output = Command::new(env!("CARGO_BIN_EXE_runbook"))
        .args(["run", "--format", "json", "--state"])
        .args([folder.path().join("state"), file])
        .output()
        .expect("the tool starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let mut shown: Vec<(u64, String)> = String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).expect("a line is JSON"))
        .filter(|event| event["event"] == "shown")
        .map(|event| (event["place"]["line"].as_u64().expect("a line"), read(&event["shown"]["body"])))
        .collect();
    shown.sort();
    shown.into_iter().map(|(_, text)| text).collect()
}

/// A shown value on one line.
fn read(body: &serde_json::Value) -> String {
    let text = |cell: &serde_json::Value| cell["text"].as_str().unwrap_or_default().to_owned();
    match body["form"].as_str() {
        Some("value") => text(&body["cell"]),
        Some("lines") => {
            let lines = body["lines"].as_array().expect("lines");
            lines.iter().filter_map(|line| line.as_str()).collect::<Vec<_>>().join(", ")
        }
        Some("table") => {
            let columns = body["columns"].as_array().expect("columns");
            let rows = body["rows"].as_array().expect("rows").iter().filter_map(|row| row.as_array());
            rows.flat_map(|row| columns.iter().zip(row))
                .map(|(column, cell)| format!("{}: {}", column.as_str().unwrap_or_default(), text(cell)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        _ => panic!("no form of an example's result: {body}"),
    }
}
