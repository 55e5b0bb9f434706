//! `postgres.answers`

use super::call::{DATABASE, WITHIN, within};
use super::connection::Postgres;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, FaultKind, Typed, Value};

// No: nobody listens, the server starts up or shuts down, is silent for too long, or has no session left. Not measured: it
// did answer, and not to us: a wrong password, no such database, a certificate that is not trusted here.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "postgres.answers",
    summary: "Whether the database answers a query. No where it is down, starting or silent; a fault where this machine or the runbook could not ask.",
    params: &[DATABASE.info(), WITHIN.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &["CONNECT on the database"],
    by_hand: "psql -c 'SELECT 1'",
    examples: &[Example::call("db.answers()")],
};

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&DATABASE)?;
    let postgres = Postgres::of(&connection)?;
    let session = match postgres.session().await {
        Ok(session) => session,
        Err(trouble) if trouble.ours => return Err(trouble.fault),
        Err(trouble) => {
            cx.remark.say(trouble.fault.message.to_string());
            return Ok(Value::Bool(false));
        }
    };
    match session.rows("SELECT 1 AS one", &[], 1, within(postgres, &args)?).await {
        Ok(_) => {
            postgres.keep(session);
            Ok(Value::Bool(true))
        }
        Err(fault) if matches!(fault.kind, FaultKind::Timeout | FaultKind::Unreachable) => {
            cx.remark.say(fault.message.to_string());
            Ok(Value::Bool(false))
        }
        Err(fault) => Err(fault),
    }
}
