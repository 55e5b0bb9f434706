//! http.put

use http::Method;

use super::call::{SENDING, call};
use super::reads::effect;
use super::response::Response;
use crate::catalog::need::Need;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::Typed;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "http.put",
    summary: "Sets a resource. An error status is a fault.",
    params: SENDING,
    returns: Returns::Type(Response::ty),
    effect: EffectRule::ByCall(|facts| effect("PUT", facts)),
    body: Body::Outside(|cx, args| Box::pin(call(cx, Method::PUT, args))),
    needs: &[Need::Words("the server's HTTP port")],
    by_hand: "curl [!status? -fsS] [status? -sS] -X PUT -w '\\n%{http_code} in %{time_total}s\\n' [-H 'Content-Type: application/json' --data-binary {json:json}] [-H 'Content-Type:' --data-binary {body}] [{headers:headers}] {connection}{path}[{query:query}]",
    examples: &[Example::call(r#"change api.put("/flags/beta", json: { on: false })"#)],
};
