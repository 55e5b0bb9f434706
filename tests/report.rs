//! What people see of a run, made from its events alone.
#![expect(clippy::unwrap_used, reason = "a test ends where something is not as it should be")]

use jiff::Timestamp;
use runbook::report::terminal::{Terminal, of_line};
use runbook::report::{json, junit};
use runbook::shown::again::Again;
use runbook::shown::look::Look;
use runbook::shown::{Cell, Shown, ShownBody};
use runbook::store::definition::Definition;
use runbook::store::event::{
    ChangeEnded, ChangeOutcome, CheckKind, Checked, Counts, Event, Outcome, Place, Record, RunFinished, RunStarted,
    Severity, Status, VERSION, Withheld,
};
use runbook::types::{Fault, FaultKind};

fn records(events: Vec<Event>) -> Vec<Record> {
    events
        .into_iter()
        .enumerate()
        .map(|(seq, event)| Record { seq: seq as u64, at: Timestamp::UNIX_EPOCH, event })
        .collect()
}

fn started() -> Event {
    Event::RunStarted(RunStarted {
        version: VERSION,
        tool: "runbook 0.1.0".to_owned(),
        run: "7f3a".into(),
        runbook: "Daily operations".into(),
        folder: None,
        file: "daily.runbook".into(),
        source_hash: String::new(),
        plan: Some("9c1e0123456789abcdef".to_owned()),
        scheduled_at: Timestamp::UNIX_EPOCH,
        timezone: "UTC".into(),
        by: "sre@host".to_owned(),
        read_only: false,
        only: Vec::new(),
        set: Vec::new(),
        changes: 1,
        steps: 2,
        definition: Definition::default(),
        continues: None,
    })
}

fn place(path: &[u32], line: u32) -> Place {
    Place { path: path.to_vec(), file: "daily.runbook".into(), line, column: 5, items: Vec::new(), called: None }
}

fn section(index: u32, title: &str) -> Event {
    Event::SectionStarted { path: vec![index], title: title.into(), doc: "".into() }
}

fn step(path: &[u32], title: &str, label: Option<&str>) -> Event {
    Event::StepStarted { path: path.to_vec(), title: title.into(), doc: "".into(), label: label.map(str::to_owned) }
}

fn done(path: &[u32], title: &str, label: Option<&str>, status: Status, counts: Counts) -> Event {
    let label = label.map(str::to_owned);
    Event::StepFinished { path: path.to_vec(), title: title.into(), label, status, seconds: 1.2, counts }
}

fn check(path: &[u32], line: u32, title: &str, outcome: Outcome) -> Checked {
    Checked {
        place: place(path, line),
        kind: CheckKind::Check,
        title: title.into(),
        source: "pods | all(.ok)".into(),
        severity: Severity::Critical,
        outcome,
        message: None,
        doc: "".into(),
        fault: None,
        evidence: Vec::new(),
        raises: None,
        seconds: 0.1,
    }
}

fn cell(text: &str, number: bool) -> Cell {
    Cell { text: text.to_owned(), value: serde_json::Value::from(text), number }
}

fn value(text: &str) -> ShownBody {
    ShownBody::Value { cell: cell(text, true) }
}

fn table(rows: u64) -> Shown {
    let body = ShownBody::Table {
        columns: vec!["mount".to_owned(), "used".to_owned()],
        rows: (0..rows).map(|row| vec![cell(&format!("/disk{row}"), false), cell(&format!("{row}%"), true)]).collect(),
        total: rows + 2,
    };
    Shown { title: None, body, partial: None }
}

fn shown(path: &[u32], line: u32, title: &str, shown: Shown) -> Event {
    Event::Shown { place: place(path, line), title: title.into(), shown }
}

fn finished(exit: u8, counts: Counts) -> Event {
    Event::RunFinished(RunFinished { status: Status::Failed, counts, exit, seconds: 14.2 })
}

fn text(records: &[Record], look: Look) -> String {
    let mut out = Vec::new();
    let mut terminal = Terminal::new(&mut out, look, false, Again::default());
    for record in records {
        terminal.record(record).unwrap();
    }
    terminal.finish().unwrap();
    drop(terminal);
    String::from_utf8(out).unwrap()
}

