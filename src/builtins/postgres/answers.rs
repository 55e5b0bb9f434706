//! `postgres.answers`

use serde_json::Value as Json;

use super::CONNECTION;
use super::connection::Postgres;
use super::needs;
use super::statement::Statement;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

// Yes: it let us in and answered. No: it refused the connection, is starting up or shutting down, has no session left, was
// silent for too long, or has a certificate that is expired or for another name. Not measured: the password is wrong, there
// is no such database, an authority that is unknown here: nothing is known of how the server is.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.answers",
    summary: "Whether the database lets us in and answers. No where it is down, starting up, full or silent; a fault only where we are at fault, such as a wrong password.",
    params: &[CONNECTION.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &[needs::CONNECT],
    by_hand: "psql -X {connection} -Atc 'SELECT 1'",
    examples: &[Example::call("db.answers()")],
};

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let server = Postgres::of(&connection)?;
    match server.own::<Json>(Statement::own("SELECT 1 AS one", Vec::new())).await {
        Ok(_) => Ok(Value::Bool(true)),
        Err(trouble) if trouble.ours => Err(trouble.fault),
        Err(trouble) => {
            tracing::info!(fault = %trouble.fault, "the database does not answer");
            cx.remark.say(trouble.fault.message.to_string());
            Ok(Value::Bool(false))
        }
    }
}
