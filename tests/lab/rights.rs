//! `plan --rbac`: the daily runbook runs with exactly the rights that it prints, and with any one of them taken away it
//! says which one is missing.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::daily;
use crate::harness::{Lab, alone, lab};
use crate::program::Folder;

const PARTS: &[&str] = &["kubernetes", "metrics", "postgres", "redis", "s3", "products", "mail"];
const NAMESPACE: &str = "sarvanom-production";

/// A service account with the rights of a text, and a kubeconfig that is it.
struct Account<'l> {
    lab: &'l Lab,
    folder: &'l Folder,
    name: String,
    /// What was applied, to be taken away again.
    rights: String,
}

impl<'l> Account<'l> {
    fn new(lab: &'l Lab, folder: &'l Folder, rights: &str) -> Self {
        let name = format!("least-{}", std::process::id());
        lab.kubectl(&["create", "serviceaccount", &name, "-n", NAMESPACE]);
        let account = Self { lab, folder, name, rights: rights.to_owned() };
        account.apply(rights);
        let token = lab.kubectl(&["create", "token", &account.name, "-n", NAMESPACE]);
        let own = lab.env["KUBECONFIG"].split(':').next().unwrap();
        std::fs::copy(own, folder.path("kubeconfig")).unwrap();
        let config = |words: &[&str]| {
            let mut command = lab.tool(&[&["config"], words].concat());
            let output = command.env("KUBECONFIG", folder.path("kubeconfig")).output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        };
        let cluster = config(&["view", "-o", "jsonpath={.contexts[?(@.name=='lab')].context.cluster}"]);
        config(&["set-credentials", "least", &format!("--token={}", token.trim())]);
        config(&["set-context", "least", &format!("--cluster={cluster}"), "--user=least", "--namespace", NAMESPACE]);
        config(&["use-context", "least"]);
        account
    }

