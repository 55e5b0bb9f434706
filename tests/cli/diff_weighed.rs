//! `runbook diff`: what an edit is weighed as, of all that makes a runbook weaker.
#![expect(clippy::indexing_slicing, clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use serde_json::Value as Json;

use crate::program::Folder;

/// What each of the cases works with.
const COMMON: &str = r#"runbook "Shop" { edition 1 }
param limit: float = 5
secret key = env("KEY")
connect shop = http("https://shop.example.com", reads: ["POST /search"])
connect db = postgres(host: "db", database: "shop")
channel mail = email(to: ["a@example.com", "b@example.com"])
channel pager = pagerduty(key: key)
metric load: float every 1m = host.load().one
tool write(what: string) changes = argv("./write.sh", what)
escalation matrix {
  level 1 "Operations" { notify mail respond within 30m escalate after 30m unless resolved }
  level 2 "On call" { notify mail, pager respond within 15m }
}
threshold "Slow" warning { when load > limit notify mail, pager escalate to level 2 after 10m }
threshold "Down" critical { when load > 20 until load < 2 notify pager, mail }
"#;

/// An edit of a text.
#[derive(Clone, Copy)]
struct Edit<'t>(&'t str, &'t str, &'t str);

/// `chapter kind subject` of each finding, with its rows and notes.
#[track_caller]
pub(crate) fn findings(old: &str, new: &str) -> Vec<String> {
    let folder = Folder::new();
    folder.write("old.runbook", old);
    folder.write("new.runbook", new);
    let output = folder.run(&["diff", "old.runbook", "new.runbook", "--format", "json"]);
    assert!(matches!(output.code, 0 | 2), "{}\n{new}", output.stderr);
    let review: Json = serde_json::from_str(&output.stdout).unwrap();
    let all = review["runbooks"].as_array().unwrap().iter().flat_map(|one| one["findings"].as_array().unwrap());
    let text = |finding: &Json, name: &str| finding[name].as_str().unwrap().to_owned();
    all.map(|one| {
        let rows = [&one["headline"], &one["rows"], &one["notes"]].map(ToString::to_string).join(" ");
        format!("{} {} {}: {rows}", text(one, "chapter"), text(one, "kind"), text(one, "subject"))
    })
    .collect()
}

/// Whether a finding begins so and has the words in it.
pub(crate) fn has(found: &[String], begins: &str, says: &str) -> bool {
    found.iter().any(|finding| finding.starts_with(begins) && finding.contains(says))
}

