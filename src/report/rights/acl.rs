//! Rules of ACLs, for `redis-cli`.

use std::fmt::Write as _;

use crate::catalog::need::Right;
use crate::plan::Granted;
use crate::shown::look::clean;

/// What a user is called where the runbook names none.
const OWN: &str = "runbook";

pub(super) fn users(granted: &[&Granted]) -> String {
    let mut text = String::new();
    for one in granted {
        let which = if one.changes { ", for changes alone" } else { "" };
        _ = writeln!(text, "# connection {}{which}", clean(&one.connection));
        for right in &one.rights {
            if let Right::Unclear { words } = right {
                _ = writeln!(text, "# not derived: {}", clean(words));
            }
        }
        let rules =
            one.rights.iter().filter_map(|right| if let Right::Redis { rule } = right { Some(rule) } else { None });
        let rules: Vec<String> = rules.map(|rule| word(rule)).collect();
        // The password stays; what it could do before does not. So whom everybody else logs in as is left alone.
        let user = match one.login.as_deref() {
            None | Some("default") => {
                _ = writeln!(
                    text,
                    "# it logs in as `default`, as all do who name no user, and taking rights from that one would stop them."
                );
                _ = writeln!(
                    text,
                    "# so this is a user of its own: give it a password (ACL SETUSER {OWN} >…), and the connection `user: \"{OWN}\"` and the password."
                );
                OWN.to_owned()
            }
            Some(user) => word(user),
        };
        _ = writeln!(text, "ACL SETUSER {user} on resetkeys resetchannels -@all {}", rules.join(" "));
    }
    text
}

/// A word of `redis-cli`.
fn word(text: &str) -> String {
    let plain = |c: char| !c.is_whitespace() && !c.is_control() && !matches!(c, '"' | '\'' | '\\');
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => _ = write!(quoted, "\\x{:02x}", u32::from(c) & 0xff),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
