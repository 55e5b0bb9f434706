//! Programs of this machine, started for real: what they print, how they end, and what is left behind.

mod net;

use std::time::{Duration, Instant};

use net::{Outside, fault, literal, ms, template, text, words};
use runbook::types::{Fault, FaultKind, Piece, SecretText, Value};

async fn argv(given: &[&str], more: &[(&str, Value)]) -> Result<Value, Fault> {
    let mut args = vec![("words", words(given))];
    args.extend(more.iter().cloned());
    Outside::here().call("argv", &args).await
}

#[tokio::test]
async fn gives_text_lines_json_and_tables() {
    assert_eq!(argv(&["printf", "a b\n\n"], &[]).await.expect("text").to_json(), "a b\n");
    let lines = argv(&["printf", "one\r\ntwo\n\\377"], &[("output", text("lines"))]).await.expect("lines");
    let Value::Log(log) = lines else { panic!("{lines:?}") };
    for _ in 0..2 {
        let lines: Vec<_> = log.reader.clone().lines().map(|line| line.expect("a line")).collect();
        let texts: Vec<_> = lines.iter().map(|line| (&*line.text, line.number)).collect();
        assert_eq!(texts, [("one", 1), ("two", 2), ("\u{fffd}", 3)]);
    }
    let json = argv(&["printf", r#"{"taskUid": 7}"#], &[("output", text("json"))]).await.expect("json");
    assert_eq!(json.to_json()["taskUid"], 7);
    let table = argv(&["printf", "NAME   READY\nweb-1  1/1\n"], &[("output", text("table"))]).await.expect("table");
    assert_eq!(table.to_json(), serde_json::json!([{ "name": "web-1", "ready": "1/1" }]));
}

#[tokio::test]
async fn a_word_is_one_argument_whatever_is_in_it() {
    let given =
        Value::list(vec![text("printf"), text("[%s]"), text("a; rm -rf $HOME"), Value::Int(7), words(&["x y", ""])]);
    let value = Outside::here().call("argv", &[("words", given)]).await.expect("printed");
    assert_eq!(value.to_json(), "[a; rm -rf $HOME][7][x y][]");
    let missing = Value::list(vec![text("echo"), Value::Null]);
    assert_eq!(fault(Outside::here().call("argv", &[("words", missing)]).await).kind, FaultKind::NoValue);
}

#[tokio::test]
async fn the_shell_takes_values_as_data() {
    let evil = "\"; echo pwned; $(echo pwned) `echo pwned` '";
    for script in [r"printf '[%s]' ", r#"printf "[%s]" "#] {
        let command = template(vec![Piece::Text(script.into()), Piece::Value(text(evil))]);
        let value = Outside::here().call("shell", &[("command", command)]).await.expect("printed");
        assert_eq!(value.to_json(), format!("[{evil}]"));
    }
    let command =
        template(vec![Piece::Text("echo \"x".into()), Piece::Value(text("$(touch pwned)")), Piece::Text("y\"".into())]);
    let value = Outside::here().call("shell", &[("command", command)]).await.expect("printed");
    assert_eq!(value.to_json(), "x$(touch pwned)y");
}

#[tokio::test]
async fn an_exit_code_that_is_not_expected_is_a_fault_with_its_last_words() {
    let failed = fault(argv(&["sh", "-c", "echo one >&2; echo 'disk is \x1b[31mfull' >&2; exit 3"], &[]).await);
    assert_eq!(failed.kind, FaultKind::Failed);
    assert_eq!(&*failed.message, "`sh` ended with exit code 3: one | disk is \\x1b[31mfull");
    let exits = Value::list(vec![Value::Int(0), Value::Int(3)]);
    assert_eq!(argv(&["sh", "-c", "echo x; exit 3"], &[("exits", exits)]).await.expect("accepted").to_json(), "x");
    let killed = fault(argv(&["sh", "-c", "kill -9 $$"], &[]).await);
    assert!(killed.message.contains("killed by signal"), "{killed}");
}

#[tokio::test]
async fn a_program_that_is_missing_is_said_to_be() {
    let missing = fault(argv(&["no-such-program-7"], &[]).await);
    assert_eq!(missing.kind, FaultKind::Setup);
    assert!(missing.message.contains("no program `no-such-program-7`"), "{missing}");
    let folder = tempfile::tempdir().expect("a folder");
    // Written by another process: a program that this one has just had open for writing may not start (ETXTBSY).
    let script = r"printf '#!/bin/sh\necho 1\n' > growth.sh";
    let written = std::process::Command::new("sh").args(["-c", script]).current_dir(folder.path()).status();
    assert!(written.expect("sh").success());
    let outside = Outside::new(&[], folder.path());
    let start = [("words", words(&["./growth.sh"]))];
    let fault = fault(outside.call("argv", &start).await);
    assert!(fault.message.contains("`./growth.sh` is not executable"), "{fault}");
    let status = std::process::Command::new("chmod").arg("+x").arg(folder.path().join("growth.sh")).status();
    assert!(status.expect("chmod").success());
    assert_eq!(outside.call("argv", &start).await.expect("printed").to_json(), "1");
}

/// Whether a process with this word in its command line runs. `sleep` with an odd number is the word.
fn runs(word: &str) -> bool {
    std::process::Command::new("pgrep").args(["-f", word]).output().is_ok_and(|found| found.status.success())
}

#[tokio::test]
async fn a_program_without_end_is_stopped_with_all_it_started() {
    let start = Instant::now();
    let script = "trap '' TERM; echo waiting >&2; sleep 4711.25 & sleep 4711.25";
    let late = fault(argv(&["sh", "-c", script], &[("within", ms(300))]).await);
    assert_eq!(late.kind, FaultKind::Timeout);
    assert!(
        late.message.ends_with("had not ended within 300ms and was stopped with its process group: waiting"),
        "{late}"
    );
    assert!(start.elapsed() < Duration::from_secs(4), "{:?}", start.elapsed());
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert!(!runs("^sleep 4711.25"));
}

#[tokio::test]
async fn nothing_is_left_when_nobody_waits_any_more() {
    let call = argv(&["sh", "-c", "sleep 4712.25 & sleep 4712.25"], &[]);
    assert!(tokio::time::timeout(Duration::from_millis(300), call).await.is_err());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(!runs("^sleep 4712.25"));
}

#[tokio::test]
async fn endless_output_is_bounded() {
    let before = resident();
    for output in ["text", "lines"] {
        let limits = [("output", text(output)), ("at_most", Value::Size(32 << 20))];
        let large = fault(argv(&["sh", "-c", "yes | head -c 2000000000; yes >&2"], &limits).await);
        assert_eq!(large.kind, FaultKind::TooLarge);
        assert!(large.message.contains("printed more than 32MiB"), "{large}");
    }
    let errors = argv(&["sh", "-c", "head -c 100000000 /dev/zero >&2; echo done"], &[]).await.expect("drained");
    assert_eq!(errors.to_json(), "done");
    assert!(resident() < before + (64 << 20), "{} grew to {}", before, resident());
}

/// Bytes of this process in memory.
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("proc");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("VmRSS");
    line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("a number") * 1024
}

#[tokio::test]
async fn long_output_is_kept_out_of_memory_and_whole() {
    let limits = [("output", text("lines")), ("at_most", Value::Size(64 << 20))];
    let Value::Log(log) = argv(&["seq", "3000000"], &limits).await.expect("lines") else { panic!("no log") };
    let last = log.reader.clone().lines().last().expect("lines").expect("a line");
    assert_eq!((&*last.text, last.number), ("3000000", 3_000_000));
}

#[tokio::test]
async fn what_it_leaves_in_the_background_is_not_waited_for() {
    let start = Instant::now();
    let value = argv(&["sh", "-c", "echo started; sleep 6 &"], &[]).await.expect("printed");
    assert_eq!(value.to_json(), "started");
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test]
async fn output_that_is_not_what_was_said_is_a_bad_answer() {
    for (form, printed) in [("text", "\\377"), ("json", "{oops"), ("json", ""), ("table", "")] {
        let bad = fault(argv(&["printf", printed], &[("output", text(form))]).await);
        assert_eq!(bad.kind, FaultKind::BadAnswer, "{form}: {bad}");
    }
}

#[tokio::test]
async fn secrets_go_through_environment_and_input_and_come_back_in_no_message() {
    let secret = || Value::Secret(SecretText::new("hunter2-xyz".to_owned()));
    let given = [("env", Value::record([("TOKEN", secret())])), ("stdin", secret())];
    let value = argv(&["sh", "-c", r#"test "$TOKEN" = hunter2-xyz && wc -c"#], &given).await.expect("printed");
    assert_eq!(value.to_json().as_str().map(str::trim), Some("11"));
    let failed = fault(argv(&["sh", "-c", "echo bad token $TOKEN >&2; exit 1"], &given).await);
    assert_eq!(&*failed.message, "`sh` ended with exit code 1: bad token (secret)");
    let word = Value::list(vec![text("echo"), secret()]);
    assert_eq!(fault(Outside::here().call("argv", &[("words", word)]).await).kind, FaultKind::Conversion);
    let shell = Outside::here().call("shell", &[("command", literal("exit 9"))]).await;
    assert_eq!(&*fault(shell).message, "`sh -c 'exit 9'` ended with exit code 9");
}

#[tokio::test]
async fn secrets_are_read_from_environment_and_files_and_never_empty() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("key"), "s3cret\n").expect("written");
    std::fs::write(folder.path().join("empty"), "\n").expect("written");
    let outside = Outside::new(&[("KEY", "from-env"), ("BLANK", "")], folder.path());
    for (driver, param, from, expected) in [("env", "name", "KEY", "from-env"), ("file", "path", "key", "s3cret")] {
        let opened = outside.open(driver, &[(param, text(from))]).await.expect("a secret");
        assert_eq!(opened.handle.downcast_ref::<SecretText>().expect("text").expose(), expected);
        assert!(!opened.target.contains(expected));
    }
    for (driver, param, from, message) in [
        ("env", "name", "NOT_THERE", "the environment variable `NOT_THERE` is not set"),
        ("env", "name", "BLANK", "the environment variable `BLANK` is empty"),
        ("file", "path", "empty", "the file `empty` is empty"),
    ] {
        let fault = outside.open(driver, &[(param, text(from))]).await.err().expect("a fault");
        assert_eq!((fault.kind, &*fault.message), (FaultKind::Setup, message));
    }
}
