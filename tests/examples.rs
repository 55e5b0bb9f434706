//! What is shown as an example is one: the blocks of the README and of LANGUAGE.md, the shipped runbooks, the catalogue.

mod pages;
#[path = "support/program.rs"]
mod program;

use std::fmt::Write as _;
use std::path::PathBuf;

use pages::{Fence, fences, formatted, look};
use program::Folder;
use runbook::catalog::{Accepts, Builtin, Catalog, Driver, EffectRule, Presence, by_hand};
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
    let mut language = 0;
    for path in files(".", "md") {
        let page = path.to_string_lossy();
        let (count, wrong) = wrong_blocks(&catalog, &page);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        if path.ends_with("LANGUAGE.md") {
            language = count;
        }
    }
    assert!(language > 10, "LANGUAGE.md has {language} runbooks");
}

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.retain(|path| path.extension().is_some_and(|own| own == extension));
    paths.sort();
    paths
}

#[test]
fn the_shipped_runbooks_check_and_are_formatted() {
    let catalog = runbook::builtins::catalog();
    let paths = files("runbooks", "runbook");
    assert!(paths.iter().any(|path| path.ends_with("host.runbook")));
    let templates = [files("runbooks", "html"), files("runbooks", "json")].concat();
    let templates: Vec<(String, Vec<u8>)> = templates
        .iter()
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), std::fs::read(path).unwrap()))
        .collect();
    let beside: Vec<(&str, &[u8])> = templates.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    for path in paths {
        let text = std::fs::read_to_string(&path).unwrap();
        let lines = look(&catalog, &text, &beside).lines();
        assert!(lines.is_empty(), "{}: {lines:#?}", path.display());
        assert_eq!(formatted(&text), text, "{} is not as `runbook fmt` writes it", path.display());
    }
}

/// Their own tests, and each threshold opens and each level is told in one of them.
#[test]
fn the_tests_of_the_shipped_runbooks_pass_and_reach_all_of_their_alerting() {
    for path in files("runbooks", "runbook") {
        let shipped = std::path::absolute(&path).unwrap();
        if !std::fs::read_to_string(&path).unwrap().contains("\ntest \"") {
            continue;
        }
        let output = Folder::new().run(&["test", "--coverage", &shipped.to_string_lossy()]);
        assert_eq!(output.code, 0, "{output:?}");
        let missed: Vec<&str> = output.stdout.lines().filter(|line| line.starts_with("not reached ")).collect();
        let untold = missed.iter().filter(|line| line.contains(": threshold ") || line.contains(": level "));
        assert_eq!(untold.count(), 0, "{missed:#?}");
    }
}

/// On the machine of the test, whatever it is: a container, a laptop, as root or not.
#[test]
fn the_runbook_of_this_machine_runs_as_it_is() {
    let shipped = concat!(env!("CARGO_MANIFEST_DIR"), "/runbooks/host.runbook");
    let output = Folder::new().run(&["run", "--format", "json", shipped]);
    let (stdout, events) = (&output.stdout, output.lines());
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert!(matches!(output.code, 0 | 3 | 4), "{output:?}");
    assert_eq!(of("unsupported"), 0, "{stdout}");
    assert_eq!((of("change_intended"), of("run_finished")), (0, 1), "{stdout}");
    // Memory, load and processes are looked at everywhere.
    assert!(of("checked") >= 3, "{stdout}");
    // What is not measured, and nothing else, makes it 3.
    let outcomes: Vec<&str> = events
        .iter()
        .filter(|event| event["event"] == "checked")
        .filter_map(|event| event["outcome"].as_str())
        .collect();
    assert_eq!(outcomes.len(), of("checked"));
    if output.code == 0 {
        assert!(!outcomes.contains(&"not_measured"), "{stdout}");
        assert_eq!(of("not_measured") + of("not_shown"), 0, "{stdout}");
    }
}

