//! http.answers

use http::Method;

use super::call::{Asked, CONNECTION, HEADERS, PATH, QUERY, STATUS, WITHIN, request, within};
use super::client::{Limits, send, shown};
use super::connection::Http;
use super::response::accepts;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Returns};
use crate::types::{Fault, Typed, Value};

// Yes: there was a whole answer with an accepted status. No: the server refused the connection, was silent for too long,
// broke its answer off or did not come to its end in time, spoke no HTTP, showed a certificate that is expired or for another name, or answered with another status. Not
// measured: nothing is known of the server, for the fault is on this side: no network or name server here, a proxy
// that is not there or lets nobody through, a certificate of an authority that is unknown here.
pub(super) static BUILTIN: Builtin = Builtin {
    name: "http.answers",
    summary: "Whether a server answers with a good status, and to the end. No where it is down, silent or broken; a fault only where this machine could not ask.",
    params: &[CONNECTION.info(), PATH.info(), STATUS.info(), QUERY.info(), HEADERS.info(), WITHIN.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(answers(cx, args))),
    needs: &[Need::Words("the server's HTTP port")],
    by_hand: "curl -sSL -o /dev/null -w '%{http_code}\\n' [{headers:headers}] {connection}{path}[{query:query}]",
    examples: &[
        Example::call(r#"api.answers("/health")"#),
        Example::call(r#"api.answers("/v1/models", status: [200, 401])"#),
    ],
};

async fn answers(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let http = Http::of(&connection)?;
    let Asked { request, .. } = request(http, Method::GET, &args)?;
    let url = shown(&request.url).to_owned();
    // A body of any length will do, but half of one is what a broken server gives as well.
    let limits = Limits { within: within(http, &args)?, at_most: None };
    let listed = args.get(&STATUS)?;
    match send(&http.target, request, limits).await {
        Ok(answer) => {
            let accepted = accepts(listed.as_deref(), answer.status);
            if !accepted {
                tracing::info!(url, status = answer.status.as_u16(), "the server answers with another status");
                cx.remark.say(format!("{url} answered {}", answer.status));
            }
            Ok(Value::Bool(accepted))
        }
        Err(trouble) if trouble.ours => Err(trouble.fault),
        Err(trouble) => {
            tracing::info!(url, fault = %trouble.fault, "the server does not answer");
            cx.remark.say(trouble.fault.message.to_string());
            Ok(Value::Bool(false))
        }
    }
}
