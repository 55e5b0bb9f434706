//! Grants, for `psql`.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::catalog::need::{Grant, MAINTAIN, Right};
use crate::plan::Granted;
use crate::shown::look::clean;

pub(super) fn grants(granted: &[&Granted]) -> String {
    let mut text = String::new();
    for one in granted {
        let which = if one.changes { ", for changes alone" } else { "" };
        _ = writeln!(text, "-- connection {}{which}", clean(&one.connection));
        let role = one.login.as_deref().unwrap_or("runbook");
        if one.login.is_none() {
            text.push_str(
                "-- the role is not written in the runbook: put the one that PGUSER names in place of \"runbook\"\n",
            );
        }
        let role = identifier(role);
        let mut schemas = BTreeSet::new();
        let upkeep = |right: &Right| {
            matches!(right, Right::Postgres(Grant::Member("pg_maintain") | Grant::On { privilege: MAINTAIN, .. }))
        };
        if one.rights.iter().any(upkeep) {
            text.push_str(
                "-- MAINTAIN and pg_maintain: PostgreSQL 17 or newer; before it, only the owner of the tables may do this\n",
            );
        }
        for right in &one.rights {
            match right {
                Right::Postgres(Grant::Connect) => match &one.about {
                    Some(database) => {
                        _ = writeln!(text, "GRANT CONNECT ON DATABASE {} TO {role};", identifier(database));
                    }
                    None => text.push_str("-- CONNECT on the database that PGDATABASE names\n"),
                },
                Right::Postgres(Grant::Member(of)) => {
                    _ = writeln!(text, "GRANT {of} TO {role};");
                }
                Right::Postgres(Grant::On { privilege, table }) => {
                    if let Some((schema, _)) = table.rsplit_once('.') {
                        schemas.insert(schema.to_owned());
                    }
                    _ = writeln!(text, "GRANT {privilege} ON {table} TO {role};");
                }
                Right::Unclear { words } => _ = writeln!(text, "-- not derived: {}", clean(words)),
                _ => {}
            }
        }
        for schema in schemas {
            _ = writeln!(text, "GRANT USAGE ON SCHEMA {schema} TO {role};");
        }
    }
    text
}

fn identifier(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\"").replace('\0', ""))
}
