//! What libpq takes from outside: its environment variables and its file of passwords.

use std::path::Path;

use crate::builtins::dial::Place;
use crate::builtins::settings::setup;
use crate::catalog::Cx;
use crate::types::{Fault, SecretText};

/// The environment as libpq reads it.
pub(super) struct Settings<'a> {
    pub(super) cx: &'a Cx,
}

impl Settings<'_> {
    /// A variable that is set to something.
    pub(super) fn get(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.cx.world.env(name)?.filter(|text| !text.is_empty()))
    }
}

/// The password that PGPASSWORD or the file of passwords has for a role.
pub(super) fn whose_password(
    settings: &Settings<'_>,
    place: &Place,
    database: &str,
    user: &str,
) -> Result<Option<SecretText>, Fault> {
    if let Some(password) = settings.get("PGPASSWORD")? {
        return Ok(Some(SecretText::new(password)));
    }
    let named = settings.get("PGPASSFILE")?;
    let home = settings.get("HOME")?;
    let Some(path) = named.or_else(|| home.map(|home| format!("{home}/.pgpass"))) else { return Ok(None) };
    if !Path::new(&path).is_file() {
        return Ok(None);
    }
    guarded(&path)?;
    let text = settings.cx.world.file(Path::new(&path))?;
    Ok(find(&text, &[&place.host, &place.port.to_string(), database, user]).map(SecretText::new))
}

/// A file of passwords that others may read is one that libpq passes over; here it is said.
fn guarded(path: &str) -> Result<(), Fault> {
    use std::os::unix::fs::PermissionsExt as _;
    let metadata = std::fs::metadata(path).map_err(|error| setup(format!("`{path}` cannot be read: {error}")))?;
    if metadata.permissions().mode() & 0o077 != 0 {
        return Err(setup(format!("others may read the passwords in `{path}`")).help(format!("chmod 600 {path}")));
    }
    Ok(())
}

/// The password of the first line whose four fields fit: `host:port:database:user:password`.
fn find(text: &str, wanted: &[&str; 4]) -> Option<String> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(fields).find_map(|fields| {
        let [own @ .., password] = fields.as_slice() else { return None };
        let fits = own.len() == wanted.len() && own.iter().zip(wanted).all(|(own, wanted)| own == "*" || own == wanted);
        fits.then(|| password.clone())
    })
}

/// The fields of a line. A backslash takes away the meaning of what follows; the password is all that is left.
fn fields(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut rest = line.chars();
    while let Some(c) = rest.next() {
        let c = if c == '\\' { rest.next() } else { Some(c).filter(|c| *c != ':' || fields.len() == 5) };
        match (c, fields.last_mut()) {
            (Some(c), Some(field)) => field.push(c),
            _ => fields.push(String::new()),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_first_line_that_fits_has_the_password() {
        let file = "# host:port:db:user:no\ndb:5432:shop:ops:one\n*:*:*:ops:t\\:w:o\n\\:\\:1:*:*:*:three\n";
        let password = |host, database| find(file, &[host, "5432", database, "ops"]);
        assert_eq!(password("db", "shop").as_deref(), Some("one"));
        assert_eq!(password("db", "other").as_deref(), Some("t:w:o"));
        assert_eq!(find(file, &["::1", "1", "a", "b"]).as_deref(), Some("three"));
        assert_eq!(find(file, &["db", "5432", "shop", "else"]), None);
    }
}
