//! Bad logs, asked through the one pass that answers all queries: a fault or an exact answer, in bounded memory.

use std::fs::{self, File};
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::log;
use super::program::{Folder, Output};
use super::scans::{assert_same, said};

/// Asked all at once. The program may have 400 MiB.
fn asked(folder: &Folder, file: &str) -> Output {
    folder.write(
        "a.runbook",
        format!(
            "section \"Log\" {{\n  let lines = logs(file: \"{file}\")\n  show lines | count as \"all\"\n  \
             show lines | where(.text ~ /.*/) | each(.text) | top(2) as \"most\"\n  \
             show lines | where(.text ~ /error/i) | patterns as \"kinds\"\n}}\n"
        ),
    );
    folder.run(&["run", "a.runbook"])
}

#[test]
fn a_line_of_600_mb_is_a_fault_and_is_not_held() {
    let folder = Folder::new();
    // Nothing but NUL bytes, and no end of a line.
    File::create(folder.path("a.log")).unwrap().set_len(600 << 20).unwrap();
    asked(&folder, "a.log").code(3).says("line 1 of").says("is longer than the 1048576 bytes that are taken");
}

#[test]
fn a_packed_log_that_is_cut_says_where() {
    let folder = Folder::new();
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    for number in 0..50_000 {
        writeln!(packed, "line {number} of {}", number * 7919).unwrap();
    }
    let packed = packed.finish().unwrap();
    folder.write("a.log.gz", &packed[..packed.len() / 2]);
    let cut = format!("is cut off: its packed data ends at byte {}, in the middle", packed.len() / 2);
    asked(&folder, "a.log.gz").code(3).says(&cut).lacks("25000");
    folder.write("bomb.log.zst", zstd::encode_all(&vec![b'\n'; 64 << 20][..], 3).unwrap());
    folder.write(
        "bomb.runbook",
        "section \"Log\" {\n  show logs(file: \"bomb.log.zst\", at_most: 1MiB) | count as \"all\"\n}\n",
    );
    folder.run(&["run", "bomb.runbook"]).code(3).says("unpacks to more than the 1MiB that are taken");
}

#[tokio::test]
async fn a_log_that_changes_while_it_is_read_is_as_it_was_or_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.log");
    fs::write(&path, "one error\n".repeat(500_000)).unwrap();
    let count = ["show lines | where(.text ~ /error/i) | count as \"it\"".to_owned()];
    let before = log(folder.path(), "a.log").await;
    // It grows, in the middle of a line too.
    fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"two errors\nthree err").unwrap();
    assert_eq!(said(before.reader, &count), ["show \"it\": 500000"]);
    let before = log(folder.path(), "a.log").await;
    fs::rename(&path, folder.path().join("a.log.1")).unwrap();
    fs::write(&path, "error\n").unwrap();
    assert_eq!(said(before.reader, &count), ["show \"it\": 500001"], "rotated away");
    let before = log(folder.path(), "a.log.1").await;
    File::options().write(true).open(folder.path().join("a.log.1")).unwrap().set_len(3_000_000).unwrap();
    let said = said(before.reader, &count);
    assert!(said[0].contains("partial: ") && said[0].contains("ends at byte 3000000"), "{said:?}");
}

/// More different lines than are held, of every one of which a pattern is true.
#[test]
fn a_pattern_that_matches_everything_counts_exactly_in_bounded_memory() {
    let folder = Folder::new();
    let mut out = std::io::BufWriter::new(File::create(folder.path("a.log")).unwrap());
    for number in 0..300_000 {
        let twice = if number % 1000 == 7 { 7 } else { number };
        writeln!(out, "a line \0 with an error \u{e9} that is like no other of them: {twice}").unwrap();
    }
    drop(out.into_inner().unwrap());
    let text = "section \"Log\" {\n  let lines = logs(file: \"a.log\")\n  let most = lines | where(.text ~ /.*/) | each(.text) | top(2)\n  \
        check most[0].count == 300 and most[1].count == 1 as \"the most frequent\"\n  \
        check lines | where(.text ~ /.*/) | count == 300_000 as \"all\"\n}\n";
    folder.write("a.runbook", text);
    folder.run(&["run", "a.runbook"]).code(0);
}

/// Lines of every length around the places where blocks begin and end.
#[tokio::test]
async fn lines_at_the_margins_of_blocks_are_whole() {
    let folder = tempfile::tempdir().unwrap();
    let pipelines = [
        " | count",
        " | each(.text) | top(3)",
        " | where(.text ~ /error/i) | count",
        " | last",
        " | patterns | each(.count) | join(\" \")",
    ];
    for (length, end) in [
        (1, "\n"),
        (2, "\r\n"),
        (511, "\n"),
        (512, "\r\n"),
        (65_535, "\n"),
        (65_536, "\n"),
        (200_000, "\n"),
        (1_048_575, "\r\n"),
    ] {
        let line = format!("{}{end}", "Error ".repeat(length / 6 + 1).get(..length).unwrap());
        let size: usize = if length < 511 { 200 << 10 } else { 3 << 20 };
        let mut text = line.repeat(size / line.len() + 1);
        text.push_str("an error at the end");
        fs::write(folder.path().join("a.log"), text).unwrap();
        assert_same(&log(folder.path(), "a.log").await, &pipelines.map(str::to_owned));
    }
}