    fn apply(&self, rights: &str) {
        use std::io::Write as _;
        let mut command = self.lab.tool(&["apply", "-f", "-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(rights.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success(), "{}\n{rights}", String::from_utf8_lossy(&output.stderr));
    }

    /// Whether it may do something, as the cluster says; asked until it says so or time is up.
    fn wait_until(&self, may: bool, verb: &str, resource: &str, name: Option<&str>) {
        let named = name.map_or_else(
            || resource.to_owned(),
            |name| match resource.split_once('/') {
                Some((resource, _)) => format!("{resource}/{name}"),
                None => format!("{resource}/{name}"),
            },
        );
        let sub = resource.split_once('/').map(|(_, sub)| format!("--subresource={sub}"));
        let who = format!("--as=system:serviceaccount:{NAMESPACE}:{}", self.name);
        let begun = Instant::now();
        loop {
            let named = if name.is_some() { named.as_str() } else { resource.split('/').next().unwrap() };
            let mut words = vec!["auth", "can-i", verb, named, "-n", NAMESPACE, &who];
            words.extend(sub.as_deref());
            let output = self.lab.tool(&words).output().unwrap();
            if String::from_utf8_lossy(&output.stdout).trim().starts_with(if may { "yes" } else { "no" }) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(20), "{verb} {resource}: {output:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// The faults of a run that were refusals.
    fn refusals(&self) -> String {
        let kubeconfig = self.folder.path("kubeconfig");
        let env = [("KUBECONFIG", kubeconfig.to_str().unwrap())];
        let ran = self.lab.run_in(self.folder, &["--read-only", "--no-notify"], &env);
        // Its changes are withheld, so that it is never all well; and it is never a run that did not begin.
        ran.code(3);
        let denied = ran.events.iter().map(ToString::to_string).filter(|event| event.contains("\"denied\""));
        denied.collect::<Vec<_>>().join("\n")
    }
}

impl Drop for Account<'_> {
    fn drop(&mut self) {
        use std::io::Write as _;
        let mut command = self.lab.tool(&["delete", "-f", "-", "--ignore-not-found"]);
        if let Ok(mut child) = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn() {
            let written = child.stdin.take().map(|mut stdin| stdin.write_all(self.rights.as_bytes()));
            assert!(written.is_some_and(|written| written.is_ok()) || std::thread::panicking());
            let _ = child.wait();
        }
        let _ = self.lab.tool(&["delete", "serviceaccount", &self.name, "-n", NAMESPACE]).output();
    }
}

/// The items of `key: ["a", "b"]`.
fn items(line: &str) -> Vec<String> {
    let list = line.split_once('[').map_or("", |(_, rest)| rest.trim_end_matches(']'));
    list.split(", ").map(|item| item.trim_matches('"').to_owned()).filter(|item| !item.is_empty()).collect()
}

#[test]
fn the_daily_runbook_runs_with_exactly_the_rights_that_are_printed() {
    let Some(lab) = lab("the rights of the daily runbook", PARTS) else { return };
    let _alone = alone();
    let folder = daily::folder(lab);
    let to = format!("least-{}", std::process::id());
    let printed = lab.command(&folder, &["plan", "--rbac=kubernetes", "--to", &to, "a.runbook"]).output().unwrap();
    assert!(printed.status.success(), "{}", String::from_utf8_lossy(&printed.stderr));
    let rights = String::from_utf8(printed.stdout).unwrap();
    let account = Account::new(lab, &folder, &rights);
    account.wait_until(true, "list", "pods", None);
    assert_eq!(account.refusals(), "", "with {rights}");

    // One verb after the other is taken away.
    let lines: Vec<&str> = rights.lines().collect();
    let mut taken = 0;
    for (at, line) in lines.iter().enumerate().filter(|(_, line)| line.starts_with("    verbs: [")) {
        let before = |key: &str| {
            let found = lines[..at].iter().rev().take_while(|line| !line.contains("rules:"));
            found.take(3).find(|line| line.contains(key)).map(|line| items(line)).unwrap_or_default()
        };
        let (groups, resources) = (before("apiGroups"), before(" resources:"));
        let names = if lines[at - 1].contains("resourceNames") { items(lines[at - 1]) } else { Vec::new() };
        for verb in items(line) {
            for resource in &resources {
                let verbs = items(line).into_iter().filter(|own| *own != verb).collect::<Vec<_>>();
                let verbs = if verbs.is_empty() { "deletecollection".to_owned() } else { verbs.join("\", \"") };
                // The other resources of the rule keep it.
                let others: Vec<&String> = resources.iter().filter(|own| *own != resource).collect();
                let mut without: Vec<String> = lines.iter().map(|&line| line.to_owned()).collect();
                without[at] = format!("    verbs: [\"{verbs}\"]");
                if !others.is_empty() {
                    let group = groups.join("");
                    let others = others.iter().map(|own| format!("\"{own}\"")).collect::<Vec<_>>().join(", ");
                    let more = format!(
                        "\n  - apiGroups: [\"{group}\"]\n    resources: [{others}]\n    verbs: [{}]",
                        line.trim_start_matches("    verbs: [").trim_end_matches(']')
                    );
                    without[at].push_str(&more);
                    assert!(names.is_empty(), "a rule with names has one resource: {line}");
                }
                account.apply(&(without.join("\n") + "\n"));
                let group = groups.iter().find(|group| !group.is_empty() && *group != "*");
                let called = match (group, resource.split_once('/')) {
                    (Some(group), None) => format!("{resource}.{group}"),
                    _ => resource.clone(),
                };
                account.wait_until(false, &verb, &called, names.first().map(String::as_str));
                let refusals = account.refusals();
                assert!(
                    refusals.contains(&format!("can-i {verb} {}", resource.split('/').next().unwrap())),
                    "without {verb} {called}: {refusals}"
                );
                taken += 1;
            }
        }
    }
    assert!(taken > 15, "{taken} verbs");
}

/// A runbook of the lab's own connections, run as who may do everything.
fn as_admin(lab: &Lab, body: &str) {
    let source = format!(
        "runbook \"t\" {{ edition 1 }}\nsecret key = env(\"PGPASSWORD\")\nconnect db = postgres(user: \"sarvanom\", database: \"sarvanom_production\", password: key)\nconnect cache = redis(\"127.0.0.1:{}\", user: \"admin\", password: key)\nsection \"s\" {{ {body} }}",
        port(lab)
    );
    lab.run(&source).code(0);
}

fn port(lab: &Lab) -> String {
    lab.facts["parts"]["redis"]["address"].as_str().unwrap().rsplit(':').next().unwrap().to_owned()
}

/// The faults of a run that were refusals, of a runbook whose changes are agreed to.
fn denied(lab: &Lab, folder: &Folder) -> String {
    let ran = lab.run_in(folder, &[], &[]);
    assert!(ran.events.iter().any(|event| event["event"] == "run_finished"), "{}", ran.text);
    let denied = ran.events.iter().map(ToString::to_string).filter(|event| event.contains("\"denied\""));
    denied.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_database_and_a_cache_are_used_with_exactly_the_rights_that_are_printed() {
    let Some(lab) = lab("the rights in PostgreSQL and Redis", &["postgres", "redis"]) else { return };
    let user = format!("least_{}", std::process::id());
    let source = format!(
        r#"runbook "t" {{ edition 1 }}
secret key = env("PGPASSWORD")
connect db = postgres(user: "{user}", database: "sarvanom_production", password: key)
connect cache = redis("127.0.0.1:{}", user: "{user}", password: key)
section "s" {{
  show db.query("SELECT count(*) FROM documents d JOIN {user}.scratch s ON s.id = d.id")
  change db.execute("DELETE FROM {user}.scratch WHERE id < 3")
  show cache.key_count()
  show cache.memory()
  show cache.get("{user}:a")
  change cache.command("SET {user}:b 1")
}}"#,
        port(lab)
    );
    let folder = Folder::with(&source);
    as_admin(
        lab,
        &format!(
            r#"change db.execute("CREATE ROLE {user} LOGIN PASSWORD 'lab'")
change db.execute("CREATE SCHEMA {user}")
change db.execute("CREATE TABLE {user}.scratch (id int)")
change cache.command("ACL SETUSER {user} on >lab ~* +@all")
change cache.command("SET {user}:a 1")"#
        ),
    );
    let printed = |system: &str| {
        let output = lab.command(&folder, &["plan", &format!("--rbac={system}"), "a.runbook"]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let lines = text.lines().filter(|line| !line.starts_with("--") && !line.starts_with('#'));
        lines.map(|line| line.trim_end_matches(';').to_owned()).collect::<Vec<String>>()
    };
    let quoted = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    let execute = |sql: &str| as_admin(lab, &format!("change db.execute(\"{}\")", quoted(sql)));
    let (grants, rules) = (printed("postgres"), printed("redis"));
    let [rule] = rules.as_slice() else { panic!("{rules:?}") };
    for grant in &grants {
        execute(grant);
    }
    as_admin(lab, &format!("change cache.command(\"{}\")", quoted(rule)));
    assert_eq!(denied(lab, &folder), "", "with {grants:?} and {rule}");

    let mut taken = 0;
    for grant in &grants {
        // Everybody may connect, unless a database is closed to them.
        if grant.starts_with("GRANT CONNECT") {
            continue;
        }
        execute(&grant.replace("GRANT ", "REVOKE ").replace(" TO ", " FROM "));
        assert!(!denied(lab, &folder).is_empty(), "without {grant}");
        execute(grant);
        taken += 1;
    }
    for word in rule.split(' ').filter(|word| word.starts_with(['+', '~'])) {
        as_admin(lab, &format!("change cache.command(\"{}\")", quoted(&rule.replace(word, ""))));
        let denied = denied(lab, &folder);
        let bare = word.trim_start_matches('+').replace('|', " ");
        assert!(!denied.is_empty(), "without {word}");
        if word.starts_with('+') {
            assert!(denied.to_lowercase().contains(&bare), "without {word}: {denied}");
        }
        taken += 1;
    }
    assert!(taken >= 9, "{taken} of {grants:?} and {rule}");
    as_admin(
        lab,
        &format!(
            r#"change db.execute("DROP OWNED BY {user}")
change db.execute("DROP SCHEMA {user} CASCADE")
change db.execute("DROP ROLE {user}")
change cache.command("DEL {user}:a {user}:b")
change cache.command("ACL DELUSER {user}")"#
        ),
    );
}