fn daily() -> Vec<Record> {
    let failed = Counts { passed: 1, failed: 1, ..Counts::default() };
    let unknown = Counts { not_measured: 1, changes_withheld: 1, ..Counts::default() };
    let unreachable =
        Fault::new(FaultKind::Unreachable, "127.0.0.1:5432: connection refused").help("is PostgreSQL running?");
    let unreachable = Fault { of: Some(0), ..unreachable };
    records(vec![
        started(),
        section(0, "Morning"),
        step(&[0, 0], "System health", None),
        step(&[0, 1], "Database", None),
        Event::Checked(Checked {
            fault: Some(unreachable.clone()),
            ..check(&[0, 1, 0], 50, "PostgreSQL answers", Outcome::NotMeasured)
        }),
        Event::NotShown { place: place(&[0, 1, 1], 51), title: "db.size()".into(), fault: unreachable },
        Event::ChangeWithheld {
            place: place(&[0, 1, 2], 66),
            change: 1,
            title: "db.execute(\"VACUUM\")".into(),
            items: Vec::new(),
            reason: Withheld::Guard { title: "no long query".into(), outcome: Outcome::Failed },
        },
        done(&[0, 1], "Database", None, Status::NotMeasured, unknown),
        shown(&[0, 0, 0], 40, "disks", table(3)),
        Event::Checked(Checked {
            doc: "Ask the platform team.".into(),
            evidence: vec![table(1)],
            ..check(&[0, 0, 1], 41, "every pod is running", Outcome::Failed)
        }),
        Event::Checked(check(&[0, 0, 2], 42, "pods are listed", Outcome::Passed)),
        done(&[0, 0], "System health", None, Status::Failed, failed),
        Event::SectionFinished { path: vec![0], title: "Morning".into(), status: Status::Failed, seconds: 3.0 },
        finished(4, Counts { passed: 1, failed: 1, not_measured: 2, changes_withheld: 1, ..Counts::default() }),
    ])
}

#[test]
fn a_run_reads_in_the_order_of_the_source_with_the_worst_first_at_the_end() {
    let expected = "\
Daily operations · run 7f3a · sre@host · 1970-01-01T00:00:00Z · plan 9c1e01234567 · 1 change

Morning
✗ System health                      1 of 2 failed               1.2s
    disks
    mount   used
    /disk0    0%
    /disk1    1%
    /disk2    2%
    … 2 more (not kept)
? Database                           1 of 1 unknown, 1 refused   1.2s

FAILED   every pod is running                               daily.runbook:41
         mount   used
         /disk0    0%
         … 2 more (not kept)
         pods | all(.ok)
         Ask the platform team.
UNKNOWN  PostgreSQL answers                                 daily.runbook:50
         pods | all(.ok)
         could not look: 127.0.0.1:5432: connection refused [unreachable]
         help: is PostgreSQL running?
         also unknown because of it: db.size() (daily.runbook:51)
REFUSED  change db.execute(\"VACUUM\")                        daily.runbook:66
         guard \"no long query\" is false
         nothing was changed
1 passed · 1 failed · 2 unknown · 1 refused · 0 changes · 14.2s · exit 4
next:  runbook show 7f3a 41    runbook run daily.runbook --only \"System health\"
continue:  runbook resume 7f3a
";
    let text = text(&daily(), Look::PLAIN);
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn nothing_from_outside_forges_a_line_or_moves_the_cursor() {
    let evil = "ok\x1b[2J\r\nall passed\u{202e}\x07";
    let mut failed = check(&[0, 0, 0], 3, evil, Outcome::Failed);
    failed.message = Some(evil.to_owned());
    failed.doc = evil.into();
    failed.fault = Some(Fault::new(FaultKind::BadAnswer, evil));
    let lines = Shown {
        title: Some(evil.to_owned()),
        body: ShownBody::Lines { lines: vec![evil.to_owned()], total: 1 },
        partial: Some(evil.to_owned()),
    };
    let records = records(vec![
        started(),
        section(0, evil),
        step(&[0, 0], evil, Some(evil)),
        shown(&[0, 0, 1], 4, evil, lines),
        Event::Checked(failed),
        done(&[0, 0], evil, Some(evil), Status::Failed, Counts::default()),
        finished(4, Counts::default()),
    ]);
    for look in [Look::PLAIN, Look { colour: false, width: Some(60) }] {
        let text = text(&records, look);
        assert!(text.contains("ok\\x1b[2J"), "{text}");
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()), "{text:?}");
        assert!(!text.contains('\u{202e}'));
    }
}

