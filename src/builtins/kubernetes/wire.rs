//! The API's other language: protobuf, which its servers write ten times as fast as JSON, and a quarter as large.
//!
//! A shape has its fields in both languages in one place: its names for JSON, its tags for protobuf. What has no field is skipped.

use std::fmt;

use jiff::Timestamp;
use kube::core::Status;
use kube::core::response::StatusDetails;
use prost::Message;
use serde::{Deserialize, Deserializer};

/// What every object in protobuf begins with.
pub(super) const MAGIC: &[u8] = b"k8s\0";

/// How an answer is to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Json,
    /// In protobuf and nothing else: a server that has none says so, and pages of JSON are to be smaller ones.
    Protobuf,
}

impl Form {
    pub(super) const fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/vnd.kubernetes.protobuf",
        }
    }
}

/// A shape that is known in both languages.
pub(super) trait Shape: serde::de::DeserializeOwned + Message + Default {
    /// What a list of it is called: `PodList`.
    const LIST: &'static str;
}

#[derive(Deserialize, Message)]
#[serde(default)]
pub(super) struct ListMeta {
    #[prost(string, tag = "3")]
    r#continue: String,
}

impl ListMeta {
    /// What leads to the next page; nothing on the last one.
    pub(super) fn next(self) -> Option<String> {
        Some(self.r#continue).filter(|next| !next.is_empty())
    }
}

/// What an object is wrapped in.
#[derive(Message)]
struct Wrapped {
    #[prost(message, required, tag = "1")]
    about: About,
    #[prost(bytes = "vec", tag = "2")]
    raw: Vec<u8>,
}

#[derive(Message)]
struct About {
    #[prost(string, tag = "2")]
    kind: String,
}

#[derive(Message)]
struct Refusal {
    #[prost(string, tag = "3")]
    message: String,
    #[prost(string, tag = "4")]
    reason: String,
    #[prost(message, required, tag = "5")]
    details: Details,
}

#[derive(Message)]
struct Details {
    #[prost(string, tag = "1")]
    name: String,
    #[prost(string, tag = "2")]
    group: String,
    #[prost(string, tag = "3")]
    kind: String,
}

/// Whether an answer is in protobuf. JSON never begins so, and what the headers say may be a proxy's word.
pub(super) fn is(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Whether what is said of an object is that it is of a kind.
///
/// # Errors
/// Where it is of another one: what has no such fields would be read as an empty list.
pub(super) fn is_of(about: &[u8], kind: &str) -> Result<bool, String> {
    let own = decode::<About>(about)?.kind;
    if own == kind { Ok(true) } else { Err(format!("it is a `{own}`, not a `{kind}`")) }
}

/// Why something was refused, if it says so.
pub(super) fn refusal(bytes: &[u8]) -> Option<Status> {
    let Wrapped { about, raw } = decode(bytes.strip_prefix(MAGIC)?).ok()?;
    let Refusal { message, reason, details } = decode(&raw).ok().filter(|_| about.kind == "Status")?;
    let Details { name, group, kind } = details;
    let details = StatusDetails { name, group, kind, uid: String::new(), causes: Vec::new(), retry_after_seconds: 0 };
    Some(Status::failure(&message, &reason).with_details(details))
}

/// A message of a shape.
pub(super) fn decode<T: Message + Default>(bytes: &[u8]) -> Result<T, String> {
    T::decode(bytes).map_err(|error| error.to_string())
}

/// A point in time: a text in JSON, a number of seconds in protobuf.
#[derive(Clone, Copy, PartialEq, Eq, Message)]
pub(super) struct Time {
    #[prost(int64, optional, tag = "1")]
    seconds: Option<i64>,
    #[prost(int32, optional, tag = "2")]
    nanoseconds: Option<i32>,
}

impl Time {
    /// Nothing where the server wrote down that it knows none.
    pub(super) fn timestamp(self) -> Option<Timestamp> {
        Timestamp::new(self.seconds?, self.nanoseconds.unwrap_or(0)).ok()
    }
}

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let time = Timestamp::deserialize(deserializer)?;
        Ok(Self { seconds: Some(time.as_second()), nanoseconds: Some(time.subsec_nanosecond()) })
    }
}

/// An amount with its unit: a text in JSON, a message with one in protobuf.
#[derive(Clone, PartialEq, Eq, Deserialize, Message)]
#[serde(transparent)]
pub(super) struct Quantity {
    #[prost(string, tag = "1")]
    text: String,
}

impl Quantity {
    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// What a server of Go forgot to make is `null`, and empty.
pub(super) fn or_empty<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// Text that is not said is empty in protobuf, and not there in JSON.
pub(super) fn said(text: String) -> Option<std::sync::Arc<str>> {
    if text.is_empty() { None } else { Some(text.into()) }
}

#[cfg(test)]
mod tests {
    use super::{ListMeta, Shape, decode, is, refusal};
    use crate::builtins::kubernetes::pieces::{Piece, Pieces};
    use crate::builtins::kubernetes::pods::Object;

    // What a real server answered to one request in both languages, and to one that it refused.
    const PROTOBUF: &[u8] = include_bytes!("../../../tests/lab/recorded/pods.protobuf");
    const JSON: &str = include_str!("../../../tests/lab/recorded/pods.json");
    const REFUSAL: &[u8] = include_bytes!("../../../tests/lab/recorded/refusal.protobuf");

    #[test]
    fn every_field_is_the_same_in_both_languages() {
        let page: serde_json::Value = serde_json::from_str(JSON).unwrap();
        let spelled = |object: &Object| {
            // A time that the server does not know is empty here and missing there.
            format!("{object:#?}").replace("Some(\n", "Some(").split_whitespace().collect::<Vec<_>>().join(" ")
        };
        let unknown = "Some(Time { seconds: None, nanoseconds: None, }, )";
        let (mut found, mut pieces) = (Vec::new(), Pieces::new(Object::LIST));
        pieces.push(PROTOBUF);
        while let Some(piece) = pieces.next().ok().unwrap() {
            match piece {
                Piece::Metadata(bytes) => assert_eq!(decode::<ListMeta>(bytes).unwrap().next(), None),
                Piece::Object(bytes) => found.push(decode::<Object>(bytes).unwrap()),
            }
        }
        let other: Vec<Object> = serde_json::from_value(page["items"].clone()).unwrap();
        assert_eq!((found.len(), other.len()), (2, 2));
        for (own, other) in found.iter().zip(&other) {
            assert_eq!(spelled(own).replace(unknown, "None"), spelled(other));
        }
        let all = spelled(&found[1]);
        for said in ["web-", "ReplicaSet", "tier", "10.1.2.3", "1500m", "64Mi", "OOMKilled", "137", "Always"] {
            assert!(all.contains(said), "{said} is not in {all}");
        }
    }

    #[test]
    fn a_refusal_says_why() {
        let said = refusal(REFUSAL).unwrap();
        assert_eq!((said.message.as_str(), said.reason.as_str()), ("pods \"none\" not found", "NotFound"));
        assert_eq!(said.details.unwrap().name, "none");
        assert!(refusal(PROTOBUF).is_none() && is(PROTOBUF) && !is(JSON.as_bytes()));
    }
}
