//! `postgres.execute`

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use jiff::SignedDuration;
use tokio::time::timeout;
use tokio_postgres::error::{DbError, Severity};
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, Error, Row};

use super::connection::{Postgres, limit};
use super::needs;
use super::refusal::{Asked, of_statement};
use super::rows;
use super::server::{Server, UnderWay};
use super::statement::Statement;
use super::undone::{self, Answered};
use super::{CONNECTION, SQL};
use crate::builtins::dial::{Progress, within};
use crate::builtins::settings::setup;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long the server works on it before it gives up and takes it back.", || {
        Value::Duration(SignedDuration::from_hours(24))
    });

/// How much later than the server this side gives up.
const GRACE: Duration = Duration::from_secs(5);

/// What is about a session, which ends with the statement.
const OF_SESSION: &[&str] = &[
    "abort",
    "begin",
    "close",
    "commit",
    "deallocate",
    "declare",
    "discard",
    "end",
    "fetch",
    "listen",
    "load",
    "move",
    "release",
    "reset",
    "rollback",
    "savepoint",
    "set",
    "start",
    "unlisten",
];

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.execute",
    summary: "Executes one statement that changes something, in a transaction of its own where it wants one, and gives how many rows it changed: 0 where it is about no rows. What the server left out has not been done, though it only warns of it or answers `false`: a `VACUUM` of a table of others, a `GRANT` without the right to it, a `pg_terminate_backend` of nobody. What else it warns of is said beside the change.",
    params: &[CONNECTION.info(), SQL.info(), WITHIN.info()],
    returns: Returns::Type(i64::ty),
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|cx, args| Box::pin(execute(cx, args))),
    needs: &[needs::STATEMENT],
    by_hand: "psql -X {connection} -c {sql}",
    examples: &[
        Example::call(r#"change db.execute("VACUUM ANALYZE documents")"#),
        Example::call(r#"change db.execute("DELETE FROM sessions WHERE seen < now() - {30d}")"#),
    ],
};

async fn execute(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let server = Postgres::of(&connection)?;
    let statement = Statement::of(args.get(&SQL)?.as_ref())?;
    let keyword = statement.keyword();
    if OF_SESSION.contains(&keyword) {
        return Err(setup(format!("`{}` is about a session, and the session ends with it", keyword.to_uppercase()))
            .help("each statement is a transaction; what belongs together is one statement (`WITH … INSERT …`) or a function"));
    }
    if keyword == "copy" && (statement.has("stdin") || statement.has("stdout")) {
        return Err(
            setup("`COPY` from and to this side is not done here").help("name a file of the server, or use `psql`")
        );
    }
    let rows = send(&cx, server, &statement, limit(args.get(&WITHIN)?)?).await?;
    Ok(Value::Int(i64::try_from(rows).unwrap_or(i64::MAX)))
}

/// Whether it is the server's last word in a session: whatever was under way may have been done or not. It comes before
/// the connection is seen to be closed.
fn ends_the_session(refusal: &DbError) -> bool {
    matches!(refusal.parsed_severity(), Some(Severity::Fatal | Severity::Panic))
}

/// Whether what it did before an error may stay: it is made in more transactions than one, and some may have ended well.
fn may_stay(statement: &Statement, refusal: &DbError) -> bool {
    let in_several = match statement.keyword() {
        "call" | "vacuum" | "analyze" | "cluster" | "reindex" => true,
        // Its body is a text.
        "do" => ["commit", "call"].iter().any(|word| statement.sql.to_lowercase().contains(word)),
        "create" | "drop" | "alter" => statement.has("concurrently") || statement.has("subscription"),
        _ => false,
    };
    // What is not understood or not allowed has not begun. What a procedure comes to has a place within it.
    let begun = refusal.where_().is_some() || !matches!(refusal.code().code().get(..2), Some("42" | "0A"));
    in_several && begun
}

/// How many rows it changed, and what functions answered that say whether they did what they are for.
async fn done(client: &Client, statement: &Statement) -> Result<(u64, Answered), Error> {
    if !undone::answers(statement) {
        let params: Vec<_> =
            statement.params.iter().map(|(value, ty)| (value as &(dyn ToSql + Sync), ty.clone())).collect();
        return Ok((client.execute_typed(&statement.sql, &params).await?, Answered::default()));
    }
    let params: Vec<_> = statement.params.iter().map(|(value, ty)| (value, ty.clone())).collect();
    let mut rows = pin!(client.query_typed_raw(&statement.sql, params).await?);
    let (mut answered, mut says) = (Answered::default(), false);
    while let Some(row) = rows.try_next().await? {
        let answers = answers(&row)?;
        says |= !answers.is_empty();
        if answers.contains(&Some(false)) {
            answered.no += 1;
        } else if answers.contains(&Some(true)) {
            answered.yes += 1;
        }
    }
    // NULL is the answer where nobody was named.
    let rows = if says { answered.yes } else { rows.rows_affected().unwrap_or_default() };
    Ok((rows, answered))
}

/// The columns of a row that say yes or no: those of the functions, or all where they have other names.
fn answers(row: &Row) -> Result<Vec<Option<bool>>, Error> {
    let is_answer = |at: &usize| row.columns().get(*at).is_some_and(|column| *column.type_() == Type::BOOL);
    let mut places: Vec<usize> = (0..row.len()).filter(is_answer).collect();
    let named = |at: &usize| row.columns().get(*at).is_some_and(|column| undone::is_asked(column.name()));
    if places.iter().any(named) {
        places.retain(named);
    }
    places.into_iter().map(|at| row.try_get(at)).collect()
}

/// Sends it once, in a session of its own, which ends with it.
async fn send(cx: &Cx, server: &Arc<Server>, statement: &Statement, limit: Duration) -> Result<u64, Fault> {
    let login = server.changing();
    let shown = server.shown(login);
    let progress = Progress::default();
    let asked = Asked { server, login, sql: &statement.sql, before: 0, limit: rows::limit(limit) };
    let millis = limit.as_millis().clamp(1, i32::MAX as u128);
    let begin = async {
        let session = server.connect(login, &progress).await?;
        // What is left out is said in a warning, which a role may be set not to hear.
        let set = format!("SET statement_timeout = {millis}; SET client_min_messages = notice");
        session.client.batch_execute(&set).await.map_err(|error| of_statement(&asked, &error))?;
        Ok(session)
    };
    let session = within(server.within, &shown, &progress, begin).await?;
    let under_way = UnderWay::new(server, &session);
    let Ok(result) = timeout(limit + GRACE, done(&session.client, statement)).await else {
        let message = format!("{shown}: no answer within {}, and the server did not give it up either", asked.limit);
        return Err(Fault::new(FaultKind::Timeout, message).sent());
    };
    under_way.ended();
    let said = session.notices.lines();
    if !said.is_empty() {
        cx.remark.say(said.join("\n"));
    }
    match result {
        Ok((rows, answered)) => {
            let left = undone::left(&shown, statement, answered, &session.notices.warnings());
            left.map_or(Ok(rows), Err)
        }
        Err(error) => {
            let lost = session.client.is_closed() || error.as_db_error().is_none_or(ends_the_session);
            let stays = error.as_db_error().is_some_and(|refusal| may_stay(statement, refusal));
            let error = session.last_words(error).await;
            let mut fault = of_statement(&asked, &error).fault;
            if stays && fault.help.is_none() {
                fault = fault.help("what it had committed before stays, and so does an index that is not valid: look before it is made again");
            }
            Err(if lost || stays { fault.sent() } else { fault })
        }
    }
}
