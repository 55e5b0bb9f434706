//! The forms in which a text is met elsewhere: as JSON, in an address, on a page, encoded.

use std::collections::BTreeSet;

use base64::Engine;
use base64::prelude::{BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::shown::look::{clean, markup};

/// All forms of a secret, each once.
pub(super) fn of(text: &str) -> BTreeSet<String> {
    // It is put on one line before it is encoded, or after.
    let encoded: BTreeSet<String> = shortened(text).iter().flat_map(|text| written(text)).collect();
    encoded.iter().flat_map(|text| shortened(text)).collect()
}

/// As it is, and as it is told on one line, without line breaks, tabs and what else is not seen.
fn shortened(text: &str) -> BTreeSet<String> {
    let on_one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let without_controls = text.chars().filter(|letter| !letter.is_control()).collect();
    BTreeSet::from([text.to_owned(), clean(text), clean(&on_one_line), on_one_line, without_controls])
}

fn written(text: &str) -> Vec<String> {
    let mut forms = vec![
        text.to_owned(),
        markup(text),
        entities(text, "&#34;", "&#39;"),
        entities(text, "&quot;", "&#x27;"),
        entities(text, "&quot;", "&apos;"),
        text.replace('\'', r"'\''"),
        // As Rust and Go write it between quotes.
        text.escape_debug().to_string(),
        text.escape_default().to_string(),
        url::form_urlencoded::byte_serialize(text.as_bytes()).collect(),
    ];
    for json in in_json(text) {
        // JSON in JSON; and as some write a slash in it.
        let slashed = json.replace('/', "\\/");
        forms.extend(in_json(&json));
        forms.extend(in_json(&slashed));
        forms.extend([json, slashed]);
    }
    for letters in [NON_ALPHANUMERIC, PART, PATH, USER] {
        let encoded = utf8_percent_encode(text, letters).to_string();
        forms.extend([with_small_digits(&encoded), encoded]);
    }
    let digits = hex::encode(text);
    forms.extend([digits.to_ascii_uppercase(), digits]);
    forms.extend(base64_forms(text.as_bytes()));
    forms
}

/// All but what a part of an address may hold.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
/// The same of several parts.
const PATH: &AsciiSet = &PART.remove(b'/');
/// What browsers and most libraries leave as it is before the `@`, and in a query.
const USER: &AsciiSet = &PATH
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=');

fn entities(text: &str, double: &str, single: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', double).replace('\'', single)
}

/// Between the quotes of a JSON text: as it is usual; as Go writes it, with `\u0026`; with ASCII alone, as Python does.
fn in_json(text: &str) -> [String; 4] {
    let json = serde_json::Value::from(text).to_string();
    let plain = json.get(1..json.len().saturating_sub(1)).unwrap_or(text).to_owned();
    let go = plain.replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    let ascii = |text: &str| -> String {
        let unit = |unit: u16| match u8::try_from(unit) {
            Ok(letter) if letter.is_ascii() => char::from(letter).to_string(),
            _ => format!("\\u{unit:04x}"),
        };
        text.encode_utf16().map(unit).collect()
    };
    [ascii(&plain), ascii(&go), plain, go]
}

/// `%2f` for `%2F`.
fn with_small_digits(encoded: &str) -> String {
    let mut parts = encoded.split('%');
    let mut text = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let (digits, rest) = part.split_at_checked(2).unwrap_or((part, ""));
        text.push('%');
        text.push_str(&digits.to_ascii_lowercase());
        text.push_str(rest);
    }
    text
}

/// As base64, at each of the three places where it can begin in a longer text (`user:token`), without the letters at
/// its ends that depend on what is around it.
fn base64_forms(bytes: &[u8]) -> impl Iterator<Item = String> + '_ {
    (0..3usize).flat_map(move |before| {
        let padded: Vec<u8> = std::iter::repeat_n(0, before).chain(bytes.iter().copied()).collect();
        let (from, to) = ((before * 8).div_ceil(6), padded.len() * 8 / 6);
        let encoded = [BASE64_STANDARD_NO_PAD.encode(&padded), BASE64_URL_SAFE_NO_PAD.encode(&padded)];
        encoded.into_iter().filter_map(move |text| text.get(from..to).map(str::to_owned))
    })
}
