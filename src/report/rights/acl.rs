//! Rules of ACLs, for `redis-cli`.

use std::fmt::Write as _;

use crate::catalog::need::Right;
use crate::plan::Granted;
use crate::shown::look::clean;

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
        let user = one.login.as_deref().unwrap_or("default");
        // The password stays; what it could do before does not.
        let user = word(user);
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
