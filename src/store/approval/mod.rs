//! A standing approval: who agreed to which changes, on what, and until when.

mod agent;
mod signature;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::agent::by_agent;
pub use self::signature::{PrivateKey, PublicKey};
use super::event::ProposedChange;
use crate::types::{Fault, FaultKind};

/// The namespace of its signatures, for `ssh-keygen -Y verify -n`.
pub const NAMESPACE: &str = "approval@runbook";

/// What was agreed to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Eight hex digits, by all the others: what is kept under it is what was given.
    pub id: String,
    /// Random, so that the same given twice are two.
    #[serde(default)]
    pub nonce: String,
    pub runbook: String,
    /// As whoever agreed has named it.
    pub file: String,
    /// The part of the runbook, as `--only` named it; all of it where it is empty.
    pub only: Vec<String>,
    /// What `--set` gave.
    pub set: Vec<(String, String)>,
    /// The consent hash, in hex.
    pub plan: String,
    pub role: String,
    /// A person of the policy where it is signed, else the account.
    pub who: String,
    pub account: Account,
    pub at: Timestamp,
    pub until: Timestamp,
    /// The system that each connection led to, by the connection's name; where programs are started, this machine and their
    /// content.
    pub targets: BTreeMap<String, String>,
    /// What was agreed to, for people.
    pub changes: Vec<ProposedChange>,
    /// What the hash covers, piece by piece.
    pub parts: Vec<Part>,
    /// The change that is undone, where that is what was agreed to and not a plan.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Undoes>,
    pub signature: Option<Signature>,
}

/// A change of a run, that is undone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Undoes {
    pub run: String,
    /// Its number there.
    pub change: u32,
}

/// The account that somebody worked in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub user: String,
    pub host: String,
    pub uid: u32,
}

/// One thing that the hash covers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    pub what: String,
    /// In one canonical line.
    pub says: String,
    pub file: String,
    /// From 1.
    pub line: u32,
    /// As it was written.
    pub text: String,
}

/// An SSHSIG signature over [`Approval::text`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// `SHA256:…`
    pub key: String,
    /// Between `-----BEGIN SSH SIGNATURE-----` and its end.
    pub armoured: String,
}

/// That it stands no more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revoked {
    pub at: Timestamp,
    pub by: String,
    pub reason: Option<String>,
}

/// An approval as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub approval: Approval,
    pub revoked: Option<Revoked>,
}

impl Approval {
    /// What is signed: all of it. What it can be used for is there for people as well, in quotes, so that no text can pass for
    /// another line.
    ///
    /// # Errors
    /// Where it cannot be written.
    pub fn text(&self) -> Result<String, Fault> {
        let bare = Self { id: String::new(), signature: None, ..self.clone() };
        let all = serde_json::to_string(&bare)
            .map_err(|error| Fault::new(FaultKind::Failed, format!("the approval cannot be written: {error}")))?;
        let mut text = format!(
            "runbook approval 2\nplan {}\nrunbook {:?}\nrole {:?}\nwho {:?}\naccount {:?} {}\n\
             from {}\nuntil {}\n",
            self.plan,
            self.runbook,
            self.role,
            self.who,
            self.account.to_string(),
            self.account.uid,
            self.at,
            self.until
        );
        if let Some(Undoes { run, change }) = &self.undoes {
            // Writing to a string never fails.
            let _ = writeln!(text, "undoes change {change} of run {run:?}");
        }
        for (name, place) in &self.targets {
            let _ = writeln!(text, "target {name:?} {place:?}");
        }
        let _ = writeln!(text, "all sha256:{}", hex::encode(Sha256::digest(all)));
        Ok(text)
    }

    /// The id that it has to have.
    ///
    /// # Errors
    /// As for [`Approval::text`].
    pub fn own_id(&self) -> Result<String, Fault> {
        let digest = hex::encode(Sha256::digest(self.text()?));
        Ok(digest.chars().take(8).collect())
    }
}

impl Account {
    /// Whether it is the same person's, as far as accounts tell: the same name anywhere, or the same number on one machine.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.user == other.user || self.host == other.host && self.uid == other.uid
    }
}

/// `user@host`
impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}@{}", self.user, self.host)
    }
}
