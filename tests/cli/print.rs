//! `runbook print`: what a person follows by hand, and types as it stands there.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "a test ends where something is not as it should be, and UPDATE_SPEC is asked of the environment"
)]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::program::Folder;

/// A bit of everything.
const SHOP: &str = include_str!("pages/shop.runbook");

#[test]
fn the_whole_page_of_a_runbook() {
    let folder = Folder::with(SHOP);
    let page = folder.run(&["print", "a.runbook"]).code(0).stdout.clone();
    let expected = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/pages/shop.md");
    if std::env::var_os("UPDATE_SPEC").is_some() {
        fs::write(expected, &page).unwrap();
    }
    assert_eq!(page, fs::read_to_string(expected).unwrap(), "UPDATE_SPEC=1 writes it anew");
    assert!(!folder.path("state").exists(), "it keeps nothing");
}

#[test]
fn a_section_or_a_step_has_a_page_of_its_own() {
    let folder = Folder::with(SHOP);
    folder
        .run(&["print", "a.runbook", "--section", "Look"])
        .code(0)
        .out("## Look")
        .out("kubectl --context prod get pods -n shop")
        .lacks("## Care")
        // Nothing on it goes to the database.
        .lacks("psql")
        .lacks("port-forward");
    folder.run(&["print", "a.runbook", "--only", "tidy"]).code(0).out("### Tidy").lacks("### Vacuum");
    folder
        .run(&["print", "a.runbook", "--section", "Loook"])
        .code(1)
        .err("there is no section, step or report \"Loook\"")
        .err("did you mean `--section \"Look\"`?");
}

#[test]
fn a_param_is_what_was_set_else_its_default_else_a_blank() {
    let text = "param namespace: string\n## How old.\nparam age: duration = 2h\n\
        connect cluster = kubernetes(namespace: namespace)\n\
        section \"Logs\" { show cluster.logs(\"web-0\", since: age) }\n";
    let folder = Folder::with(text);
    folder
        .run(&["print", "a.runbook"])
        .code(0)
        .out("kubectl logs -n '<namespace>' --all-containers --since=2h web-0")
        .out("- `<namespace>`: you decide");
    folder
        .run(&["print", "a.runbook", "--set", "namespace=shop", "--param", "age=90m"])
        .code(0)
        .out("kubectl logs -n shop --all-containers --since=1h30m web-0");
    folder.run(&["print", "a.runbook", "--set", "nmespace=shop"]).code(1).err("did you mean `--set namespace=…`?");
}

#[test]
fn what_is_not_valid_has_no_page() {
    Folder::with("section \"A\" { show nothing }\n").run(&["print", "a.runbook"]).code(2).err("nothing");
}

#[test]
fn it_is_written_into_a_file() {
    let folder = Folder::with(SHOP);
    folder.run(&["print", "a.runbook", "--format", "html", "-o", "page.html"]).code(0).out("");
    assert!(folder.read("page.html").starts_with("<!doctype html>"));
}

#[test]
fn a_value_in_a_query_stays_a_value() {
    let text = "connect prom = prometheus(\"http://prom:9090\", proxy: \"none\")\n\
        connect web = http(\"http://web.internal/base/\", through: cluster.pod(\"web-0\"), port: 8080)\n\
        connect cluster = kubernetes()\n\
        section \"Q\" {\n  show prom.query(\"up\\{job='{\"a'b\"}',host=~'{[\"x.y\", \"z\"]}'}\")\n  show web.get(\"/a\")\n  show web.get(\"/b\", query: { tag: [\"x\", \"y z\"] })\n}\n";
    Folder::with(text)
        .run(&["print", "a.runbook"])
        .code(0)
        .out(r"curl -fsSLG -x '' http://prom:9090/api/v1/query --data-urlencode 'query=up{job='\''a\'\''b'\'',host=~'\''(?:x\\.y|z)'\''}'")
        .out("kubectl port-forward pod/web-0 18080:8080")
        .out("-x '' --connect-to ::127.0.0.1:18080 http://web.internal/base/a")
        .out("http://web.internal/base/b?tag=x&tag=y%20z");
}

