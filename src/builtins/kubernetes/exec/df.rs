//! What `df -P` prints, read strictly: what is not understood is a fault, never a mount less.

use std::sync::Arc;

use crate::types::{Fault, FaultKind, Percent, Size, records};

records! {
    /// A mounted file system of a container.
    struct Mounted "mount" {
        /// Its pod.
        pod: Arc<str>,
        /// Where it is mounted.
        mount: Arc<str>,
        /// What is mounted there.
        device: Arc<str>,
        /// How large it is, in bytes.
        size: Size,
        /// How much is used.
        used: Size,
        /// How much is free for those who are not root.
        free: Size,
        /// Used as a share of used and free, which is `df`'s Use%.
        used_share: Result<Percent, Fault>,
        /// How many files it can hold. Missing where it makes room for them as it needs them.
        inodes: Result<Option<i64>, Fault>,
        /// How many it holds.
        inodes_used: Result<Option<i64>, Fault>,
        /// How many it holds as a share of how many it can.
        inodes_used_share: Result<Option<Percent>, Fault>,
    }
}

/// A row of `df -P -k` or `df -P -i`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) device: String,
    pub(super) total: i64,
    pub(super) used: i64,
    pub(super) free: i64,
    pub(super) mount: String,
}

/// The rows of a table.
///
/// # Errors
/// Where a row is not as POSIX has it, or there is no table at all.
pub(super) fn rows(printed: &str) -> Result<Vec<Row>, Fault> {
    let mut lines = printed.lines();
    let header = lines.next().unwrap_or_default();
    // The words of it depend on the language that the container speaks; that it is no row does not.
    if header.trim().is_empty() || row(header).is_some() {
        return Err(bad("it does not begin with a header", header));
    }
    lines
        .filter(|line| !line.trim().is_empty())
        .map(|line| row(line).ok_or_else(|| bad("a row is not understood", line)))
        .collect()
}

fn bad(why: &str, line: &str) -> Fault {
    let line: String = line.chars().filter(|c| !c.is_control()).take(200).collect();
    Fault::new(FaultKind::BadAnswer, format!("what `df` printed makes no sense: {why}: `{line}`"))
}

/// `/dev/sda1 1024 512 512 50% /data`: three numbers and a share side by side, a device before and a path behind them,
/// each of which may have spaces.
fn row(line: &str) -> Option<Row> {
    let words: Vec<(usize, &str)> = words(line).collect();
    let is_number = |word: &str| {
        let digits = word.strip_prefix('-').unwrap_or(word);
        !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) || word == "-"
    };
    let is_share = |word: &str| {
        word == "-" || word.strip_suffix('%').is_some_and(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
    };
    let fits = |window: &&[(usize, &str)]| match window {
        [total, used, free, share, path] => {
            [total, used, free].iter().all(|(_, word)| is_number(word)) && is_share(share.1) && path.1.starts_with('/')
        }
        _ => false,
    };
    let window = words.windows(5).skip(1).find(fits)?;
    let [(start, total), (_, used), (_, free), _, (path, _)] = window else { return None };
    // What has no number has none of it: `-` stands where a file system counts no inodes.
    let number = |word: &str| if word == "-" { Some(0) } else { word.parse().ok() };
    Some(Row {
        device: line.get(..*start)?.trim().to_owned(),
        total: number(total)?,
        used: number(used)?,
        free: number(free)?,
        mount: line.get(*path..)?.to_owned(),
    })
}

/// The words of a line and where they begin.
fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let begin = |word: &str| word.as_ptr().addr() - line.as_ptr().addr();
    line.split_whitespace().map(move |word| (begin(word), word))
}

/// The mounts of both tables.
pub(super) fn mounts(pod: &str, sizes: Vec<Row>, inodes: &Result<Vec<Row>, Fault>) -> Vec<Mounted> {
    sizes.into_iter().map(|row| mount(pod, row, inodes)).collect()
}

