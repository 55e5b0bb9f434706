//! Policies of AWS IAM, one for each connection.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::json;

use crate::catalog::need::Right;
use crate::plan::Granted;

pub(super) fn policies(granted: &[&Granted]) -> String {
    let mut text = String::new();
    for one in granted {
        let bucket = one.about.as_deref().unwrap_or("*");
        let mut on_bucket: BTreeMap<&str, Option<BTreeSet<&str>>> = BTreeMap::new();
        let mut on_keys: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for right in &one.rights {
            match right {
                Right::S3 { action: action @ "s3:ListBucket", key: None } => _ = on_bucket.insert(action, None),
                Right::S3 { action: action @ "s3:ListBucket", key: Some(prefix) } => {
                    if let Some(prefixes) = on_bucket.entry(action).or_insert_with(|| Some(BTreeSet::new())) {
                        prefixes.insert(prefix);
                    }
                }
                Right::S3 { action, key } => {
                    let key = key.as_deref().unwrap_or("*");
                    on_keys.entry(action).or_default().insert(format!("arn:aws:s3:::{bucket}/{key}"));
                }
                _ => {}
            }
        }
        // JSON has no comments: the id says whose it is. It takes letters and digits alone.
        let id: String = one.connection.chars().filter(char::is_ascii_alphanumeric).collect();
        let id = |what: &str| format!("{id}{}{what}", if one.changes { "Changes" } else { "" });
        let mut statements = Vec::new();
        for (action, prefixes) in on_bucket {
            let mut statement = json!({ "Sid": id(action.trim_start_matches("s3:")), "Effect": "Allow", "Action": action, "Resource": format!("arn:aws:s3:::{bucket}") });
            if let (Some(prefixes), Some(fields)) = (prefixes, statement.as_object_mut()) {
                fields.insert("Condition".to_owned(), json!({ "StringLike": { "s3:prefix": prefixes } }));
            }
            statements.push(statement);
        }
        statements.extend(
            on_keys.into_iter().map(|(action, keys)| json!({ "Sid": id(action.trim_start_matches("s3:")), "Effect": "Allow", "Action": action, "Resource": keys })),
        );
        let policy = json!({ "Version": "2012-10-17", "Statement": statements });
        _ = writeln!(text, "{policy:#}");
    }
    text
}
