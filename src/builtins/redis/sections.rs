//! `INFO`: its sections, as fields that are read by name.

use std::collections::HashMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use super::client::Redis;
use super::connection;
use super::reply;
use crate::builtins::settings::limit;
use crate::catalog::{Args, Param};
use crate::types::{Connection, Fault, FaultKind, Size};

pub(super) const CONNECTION: Param<std::sync::Arc<Connection>> = Param::connection("redis");
pub(super) const WITHIN: Param<Option<SignedDuration>> =
    Param::optional("within", "How long it may take, where that is not what the connection says.");

/// The time limit of a call.
pub(super) fn within(redis: &Redis, args: &Args<'static>) -> Result<Duration, Fault> {
    args.get(&WITHIN)?.map_or(Ok(redis.within), limit)
}

/// A section of what a server says of itself.
pub(super) struct Section {
    name: &'static str,
    fields: HashMap<String, String>,
}

impl Section {
    /// Asks for it.
    pub(super) async fn ask(name: &'static str, args: &Args<'static>) -> Result<Self, Fault> {
        let connection = args.get(&CONNECTION)?;
        let redis = connection::of(&connection)?;
        let answer = redis.read(&["INFO", name], within(redis, args)?).await?;
        let fields = lines(&reply::text(answer)?).map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Ok(Self { name, fields })
    }

    /// A field as it stands there.
    pub(super) fn text(&self, field: &str) -> Result<&str, Fault> {
        self.fields.get(field).map(String::as_str).ok_or_else(|| {
            let message = format!("this server says no `{field}` in its `INFO {}`", self.name);
            Fault::new(FaultKind::Unsupported, message)
        })
    }

    /// A field, where this server has it and there is anything to say.
    pub(super) fn has(&self, field: &str) -> bool {
        self.fields.contains_key(field)
    }

    pub(super) fn int(&self, field: &str) -> Result<i64, Fault> {
        let text = self.text(field)?;
        text.parse().map_err(|_| self.unfit(field, text))
    }

    pub(super) fn float(&self, field: &str) -> Result<f64, Fault> {
        let text = self.text(field)?;
        text.parse().ok().filter(|number: &f64| number.is_finite()).ok_or_else(|| self.unfit(field, text))
    }

    /// `1` or `0`.
    pub(super) fn flag(&self, field: &str) -> Result<bool, Fault> {
        match self.text(field)? {
            "1" => Ok(true),
            "0" => Ok(false),
            other => Err(self.unfit(field, other)),
        }
    }

    pub(super) fn is(&self, field: &str, word: &str) -> Result<bool, Fault> {
        self.text(field).map(|text| text == word)
    }

    pub(super) fn size(&self, field: &str) -> Result<Size, Fault> {
        self.int(field).map(Size)
    }

    /// Seconds. Below 0 where it never happened, or is not happening.
    pub(super) fn seconds(&self, field: &str) -> Result<Option<SignedDuration>, Fault> {
        self.int(field).map(|seconds| (seconds >= 0).then(|| SignedDuration::from_secs(seconds)))
    }

    /// Seconds with decimals.
    pub(super) fn precise(&self, field: &str) -> Result<SignedDuration, Fault> {
        let seconds = self.float(field)?;
        SignedDuration::try_from_secs_f64(seconds).map_err(|_| self.unfit(field, self.text(field).unwrap_or_default()))
    }

    /// Seconds since 1970; `None` where it never happened.
    pub(super) fn time(&self, field: &str) -> Result<Option<Timestamp>, Fault> {
        let seconds = self.int(field)?;
        if seconds <= 0 {
            return Ok(None);
        }
        Timestamp::from_second(seconds).map(Some).map_err(|_| self.unfit(field, &seconds.to_string()))
    }

    /// The fields that begin so and end in a number, with their parts: `db0:keys=3,expires=1`.
    pub(super) fn numbered(&self, beginning: &str) -> Vec<(i64, HashMap<&str, &str>)> {
        let number = |name: &str| name.strip_prefix(beginning)?.parse::<i64>().ok();
        let mut found: Vec<_> =
            self.fields.iter().filter_map(|(name, value)| Some((number(name)?, parts(value)?.collect()))).collect();
        found.sort_by_key(|(number, _)| *number);
        found
    }

    fn unfit(&self, field: &str, text: &str) -> Fault {
        let text: String = text.chars().take(60).collect();
        Fault::new(FaultKind::BadAnswer, format!("`{field}` of `INFO {}` is `{text}`", self.name))
    }
}

/// `name:value`, line by line.
pub(super) fn lines(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(':'))
}

/// `keys=3,expires=1`, where it is that and no path.
pub(super) fn parts(value: &str) -> Option<impl Iterator<Item = (&str, &str)>> {
    let are = !value.starts_with('/') && !value.is_empty() && value.split(',').all(|part| part.contains('='));
    are.then(|| value.split(',').filter_map(|part| part.split_once('=')))
}

/// A number in such a part.
pub(super) fn number(parts: &HashMap<&str, &str>, name: &str) -> Result<i64, Fault> {
    let found = parts.get(name).and_then(|text| text.parse().ok());
    found.ok_or_else(|| Fault::new(FaultKind::BadAnswer, format!("the server gives no number as `{name}`")))
}