fn mount(pod: &str, row: Row, inodes: &Result<Vec<Row>, Fault>) -> Mounted {
    let counted = inodes.as_ref().map_err(Clone::clone).and_then(|rows| {
        let found = rows.iter().find(|own| own.mount == row.mount && own.device == row.device);
        let found = found.ok_or_else(|| Fault::no_value(format!("`df -i` says nothing of `{}`", row.mount)))?;
        Ok((found.total > 0).then_some((found.total, found.used)))
    });
    let bytes = |kilobytes: i64| Size(kilobytes.saturating_mul(1024));
    let share = ratio(row.used, row.used.saturating_add(row.free));
    Mounted {
        pod: pod.into(),
        size: bytes(row.total),
        used: bytes(row.used),
        free: bytes(row.free),
        used_share: share
            .map(Percent)
            .ok_or_else(|| Fault::no_value("a file system without a size is used by no share")),
        inodes: counted.clone().map(|counted| counted.map(|(all, _)| all)),
        inodes_used: counted.clone().map(|counted| counted.map(|(_, used)| used)),
        inodes_used_share: counted.map(|counted| counted.and_then(|(all, used)| ratio(used, all)).map(Percent)),
        mount: row.mount.into(),
        device: row.device.into(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits than a double has")]
fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

/// Whether it keeps files anywhere but in memory.
pub(super) fn is_kept(row: &Row) -> bool {
    const IN_MEMORY: &[&str] = &[
        "tmpfs", "devtmpfs", "ramfs", "shm", "udev", "none", "proc", "sysfs", "cgroup", "cgroup2", "mqueue", "devpts",
    ];
    row.total > 0 && !IN_MEMORY.contains(&row.device.as_str())
}

#[cfg(test)]
mod tests {
    use super::{Row, is_kept, mounts, rows};

    #[test]
    fn rows_with_long_devices_and_spaces() {
        let printed = "Filesystem           1024-blocks    Used Available Capacity Mounted on\n\
            overlay                102687672 5123456  92314000       6% /\n\
            tmpfs                      65536       0     65536       0% /dev\n\
            /dev/disk/by-id/scsi-0DO_Volume_pvc-6a1b3c4d-9e8f 51475068 41180055 7653813 85% /var/lib/postgresql/data\n\
            //nas/my share 1000 400 600 40% /mnt/a b/c 10 20\n\
            /dev/full 100 110 -10 110% /full\n";
        let rows = rows(printed).unwrap();
        let last = rows.get(3).unwrap();
        assert_eq!((last.device.as_str(), last.mount.as_str(), last.free), ("//nas/my share", "/mnt/a b/c 10 20", 600));
        assert_eq!(rows.iter().filter(|row| is_kept(row)).count(), 4);
        let found = mounts("p", rows, &Err(crate::types::Fault::no_value("no inodes")));
        let data = found.get(2).unwrap();
        let share = data.used_share.clone().unwrap().0;
        assert!((share - 41_180_055.0 / (41_180_055.0 + 7_653_813.0)).abs() < 1e-12);
        assert_eq!(data.size.0, 51_475_068 * 1024);
        assert!(data.inodes.is_err());
    }

    #[test]
    fn inodes_where_there_are_some() {
        let sizes = rows("F B U A C M\n/dev/a 10 5 5 50% /a\n/dev/b 10 5 5 50% /b\n").unwrap();
        let inodes = rows("F I U F U M\n/dev/a 100 25 75 25% /a\n/dev/b 0 0 0 - /b\n");
        let found = mounts("p", sizes, &inodes);
        assert_eq!(found.first().unwrap().inodes_used.clone().unwrap(), Some(25));
        assert_eq!(found.get(1).unwrap().inodes.clone().unwrap(), None);
    }

    #[test]
    fn what_is_not_understood_is_no_mount_less() {
        for printed in ["", "df: not found\nx", "F B U A C M\n/dev/a 10 5 5 50%\n", "/dev/a 10 5 5 50% /a\n"] {
            assert!(rows(printed).is_err(), "{printed:?}");
        }
        let row = Row { device: "d".into(), total: 0, used: 0, free: 0, mount: "/".into() };
        assert!(!is_kept(&row));
        assert_eq!(rows("F B U A C M\n").unwrap(), Vec::new());
    }
}