/// The names that examples speak of without declaring them.
const DECLARED: &str = r#"
param id: string = "7"
param shop: string = "berlin"
secret tracker_token = env("TRACKER_TOKEN")
secret redis_password = env("REDIS_PASSWORD")
secret db_password = env("DB_PASSWORD")
secret slack_webhook = env("SLACK_WEBHOOK")
secret smtp_password = env("SMTP_PASSWORD")
secret bot_secret = env("BOT_SECRET")
secret pagerduty_key = env("PAGERDUTY_KEY")
metric disk_used: percent for disk in host.disks() every 5m = disk.used_share
"#;

const CONNECTIONS: &str = r#"
connect api = http("https://api.example.com")
connect tracker = http("https://tracker.example.com")
connect prom = prometheus("http://prometheus:9090")
connect pager = alertmanager("http://alertmanager:9093")
connect search = elasticsearch("https://elasticsearch:9200")
connect tracing = jaeger("http://jaeger-query:16686")
connect db = postgres(host: "db.example.com", user: "ops")
connect cache = redis(host: "redis.example.com")
connect charts = grafana("https://grafana.example.com")
connect backups = s3(bucket: "backups")
"#;

/// A whole file around an example of the catalogue, which is a declaration, a statement or an expression.
fn around(example: &str) -> String {
    // The example of the driver is the declaration itself.
    let cluster = if example.contains("connect cluster") { "" } else { "connect cluster = kubernetes()\n" };
    let first = example.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    let body = if ITEMS.contains(&first) && !example.starts_with(&format!("{first}(")) {
        return format!("{example}\n{cluster}{DECLARED}");
    } else if STATEMENTS.contains(&first) {
        example.to_owned()
    } else {
        format!("show {example}")
    };
    format!(
        "{CONNECTIONS}{cluster}{DECLARED}section \"example\" {{
{body}
}}
"
    )
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

/// The table of LANGUAGE.md says what to use for what.
#[test]
fn the_stages_that_the_language_page_names_exist() {
    let catalog = runbook::builtins::catalog();
    let page = std::fs::read_to_string("LANGUAGE.md").unwrap();
    let table = page.split("| to | use |").nth(1).and_then(|rest| rest.split("\n\n").next()).expect("the table");
    let names: Vec<&str> = table.split('`').skip(1).step_by(2).collect();
    assert!(names.len() > 30, "{names:?}");
    let unknown: Vec<&&str> = names.iter().filter(|name| catalog.builtin(name).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
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
    let output = Folder::with(source).run(&["run", "--format", "json", "a.runbook"]);
    let mut shown: Vec<(u64, String)> = output
        .code(0)
        .lines()
        .iter()
        .filter(|event| event.get("event").is_some_and(|kind| kind == "shown"))
        .filter_map(|event| Some((event.pointer("/place/line")?.as_u64()?, read(event.pointer("/shown/body")?))))
        .collect();
    shown.sort();
    shown.into_iter().map(|(_, text)| text).collect()
}

/// A shown value on one line.
fn read(body: &serde_json::Value) -> String {
    let field = |name: &str| body.get(name);
    let list = |name: &str| field(name).and_then(|list| list.as_array()).cloned().unwrap_or_default();
    let string = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let text = |cell: &serde_json::Value| cell.get("text").map(string).unwrap_or_default();
    match field("form").and_then(|form| form.as_str()) {
        Some("value") => field("cell").map(text).unwrap_or_default(),
        Some("lines") => list("lines").iter().map(string).collect::<Vec<_>>().join(", "),
        Some("table") => {
            let columns = list("columns");
            let rows = list("rows");
            rows.iter()
                .filter_map(|row| row.as_array())
                .flat_map(|row| columns.iter().zip(row))
                .map(|(column, cell)| format!("{}: {}", string(column), text(cell)))
                .collect::<Vec<_>>()
                .join(", ")
        }
        _ => panic!("no form of an example's result: {body}"),
    }
}

/// The driver whose connection a built-in is called on.
fn driver_of(catalog: &Catalog, builtin: &Builtin) -> Option<&'static Driver> {
    builtin.params.iter().find_map(|param| match param.accepts {
        Accepts::Connection(driver) => catalog.driver(driver),
        // A pod came from a cluster.
        Accepts::Way => catalog.driver("kubernetes"),
        _ => None,
    })
}

