//! One pass over the bytes of a log gives what the stages give that go line by line, whatever is asked of whichever log.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proptest::prelude::*;
use runbook::types::{Answer, Fault, Line, Log, LogReader, Query, Scanner, Value};

use super::rehearsal::{section, world};
use super::{log, since};

/// A log that can only be read line by line.
struct LineByLine(Arc<dyn LogReader>);

impl LogReader for LineByLine {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        Arc::clone(&self.0).lines()
    }
}

/// A log that counts its passes, and how often one was of no use.
pub(super) struct Counting {
    log: Arc<dyn LogReader>,
    passes: AtomicUsize,
    queries: AtomicUsize,
    item_by_item: AtomicUsize,
}

impl LogReader for Counting {
    fn lines(self: Arc<Self>) -> Box<dyn Iterator<Item = Result<Line, Fault>> + Send> {
        self.item_by_item.fetch_add(1, Ordering::Relaxed);
        Arc::clone(&self.log).lines()
    }

    fn scanner(self: Arc<Self>) -> Option<Arc<dyn Scanner>> {
        Some(self)
    }
}

impl Scanner for Counting {
    fn scan(&self, queries: &[Query], unwanted: &AtomicBool) -> Vec<Answer> {
        self.passes.fetch_add(1, Ordering::Relaxed);
        self.queries.fetch_add(queries.len(), Ordering::Relaxed);
        Arc::clone(&self.log).scanner().unwrap().scan(queries, unwanted)
    }
}

impl Counting {
    pub(super) fn passes(&self) -> usize {
        self.passes.load(Ordering::Relaxed)
    }
}

fn counting(log: &Log) -> Arc<Counting> {
    let log = Arc::clone(&log.reader);
    Arc::new(Counting { log, passes: 0.into(), queries: 0.into(), item_by_item: 0.into() })
}

/// What statements say of a log, which they know as `lines`.
pub(super) fn said(reader: Arc<dyn LogReader>, statements: &[String]) -> Vec<String> {
    let log = Value::from(Log { name: "a log".into(), reader, partial: None });
    let ran = section(&format!("let lines = lab.log(\"it\")\n{}", statements.join("\n")))
        .answers("it", [world::value(log)])
        .run();
    ran.told()
}

/// Each pipeline shown as a number or a text, so that nothing of it is left out.
fn shows(pipelines: &[String]) -> Vec<String> {
    pipelines.iter().map(|pipeline| format!("show lines{pipeline} as \"it\"")).collect()
}

pub(super) fn assert_same(log: &Log, pipelines: &[String]) -> Arc<Counting> {
    let counting = counting(log);
    let statements = shows(pipelines);
    let fast = said(Arc::<Counting>::clone(&counting), &statements);
    let slow = said(Arc::new(LineByLine(Arc::clone(&log.reader))), &statements);
    for ((fast, slow), pipeline) in fast.iter().zip(&slow).zip(pipelines) {
        assert_eq!(fast, slow, "lines{pipeline}");
    }
    assert_eq!(fast.len(), slow.len());
    counting
}

fn condition() -> impl Strategy<Value = String> {
    let regex = prop::sample::select(vec![
        "error",
        "(?:err)or",
        "Error",
        "[Ee]rror|timeout",
        "^a",
        "b$",
        "^$",
        r"\d+ms",
        r"(\w+)=(\w+)",
        ".",
        r"a\sb",
        "é",
        "[^x]",
        "sk",
        "\u{fffd}",
        r"\x00",
        "x*",
        r"error \d+|kk",
        "a.b",
        r"\r",
        r"\berror\b",
    ]);
    let word = prop::sample::select(vec!["error", "timeout", "é", "", "a", "=", "ms", "\u{fffd}", "\\n", "k"]);
    let leaf = prop_oneof![
        4 => (regex, prop::sample::select(vec!["", "i", "s", "m", "x"])).prop_map(|(regex, flags)| format!(".text ~ /{regex}/{flags}")),
        2 => word.clone().prop_map(|word| format!("\"{word}\" in .text")),
        1 => word.clone().prop_map(|word| format!(".text | starts_with(\"{word}\")")),
        1 => word.prop_map(|word| format!(".text | ends_with(\"{word}\")")),
        1 => Just(".number > 3".to_owned()),
    ];
    leaf.prop_recursive(2, 6, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|inner| format!("not ({inner})")),
            (inner.clone(), inner.clone()).prop_map(|(one, other)| format!("({one}) and ({other})")),
            (inner.clone(), inner).prop_map(|(one, other)| format!("({one}) or ({other})")),
        ]
    })
}