#[test]
fn rounds_of_a_step_are_folded_when_they_passed_and_told_when_not() {
    let mut events = vec![started(), section(0, "All")];
    let labels: Vec<String> = (0..40).map(|round| format!("service=s{round}")).collect();
    for (round, label) in (0_u32..).zip(&labels) {
        events.push(step(&[0, 0, round], "Probe", Some(label)));
    }
    for (round, label) in (0_u32..).zip(&labels) {
        let status = if round == 30 { Status::Failed } else { Status::Passed };
        events.push(done(&[0, 0, round], "Probe", Some(label), status, Counts::default()));
    }
    events.push(finished(4, Counts::default()));
    let text = text(&records(events), Look::PLAIN);
    assert_eq!(text.lines().filter(|line| line.contains("Probe [")).count(), 11, "{text}");
    assert!(text.contains("✗ Probe [service=s30]"), "{text}");
    assert!(text.contains("… 29 more passed"), "{text}");
}

#[test]
fn a_terminal_gets_lines_that_fit_and_a_pipe_gets_all() {
    let wide = Shown {
        title: None,
        body: ShownBody::Table {
            columns: vec!["name".to_owned(), "text".to_owned()],
            rows: vec![vec![cell("short", false), cell(&"long ".repeat(60), false)]],
            total: 1,
        },
        partial: None,
    };
    let records = records(vec![started(), shown(&[0, 0], 4, "logs", wide), finished(0, Counts::default())]);
    let narrow = text(&records, Look { colour: false, width: Some(60) });
    assert!(narrow.lines().skip(2).all(|line| line.chars().count() <= 60), "{narrow}");
    assert!(narrow.contains('…'));
    assert!(text(&records, Look::PLAIN).lines().any(|line| line.chars().count() > 300));
}

#[test]
fn a_run_that_never_finished_says_so() {
    let mut records = daily();
    records.truncate(9);
    let text = text(&records, Look::PLAIN);
    assert!(text.contains("- System health"), "{text}");
    assert!(text.contains("the run did not finish"), "{text}");
    let mut xml = Vec::new();
    junit::write(&mut xml, &records).unwrap();
    assert!(String::from_utf8(xml).unwrap().contains("the run did not finish"));
}

#[test]
fn an_unknown_change_names_its_undo() {
    let ended = ChangeEnded {
        place: place(&[0, 0], 7),
        change: 1,
        title: "host.restart".into(),
        items: vec!["web-1".into()],
        outcome: ChangeOutcome::Unknown,
        fault: Some(Fault::new(FaultKind::Timeout, "no answer within 30s")),
        result: None,
        verified: None,
        said: Vec::new(),
        evidence: Vec::new(),
        undo: Some("host.start()".into()),
        seconds: 30.0,
        value: None,
    };
    let text = text(&records(vec![started(), Event::ChangeEnded(ended)]), Look::PLAIN);
    assert!(text.contains("UNKNOWN  change host.restart for web-1 "), "{text}");
    assert!(text.contains("nobody can say whether it was made"), "{text}");
    assert!(text.contains("to undo it: host.start()"), "{text}");
}

#[test]
fn a_wait_says_what_was_seen_last_and_why_it_could_not_be_seen_again() {
    let found = |text: &str| Shown { title: Some("queue.waiting".to_owned()), body: value(text), partial: None };
    let waited = |path, outcome, fault, evidence| Event::Waited {
        place: place(path, 9),
        what: "queue.waiting == 0".into(),
        outcome,
        polls: 13,
        seconds: 60.0,
        fault,
        evidence,
    };
    let refused = Fault::new(FaultKind::Unreachable, "connection refused");
    let records = records(vec![
        started(),
        section(0, "Morning"),
        waited(&[0, 0], Outcome::Failed, None, vec![found("12")]),
        waited(&[0, 1], Outcome::NotMeasured, Some(refused.clone()), vec![found("40")]),
        waited(&[0, 2], Outcome::NotMeasured, Some(refused.help("is it up?")), Vec::new()),
    ]);
    let text = text(&records, Look::PLAIN);
    let block = |lines: [&str; 4]| lines.join("\n         ");
    let title = "wait until queue.waiting == 0                      daily.runbook:9";
    for wanted in [
        block([&format!("FAILED   {title}"), "queue.waiting  12", "did not become true in 1m (13 looks)", ""])
            .trim_end(),
        &block([
            &format!("UNKNOWN  {title}"),
            "queue.waiting  40",
            "that was seen last; did not become true in 1m (13 looks)",
            "could not look: connection refused [unreachable]",
        ]),
        &block([
            &format!("UNKNOWN  {title}"),
            "did not become true in 1m (13 looks)",
            "could not look: connection refused [unreachable]",
            "help: is it up?",
        ]),
    ] {
        assert!(text.contains(wanted), "{wanted}\n--- is not in\n{text}");
    }
    let mut xml = Vec::new();
    junit::write(&mut xml, &records).unwrap();
    let xml = String::from_utf8(xml).unwrap();
    assert!(xml.contains("<failure message=\"did not become true in 1m (13 looks)\">"), "{xml}");
    assert!(xml.contains("queue.waiting: 12"), "{xml}");
    assert!(xml.contains("<error message=\"connection refused\">"), "{xml}");
}

