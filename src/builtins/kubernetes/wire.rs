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
const MAGIC: &[u8] = b"k8s\0";

/// How an answer is to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Form {
    #[default]
    Json,
    /// In protobuf, where the server has it: what it does not keep itself comes as JSON.
    Protobuf,
}

impl Form {
    pub(super) const fn accept(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Protobuf => "application/vnd.kubernetes.protobuf, application/json",
        }
    }
}

/// A shape that is known in both languages.
pub(super) trait Shape: serde::de::DeserializeOwned + Message + Default {
    /// What a list of it is called: `PodList`.
    const LIST: &'static str;
}

/// Some objects of a list, and where it goes on.
#[derive(Message)]
#[prost(skip_debug)]
pub(super) struct List<T: Message + Default> {
    #[prost(message, required, tag = "1")]
    pub(super) metadata: ListMeta,
    #[prost(message, repeated, tag = "2")]
    pub(super) items: Vec<T>,
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

/// What an object is wrapped in, still closed.
#[derive(Message)]
struct Closed {
    #[prost(message, required, tag = "1")]
    about: About,
}

/// The same, opened.
#[derive(Message)]
#[prost(skip_debug)]
struct Opened<T: Message + Default> {
    #[prost(message, required, tag = "2")]
    object: T,
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

/// Some objects of a list.
///
/// # Errors
/// Also where it is something else: what has no such fields would be read as an empty list.
pub(super) fn list<T: Shape>(bytes: &[u8]) -> Result<List<T>, String> {
    open(bytes, T::LIST)
}

/// Why something was refused, if it says so.
pub(super) fn refusal(bytes: &[u8]) -> Option<Status> {
    let Refusal { message, reason, details } = open(bytes, "Status").ok()?;
    let Details { name, group, kind } = details;
    let details = StatusDetails { name, group, kind, uid: String::new(), causes: Vec::new(), retry_after_seconds: 0 };
    Some(Status::failure(&message, &reason).with_details(details))
}

fn open<T: Message + Default>(bytes: &[u8], kind: &str) -> Result<T, String> {
    let body = bytes.strip_prefix(MAGIC).ok_or("it is not in protobuf")?;
    let broken = |error: prost::DecodeError| error.to_string();
    let own = Closed::decode(body).map_err(broken)?.about.kind;
    if own != kind {
        return Err(format!("it is a `{own}`, not a `{kind}`"));
    }
    Ok(Opened::decode(body).map_err(broken)?.object)
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
    use super::{is, list, refusal};
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
        let found = list::<Object>(PROTOBUF).unwrap();
        let other: Vec<Object> = serde_json::from_value(page["items"].clone()).unwrap();
        assert_eq!((found.items.len(), other.len(), found.metadata.next()), (2, 2, None));
        for (own, other) in found.items.iter().zip(&other) {
            assert_eq!(spelled(own).replace(unknown, "None"), spelled(other));
        }
        let all = spelled(&found.items[1]);
        for said in ["web-", "ReplicaSet", "tier", "10.1.2.3", "1500m", "64Mi", "OOMKilled", "137", "Always"] {
            assert!(all.contains(said), "{said} is not in {all}");
        }
    }

    #[test]
    fn what_is_no_list_of_pods_is_not_an_empty_one() {
        assert_eq!(list::<Object>(REFUSAL).err().unwrap(), "it is a `Status`, not a `PodList`");
        assert!(list::<Object>(&PROTOBUF[..PROTOBUF.len() - 7]).is_err(), "one that is cut off");
        assert!(list::<Object>(b"k8s\0\xff").is_err());
        assert!(!is(JSON.as_bytes()) && is(PROTOBUF));
    }

    #[test]
    fn a_refusal_says_why() {
        let said = refusal(REFUSAL).unwrap();
        assert_eq!((said.message.as_str(), said.reason.as_str()), ("pods \"none\" not found", "NotFound"));
        assert_eq!(said.details.unwrap().name, "none");
        assert!(refusal(PROTOBUF).is_none());
    }
}
