//! Mounted file systems: which there are, and how full each is.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rustix::fs::StatVfsMountFlags;

use super::proc;
use crate::builtins::files;
use crate::types::{Fault, FaultKind, Percent, Size, records};

/// How long a file system may take to answer. One that does not, does not hold up the others.
const WITHIN: Duration = Duration::from_secs(5);

records! {
    /// A mounted file system. Where it does not answer, its sizes are the fault that says so.
    struct Disk "disk" {
        /// Where it is mounted.
        mount: Arc<str>,
        /// What is mounted there: a device, or the address of a share.
        device: Arc<str>,
        /// The kind of file system: `ext4`, `xfs`, `nfs4`.
        r#type: Arc<str>,
        /// All of it.
        size: Result<Size, Fault>,
        /// What is taken.
        used: Result<Size, Fault>,
        /// What may still be written; less than size minus used where some is kept for root.
        free: Result<Size, Fault>,
        /// Used of used and free, as `df` shows it.
        used_share: Result<Percent, Fault>,
        /// How many files it can hold; missing where it has no such limit.
        inodes: Result<Option<i64>, Fault>,
        /// How many files it holds; missing where it has no such limit.
        inodes_used: Result<Option<i64>, Fault>,
        /// Used of all inodes; missing where it has no such limit.
        inodes_used_share: Result<Option<Percent>, Fault>,
        /// Whether nothing can be written: an error may have made it so.
        read_only: Result<bool, Fault>,
    }
}

/// A mount, as the kernel lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Mount {
    pub(super) point: PathBuf,
    pub(super) source: String,
    pub(super) kind: String,
    /// The same for every place where one file system is mounted.
    device: String,
}

/// All mounts, in the order in which they were made.
#[cfg(target_os = "linux")]
pub(super) fn all() -> Result<Vec<Mount>, Fault> {
    let path = "/proc/self/mountinfo";
    proc::read(path)?.lines().map(|line| parse(line).ok_or_else(|| proc::unexpected(path))).collect()
}

/// All mounts.
#[cfg(not(target_os = "linux"))]
pub(super) fn all() -> Result<Vec<Mount>, Fault> {
    let disks = sysinfo::Disks::new_with_refreshed_list();
    let mount = |disk: &sysinfo::Disk| Mount {
        point: disk.mount_point().to_owned(),
        source: disk.name().to_string_lossy().into_owned(),
        kind: disk.file_system().to_string_lossy().into_owned(),
        device: disk.mount_point().to_string_lossy().into_owned(),
    };
    Ok(disks.list().iter().map(mount).collect())
}

/// Those that keep files on a disk or a share, each once, as `df` lists them.
///
/// Left out: what the kernel only shows as files (`proc`, `sysfs`, `cgroup2` …), what is in memory (`tmpfs`,
/// `devtmpfs`, `ramfs`), images that are full by nature (`squashfs`, `iso9660`, `erofs`), what is mounted only when it is
/// used (`autofs`), and the layers of containers (`overlay` anywhere but at `/`).
pub(super) fn real(mounts: Vec<Mount>) -> Vec<Mount> {
    let mut kept: Vec<Mount> = Vec::new();
    for mount in mounts {
        // What is mounted over another hides it.
        kept.retain(|other| other.point != mount.point);
        if !is_real(&mount) {
            continue;
        }
        // One file system at two places is one: the first place, but for a shorter one.
        match kept.iter_mut().find(|other| other.device == mount.device) {
            Some(other) if mount.point.as_os_str().len() < other.point.as_os_str().len() => *other = mount,
            Some(_) => {}
            None => kept.push(mount),
        }
    }
    kept
}

fn is_real(mount: &Mount) -> bool {
    const UNREAL: &[&str] = &[
        "autofs",
        "binfmt_misc",
        "bpf",
        "cgroup",
        "cgroup2",
        "configfs",
        "debugfs",
        "devpts",
        "devtmpfs",
        "efivarfs",
        "erofs",
        "fuse.lxcfs",
        "fuse.gvfsd-fuse",
        "fuse.portal",
        "fuse.snapfuse",
        "fusectl",
        "hugetlbfs",
        "iso9660",
        "mqueue",
        "nsfs",
        "proc",
        "pstore",
        "ramfs",
        "rpc_pipefs",
        "securityfs",
        "selinuxfs",
        "squashfs",
        "sysfs",
        "tmpfs",
        "tracefs",
    ];
    let layer = mount.kind == "overlay" && mount.point != Path::new("/");
    !UNREAL.contains(&mount.kind.as_str()) && !layer
}

/// The mount that a path is on.
pub(super) fn holding(path: &Path, mounts: Vec<Mount>) -> Option<Mount> {
    // Of two at one place the later one hides the earlier.
    mounts.into_iter().filter(|mount| path.starts_with(&mount.point)).max_by_key(|mount| mount.point.as_os_str().len())
}

