//! Texts in quotes that tell kinds of lines apart: the keys of a JSON line, what happened and how bad it is, in JSON and as
//! `msg="…"`, and the message of klog. All others are what varies.

/// A text that is shown, with its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Telling<'a> {
    pub(super) shown: &'a str,
    /// How much of the line it is.
    pub(super) length: usize,
    /// Nothing of it is left out.
    pub(super) whole: bool,
}

/// The names whose values say what happened, and how bad it is. Of `log.level` the last part is one, of `@message` what
/// follows the sign.
const NAMES: &[&str] = &["level", "lvl", "severity", "msg", "message", "event", "err", "error"];

/// The text in double quotes that begins at a place of a line, where it tells kinds apart.
pub(super) fn text(line: &str, at: usize) -> Option<Telling<'_>> {
    let inner = line.get(at..)?.strip_prefix('"')?;
    let before = line.get(..at)?.trim_ascii_end();
    let is_json = line.starts_with('{');
    let key = if is_json && before.ends_with(['{', ',']) {
        None
    } else if let Some(before) = before.strip_suffix('=') {
        Some(before.rsplit(|c: char| !is_of_name(c)).next()?)
    } else if is_json && let Some(before) = before.strip_suffix(':') {
        Some(before.trim_ascii_end().strip_suffix('"')?.rsplit('"').next()?)
    } else if before.ends_with(']') && is_klog(line) {
        None
    } else {
        return None;
    };
    let is_key = is_json && key.is_none();
    if key.is_some_and(|key| !tells(key)) {
        return None;
    }
    let end = end_of(inner)?;
    let shown = inner.get(..end)?;
    // Of a text that stands in a list or a set, nobody knows what it is.
    if is_key && !inner.get(end + 1..)?.trim_ascii_start().starts_with(':') {
        return None;
    }
    // What follows the first line says where.
    let first = shown.split("\\n").next().unwrap_or(shown);
    Some(Telling { shown: first, length: end + 2, whole: first.len() == shown.len() })
}

fn tells(key: &str) -> bool {
    let key = key.rsplit('.').next().unwrap_or(key);
    let key = key.strip_prefix('@').unwrap_or(key);
    NAMES.iter().any(|name| key.eq_ignore_ascii_case(name))
}

const fn is_of_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '@' | '-')
}

/// `E1123 08:00:00.123456`
fn is_klog(line: &str) -> bool {
    let digits = line.strip_prefix(['I', 'W', 'E', 'F']).and_then(|rest| rest.get(..5));
    digits.is_some_and(|digits| digits.ends_with(' ') && digits.bytes().take(4).all(|byte| byte.is_ascii_digit()))
}

/// Where the quote is that ends a text.
fn end_of(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}
