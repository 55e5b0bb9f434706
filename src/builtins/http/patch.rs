//! http.patch

use http::Method;

use super::call::{SENDING, call};
use super::reads::effect;
use super::response::Response;
use crate::catalog::need::Need;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::Typed;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "http.patch",
    summary: "Changes a part of a resource. An error status is a fault.",
    params: SENDING,
    returns: Returns::Type(Response::ty),
    effect: EffectRule::ByCall(|facts| effect("PATCH", facts)),
    body: Body::Outside(|cx, args| Box::pin(call(cx, Method::PATCH, args))),
    needs: &[Need::Words("the server's HTTP port")],
    by_hand: "curl [!status? -fsS] [status? -sS] -X PATCH -w '\\n%{http_code} in %{time_total}s\\n' [-H 'Content-Type: application/json' --data-binary {json:json}] [-H 'Content-Type:' --data-binary {body}] [{headers:headers}] {connection}{path}[{query:query}]",
    examples: &[
        Example::call(r#"change api.patch("/flags/beta", json: { on: false })"#),
        Example::call(r#"change tracker.patch("/issues/{id}", json: { state: "closed" })"#),
    ],
};