/// How full it is.
pub(super) async fn disk(mount: Mount) -> Disk {
    let point = mount.point.clone();
    let asked = tokio::task::spawn_blocking(move || usage(&point));
    let usage = match tokio::time::timeout(WITHIN, asked).await {
        Ok(Ok(usage)) => usage,
        Ok(Err(error)) => Err(Fault::new(FaultKind::Failed, format!("the look-up broke off: {error}"))),
        Err(_) => {
            let message = format!("`{}` on `{}` does not answer within 5s", mount.source, mount.point.display());
            Err(Fault::new(FaultKind::Timeout, message))
        }
    };
    let of = |get: fn(&Usage) -> i64| usage.as_ref().map(get).map_err(Clone::clone);
    Disk {
        mount: mount.point.to_string_lossy().into(),
        device: mount.source.into(),
        r#type: mount.kind.into(),
        size: of(|usage| usage.size).map(Size),
        used: of(|usage| usage.used).map(Size),
        free: of(|usage| usage.free).map(Size),
        used_share: usage.as_ref().map_err(Clone::clone).and_then(Usage::share),
        inodes: of(|usage| usage.inodes).map(some),
        inodes_used: usage.as_ref().map(|usage| some(usage.inodes).map(|_| usage.inodes_used)).map_err(Clone::clone),
        inodes_used_share: of(|usage| usage.inodes_used)
            .and_then(|used| of(|usage| usage.inodes).map(|all| proc::ratio(used, all).map(Percent))),
        read_only: usage.as_ref().map(|usage| usage.read_only).map_err(Clone::clone),
    }
}

/// No inodes at all: a file system that makes them as it needs them.
fn some(inodes: i64) -> Option<i64> {
    (inodes > 0).then_some(inodes)
}

struct Usage {
    size: i64,
    used: i64,
    free: i64,
    inodes: i64,
    inodes_used: i64,
    read_only: bool,
}

impl Usage {
    fn share(&self) -> Result<Percent, Fault> {
        let ratio = proc::ratio(self.used, self.used.saturating_add(self.free));
        ratio.map(Percent).ok_or_else(|| Fault::no_value("a file system without a size is used by no share"))
    }
}

fn usage(point: &Path) -> Result<Usage, Fault> {
    let stat = rustix::fs::statvfs(point).map_err(|error| files::fault("look at", point, &error.into()))?;
    let bytes = |blocks: u64| i64::try_from(blocks.saturating_mul(stat.f_frsize)).unwrap_or(i64::MAX);
    let count = |files: u64| i64::try_from(files).unwrap_or(i64::MAX);
    Ok(Usage {
        size: bytes(stat.f_blocks),
        used: bytes(stat.f_blocks.saturating_sub(stat.f_bfree)),
        free: bytes(stat.f_bavail),
        inodes: count(stat.f_files),
        inodes_used: count(stat.f_files.saturating_sub(stat.f_ffree)),
        read_only: stat.f_flag.contains(StatVfsMountFlags::RDONLY),
    })
}

/// `36 35 98:0 / /mnt/a\040b rw,noatime shared:1 - ext3 /dev/root rw`
#[cfg(target_os = "linux")]
fn parse(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut before = before.split(' ');
    let device = before.nth(2)?.to_owned();
    let point = before.nth(1)?;
    let mut after = after.split(' ');
    let kind = after.next()?.to_owned();
    let source = unescaped(after.next()?);
    Some(Mount { point: PathBuf::from(unescaped(point)), source, kind, device })
}

/// Spaces, tabs, newlines and backslashes are written as three octal digits.
#[cfg(target_os = "linux")]
fn unescaped(text: &str) -> String {
    [("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\043", "#"), ("\\134", "\\")]
        .iter()
        .fold(text.to_owned(), |text, (written, meant)| text.replace(written, meant))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::path::Path;

    use super::{holding, parse, real};

    #[test]
    fn keeps_real_file_systems_once() {
        let lines = [
            r"22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw",
            r"23 22 0:5 / /proc rw - proc proc rw",
            r"24 22 0:20 / /run rw - tmpfs tmpfs rw",
            r"25 22 8:2 / /srv/my\040data rw shared:2 - xfs /dev/sdb1 rw",
            r"26 22 8:2 /sub /srv rw - xfs /dev/sdb1 rw",
            r"27 22 8:1 /var /chroot/var rw - ext4 /dev/sda1 rw",
            r"28 22 7:1 / /snap/core/1 ro - squashfs /dev/loop1 ro",
            r"29 22 0:44 / /mnt/share rw - nfs4 nas:/export rw",
            r"30 22 0:50 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw",
        ];
        let mounts: Vec<_> = lines.iter().map(|line| parse(line).expect(line)).collect();
        let points: Vec<_> = real(mounts.clone()).iter().map(|m| m.point.display().to_string()).collect();
        assert_eq!(points, ["/", "/srv", "/mnt/share"]);
        let holding = |path: &str| holding(Path::new(path), mounts.clone()).expect(path).source;
        assert_eq!(holding("/srv/my data/x"), "/dev/sdb1");
        assert_eq!(holding("/srvx"), "/dev/sda1");
        assert_eq!(holding("/mnt/share/a"), "nas:/export");
    }
}
