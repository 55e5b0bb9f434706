//! Masks: what stays of a line when its numbers, ids, addresses, times and quoted values are taken out.

use std::net::Ipv6Addr;

use super::telling;
use crate::builtins::line_time;

/// What stands for the end of a line.
const END_OF_LINE: &str = " ⏎ ";

/// The mask of an entry, which may have several lines. Those that are indented take no part: frames of a stack trace and
/// lines of a statement say where and how, and what happened stands above or below them.
pub(super) fn entry(entry: &str, masked: &mut String) {
    let mut lines = entry.split('\n');
    mask(lines.next().unwrap_or_default(), masked);
    for line in lines.filter(|line| !line.trim_ascii().is_empty() && !line.starts_with([' ', '\t'])) {
        masked.push_str(END_OF_LINE);
        mask(line, masked);
    }
}

/// A line with a placeholder for each part that varies: `<n> <id> <uuid> <ip> <time> "<text>"`.
fn mask(line: &str, masked: &mut String) {
    let mut at = 0;
    let mut before = None;
    while let Some(rest) = line.get(at..).filter(|rest| !rest.is_empty()) {
        if let Some(inside) = telling::text(line, at) {
            masked.push('"');
            within(inside.shown, masked);
            masked.push_str(if inside.whole { "\"" } else { "…\"" });
            at += inside.length;
            before = Some('"');
            continue;
        }
        let (taken, shown) = match variable(rest, before) {
            Some((taken, placeholder)) => (taken, placeholder),
            None => plain(rest),
        };
        masked.push_str(shown);
        at += taken;
        before = line.get(..at).and_then(|so_far| so_far.chars().next_back());
    }
}

/// What stands in quotes and tells kinds apart. Quotes in it are escaped.
fn within(text: &str, masked: &mut String) {
    let mut at = 0;
    let mut before = None;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let quoted = rest.strip_prefix("\\\"").and_then(|rest| rest.find("\\\""));
        let (taken, shown) = match (quoted, variable(rest, before)) {
            (Some(length), _) => (length + 4, "\\\"<text>\\\""),
            (None, Some(varies)) => varies,
            (None, None) => plain(rest),
        };
        masked.push_str(shown);
        at += taken;
        before = text.get(..at).and_then(|so_far| so_far.chars().next_back());
    }
}

/// The part that varies at the beginning of a text: its length in bytes and its placeholder.
fn variable(rest: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let first = rest.chars().next()?;
    if first == '"' || (first == '\'' && !before.is_some_and(char::is_alphanumeric)) {
        return quoted(rest, first);
    }
    if before.is_some_and(char::is_alphanumeric) {
        // The letters before it stay: `worker17` is `worker<n>`.
        return if first.is_ascii_digit() { Some((digits(rest), "<n>")) } else { None };
    }
    if !first.is_ascii_alphanumeric() && first != ':' && first != '-' {
        return None;
    }
    time(rest).or_else(|| uuid(rest)).or_else(|| address(rest)).or_else(|| number(rest, before)).or_else(|| id(rest))
}

/// What stays: letters up to where something else begins, or one other character.
fn plain(rest: &str) -> (usize, &str) {
    let letters = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let one = rest.chars().next().map_or(0, char::len_utf8);
    let taken = letters.max(one);
    (taken, rest.get(..taken).unwrap_or(rest))
}

fn quoted(rest: &str, quote: char) -> Option<(usize, &'static str)> {
    let mut escaped = false;
    for (at, c) in rest.char_indices().skip(1) {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return Some((at + 1, if quote == '"' { "\"<text>\"" } else { "'<text>'" }));
        }
    }
    None
}

fn time(rest: &str) -> Option<(usize, &'static str)> {
    let bytes = rest.as_bytes();
    let dated = line_time::written(bytes).map(|written| written.length);
    dated.or_else(|| clock(bytes)).or_else(|| day(bytes)).map(|taken| (taken, "<time>"))
}

/// `08:00:00`, with a fraction.
fn clock(bytes: &[u8]) -> Option<usize> {
    shaped(bytes, b"00:00:00").map(|taken| {
        let fraction = bytes.get(taken + 1..).map_or(0, |rest| rest.iter().take_while(|b| b.is_ascii_digit()).count());
        if fraction > 0 && matches!(bytes.get(taken), Some(b'.' | b',')) { taken + 1 + fraction } else { taken }
    })
}

/// `2026-11-23`.
fn day(bytes: &[u8]) -> Option<usize> {
    shaped(bytes, b"0000-00-00").or_else(|| shaped(bytes, b"0000/00/00"))
}

/// Whether the bytes begin with such a shape, where `0` is any digit, and no letter or digit follows.
fn shaped(bytes: &[u8], shape: &[u8]) -> Option<usize> {
    let fits = |(byte, wanted): (&u8, &u8)| if *wanted == b'0' { byte.is_ascii_digit() } else { byte == wanted };
    let whole = bytes.len() >= shape.len() && bytes.iter().zip(shape).all(fits);
    (whole && !bytes.get(shape.len()).is_some_and(u8::is_ascii_alphanumeric)).then_some(shape.len())
}

fn uuid(rest: &str) -> Option<(usize, &'static str)> {
    let shape = rest.as_bytes().get(..36)?;
    let fits = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    let ends = !rest.as_bytes().get(36).is_some_and(u8::is_ascii_alphanumeric);
    (ends && shape.iter().enumerate().all(fits)).then_some((36, "<uuid>"))
}

