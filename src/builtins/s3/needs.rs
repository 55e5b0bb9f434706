//! What the calls on a bucket need: actions of a policy.

use super::KEY;
use super::copy::{FROM, TO};
use super::listing::PREFIX;
use crate::catalog::Param;
use crate::catalog::need::{Need, Right, Written};

/// To list what begins with a prefix.
pub(super) const LIST: Need = Need::Granted {
    words: "s3:ListBucket on the bucket",
    rights: |written| {
        let written = (written.argument)(PREFIX.name());
        let prefixes = written.patterns();
        let of = |prefix: &String| Right::S3 {
            action: "s3:ListBucket",
            key: Some(format!("{}*", prefix.trim_end_matches('*'))),
        };
        if prefixes.is_empty() { see_all() } else { prefixes.iter().map(of).collect() }
    },
};

/// To be told that an object is not there, rather than that it is denied.
pub(super) const SEE: Need = Need::Granted { words: "s3:ListBucket on the bucket", rights: |_| see_all() };

fn see_all() -> Vec<Right> {
    vec![Right::S3 { action: "s3:ListBucket", key: None }]
}

pub(super) const GET: Need =
    Need::Granted { words: "s3:GetObject on the object", rights: |written| on(written, &KEY, "s3:GetObject") };

pub(super) const DELETE: Need =
    Need::Granted { words: "s3:DeleteObject on the object", rights: |written| on(written, &KEY, "s3:DeleteObject") };

pub(super) const GET_FROM: Need =
    Need::Granted { words: "s3:GetObject on the object", rights: |written| on(written, &FROM, "s3:GetObject") };

pub(super) const PUT_TO: Need =
    Need::Granted { words: "s3:PutObject on the copy", rights: |written| on(written, &TO, "s3:PutObject") };

fn on(written: &Written<'_>, key: &Param<String>, action: &'static str) -> Vec<Right> {
    let keys = (written.argument)(key.name());
    keys.patterns().iter().map(|key| Right::S3 { action, key: Some(key.clone()) }).collect()
}
