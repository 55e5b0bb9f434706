//! The time of a JSON line: of the line itself, wherever in it, and of nothing that stands in it.

use memchr::{memchr2, memchr3};

use super::Written;
use super::forms::written;

/// The time of a JSON line, by the names that loggers give it: the first of them that is one.
pub(super) fn time(line: &[u8]) -> Option<Written> {
    let mut at = 1;
    loop {
        at = after_blanks(line, at);
        let key_ends = after_text(line, at)?;
        let key = line.get(at + 1..key_ends - 1)?;
        at = after_blanks(line, key_ends);
        if line.get(at) != Some(&b':') {
            return None;
        }
        at = after_blanks(line, at + 1);
        if matches!(key, b"time" | b"timestamp" | b"@timestamp" | b"ts" | b"asctime") {
            let value = line.get(at..)?;
            if let Some(found) = written(value.strip_prefix(b"\"").unwrap_or(value)) {
                return Some(found.marked());
            }
        }
        // That of mongod.
        if key == b"t"
            && let Some(found) = line.get(at..)?.strip_prefix(b"{\"$date\":\"").and_then(written)
        {
            return Some(found.marked());
        }
        at = after_blanks(line, after_value(line, at)?);
        if line.get(at) != Some(&b',') {
            return None;
        }
        at += 1;
    }
}

fn after_blanks(line: &[u8], at: usize) -> usize {
    let blanks = line.get(at..).unwrap_or_default().iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    at + blanks
}

/// Where a text in quotes ends.
pub(super) fn after_text(line: &[u8], at: usize) -> Option<usize> {
    let mut at = (line.get(at) == Some(&b'"')).then_some(at + 1)?;
    loop {
        at += memchr2(b'"', b'\\', line.get(at..)?)?;
        if line.get(at) == Some(&b'"') {
            return Some(at + 1);
        }
        at += 2;
    }
}

/// Where a value ends.
fn after_value(line: &[u8], at: usize) -> Option<usize> {
    match line.get(at)? {
        b'"' => after_text(line, at),
        b'{' | b'[' => after_nested(line, at),
        _ => memchr2(b',', b'}', line.get(at..)?).map(|length| at + length),
    }
}

fn after_nested(line: &[u8], at: usize) -> Option<usize> {
    let (open, close) = if line.get(at) == Some(&b'{') { (b'{', b'}') } else { (b'[', b']') };
    let (mut at, mut depth) = (at, 0_usize);
    loop {
        at += memchr3(b'"', open, close, line.get(at..)?)?;
        let found = *line.get(at)?;
        if found == b'"' {
            at = after_text(line, at)?;
            continue;
        }
        at += 1;
        depth = if found == open { depth + 1 } else { depth.saturating_sub(1) };
        if depth == 0 {
            return Some(at);
        }
    }
}