/// What a place may ask for besides arguments, as `catalog::by_hand` says.
const ASKED: &[&str] = &["connection", "namespace"];

#[test]
fn what_a_person_types_is_made_of_what_the_call_has() {
    let catalog = runbook::builtins::catalog();
    let mut wrong = Vec::new();
    for builtin in catalog.builtins() {
        let driver = driver_of(&catalog, builtin);
        let names = by_hand::names(builtin.by_hand);
        for name in &names {
            let known = match name.split_once('.') {
                None => builtin.param(name).is_some() || (driver.is_some() && ASKED.contains(&name.as_str())),
                Some((first, field)) => {
                    first == "connection"
                        && driver.is_some_and(|driver| driver.params.iter().any(|param| param.name == field))
                }
            };
            if !known {
                wrong.push(format!("{}: `{{{name}}}` is nothing that it has: {}", builtin.name, builtin.by_hand));
            }
        }
        let outside = !matches!(builtin.effect, EffectRule::Pure);
        // What only the records of this tool say, nobody types.
        let is_typed = !builtin.by_hand.is_empty();
        if outside && !is_typed && !["history", "alerts"].contains(&builtin.name) {
            wrong.push(format!("{}: nothing says what a person would type", builtin.name));
        }
        for param in builtin.params {
            let is_asked = names.iter().any(|name| name == param.name || name.starts_with("connection"));
            let is_needed = matches!(param.presence, Presence::Required) && outside && is_typed;
            if is_needed && !is_asked {
                wrong.push(format!("{}: `{}` is not in {}", builtin.name, param.name, builtin.by_hand));
            }
        }
        let left: Vec<&str> =
            ["KIND", "NAME", "BUCKET", "…"].into_iter().filter(|word| builtin.by_hand.contains(word)).collect();
        if !left.is_empty() {
            wrong.push(format!("{}: {left:?} can't be typed: {}", builtin.name, builtin.by_hand));
        }
    }
    for driver in catalog.drivers() {
        for text in [driver.by_hand.connection, driver.by_hand.environment] {
            for name in by_hand::names(text) {
                if name != "way" && driver.params.iter().all(|param| param.name != name) {
                    wrong.push(format!("{}: `{{{name}}}` is none of its params: {text}", driver.name));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All calls of the catalogue's examples on one page: a shell understands each line of it.
#[test]
fn what_a_person_types_is_shell() {
    let catalog = runbook::builtins::catalog();
    let mut source = format!("{CONNECTIONS}connect cluster = kubernetes()\n{DECLARED}");
    let mut count = 0;
    for builtin in catalog.builtins().filter(|builtin| !matches!(builtin.effect, EffectRule::Pure)) {
        for example in builtin.examples {
            let first = example.source.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
            if ITEMS.contains(&first) && !example.source.starts_with(&format!("{first}(")) {
                continue;
            }
            let show = if STATEMENTS.contains(&first) { "" } else { "show " };
            count += 1;
            let _ = write!(source, "section \"{count} {}\" {{\n{show}{}\n}}\n", builtin.name, example.source);
        }
    }
    assert!(count > 100, "{count}");
    let folder = Folder::with(&source);
    let script = folder.run(&["print", "a.runbook"]).code(0).script();
    folder.write("page.sh", &script);
    let read = std::process::Command::new("sh").arg("-n").arg(folder.path("page.sh")).output().unwrap();
    assert!(read.status.success(), "{}\n{script}", String::from_utf8_lossy(&read.stderr));
    let places: Vec<&str> = script.lines().filter(|line| !by_hand::names(line).is_empty()).collect();
    assert!(places.is_empty(), "{places:#?}");
}
