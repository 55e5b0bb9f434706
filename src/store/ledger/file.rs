//! The file: how it comes to be, and how it is opened.
//!
//! A new file is made whole beside its place and then put there, so that an empty file is never a young one: it is one
//! that was cut, and is not taken for new.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::{damaged, fault, read_only, schema};
use crate::types::{Fault, FaultKind};

/// How long a call waits for another process that is writing.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// The log of what is not yet in the file is cut back to this once it is.
const LOG_BYTES: i64 = 16 * 1024 * 1024;

/// The size of the smallest page.
const SMALLEST: u64 = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    Write,
    /// The file stays as it is, and so does what a killed process has left in its log.
    Read,
}

/// Whether there is a file.
pub(super) fn is_there(path: &Path) -> Result<bool, Fault> {
    let there = path.try_exists().map_err(|error| not_writable(path, &error))?;
    let log = beside(path, "-wal");
    if !there && log.try_exists().map_err(|error| not_writable(&log, &error))? {
        // To begin anew here would destroy what the log still holds.
        return Err(damaged(path, format!("it is not there, but its log `{}` is", log.display())));
    }
    Ok(there)
}

/// Makes the file, for its owner alone, where there is none.
pub(super) fn create_if_missing(path: &Path) -> Result<(), Fault> {
    if is_there(path)? {
        return Ok(());
    }
    let folder = folder(path);
    DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| not_writable(&folder, &error))?;
    let new = tempfile::Builder::new().prefix(".ledger-").tempfile_in(&folder);
    let new = new.map_err(|error| not_writable(&folder, &error))?;
    let fill = || {
        let mut conn = Connection::open_with_flags(new.path(), OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        schema::migrate(&mut conn, schema::STEPS)?;
        // Moves all of it from the log into the file, and removes the log.
        conn.close().map_err(|(_, error)| error)
    };
    fill().map_err(|error| fault(path, &error))?;
    new.as_file().sync_all().map_err(|error| not_writable(path, &error))?;
    match new.persist_noclobber(path) {
        Ok(_) => {}
        // Another process was quicker; its file is as good.
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(not_writable(path, &error.error)),
    }
    // The name itself must outlive a power cut as well.
    File::open(&folder).and_then(|folder| folder.sync_all()).map_err(|error| not_writable(&folder, &error))
}

/// Opens the file that is there and looks at whose it is and of which version.
pub(super) fn connect(path: &Path, access: Access) -> Result<Connection, Fault> {
    // Beginning with `/`, it cannot be read as a URI.
    let absolute = std::path::absolute(path).map_err(|error| not_writable(path, &error))?;
    // To SQLite, a file without a whole page is a new one.
    let len = fs::metadata(&absolute).map_err(|error| not_writable(path, &error))?.len();
    if len < SMALLEST {
        return Err(damaged(path, format!("it was cut to {len} bytes")));
    }
    let mut conn = prepare(&absolute, access).map_err(|error| fault(path, &error))?;
    if access == Access::Write && conn.is_readonly("main").map_err(|error| fault(path, &error))? {
        return Err(read_only(path, "it may be read only"));
    }
    let whose: (i32, i64) = whose(&conn).map_err(|error| fault(path, &error))?;
    match whose {
        (schema::APPLICATION, version) if version > schema::newest() => Err(newer(path, version)),
        (schema::APPLICATION, version) if version == schema::newest() => Ok(conn),
        (schema::APPLICATION, 1..) if access == Access::Write => {
            schema::migrate(&mut conn, schema::STEPS).map_err(|error| fault(path, &error))?;
            Ok(conn)
        }
        (schema::APPLICATION, 1..) => Ok(conn),
        _ => {
            let message = format!("`{}` is a database, but not a ledger of runbook", path.display());
            Err(Fault::new(FaultKind::Setup, message).help("name another folder with `--state DIR`, or move it away"))
        }
    }
}

fn prepare(path: &Path, access: Access) -> rusqlite::Result<Connection> {
    // A connection that is opened for reading forgets what `CHECK` says, so looking opens for writing as well.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.busy_timeout(PATIENCE)?;
    conn.set_prepared_statement_cache_capacity(64);
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    conn.pragma_update(None, "cell_size_check", true)?;
    match access {
        Access::Read => {
            conn.pragma_update(None, "query_only", true)?;
            conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        }
        Access::Write => {
            conn.pragma_update(None, "foreign_keys", true)?;
            conn.pragma_update(None, "synchronous", "FULL")?;
            // A file that was restored from elsewhere may have lost it.
            conn.pragma_update(None, "journal_mode", "WAL")?;
            conn.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
        }
    }
    Ok(conn)
}

fn whose(conn: &Connection) -> rusqlite::Result<(i32, i64)> {
    let application = conn.pragma_query_value(None, "application_id", |row| row.get(0))?;
    Ok((application, schema::version(conn)?))
}

fn newer(path: &Path, version: i64) -> Fault {
    let message = format!(
        "the ledger `{}` is of version {version}, and this runbook knows it up to version {}",
        path.display(),
        schema::newest()
    );
    Fault::new(FaultKind::Unsupported, message).help("use the version of runbook that wrote it, or a newer one")
}

/// The file with something behind its name.
pub(super) fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

/// What the file and its log take on the disk.
pub(super) fn bytes(path: &Path) -> Result<u64, Fault> {
    let size = |path: &Path| match fs::metadata(path) {
        Ok(found) => Ok(found.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(not_writable(path, &error)),
    };
    Ok(size(path)? + size(&beside(path, "-wal"))?)
}

fn folder(path: &Path) -> PathBuf {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_owned(),
        _ => PathBuf::from("."),
    }
}

fn not_writable(path: &Path, error: &io::Error) -> Fault {
    Fault::new(FaultKind::Setup, format!("the ledger cannot be kept: `{}`: {error}", path.display()))
        .help("make it readable and writable, or name another folder with `--state DIR`")
}