#[test]
fn a_line_is_shown_whole() {
    let lines = of_line(&daily(), 40, Look::PLAIN);
    assert_eq!(lines, ["disks", "mount   used", "/disk0    0%", "/disk1    1%", "/disk2    2%", "… 2 more (not kept)"]);
    assert!(of_line(&daily(), 42, Look::PLAIN)[0].starts_with("PASSED"));
    assert!(of_line(&daily(), 1, Look::PLAIN).is_empty());
}

#[test]
fn json_lines_are_the_records_and_begin_with_the_version() {
    let records = daily();
    let mut out = Vec::new();
    for record in &records {
        json::write(&mut out, record).unwrap();
    }
    let lines: Vec<serde_json::Value> =
        String::from_utf8(out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), records.len());
    assert_eq!(lines[0]["event"], "run_started");
    assert_eq!(lines[0]["version"], VERSION);
    assert_eq!(lines.last().unwrap()["exit"], 4);
}

#[test]
fn junit_tells_failed_from_not_measured_from_withheld() {
    let mut out = Vec::new();
    junit::write(&mut out, &daily()).unwrap();
    let xml = String::from_utf8(out).unwrap();
    assert!(
        xml.contains("<testsuites name=\"Daily operations\" tests=\"5\" failures=\"1\" errors=\"2\" skipped=\"1\""),
        "{xml}"
    );
    assert!(xml.contains("<testcase name=\"every pod is running\" classname=\"System health\""), "{xml}");
    assert!(xml.contains("<failure message=\"pods | all(.ok)\">"), "{xml}");
    assert!(xml.contains("<error message=\"127.0.0.1:5432: connection refused\">"), "{xml}");
    assert!(xml.contains("<skipped message=\"guard &quot;no long query&quot; is false\">"), "{xml}");
    assert!(xml.contains("<testcase name=\"pods are listed\" classname=\"System health\" time=\"0.100\" file=\"daily.runbook\" line=\"42\"/>"), "{xml}");
}

#[test]
fn junit_is_xml_whatever_is_in_it() {
    let title = "a<b>&\"'\u{0}\x1b]]>\u{FFFE}";
    let records = records(vec![
        started(),
        section(0, title),
        Event::Checked(check(&[0, 0], 3, title, Outcome::Failed)),
        finished(4, Counts::default()),
    ]);
    let mut out = Vec::new();
    junit::write(&mut out, &records).unwrap();
    let xml = String::from_utf8(out).unwrap();
    let mut reader = quick_xml::Reader::from_str(&xml);
    loop {
        match reader.read_event().unwrap_or_else(|error| panic!("{error}: {xml}")) {
            quick_xml::events::Event::Eof => break,
            event => assert!(!format!("{event:?}").contains("\\u{0}")),
        }
    }
    assert!(xml.chars().all(|character| character == '\n' || !character.is_control()), "{xml:?}");
}

/// What reads side by side is over in any order, and two reports are compared line by line.
#[test]
fn junit_has_its_cases_in_the_order_of_the_page() {
    let one = |path: &[u32], title: &str| Event::Checked(check(path, path[1], title, Outcome::Passed));
    let looks = [one(&[0, 0, 0], "a"), one(&[0, 0, 1], "b"), one(&[0, 1, 2, 0], "c"), one(&[0, 1, 10], "d")];
    let written = |looks: Vec<Event>| {
        let begun = [started(), section(0, "Morning"), step(&[0, 0], "First", None), step(&[0, 1], "Second", None)];
        let all = begun.into_iter().chain(looks).chain([finished(0, Counts::default())]).collect();
        let mut out = Vec::new();
        junit::write(&mut out, &records(all)).unwrap();
        String::from_utf8(out).unwrap()
    };
    let ordered = written(looks.to_vec());
    let at = |title: &str| ordered.find(&format!("<testcase name=\"{title}\"")).unwrap();
    assert!(at("a") < at("b") && at("b") < at("c") && at("c") < at("d"), "{ordered}");
    assert_eq!(written(looks.iter().rev().cloned().collect()), ordered);
}
