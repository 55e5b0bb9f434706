//! `postgres.size`

use super::call::{DATABASE, Row, WITHIN, rows};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Size, Typed, Value};

const TABLE: Param<Option<String>> =
    Param::optional("table", "Of a table with its indexes, by its name, perhaps with its schema.");

pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.size",
    summary: "How much room the database takes on the disk, or one table with its indexes.",
    params: &[DATABASE.info(), TABLE.info(), WITHIN.info()],
    returns: Returns::Type(Size::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(size(args))),
    needs: &["CONNECT on the database"],
    by_hand: "psql -c 'SELECT pg_size_pretty(pg_database_size(current_database()))'",
    examples: &[Example::call("db.size() < 100GiB"), Example::call(r#"db.size(table: "orders")"#)],
};

async fn size(args: Args<'static>) -> Result<Value, Fault> {
    let found = match args.get(&TABLE)? {
        Some(table) => {
            rows(&args, "SELECT pg_total_relation_size($1::text::regclass) AS size", &[Value::string(table)]).await?
        }
        None => rows(&args, "SELECT pg_database_size(current_database()) AS size", &[]).await?,
    };
    let size = found.first().map(|row| Row(row).number("size")).transpose()?;
    size.map(Value::Size).ok_or_else(|| Fault::no_value("the server gave no size"))
}
