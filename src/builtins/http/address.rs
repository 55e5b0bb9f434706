//! The address of a call: the connection's URL, the path with its values, the query.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

use crate::builtins::plain_text::plain_text;
use crate::types::{Fault, FaultKind, Piece, Record, Template, Value};

/// What is encoded in a value: everything but the unreserved characters of RFC 3986.
pub(super) const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The address.
pub(super) fn address(base: &Url, path: &Template, query: Option<&Record>) -> Result<Url, Fault> {
    let path = joined(path)?;
    let mut text = base.as_str().trim_end_matches('/').to_owned();
    if !path.is_empty() && !path.starts_with(['/', '?']) {
        return Err(Fault::new(FaultKind::Setup, format!("the path `{path}` does not begin with a slash"))
            .help("a path is added to the URL of the connection: `api.get(\"/health\")`"));
    }
    text.push_str(&path);
    let mut url =
        Url::parse(&text).map_err(|error| Fault::new(FaultKind::Setup, format!("`{text}` is no URL: {error}")))?;
    if url.fragment().is_some() {
        return Err(Fault::new(
            FaultKind::Setup,
            format!("the path `{path}` has a `#`, and no server gets to see what follows it"),
        ));
    }
    for (name, value) in query.into_iter().flat_map(Record::iter) {
        // Several values of one name are a list; a missing one leaves it out, as a search without a limit does.
        match value {
            missing if missing.is_missing() => {}
            Value::List(items) => {
                for item in items.iter() {
                    push(&mut url, name, item)?;
                }
            }
            Value::Data(data) if let Some(items) = data.as_array() => {
                for item in items {
                    push(&mut url, name, &Value::Data(item.clone().into()))?;
                }
            }
            one => push(&mut url, name, one)?,
        }
    }
    Ok(url)
}

/// What is known of a path before anything is asked, whatever connection it is added to.
pub(super) fn judge(path: &Template) -> Result<(), Fault> {
    Url::parse("http://host").map_or(Ok(()), |base| address(&base, path, None).map(drop))
}

fn push(url: &mut Url, name: &str, value: &Value) -> Result<(), Fault> {
    let text = plain_text(value, "the query of a URL")?;
    url.query_pairs_mut().append_pair(name, &text);
    Ok(())
}

/// The path with its values. One that would lead elsewhere than it says is refused.
fn joined(path: &Template) -> Result<String, Fault> {
    let mut text = String::new();
    for piece in &path.pieces {
        match piece {
            Piece::Text(literal) => text.push_str(literal),
            Piece::Value(value) => {
                let part = plain_text(value, "a URL")?;
                // `/tasks/` lists, or deletes, more than `/tasks/7`.
                if part.is_empty() && !text.contains('?') {
                    return Err(Fault::no_value(format!("an empty value cannot stand in a path: `{text}{{…}}`")));
                }
                text.extend(utf8_percent_encode(&part, PART));
            }
        }
    }
    let climbs = |part: &str| matches!(percent_decode_str(part).decode_utf8_lossy().as_ref(), "." | "..");
    if text.split('?').next().unwrap_or_default().split(['/', '\\']).any(climbs) {
        return Err(Fault::new(FaultKind::Setup, format!("the path `{text}` has a part that leads up: `.` or `..`")));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::address;
    use crate::types::{Fault, Piece, Template, Value};
    use url::Url;

    fn of(pieces: &[&str]) -> Result<String, Fault> {
        let pieces = pieces.iter().enumerate().map(|(index, text)| {
            if index % 2 == 0 { Piece::Text((*text).into()) } else { Piece::Value(Value::string(*text)) }
        });
        let template = Template { pieces: pieces.collect() };
        address(&Url::parse("https://h/v1/").expect("a URL"), &template, None).map(|url| url.to_string())
    }

    #[test]
    fn a_value_is_one_part_and_cannot_break_out() {
        let gives = |pieces: &[&str]| of(pieces).expect("an address");
        assert_eq!(gives(&["/tasks/", "a/b?c#d e%"]), "https://h/v1/tasks/a%2Fb%3Fc%23d%20e%25");
        assert_eq!(gives(&["/s?q=", "x&y=z"]), "https://h/v1/s?q=x%26y%3Dz");
        assert_eq!(gives(&["/s?q=", ""]), "https://h/v1/s?q=");
        assert_eq!(gives(&[""]), "https://h/v1");
        for pieces in [
            &["/tasks/", ".."][..],
            &["/a/", "", "/b"],
            &["/", ".", "", "."],
            &["/x/%2e%2E/y"],
            &["x"],
            &["@evil/"],
            &["/a#b"],
        ] {
            assert!(of(pieces).is_err(), "{pieces:?}");
        }
    }
}