const HOSTILE: &str = r#"
connect cluster = kubernetes(namespace: "a'b$(touch ran)")
connect db = postgres(host: "db", user: "u\";touch ran", database: "d'`touch ran`")
connect api = http("https://api.example.com")
tool purge(id: string) changes = argv("echo", "--id", id)
section "Names ``` </code> <script>alert(1)</script>" {
  ## A comment with <img src=x onerror=alert(1)>
  ## ```
  ## and its end.
  step "Look | at `it`" {
    show cluster.pod("-x$(touch ran)") as "a title\n```\n$(touch ran)"
    show cluster.logs("web\n0") | where(.text ~ /it's "$(touch ran)"/i) | count as "lines"
    change db.execute("\\! touch ran") as "of psql"
    show db.query("SELECT {"it's; \\! touch ran"}") as "a value"
    show api.get("/a b/{"../$(touch ran)?x"}") as "a path"
    for name in ["a'b", "$(touch ran)"] {
      change purge(name)
    }
  }
}
"#;

/// Each program is one that says its words: what a shell makes of a line of the page, and nothing else happens.
fn typed(folder: &Folder, page: &str, program: &str) -> Vec<Vec<String>> {
    let bin = folder.path("bin");
    fs::create_dir_all(&bin).unwrap();
    for name in ["kubectl", "psql", "curl", "echo"] {
        let script = format!("#!/bin/sh\nprintf '%s\\0' {name} \"$@\" >> \"$SAID\"; printf '\\001\\0' >> \"$SAID\"\n");
        fs::write(bin.join(name), script).unwrap();
        fs::set_permissions(bin.join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let said = folder.path("said");
    let _ = fs::remove_file(&said);
    let path = format!("{}:/usr/bin:/bin", bin.display());
    let mut inside = None;
    let mut script = String::new();
    for line in page.lines() {
        match &inside {
            None if line.starts_with("```") => inside = Some(line.trim_end_matches("sh").to_owned()),
            Some(fence) if line == fence => inside = None,
            Some(_) => script = script + line + "\n",
            None => {}
        }
    }
    // A built-in of the shell would go before the program.
    let script = script.replace("echo --id", "command env echo --id");
    let status = Command::new("sh")
        .args(["-c", &script])
        .current_dir(folder.path(""))
        .env_clear()
        .envs([("PATH", path.as_str()), ("SAID", said.to_str().unwrap())])
        .status()
        .unwrap();
    assert!(status.success(), "{script}");
    let said = fs::read_to_string(&said).unwrap();
    let calls = said.split("\u{1}\0").map(|call| call.split_terminator('\0').map(str::to_owned).collect::<Vec<_>>());
    calls.filter(|call| call.first().is_some_and(|first| first == program)).collect()
}

#[test]
fn no_name_runs_anything() {
    let folder = Folder::with(HOSTILE);
    let page = folder.run(&["print", "a.runbook"]).code(0).stdout.clone();
    let namespace = "a'b$(touch ran)";
    assert_eq!(
        typed(&folder, &page, "kubectl"),
        [
            vec!["kubectl", "get", "pod", "-n", namespace, "-o", "wide", "--", "-x$(touch ran)"],
            vec!["kubectl", "logs", "-n", namespace, "--all-containers", "web\n0"],
        ]
    );
    let psql = typed(&folder, &page, "psql");
    assert_eq!(psql[0][2], "postgresql://u%22%3Btouch%20ran@db/d%27%60touch%20ran%60");
    assert_eq!(psql[0].last().unwrap(), " \\! touch ran");
    assert_eq!(psql[1].last().unwrap(), "SELECT 'it''s; \\! touch ran'");
    let curl = typed(&folder, &page, "curl");
    assert!(curl[0].last().unwrap().ends_with("/..%2F%24%28touch%20ran%29%3Fx"), "{curl:?}");
    assert_eq!(typed(&folder, &page, "echo"), [vec!["echo", "--id", "a'b"], vec!["echo", "--id", "$(touch ran)"]]);
    assert!(!folder.path("ran").exists(), "{page}");
}

#[test]
fn no_text_is_a_mark_of_the_page() {
    let folder = Folder::with(HOSTILE);
    let page = folder.run(&["print", "a.runbook"]).code(0).stdout.clone();
    let marks = |text: &str| page.lines().filter(|line| line.trim_start().starts_with(text)).count();
    assert_eq!(marks("<"), 0, "{page}");
    assert_eq!(2 * (marks("```sh") + marks("````sh")), marks("```"), "each fence is closed: {page}");
    assert!(page.contains(r"\<script\>") && page.contains(r"\<img"), "{page}");
    let html = folder.run(&["print", "a.runbook", "--format", "html"]).code(0).stdout.clone();
    let own = ["!doctype", "html", "head", "meta", "title", "style", "body", "h1", "h2", "h3", "p", "strong", "code"];
    let own = own.into_iter().chain(["pre", "ul", "li", "table", "tr", "th", "td"]);
    let own: Vec<&str> = own.collect();
    for tag in html.split('<').skip(1) {
        let name = tag.trim_start_matches('/').split([' ', '>']).next().unwrap();
        assert!(own.contains(&name), "<{tag}: {html}");
    }
    assert!(html.contains("&lt;script&gt;alert(1)"), "{html}");
}

#[test]
fn the_value_of_a_secret_is_nowhere() {
    let text = "secret token = env(\"API_TOKEN\")\nsecret password = file(\"password.txt\")\n\
        connect api = http(\"https://api.example.com\", bearer: token, headers: { \"X-Key\": token })\n\
        connect db = postgres(host: \"db\", user: \"ops\", password: password, database: \"shop\")\n\
        connect cache = redis(\"cache:6380\", user: \"ops\", password: token)\n\
        connect store = s3(bucket: \"b\", access_key: token, secret_key: password)\n\
        channel slack = slack(webhook: token)\n\
        metric up: bool every 1m = api.answers(\"/\")\n\
        threshold \"Down\" critical { when not up notify slack }\n\
        section \"Look\" {\n  check api.answers(\"/\") as \"a\"\n  show db.size()\n  show cache.memory()\n  show store.list(\"x/\")\n}\n";
    let folder = Folder::with(text);
    folder.write("password.txt", "swordfish");
    for format in ["markdown", "html"] {
        let mut command = folder.command(&["print", "a.runbook", "--format", format]);
        let output = command.env("API_TOKEN", "hunter2").output().unwrap();
        assert_eq!(output.status.code(), Some(0));
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(!said.contains("hunter2") && !said.contains("swordfish"), "{said}");
    }
    folder
        .run(&["print", "a.runbook"])
        .code(0)
        .out("-H \"Authorization: Bearer $API_TOKEN\" -H \"X-Key: $API_TOKEN\"")
        .out("PGPASSWORD=\"$(cat password.txt)\" psql -X")
        .out("REDISCLI_AUTH=\"$API_TOKEN\" redis-cli -h cache -p 6380 --user ops INFO memory")
        .out("AWS_ACCESS_KEY_ID=\"$API_TOKEN\" AWS_SECRET_ACCESS_KEY=\"$(cat password.txt)\" aws s3 ls")
        .out("Secrets come from: `API_TOKEN`, the file `password.txt`");
}
