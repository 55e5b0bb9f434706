//! `runbook print`: what is typed is what a run sends, for values of every kind.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use crate::program::Folder;

/// A program that writes down all that it is given: its words, what is set for it, what it reads, and where it is.
const SAY: &str = r#"#!/bin/sh
folder=$(basename "$PWD")
case $folder in inner) ;; *) folder=outer ;; esac
line=$(printf '[%s]' "$@"; printf ' dry=%s region=%s token=%s in %s reads ' "$DRY_RUN" "$REGION" "$TOKEN" "$folder"; tr '\n' '~')
echo "$line" >> "$HOME/said"
"#;

/// What the program was given, in any order.
fn said(folder: &Folder) -> Vec<String> {
    let said = folder.read("said");
    fs::remove_file(folder.path("said")).unwrap();
    let mut lines: Vec<String> = said.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

/// What a run gives to `say.sh`, which is what a person gives to it who types the page.
fn same(text: &str) -> Vec<String> {
    let folder = Folder::with(text);
    folder.write("say.sh", SAY);
    folder.write("inner/say.sh", SAY);
    for name in ["say.sh", "inner/say.sh"] {
        fs::set_permissions(folder.path(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let mut run = folder.command(&["run", "a.runbook"]);
    let output = run.env("API_TOKEN", "hunter2").output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    let by_run = said(&folder);
    let printed = folder.run(&["print", "a.runbook"]);
    let page = &printed.code(0).stdout;
    let mut shell = Command::new("sh");
    shell.args(["-c", &printed.script()]).current_dir(folder.path("")).env_clear().stdin(Stdio::null());
    let home = folder.path("");
    let status = shell.env("PATH", "/usr/bin:/bin").env("HOME", &home).env("API_TOKEN", "hunter2").status().unwrap();
    assert!(status.success(), "{page}");
    assert_eq!(said(&folder), by_run, "{page}");
    by_run
}

const VALUES: &str = r#"
runbook "V" { edition 1 timezone "America/New_York" }
param p: percent = 12.5%
param d: duration = 90m
param s: size = 1.5GiB
param r: rate = 10/s
param c: cores = 0.5cores
param f: float = 2
param n: int = 1234567
param day: date = 2026-11-27
param ts: time = 2026-11-27T10:00:00Z
param at: clock = 08:00
param names: list<string> = ["a b", "c"]
param on: bool = true
tool one(w: string) -> string = argv("./say.sh", w)
tool many(p2: percent, f2: float, o2: bool, l: list<string>, x: data) -> string = argv("./say.sh", "--p={p2}", "{f2}", f2, "{o2}", l, "{x}", "{p2:.2}")
tool perhaps(x: string?) -> string = argv("./say.sh", x ?? "none")
tool at_times(n3: int, day3: date, t3: time, a3: clock) -> string = argv("./say.sh", "{n3:#,}", "{day3:%d.%m.%Y}", "{t3:%H%M}", t3, "{a3:%H}", "{a3}", "{day3}")
section "V" {
  show one("{p} {d} {s} {r} {c} {f} {n} {day} {ts} {at} {on}")
  show many(p, f, on, names, 2)
  show at_times(n, day, ts, at)
  for share in [5%, 12.5%] { show one("over {share}") }
  for port in [80, 443] { show one("port {port}") }
  for name in ["a", "b"] { show one("name {name}") }
  show one("{d / 1s} {s / 1MiB:.1} {n + 1} {p * 2} {at == 08:00}")
  show perhaps(null)
  show one("today {run.date:%d.%m.%Y} {run.date} {run.started_at:%Y%m%d%H}")
}
"#;

#[test]
fn what_is_typed_is_what_a_run_sends() {
    let said = same(VALUES);
    let has = |text: &str| assert!(said.iter().any(|line| line.contains(text)), "{text}: {said:#?}");
    has("[12.5% 1h30m 1.5GiB 10/s 0.5 cores 2 1234567 2026-11-27 2026-11-27T10:00:00Z 08:00 true]");
    has("[--p=12.5%][2][2][true][a b][c][2][12.50%]");
    has("[1,234,567][27.11.2026][0500][2026-11-27T10:00:00Z][08]");
    has("[over 12.5%]");
    has("[5400 1536.0 1234568 0.25 true]");
    has("[none]");
}

#[test]
fn what_a_text_of_the_run_is_made_of_says_its_form() {
    let text = "connect api = http(\"https://api.example.com\")\nparam opt: string? = null\nparam p: percent = 5%\n\
        section \"Q\" {\n  let n = api.get(\"/n\").json\n  let m = api.get(\"/m\").json.x ?? 1\n\
        show api.get(\"/a\", query: { opt, q: \"{p}\", z: null, b: true }, headers: { \"X-P\": \"{p}\" })\n\
        show api.get(\"/b\", headers: { \"X-N\": \"{m:#,}\" })\n\
        for port in [80, 443] { change api.post(\"/c\", json: { port: port, text: \"{port}\" }) }\n}\n";
    Folder::with(text)
        .run(&["print", "a.runbook"])
        .code(0)
        .out("-H 'X-P: 5%' 'https://api.example.com/a?q=5%25&b=true'")
        .out("-H 'X-N: <m:#,>' https://api.example.com/b")
        .out(", written in the form `#,`")
        .out(r#"'{"port": '"$port"', "text": "'"$port"'"}'"#);
}

#[test]
fn a_value_in_sql_is_what_is_bound() {
    let text = r#"
connect db = postgres(host: "db", user: "u", database: "d")
param o: string? = null
param d: duration = 90m
param names: list<string> = ["it's", "a\"b"]
param none: list<string> = []
param day: date = 2026-11-27
param n: int = 5
section "Q" {
  show db.query("SELECT {o}AS o, {names}, {none}::text[], now() - {d}, {day}, {n}")
  show db.query("SELECT {run.date}")
  for id in [1, 2] { show db.query("SELECT * FROM t WHERE id = {id} AND n <{n}OR x = {true}") }
  change db.execute("UPDATE t SET title = {o} WHERE id = -1")
}
"#;
    let folder = Folder::with(text);
    let page = folder.run(&["print", "a.runbook"]).code(0).stdout.replace(r"'\''", "'");
    for line in [
        r#"SELECT NULL AS o, '{"it''s","a\"b"}', '{}'::text[], now() - '1h30m'::interval, '2026-11-27'::date, 5"#,
        "SELECT '$(TZ=UTC date +'%Y-%m-%d')'::date",
        "id = $id AND n <5 OR x = true",
        "UPDATE t SET title = NULL WHERE id = -1",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
}

const SET: &str = r#"
secret token = env("API_TOKEN")
tool dry(x: string) -> string = argv("./say.sh", x, env: { DRY_RUN: "1", REGION: "e u'{x}'", TOKEN: token })
tool reads(text: string) -> string = argv("./say.sh", "-f", "-", stdin: text, env: { DRY_RUN: "1" })
tool keeps() -> string = argv("./say.sh", stdin: token)
tool inside(x: string) -> string = argv("./say.sh", x, directory: "inner", env: { REGION: x }, stdin: x)
section "S" {
  show dry("a b")
  show reads("SELECT 1;\n-- it's \"x\"\n")
  show keeps()
  show inside("$(touch ran)")
  for name in ["a", "b"] { show dry(name) }
  show dry("last")
}
"#;

#[test]
fn what_a_program_reads_and_what_is_set_for_it_is_typed() {
    let said = same(SET);
    let has = |text: &str| assert!(said.iter().any(|line| line.contains(text)), "{text}: {said:#?}");
    has("[a b] dry=1 region=e u'a b' token=hunter2 in outer reads ");
    has("[-f][-] dry=1 region= token= in outer reads SELECT 1;~-- it's \"x\"~");
    has("in outer reads hunter2");
    has("[$(touch ran)] dry= region=$(touch ran) token= in inner reads $(touch ran)");
}

#[test]
fn what_no_line_can_say_is_said() {
    let text = "tool ends() -> string = argv(\"./x.sh\", exits: [0, 3], env: { \"my-var\": \"1\" })\n\
        connect graph = grafana(\"http://g\")\n\
        section \"S\" {\n  show ends() as \"e\"\n  change graph.annotate(\"restart\", dashboard: \"abc\")\n}\n";
    Folder::with(text)
        .run(&["print", "a.runbook"])
        .code(0)
        .out("env my-var=1 ./x.sh")
        .out("- `exits: [0, 3]` of `ends` is in no line above, so see to it: The exit codes that mean that it did its work.")
        .out("- `dashboard: abc` of `grafana.annotate` is in no line above, so see to it:");
}

#[test]
fn what_a_run_refuses_to_ask_is_not_typed() {
    let text = "connect api = http(\"http://api\")\nparam id: string = \"\"\n\
        section \"S\" {\n  change api.delete(\"/items/{id}\")\n  show api.get(\"/a?q={id}\")\n}\n";
    let folder = Folder::with(text);
    folder
        .run(&["print", "a.runbook"])
        .code(0)
        .out("'http://api/items/<empty>'")
        .out("- `<empty>`: an empty value cannot stand in a path, and a run would stop: leave the line out")
        .out("'http://api/a?q='");
    folder.run(&["print", "a.runbook", "--set", "id=.."]).code(0).out("'http://api<path>'").lacks("items/..'");
}

#[test]
fn a_pattern_for_any_folders_finds_as_many_by_hand() {
    let folder = Folder::with("section \"S\" { check host.files(\"logs/**/*.log\") | count == 3 as \"three\" }\n");
    for name in ["logs/a.log", "logs/x/b.log", "logs/x/y/c.log"] {
        folder.write(name, "");
    }
    folder.run(&["run", "a.runbook"]).code(0);
    let printed = folder.run(&["print", "a.runbook"]);
    let page = &printed.code(0).stdout;
    let mut shell = Command::new("bash");
    shell.args(["-c", &printed.script()]).current_dir(folder.path("")).env("PATH", "/usr/bin:/bin");
    let typed = shell.output().unwrap();
    let found = String::from_utf8_lossy(&typed.stdout);
    assert!(found.trim() == "3" || found.lines().count() == 3, "{page}\n{found}");
}

#[test]
fn the_words_of_a_command_are_typed_as_a_run_sends_them() {
    let text = "connect cluster = kubernetes(context: \"c\", namespace: \"n\")\n\
        tool free() -> string = argv(\"df\", \"-h\", \"/tmp\")\n\
        tool own(n: string) -> string = argv(\"kubectl\", \"-n\", n, \"get\", \"pods\")\n\
        section \"S\" {\n  change cluster.exec(\"bare\", \"rm -rf /tmp/x\")\n\
          change cluster.pod(\"bare\").exec(\"sh -c 'echo \\\"a b\\\"'\")\n\
          show free() as \"f\"\n  show own(\"x\") as \"o\"\n  show host.file(\"-x\").size as \"s\"\n}\n";
    Folder::with(text)
        .run(&["print", "a.runbook"])
        .code(0)
        .out("\nkubectl --context c exec -n n bare -- rm -rf /tmp/x\n")
        .out("\nkubectl --context c exec -n n bare -- sh -c 'echo \"a b\"'\n")
        .out("\ndf -h /tmp\n")
        .out("\nkubectl -n x get pods\n")
        .out(" -- -x");
}
