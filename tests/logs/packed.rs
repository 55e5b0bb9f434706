//! Packed logs: several members, cut off, broken, and much larger than they look.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;
use runbook::types::{FaultKind, Value};

use super::net::text;
use super::{ago, lines, log, opened, shown, since, stamp};

pub(super) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

fn write(folder: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    fs::write(folder.join(name), bytes).unwrap();
}

#[tokio::test]
async fn packed_logs_are_read_like_plain_ones() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.log.gz", [gzip(b"one\ntw"), gzip(b"o\nthree\n")].concat());
    write(folder.path(), "a.log.zst", [zstd(b"one\ntw"), zstd(b"o\nthree\n")].concat());
    // What counts is how it begins, and not its name.
    write(folder.path(), "a.log", gzip(b"one\ntwo\nthree"));
    for name in ["a.log.gz", "a.log.zst", "a.log"] {
        assert_eq!(shown(&log(folder.path(), name).await), "one|two|three", "{name}");
    }
}

#[tokio::test]
async fn a_packed_file_that_is_cut_or_broken_is_a_fault_that_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let text = (0..20_000).map(|number| format!("line {number} of {}", number * 7919)).collect::<Vec<_>>().join("\n");
    for (name, packed) in [("a.log.gz", gzip(text.as_bytes())), ("a.log.zst", zstd(text.as_bytes()))] {
        let half = packed.len() / 2;
        write(folder.path(), name, &packed[..half]);
        let fault = lines(&log(folder.path(), name).await).expect_err("cut off");
        assert_eq!(fault.kind, FaultKind::Partial);
        assert!(
            fault.message.ends_with(&format!("{name}` is cut off: its packed data ends at byte {half}, in the middle")),
            "{fault}"
        );
        let mut broken = packed;
        broken[half..half + 64].fill(0x55);
        write(folder.path(), name, broken);
        let fault = lines(&log(folder.path(), name).await).expect_err("broken");
        assert!(matches!(fault.kind, FaultKind::Failed | FaultKind::Partial | FaultKind::TooLarge), "{fault}");
    }
    write(folder.path(), "b.log.gz", [0x1f, 0x8b, 8, 0, 0]);
    assert_eq!(lines(&log(folder.path(), "b.log.gz").await).expect_err("cut off").kind, FaultKind::Partial);
}

/// What is small and unpacks to a lot ends where the limit is, or where a line is longer than one can be.
#[tokio::test]
async fn a_bomb_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "lines.log.gz", gzip(&b"all the same line\n".repeat(2 << 20)));
    write(folder.path(), "zeros.log.zst", zstd(&vec![0; 64 << 20]));
    let given = |size| [("file", text("lines.log.gz")), ("at_most", Value::Size(size))];
    let limited = opened(folder.path(), &given(1 << 20)).await.unwrap();
    let fault = lines(&limited).expect_err("too much");
    assert_eq!(fault.kind, FaultKind::TooLarge);
    assert!(fault.message.contains("unpacks to more than the 1MiB that are taken"), "{fault}");
    let enough = opened(folder.path(), &given(36 << 20)).await.unwrap();
    assert_eq!(lines(&enough).unwrap().len(), 2 << 20);
    assert_eq!(lines(&log(folder.path(), "zeros.log.zst").await).expect_err("no line").kind, FaultKind::TooLarge);
}

#[tokio::test]
async fn a_rotated_set_has_packed_files_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let sets = [("app.log", 5, "c"), ("app.log.1", 90, "b"), ("app.log.2.gz", 300, "a")];
    for (name, minutes, word) in sets {
        let line = format!("{} {word}\n", stamp(minutes));
        let packed = if name.ends_with("gz") { gzip(line.as_bytes()) } else { line.into_bytes() };
        write(folder.path(), name, packed);
        let written = fs::OpenOptions::new().write(true).open(folder.path().join(name)).unwrap();
        written.set_modified(ago(minutes).into()).unwrap();
    }
    let last = |shown: String| shown.split('|').map(|line| line.chars().last().unwrap()).collect::<String>();
    assert_eq!(last(shown(&log(folder.path(), "app.log*").await)), "abc");
    assert_eq!(last(shown(&since(folder.path(), "app.log*", 2).await.unwrap())), "bc");
}
