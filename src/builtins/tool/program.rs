//! Where a program is: its own path, or the first of PATH.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::catalog::Cx;
use crate::types::{Fault, FaultKind};

/// The program's file.
///
/// # Errors
/// Where there is none, or it may not be started.
pub(super) fn find(cx: &Cx, name: &str) -> Result<PathBuf, Fault> {
    if name.contains('/') {
        let path = cx.run.directory.join(name);
        return executable(&path).then_some(path.clone()).ok_or_else(|| not_started(name, &path));
    }
    let path = cx.world.env("PATH")?.unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".to_owned());
    // An empty entry means the current folder, where nobody wants to find `ls`.
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|path| executable(path))
        .ok_or_else(|| {
            Fault::new(FaultKind::Setup, format!("this machine has no program `{name}`: it is in no folder of PATH"))
                .help(format!("install it, or write the path to it: `./{name}`"))
        })
}

fn executable(path: &Path) -> bool {
    path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
}

fn not_started(name: &str, path: &Path) -> Fault {
    match path.metadata() {
        Ok(file) if file.is_file() => Fault::new(FaultKind::Setup, format!("`{name}` is not executable"))
            .help(format!("allow it: chmod +x {}", path.display())),
        Ok(_) => Fault::new(FaultKind::Setup, format!("`{name}` is no file: {}", path.display())),
        Err(error) => Fault::new(FaultKind::Setup, format!("`{name}` cannot be started: {}: {error}", path.display())),
    }
}
