//! `postgres.execute`

use std::sync::Arc;
use std::time::Duration;

use super::call::DATABASE;
use super::connection::Postgres;
use super::sql::Statement;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Landing, Param, Returns};
use crate::types::{Fault, Template, Typed, Value};

const SQL: Param<Arc<Template>> =
    Param::literal("sql", "One statement. What is interpolated is bound, and never part of the SQL.", Landing::Sql);

/// A change has the limit that its statement gives it by `within`; this is for one that gives none.
const AT_LONGEST: Duration = Duration::from_hours(24);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.execute",
    summary: "Runs one statement by itself, outside of a transaction of ours, so that VACUUM can run. Gives the rows it has touched.",
    params: &[DATABASE.info(), SQL.info()],
    returns: Returns::Type(i64::ty),
    effect: EffectRule::Changes { idempotent: false },
    body: Body::Outside(|_, args| Box::pin(execute(args))),
    needs: &["the rights that the statement takes"],
    by_hand: "psql -c '{sql}'",
    examples: &[
        Example::call(r#"change db.execute("VACUUM ANALYZE") within 30m"#),
        Example::call(r#"change db.execute("DELETE FROM sessions WHERE expired_at < {run.started_at}") within 5m"#),
    ],
};

async fn execute(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&DATABASE)?;
    let postgres = Postgres::of(&connection)?;
    let statement = Statement::of(args.get(&SQL)?.as_ref())?;
    let session = postgres.changing().await?;
    let touched = session.execute(&statement.text, &statement.values, AT_LONGEST).await?;
    Ok(Value::Int(i64::try_from(touched).unwrap_or(i64::MAX)))
}