/// Edits `COMMON` with `body` behind it, and holds that a finding begins so and has the words in it.
#[track_caller]
fn weighed(body: &str, cases: &[(Edit<'_>, &str)]) {
    let old = format!("{COMMON}{body}");
    for (Edit(from, to, begins), says) in cases {
        assert_eq!(old.matches(from).count(), 1, "`{from}` is there once");
        let found = findings(&old, &old.replace(from, to));
        assert!(has(&found, begins, says), "`{from}` to `{to}`: no `{begins}` with `{says}` in {found:#?}");
    }
}

/// Holds that an edit is no finding.
#[track_caller]
fn the_same(body: &str, cases: &[(&str, &str)]) {
    let old = format!("{COMMON}{body}");
    for (from, to) in cases {
        assert_eq!(old.matches(from).count(), 1, "`{from}` is there once");
        let found = findings(&old, &old.replace(from, to));
        assert!(found.is_empty(), "`{from}` to `{to}`: {found:#?}");
    }
}

#[test]
fn what_begins_a_section_by_itself() {
    let body = r#"
section "Hand" { change write("a") }
section "Alert" on alert "Slow" { change write("b") }
section "Two" on alert "Slow", "Down" { change write("c") }
section "Hours" daily at 08:00, 14:00 { show 1 }
section "Quiet" every 60m quiet "Slow" { show 2 }
"#;
    weighed(
        body,
        &[
            (Edit("\"Hand\" {", "\"Hand\" on alert \"Slow\" {", "schedules dangerous section \"Hand\""), "on alert"),
            (Edit("\"Hand\" {", "\"Hand\" every 1h {", "schedules dangerous section \"Hand\""), "by hand only"),
            (Edit("\"Alert\" on alert \"Slow\"", "\"Alert\"", "schedules blind section \"Alert\""), "by hand only"),
            (Edit("\"Alert\" on alert \"Slow\"", "\"Alert\" on alert \"Down\"", "schedules blind section"), "Down"),
            (Edit("alert \"Slow\", \"Down\"", "alert \"Down\"", "schedules blind section \"Two\""), "Slow"),
            (Edit("08:00, 14:00", "08:00", "schedules blind section \"Hours\""), "daily at 08:00"),
            (Edit("08:00, 14:00", "09:00, 14:00", "schedules changed section \"Hours\""), "09:00"),
            (Edit("every 60m", "every 2h", "schedules blind section \"Quiet\""), "every 2h"),
            (Edit("quiet \"Slow\"", "quiet \"Down\"", "schedules loosened section \"Quiet\""), "Down"),
        ],
    );
    the_same(
        body,
        &[
            ("every 60m", "every 1h"),
            ("08:00, 14:00", "08:00, # morning\n  14:00"),
            ("\"Slow\", \"Down\"", "\"Down\", \"Slow\""),
        ],
    );
}

#[test]
fn what_a_tool_does() {
    let body = "section \"S\" { change write(\"a\") }\n";
    let tool = "tool write(what: string) changes = argv(\"./write.sh\", what)";
    weighed(
        body,
        &[
            (Edit("\"./write.sh\"", "\"./other.sh\"", "inputs changed tool write"), "./other.sh"),
            (
                Edit("write(what: string) changes", "write(what: string = \"x\") changes", "inputs changed tool write"),
                "takes",
            ),
            (Edit("string) changes", "string) changes idempotent", "inputs changed tool write"), "idempotent"),
        ],
    );
    let old = format!("{COMMON}{body}");
    let new = old.replace(tool, &tool.replace(" changes", "")).replace("change write(\"a\")", "show write(\"a\")");
    let found = findings(&old, &new);
    let fits = |finding: &String| finding.starts_with("inputs dangerous tool write") && finding.contains("no consent");
    assert!(found.iter().any(fits), "{found:#?}");
    let made = |finding: &String| finding.starts_with("changes dangerous") && finding.contains("without consent");
    assert!(found.iter().any(made), "{found:#?}");
}

#[test]
fn where_a_connection_leads_and_how_sealed() {
    let shop = "https://shop.example.com\"";
    let with = |more: &str| format!("{shop}, {more}");
    let (insecure, downgrade, proxy) =
        (with("insecure: true"), with("downgrade: true"), with("proxy: \"http://proxy.example.com:3128\""));
    weighed(
        "section \"S\" { show shop.get(\"/\").status show db.size() }\n",
        &[
            (Edit(shop, &insecure, "inputs dangerous connection shop"), "any certificate"),
            (Edit(shop, &downgrade, "inputs dangerous connection shop"), "\"what\":\"downgrade\""),
            (Edit(shop, "http://shop.example.com\"", "inputs dangerous connection shop"), "no longer sealed"),
            (Edit(shop, &proxy, "inputs permissions connection shop"), "another host"),
            (Edit("\"POST /search\"", "\"POST /search\", \"POST /*\"", "inputs dangerous connection shop"), "consent"),
            (
                Edit("database: \"shop\"", "database: \"shop\", tls: \"disable\"", "inputs dangerous connection db"),
                "tls",
            ),
            (Edit("\"a@example.com\", \"b@example.com\"", "\"a@example.com\"", "told loosened channel mail"), "b@exam"),
            (
                Edit("\"a@example.com\", \"b", "\"a@example.com\", \"c@example.com\", \"b", "told safer channel mail"),
                "c@example.com",
            ),
        ],
    );
}

#[test]
fn when_a_threshold_opens_and_closes() {
    let body = r#"
threshold "Low" warning {
  when load >= 3 or 8 < load
  until load < 2
  notify mail, pager
  escalate to level 2 after 10m
  escalate to level 2 when load > 10
  quiet while "Down"
}
threshold "Other" warning { when load > limit + 90 notify mail }
section "Now" { measure load }
"#;
    let loosened = "told loosened threshold \"Low\"";
    weighed(
        body,
        &[
            (Edit("load >= 3", "load > 3", loosened), "load > 3"),
            (Edit("load >= 3 or 8 < load", "load >= 3", loosened), "opens"),
            (Edit("load >= 3 or 8 < load", "load >= 3 and 8 < load", loosened), "opens"),
            (Edit("load >= 3 or 8 < load", "(load >= 3 or 8 < load) and load < 50", loosened), "opens"),
            (Edit("8 < load", "500 < load", loosened), "opens"),
            (Edit("load > limit + 90", "load > limit + 900", "told loosened threshold \"Other\""), "limit + 900"),
            (Edit("8 < load", "5 < load", "told safer threshold \"Low\""), "opens"),
            (Edit("8 < load", "8 < load or load == 4", "told safer threshold \"Low\""), "opens"),
            (Edit("  until load < 2\n  notify", "  until load < 4.9\n  notify", loosened), "closes"),
            (Edit("  until load < 2\n  notify", "  notify", loosened), "closes"),
            (Edit("when load > 10\n", "when load > 1000\n", loosened), "escalates"),
            (Edit("level 2 after 10m\n  escalate", "level 2 after 40m\n  escalate", loosened), "escalates"),
            (Edit("quiet while \"Down\"", "quiet while \"Other\"", loosened), "is quiet while"),
            (Edit("limit: float = 5", "limit: float = 500", "told loosened threshold \"Slow\""), "limit = 500"),
            (Edit("limit + 90 notify mail", "limit + 90 notify pager", "told loosened threshold \"Other\""), "tells"),
            (Edit("every 1m =", "=", "told loosened threshold \"Slow\""), "by no time limit"),
        ],
    );
    the_same(body, &[("  notify mail, pager\n  escalate", "  notify pager, mail\n  escalate")]);
}

#[test]
fn whom_a_level_tells_and_when() {
    let level = "told loosened escalation matrix, level";
    weighed(
        "",
        &[
            (Edit("unless resolved", "unless acknowledged", level), "acknowledged"),
            (Edit("notify mail respond", "notify pager respond", level), "tells"),
            (Edit("{ notify mail, pager respond", "{ notify mail respond", level), "tells"),
            (Edit("escalate after 30m", "escalate after 3h", level), "next level after"),
        ],
    );
    the_same("", &[("{ notify mail, pager respond", "{ notify pager, mail respond")]);
}

#[test]
fn a_channel_that_is_called_otherwise_tells_the_same_people() {
    let old = COMMON.to_owned();
    let found = findings(&old, &old.replace("mail", "letters").replace("= eletters(", "= email("));
    assert_eq!(found.len(), 1, "{found:#?}");
    assert!(found[0].starts_with("told changed channel letters"), "{found:#?}");
}

const CHECKS: &str = r#"
param most: float = 5
metric share: percent for path in ["/", "/var"] every 1m = host.disks() | where(.mount == path) | max(.used_share)
section "Often" every 1h {
  step "Look" {
    check host.load().one < most as "load"
    check host.disks() | all(.used_share < 80%) as "disks" else warning
    check host.load().five < 3 as "five"
    check shop.answers("/", status: [200]) as "up"
    let kept = try db.size() on timeout otherwise 1GiB
    show kept
  }
  step "Each" {
    for name in ["a", "b", "c"] { check shop.answers("/{name}") as "each" }
    if host.load().one > 2 { check host.load().fifteen < 9 as "deep" }
  }
}
section "Rare" {
  step "Shown" for name in ["a", "b"] { show name }
  check shop.answers("/deep") as "answers"
  show 1 }
"#;

#[test]
fn what_a_check_no_longer_sees() {
    let blind = |title: &str| format!("blindness blind check \"{title}\"");
    let (load, disks, five, up) = (blind("load"), blind("disks"), blind("five"), blind("up"));
    weighed(
        CHECKS,
        &[
            (Edit("most: float = 5", "most: float = 5000", &load), "most = 5000"),
            (Edit("one < most as", "one <= most as", &load), "<="),
            (Edit("one < most as", "one < most or host.load().five < 9 as", &load), "or"),
            (Edit("used_share < 80%", "used_share < 99%", &disks), "99%"),
            (Edit("all(.used_share", "any(.used_share", &disks), "any"),
            (Edit("status: [200]", "status: [200, 500]", &up), "500"),
            (
                Edit(
                    "    check host.load().five < 3 as \"five\"\n",
                    "    if host.load().one > 7 { check host.load().five < 3 as \"five\" }\n",
                    &five,
                ),
                "if host.load",
            ),
            (Edit("[\"a\", \"b\", \"c\"]", "[\"a\"]", &blind("each")), "for name in"),
            (Edit("one > 2 {", "one > 200 {", &blind("deep")), "200"),
            (Edit("fifteen < 9 as", "fifteen - 5 < 9 as", "blindness changed check \"deep\""), "fifteen - 5"),
            (Edit("shop.answers(\"/deep\")", "shop.answers(\"/deep\", status: [200, 503])", &blind("answers")), "503"),
            (
                Edit(
                    "    check shop.answers(\"/\", status: [200]) as \"up\"\n",
                    "    retry 3 every 2s { check shop.answers(\"/\", status: [200]) as \"up\" }\n",
                    &up,
                ),
                "up to 3 times",
            ),
            (Edit("[\"a\", \"b\"] {", "[\"a\"] {", "blindness blind section \"Rare\" / \"Shown\""), "for each"),
            (Edit("[\"/\", \"/var\"]", "[\"/\"]", "blindness blind metric share"), "for each"),
        ],
    );
    let old = format!("{COMMON}{CHECKS}");
    let line = "    check host.load().five < 3 as \"five\"\n";
    let moved = old.replace(line, "").replace("show 1 }", &format!("show 1 {line}}}"));
    let found = findings(&old, &moved);
    assert!(found.iter().any(|one| one.starts_with(&five) && one.contains("section \\\"Rare\\\"")), "{found:#?}");
}

#[test]
fn failures_that_are_hidden_anywhere() {
    let body = r#"
command look() -> size { return db.size() }
section "S" {
  step "Each" for name in shop.get("/names").json.names { show "{name}" }
  show look()
  show try db.size() on timeout otherwise 1GiB
}
threshold "Odd" warning { when load > 3 until load < 2 notify mail }
"#;
    weighed(
        body,
        &[
            (
                Edit(
                    "in shop.get(\"/names\").json.names",
                    "in try shop.get(\"/names\").json.names otherwise []",
                    "blindness blind section \"S\" / \"Each\"",
                ),
                "hides failures",
            ),
            (Edit("return db.size()", "return try db.size() otherwise 1GiB", "blindness blind command look"), "hides"),
            (Edit(" on timeout", "", "blindness blind section \"S\""), "hides more failures"),
            (Edit("otherwise 1GiB", "otherwise 2GiB", "blindness changed section \"S\""), "forgives differently"),
        ],
    );
}

#[test]
fn what_makes_a_change_more_dangerous() {
    let body = r#"
param few: size = 1GiB
tool again(what: string) changes idempotent = argv("./again.sh", what)
section "S" {
  require host.memory().available > few as "room"
  if host.load().one < 3 { change db.execute("VACUUM") within 1m approve by "DBA" verify db.size() < few as "tidy" }
  for disk in host.disks() | where(.used_share > 90%) at most 3 { change shop.put("/clean/{disk.mount}") }
  retry 3 every 10s { change again("x") }
  change db.execute("DELETE FROM seen WHERE old")
  change write('one')
}
"#;
    let dangerous = "changes dangerous change";
    weighed(
        body,
        &[
            (Edit("within 1m", "within 10h", dangerous), "10h"),
            (Edit("by \"DBA\"", "by \"Intern\"", dangerous), "Intern"),
            (Edit("verify db.size() < few", "verify true", dangerous), "verify"),
            (Edit("verify db.size() < few", "verify db.size() < 900GiB", dangerous), "900GiB"),
            (Edit("if host.load().one < 3 {", "if host.load().one < 300 {", dangerous), "300"),
            (Edit("where(.used_share > 90%)", "where(.used_share > 9%)", dangerous), "9%"),
            (Edit("retry 3", "retry 30", dangerous), "30 times"),
            (Edit("available > few", "available > 1MiB", dangerous), "1MiB"),
            (Edit("available > few", "available > 10GiB", "changes safer change"), "10GiB"),
            (Edit(" WHERE old", "", dangerous), "DELETE FROM seen"),
            (Edit("\"DELETE FROM seen WHERE old\"", "'  TRUNCATE seen'", dangerous), "removes all rows"),
            (Edit("as \"tidy\"", "as \"clean\"", "changes changed change"), "is called"),
        ],
    );
    let old = format!("{COMMON}{body}");
    let line = "  change write('one')\n";
    let moved = format!("{}section \"Night\" daily at 02:00 {{\n{line}}}\n", old.replace(line, ""));
    let found = findings(&old, &moved);
    assert!(found.iter().any(|one| one.starts_with(dangerous) && one.contains("Night")), "{found:#?}");
    let bare = old.replace("if host.load().one < 3 { change", "change").replace("as \"tidy\" }", "as \"tidy\"");
    let found = findings(&old, &bare);
    assert!(found.iter().any(|one| one.starts_with(dangerous) && one.contains("if host.load")), "{found:#?}");
    the_same(body, &[("again(\"x\")", "again(\n    # once more\n    \"x\")")]);
}

#[test]
fn who_is_on_call_and_what_messages_say() {
    let runbook = |more: &str| {
        format!(
            "secret key = env(\"KEY\")\nchannel pager = pagerduty(key: key)\nescalation matrix {{ roles \"team.toml\" level 1 \"Ops\" {{ notify pager respond within 5m }} }}\nsection \"S\" {{ show 1 }}\n{more}"
        )
    };
    let roster =
        "timezone = \"UTC\"\n[people.ann]\nname = \"Ann\"\nphone = \"+1 555 0100\"\n[roles.Ops]\npeople = [\"ann\"]\n";
    let folder = Folder::new();
    let write = |side: &str, roster: &str| {
        folder.write(&format!("{side}/a.runbook"), runbook(""));
        folder.write(&format!("{side}/team.toml"), roster);
    };
    write("old", roster);
    write("new", &format!("# The team.\n{roster}"));
    folder.run(&["diff", "old", "new"]).code(0);
    write("new", &roster.replace("0100", "0199"));
    folder.run(&["diff", "old", "new"]).code(2).out("escalation matrix").out("Ops: Ann, +1 555 0199");
    write("new", &format!("{roster}hours = [\"monday 08:00-18:00\"]\n"));
    folder.run(&["diff", "old", "new", "--fail-on", "loosened"]).code(2).out("Monday 08:00-18:00");
}

#[test]
fn what_a_test_no_longer_expects() {
    let body = "section \"S\" { check host.load().one < 3 as \"load\" }\ntest \"quiet\" {\n  given host.load() fails \"gone\"\n  run \"S\"\n  expect no alert\n  expect run failed\n}\n";
    weighed(
        body,
        &[
            (Edit("  expect run failed\n", "", "blindness blind test \"quiet\""), "- expect run failed"),
            (Edit("fails \"gone\"", "fails \"lost\"", "blindness changed test \"quiet\""), "+ given host.load() fails"),
        ],
    );
}

#[test]
fn who_gets_a_message_is_the_same_in_any_order() {
    let (from, two) = ("[\"a@example.com\", \"b@example.com\"]", "[\"b@example.com\", \"a@example.com\"]");
    the_same("", &[(from, two)]);
    let more = "[\"b@example.com\", \"a@example.com\", \"c@example.com\"]";
    weighed("", &[(Edit(from, more, "told safer channel mail"), "c@example.com")]);
    weighed("", &[(Edit(from, "[\"b@example.com\"]", "told loosened channel mail"), "gets none any more")]);
}
