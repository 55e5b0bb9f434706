//! Questions: one statement in a transaction that changes nothing, and its rows as JSON.
//!
//! The server itself makes JSON of a row, so every type comes as it shows it, those of extensions as well.

use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Value as Json};
use tokio_postgres::{Error, Row};

use super::calls::{self, Called};
use super::refusal::{Asked, of_statement, too_large};
use super::server::{Server, Session, UnderWay};
use super::statement::Statement;
use crate::builtins::dial::{Progress, Trouble, within};
use crate::types::{Fault, FaultKind};
use crate::units;

/// The most that is kept of an answer, in bytes of its JSON.
const MOST_BYTES: usize = 64 << 20;

/// How much later than the server this side gives up.
const GRACE: Duration = Duration::from_millis(1500);

/// What stands around a statement, so that its rows come as JSON. The name is one that no column has.
const BEFORE: &str = "SELECT row_to_json(\"runbook: a row\")::text FROM (\n";
const BEHIND: &str = "\n) AS \"runbook: a row\" LIMIT ";

/// A question.
pub(super) struct Question<'a> {
    pub(super) statement: &'a Statement,
    /// The functions that are called in it by name: none that may change something is let through.
    pub(super) calls: Vec<String>,
    pub(super) at_most: usize,
    pub(super) within: Duration,
}

/// A limit in words.
pub(super) fn limit(limit: Duration) -> String {
    units::duration(i64::try_from(limit.as_nanos()).unwrap_or(i64::MAX))
}

impl Server {
    /// The rows of a question of this family's own.
    pub(super) async fn own<T: DeserializeOwned>(self: &Arc<Self>, statement: Statement) -> Result<Vec<T>, Trouble> {
        let question = Question { statement: &statement, calls: Vec::new(), at_most: 100_000, within: self.within };
        let rows = self.rows(&question).await?;
        let rows: Result<Vec<T>, _> = rows.into_iter().map(serde_json::from_value).collect();
        rows.map_err(|error| {
            let message = format!("{} answers in a way that is not understood: {error}", self.shown(&self.reading));
            Trouble::theirs(FaultKind::BadAnswer, message)
        })
    }

    /// The one row of a question of this family's own.
    pub(super) async fn own_row<T: DeserializeOwned>(self: &Arc<Self>, statement: Statement) -> Result<T, Trouble> {
        let row = self.own(statement).await?.pop();
        row.ok_or_else(|| Trouble::theirs(FaultKind::BadAnswer, format!("{} gave no row", self.shown(&self.reading))))
    }

    /// The rows of a question. One whose session was lost is asked once more.
    pub(super) async fn rows(self: &Arc<Self>, question: &Question<'_>) -> Result<Vec<Json>, Trouble> {
        let progress = Progress::default();
        let shown = self.shown(&self.reading);
        within(question.within + GRACE, &shown, &progress, async {
            match self.rows_once(question, &progress).await {
                Err(Failed { again: true, trouble }) => {
                    tracing::info!(fault = %trouble.fault, "the session was lost, asking again");
                    self.rows_once(question, &progress).await
                }
                other => other,
            }
            .map_err(|failed| failed.trouble)
        })
        .await
    }

    async fn rows_once(self: &Arc<Self>, question: &Question<'_>, progress: &Progress) -> Result<Vec<Json>, Failed> {
        let shown = self.shown(&self.reading);
        let session = within(question.within, &shown, progress, self.session(progress)).await?;
        progress.now("waiting for the rows");
        let under_way = UnderWay::new(self, &session);
        match session.ask(question).await {
            Ok(rows) => {
                under_way.ended();
                self.keep(session);
                Ok(rows)
            }
            Err(Failure::Trouble(trouble)) => {
                // Whatever else would come is given up with the session.
                if trouble.fault.kind != FaultKind::TooLarge {
                    under_way.ended();
                }
                Err(trouble.into())
            }
            Err(Failure::Error(error)) => {
                under_way.ended();
                let lost = session.client.is_closed() || error.is_closed();
                let error = session.last_words(error).await;
                let sql = question.statement.sql.as_str();
                let limit = limit(question.within);
                let before = if question.statement.is_plain_text() { 0 } else { BEFORE.len() };
                let asked = Asked { server: self, login: &self.reading, sql, before, limit };
                Err(Failed { trouble: of_statement(&asked, &error), again: lost })
            }
        }
    }
}

/// A question that was not answered, and whether to ask it once more.
struct Failed {
    trouble: Trouble,
    again: bool,
}

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self { trouble, again: false }
    }
}

