//! Answers in XML: only what has the root that was asked for is one.

use quick_xml::Reader;
use quick_xml::events::Event;
use serde::de::DeserializeOwned;

/// What a document of a kind says, or why it is none.
pub(super) fn read<T: DeserializeOwned>(body: &[u8], root: &str) -> Result<T, String> {
    let text =
        std::str::from_utf8(body).map_err(|error| format!("it is not UTF-8, from byte {} on", error.valid_up_to()))?;
    // A server that works on something long sends spaces first, so that nobody hangs up.
    let text = text.trim_start_matches('\u{feff}').trim();
    match name(text) {
        Some(found) if found == root => {}
        Some(found) => return Err(format!("it is a `{found}` and not a `{root}`")),
        None if text.is_empty() => return Err("it is empty".to_owned()),
        None => return Err("it is no XML".to_owned()),
    }
    // What ends before its last element is closed may lack any number of them.
    if !text.ends_with(&format!("</{root}>")) && !text.ends_with("/>") {
        return Err("it breaks off".to_owned());
    }
    quick_xml::de::from_str(text).map_err(|error| error.to_string())
}

/// The name of the root, without its prefix.
pub(super) fn name(text: &str) -> Option<String> {
    let mut reader = Reader::from_str(text);
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) | Event::Empty(start) => {
                return Some(start.local_name().as_ref().to_owned());
            }
            Event::Text(text) if !text.trim().is_empty() => return None,
            Event::Eof => return None,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::read;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "PascalCase")]
    struct List {
        is_truncated: bool,
        #[serde(default)]
        key: Vec<String>,
    }

    #[test]
    fn only_what_is_whole_and_of_its_kind() {
        let of = |text: &str| read::<List>(text.as_bytes(), "List");
        let whole = "  \n<?xml version=\"1.0\"?><List xmlns=\"x\"><IsTruncated>false</IsTruncated><Key>a&amp;b &#x31;</Key></List>\n";
        assert_eq!(of(whole), Ok(List { is_truncated: false, key: vec!["a&b 1".to_owned()] }));
        for text in [
            "",
            "nonsense",
            "{\"a\": 1}",
            "<html><body>no</body></html>",
            "<Error><Code>x</Code></Error>",
            "<List><IsTruncated>false</IsTruncated><Key>a</Key>",
            "<List><IsTruncated>false</IsTruncated><Key>a</Ke",
            "<List><IsTruncated>perhaps</IsTruncated></List>",
            "<List/>",
            "<List><Key>a</Key></List>",
            "<List><IsTruncated>false</IsTruncated><Key>&bomb;</Key></List>",
        ] {
            assert!(of(text).is_err(), "{text}");
        }
        assert!(read::<List>(b"<List>\xff</List>", "List").is_err());
    }
}