/// An IPv4 or IPv6 address; its port is a number of its own.
fn address(rest: &str) -> Option<(usize, &'static str)> {
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let four = rest.get(..end)?.trim_end_matches('.');
    let follows = rest.get(four.len()..)?.chars().next();
    if four.parse::<std::net::Ipv4Addr>().is_ok() && !follows.is_some_and(char::is_alphanumeric) {
        return Some((four.len(), "<ip>"));
    }
    let end = rest.find(|c: char| !c.is_ascii_hexdigit() && c != ':' && c != '.').unwrap_or(rest.len());
    let six = rest.get(..end)?.trim_end_matches('.');
    (six.contains(':') && six.len() > 2 && six.parse::<Ipv6Addr>().is_ok()).then_some((six.len(), "<ip>"))
}

/// `17`, `3.5`, `-2`; `17ms` keeps its unit.
fn number(rest: &str, before: Option<char>) -> Option<(usize, &'static str)> {
    let sign =
        usize::from(rest.starts_with('-') && !before.is_some_and(|c| c.is_alphanumeric() || c == '-' || c == '>'));
    let whole = digits(rest.get(sign..)?);
    if whole == 0 || is_hash(rest) {
        return None;
    }
    let after = rest.get(sign + whole..)?;
    let fraction = after.strip_prefix('.').map_or(0, digits);
    let taken = sign + whole + if fraction > 0 { fraction + 1 } else { 0 };
    let rest = rest.get(taken..)?;
    let letters = rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(rest.len());
    let more_digits = rest.get(letters..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    // `7c9d` is an id, `0x1f` as well; `30ms` and `10GiB` are numbers.
    (letters <= 3 && !(letters > 0 && more_digits)).then_some((taken, "<n>"))
}

/// Eight hexadecimal digits and more: `12345678ab` is no number of a unit `ab`.
fn is_hash(rest: &str) -> bool {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default().as_bytes();
    word.len() >= 8 && word.iter().all(u8::is_ascii_hexdigit) && word.iter().any(u8::is_ascii_lowercase)
}

/// `7c9d5f`, `0x1f2e`, `x2k4p`: letters and digits mixed. `v2` and `worker17` are no ids but words with numbers.
fn id(rest: &str) -> Option<(usize, &'static str)> {
    let end = rest.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(rest.len());
    let word = rest.get(..end)?;
    let letters_first = word.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    let has_digit = word.bytes().any(|b| b.is_ascii_digit());
    let word_with_number = letters_first.bytes().all(|b| b.is_ascii_digit());
    let hex = word.len() >= 6 && word.bytes().all(|b| b.is_ascii_hexdigit());
    (has_digit && (hex || !word_with_number)).then_some((end, "<id>"))
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn takes_out_what_varies() {
        let cases = [
            ("took 17ms", "took <n>ms"),
            ("took 3.5 s, -2 left", "took <n> s, <n> left"),
            ("worker17 of 20 is up", "worker<n> of <n> is up"),
            ("peer 10.0.0.1:5432 gone", "peer <ip>:<n> gone"),
            ("peer [fe80::1]:5432 gone", "peer [<ip>]:<n> gone"),
            ("peer ::1 gone.", "peer <ip> gone."),
            ("request 0b5e6f5c-7a57-4e0f-9d1a-0d9f2f1c2b3a done", "request <uuid> done"),
            ("commit 7c9d5f on main", "commit <id> on main"),
            ("at 0x7ffe12", "at <id>"),
            ("request 123456789012ab of 12345678B", "request <id> of <n>B"),
            ("pod gateway-7c9d5-x2k4p", "pod gateway-<id>-<id>"),
            ("2026-11-23T08:00:00Z started", "<time> started"),
            ("Nov 23 08:00:00 web sshd[71]: no", "<time> web sshd[<n>]: no"),
            ("it was 08:00:00.123, on 2026-11-23", "it was <time>, on <time>"),
            (r#"user "Ann \"A\" B" said 'no' and didn't"#, r#"user "<text>" said '<text>' and didn't"#),
            ("GET /v1/users/42 HTTP/1.1", "GET /v<n>/users/<n> HTTP/<n>"),
            ("größe 10 über 9", "größe <n> über <n>"),
            ("", ""),
            ("an \"open quote", "an \"open quote"),
            (
                r#"{"level":"error","msg":"order 17 of \"ann\" failed","order":{"id":"x","n":3},"ok":true}"#,
                r#"{"level":"error","msg":"order <n> of \"<text>\" failed","order":{"id":"<text>","n":<n>},"ok":true}"#,
            ),
            (
                r#"{ "@l" : "Error", "error": "a: b\n at c", "user_7f3a9c": "x" }"#,
                r#"{ "@l" : "<text>", "error": "a: b…", "user_<id>": "<text>" }"#,
            ),
            (
                r#"level=error msg="no stock for 17" user="ann" err="dial tcp 10.0.0.1:80""#,
                r#"level=error msg="no stock for <n>" user="<text>" err="dial tcp <ip>:<n>""#,
            ),
            (
                r#"E1123 08:00:00.5   7 kubelet.go:17] "Failed to pull 3 images" pod="a/b" err="no""#,
                r#"E<n> <time>   <n> kubelet.go:<n>] "Failed to pull <n> images" pod="<text>" err="no""#,
            ),
            (r#"the "msg": "x" of ] "y""#, r#"the "<text>": "<text>" of ] "<text>""#),
        ];
        for (line, masked) in cases {
            let mut written = String::new();
            mask(line, &mut written);
            assert_eq!(written, masked, "{line}");
        }
    }
}
