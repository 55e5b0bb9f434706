//! Entries: lines below one that has a time, and have none, belong to it.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use super::generated;
use super::scans::{assert_same, said};
use super::{log, since, stamp};

/// What a pipeline over a file says.
async fn says(folder: &Path, pipeline: &str) -> String {
    let log = log(folder, "a.log").await;
    assert_same(&log, &[pipeline.to_owned()]);
    said(log.reader, &[format!("show lines{pipeline} as \"it\"")]).join("\n")
}

#[tokio::test]
async fn a_stack_trace_belongs_to_the_line_above_it() {
    let folder = tempfile::tempdir().unwrap();
    let trace = |second: u32, id: u32, frames: u32| {
        let frames: Vec<String> =
            (0..frames).map(|frame| format!("\tat shop.Orders.call{frame}(Orders.java:{frame})\n")).collect();
        format!(
            "2026-11-23 08:00:{second:02},250 ERROR order {id} failed\njava.lang.IllegalStateException: no stock for {id}\n\
            {}Caused by: java.net.ConnectException: refused\n\t... {} more\n",
            frames.concat(),
            frames.len()
        )
    };
    let text = format!("{}{}2026-11-23 08:00:09,250 INFO up\n", trace(1, 17, 3), trace(2, 18, 30));
    fs::write(folder.path().join("a.log"), text).unwrap();
    let pattern = "<time> ERROR order <n> failed ⏎ java.lang.IllegalStateException: no stock for <n> ⏎ Caused by: java.net.ConnectException: refused";
    let kinds = says(folder.path(), " | patterns | each(\"{.pattern} {.count} {.share}\") | join(\"; \")").await;
    assert!(kinds.contains(&format!("{pattern} 2 66.7%; <time> INFO up 1 33.3%")), "{kinds}");
    let times = says(
        folder.path(),
        " | patterns | each(\"{.first ?? run.started_at:%S}-{.last ?? run.started_at:%S}\") | join(\" \")",
    )
    .await;
    assert!(times.contains("01-02 09-09"), "{times}");
    let example = says(folder.path(), " | patterns | each(.example) | first ?? \"none\"").await;
    assert!(example.contains("Orders.java:2") && !example.contains("order 18"), "{example}");
}

#[tokio::test]
async fn what_a_filter_leaves_out_keeps_nothing_together() {
    let folder = tempfile::tempdir().unwrap();
    let text = "2026-11-23 08:00:01 INFO a\n at frame error\n2026-11-23 08:00:02 error b\n x\n at frame error\n at more error\n";
    fs::write(folder.path().join("a.log"), text).unwrap();
    let kinds =
        says(folder.path(), " | where(.text ~ /error/) | patterns | each(\"{.pattern}={.count}\") | join(\"; \")")
            .await;
    assert!(kinds.contains(" at frame error=2; <time> error b=1;  at more error=1"), "{kinds}");
}

#[tokio::test]
async fn lines_before_the_first_time_and_logs_without_times_are_entries_by_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let count = " | patterns | each(.count) | join(\" \")";
    fs::write(folder.path().join("a.log"), "one\n two\n two\n").unwrap();
    assert!(says(folder.path(), count).await.ends_with(": 2 1"));
    fs::write(folder.path().join("a.log"), "tail\n tail\n2026-11-23 08:00:01 up\n tail\n").unwrap();
    assert!(says(folder.path(), count).await.ends_with(": 1 1 1"));
    // The same written as texts, of which nobody knows what stood between.
    assert!(says(folder.path(), " | each(.text) | patterns | each(.count) | join(\" \")").await.ends_with(": 2 1 1"));
}

/// An entry that is longer than all that is read at once, and many blocks in which none begins.
#[tokio::test]
async fn an_entry_of_many_blocks_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let long = "  a line of a very long entry\nand one at the margin\n".repeat(20_000);
    let text = format!("before\n{} first\n{long}{} second\n{long}{} third", stamp(9), stamp(8), stamp(7));
    fs::write(folder.path().join("a.log"), text).unwrap();
    let pipelines = [
        " | patterns | each(.count) | join(\" \")",
        " | patterns | each(.example) | join(\"/\")",
        " | where(.text ~ /margin/) | patterns | each(.count) | join(\" \")",
        " | where(not (.text ~ /first/)) | patterns | each(.count) | join(\" \")",
        " | where(.text ~ /a|e|s|t/) | patterns | each(.count) | join(\" \")",
    ]
    .map(str::to_owned);
    let counting = assert_same(&log(folder.path(), "a.log").await, &pipelines);
    assert!(counting.passes() > 0);
    let said = said(log(folder.path(), "a.log").await.reader, &[format!("show lines{} as \"it\"", pipelines[0])]);
    assert!(said[0].ends_with(": 1 1 1 1"), "{said:?}");
    assert_same(&since(folder.path(), "a.log", 1).await.unwrap(), &pipelines);
}

/// Where `sort | uniq -c` finds nearly every line different, there are as many kinds as were written.
#[tokio::test]
async fn logs_of_services_have_few_kinds_of_entries() {
    let folder = tempfile::tempdir().unwrap();
    for made in generated::all(5000) {
        // A packed log comes in pieces of any size.
        for bytes in [zstd::encode_all(made.text.as_bytes(), 1).unwrap(), super::packed::gzip(made.text.as_bytes())] {
            fs::write(folder.path().join("a.log"), bytes).unwrap();
            assert_same(&log(folder.path(), "a.log").await, &[" | patterns".to_owned()]);
        }
        fs::write(folder.path().join("a.log"), &made.text).unwrap();
        let dated = made.text.lines().filter(|line| !line.starts_with(['\t', '.'])).collect::<Vec<_>>();
        let different = dated.iter().collect::<HashSet<_>>().len();
        assert!(different * 10 > dated.len() * 7, "{}: {different} of {} lines", made.name, dated.len());
        let said = says(folder.path(), " | patterns | each(.count) | join(\" \")").await;
        let counts: Vec<usize> =
            said.rsplit(": ").next().unwrap().split(' ').map(|count| count.parse().unwrap()).collect();
        assert_eq!((counts.len(), counts.iter().sum::<usize>()), (made.kinds, made.entries), "{}: {said}", made.name);
    }
}

/// What follows from the lines of one file says nothing of the next.
#[tokio::test]
async fn an_entry_ends_with_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let old = format!("2026-11-23 08:00:01 ERROR long\n{}", " at a frame of a trace\n".repeat(4_000));
    fs::write(folder.path().join("a.log.1"), old).unwrap();
    fs::write(folder.path().join("a.log"), "disk failure on bus\n".repeat(50_000)).unwrap();
    let log = log(folder.path(), "a.log*").await;
    let count = " | patterns | each(\"{.pattern}={.count}\") | join(\"; \")";
    assert_same(&log, &[count.to_owned()]);
    let kinds = said(log.reader, &[format!("show lines{count} as \"it\"")]).join("\n");
    assert!(kinds.contains("disk failure on bus=50000"), "{kinds}");
}