fn end() -> impl Strategy<Value = String> {
    let plain = prop::sample::select(vec![
        " | count",
        " | is_empty",
        " | first",
        " | last",
        " | take(3)",
        " | take(0) | count",
        " | patterns",
        " | patterns | top(2)",
        " | each(.text) | top(3)",
        " | count_by(.text)",
        " | count_by(.source)",
        " | count_by(.text) | top(2)",
        " | count_by(.text) | take(2)",
        " | count_by(capture(.text, /(\\w+)=(\\w+)/))",
        " | count_by(capture(.text, /\\d+ms/) ?? \"no\")",
        " | each(capture(.text, /[a-z]+/i) ?? \"no\") | top(4)",
        " | each(.number) | sum",
        " | each(.time ?? run.started_at) | max",
        " | each(.text) | distinct | count",
        " | sort(by: .text) | first",
        " | reverse | take(4)",
        "",
    ]);
    prop_oneof![
        4 => plain.prop_map(str::to_owned),
        2 => (prop::sample::select(vec!["share", "any", "all", "none"]), condition())
            .prop_map(|(stage, condition)| format!(" | {stage}({condition})")),
    ]
}

fn pipeline() -> impl Strategy<Value = String> {
    (prop::collection::vec(condition(), 0..3), end()).prop_map(|(filters, end)| {
        let filters = filters.iter().map(|filter| format!(" | where({filter})")).collect::<Vec<_>>().concat();
        format!("{filters}{end}")
    })
}

fn line() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop::sample::select(vec![
        &b"error"[..],
        b"ERROR",
        b"Error ",
        b"timeout",
        "é".as_bytes(),
        "\u{212a}k".as_bytes(),
        "\u{17f}k".as_bytes(),
        b" ",
        b"a",
        b"b",
        b"x=y",
        b"17ms",
        b"\xff",
        b"\xe2\x82",
        b"\0",
        b"\r",
        b"10.0.0.1",
        b"'q'",
        b"error 17",
    ]);
    let time = prop_oneof![
        3 => Just(Vec::new()),
        2 => (0_i64..180).prop_map(|minutes| format!("{} ", super::stamp(minutes)).into_bytes()),
    ];
    (time, prop::collection::vec(piece, 0..6), prop::sample::select(vec![&b"\n"[..], b"\n", b"\r\n"]))
        .prop_map(|(time, pieces, end)| [time, pieces.concat(), end.to_vec()].concat())
}

fn written(folder: &Path, lines: &[Vec<u8>], times: usize, cut: bool) {
    let mut bytes = lines.concat().repeat(times);
    if cut {
        bytes.pop();
    }
    fs::write(folder.join("a.log"), bytes).unwrap();
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap().block_on(future)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_pass_says_what_the_stages_say(
        lines in prop::collection::vec(line(), 0..40),
        pipelines in prop::collection::vec(pipeline(), 1..8),
        cut in any::<bool>(),
        window in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        written(folder.path(), &lines, 1, cut);
        let log = block_on(async {
            if window { since(folder.path(), "a.log", 1).await.unwrap() } else { log(folder.path(), "a.log").await }
        });
        assert_same(&log, &pipelines);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2, failure_persistence: None, ..ProptestConfig::default() })]

    /// Logs of many blocks, which several threads take in turn.
    #[test]
    fn threads_put_their_shares_together(
        lines in prop::collection::vec(line(), 100..400),
        pipelines in prop::collection::vec(pipeline(), 3),
        window in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let size: usize = lines.iter().map(Vec::len).sum();
        written(folder.path(), &lines, (5 << 19) / size + 1, true);
        let log = block_on(async {
            if window { since(folder.path(), "a.log", 1).await.unwrap() } else { log(folder.path(), "a.log").await }
        });
        assert_same(&log, &pipelines);
    }
}

/// What is asked of one snapshot at the same time takes one pass, wherever it is written.
#[tokio::test]
async fn all_that_is_asked_at_once_takes_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.log"), "one error\ntwo\nthree Error timeout\n".repeat(100)).unwrap();
    let log = log(folder.path(), "a.log").await;
    let counting = counting(&log);
    let statements = [
        "show lines | where(.text ~ /error/i) | count",
        "check lines | share(.text ~ /error/i) < 80%",
        "let few = lines | where(\"timeout\" in .text)",
        "show few | each(.text) | top(3)",
        "check lines | none(.text ~ /panic/) and (lines | count) == 300",
        "step \"Another\" { show lines | patterns  show lines | where(.text ~ /error/i) | count }",
    ];
    let said = said(Arc::<Counting>::clone(&counting), &statements.map(str::to_owned));
    assert_eq!(said.first().map(String::as_str), Some("show \"lines | where(.text ~ /error/i) | count\": 200"));
    let counts = [&counting.passes, &counting.queries, &counting.item_by_item].map(|it| it.load(Ordering::Relaxed));
    assert_eq!(counts, [1, 6, 0], "{said:#?}");
}