enum Failure {
    Error(Error),
    Trouble(Trouble),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self::Trouble(Trouble { fault, ours: true })
    }
}

impl Session {
    async fn ask(&self, question: &Question<'_>) -> Result<Vec<Json>, Failure> {
        let statement = question.statement;
        let millis = question.within.as_millis().clamp(1, i32::MAX as u128);
        let begin = format!(
            "BEGIN READ ONLY; SET LOCAL standard_conforming_strings = on; SET LOCAL statement_timeout = {millis}"
        );
        self.client.batch_execute(&begin).await?;
        if !question.calls.is_empty() {
            let lookup = calls::lookup(&question.calls)?;
            let found: Vec<Json> = self.collect(&wrapped(&lookup.sql, 10_000), &lookup, 10_000).await?;
            let found: Result<Vec<Called>, _> = found.into_iter().map(serde_json::from_value).collect();
            let found = found.map_err(|error| broken(&error.to_string()))?;
            if let Some(fault) = calls::refused(&found) {
                self.client.batch_execute("ROLLBACK").await?;
                return Err(fault.into());
            }
        }
        let sql = if statement.is_plain_text() {
            statement.sql.clone()
        } else {
            wrapped(&statement.sql, question.at_most.saturating_add(1))
        };
        let rows = self.collect(&sql, statement, question.at_most).await?;
        self.client.batch_execute("ROLLBACK").await?;
        Ok(rows)
    }

    async fn collect(&self, sql: &str, statement: &Statement, at_most: usize) -> Result<Vec<Json>, Failure> {
        let params: Vec<_> = statement.params.iter().map(|(value, ty)| (value, ty.clone())).collect();
        let mut stream = pin!(self.client.query_typed_raw(sql, params).await?);
        let (mut rows, mut size) = (Vec::new(), 0_usize);
        while let Some(row) = stream.try_next().await? {
            size = size.saturating_add(row.raw_size_bytes());
            if rows.len() >= at_most {
                let help = "ask for less: `LIMIT 100`, a count, a sum; or let it be more: `at_most: 100000`";
                return Err(Failure::Trouble(too_large(format!("the answer has more than {at_most} rows"), help)));
            }
            if size > MOST_BYTES {
                let help = "ask for fewer columns or rows: `LIMIT 100`, `left(body, 200)`, `length(body)`";
                return Err(Failure::Trouble(too_large("the answer is larger than 64MiB".to_owned(), help)));
            }
            rows.push(json(&row)?);
        }
        Ok(rows)
    }
}

fn wrapped(sql: &str, at_most: usize) -> String {
    format!("{BEFORE}{sql}{BEHIND}{at_most}")
}

fn broken(why: &str) -> Fault {
    Fault::new(FaultKind::BadAnswer, format!("the server sent a row that is not understood: {why}"))
}

/// A row as it was made to be JSON, or the columns of text of a statement that gives nothing else.
fn json(row: &Row) -> Result<Json, Fault> {
    let columns = row.columns();
    if let [one] = columns
        && one.name() == "row_to_json"
    {
        let text: &str = row.try_get(0).map_err(|error| broken(&error.to_string()))?;
        return match serde_json::from_str(text) {
            Ok(Fields(fields)) => Ok(Json::Object(fields)),
            Err(error) if error.to_string().starts_with(TWICE) => {
                let message = error.to_string();
                let message = message.split(" at line").next().unwrap_or_default();
                Err(Fault::new(FaultKind::Setup, message).help("give one of them another name: `count(*) AS rows`"))
            }
            Err(error) => Err(broken(&error.to_string())),
        };
    }
    let cell = |index: usize| {
        if let Ok(text) = row.try_get::<_, Option<&str>>(index) {
            return Ok(text.map_or(Json::Null, Json::from));
        }
        row.try_get::<_, Json>(index).map_err(|error| broken(&error.to_string()))
    };
    let fields = columns.iter().enumerate().map(|(index, column)| Ok((column.name().to_owned(), cell(index)?)));
    fields.collect::<Result<Map<_, _>, Fault>>().map(Json::Object)
}

const TWICE: &str = "two columns of the answer are called";

/// The fields of a row, none of them twice.
struct Fields(Map<String, Json>);

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Each;
        impl<'de> Visitor<'de> for Each {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let mut fields = Map::new();
                while let Some((name, value)) = map.next_entry::<String, Json>()? {
                    if fields.contains_key(&name) {
                        return Err(A::Error::custom(format!("{TWICE} `{name}`")));
                    }
                    fields.insert(name, value);
                }
                Ok(Fields(fields))
            }
        }
        from.deserialize_map(Each)
    }
}
