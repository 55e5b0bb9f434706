//! http.post

use http::Method;

use super::call::{SENDING, call};
use super::reads::effect;
use super::response::Response;
use crate::catalog::need::Need;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::Typed;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "http.post",
    summary: "Sends something to a resource. An error status is a fault, unless the connection says that this POST only reads.",
    params: SENDING,
    returns: Returns::Type(Response::ty),
    effect: EffectRule::ByCall(|facts| effect("POST", facts)),
    body: Body::Outside(|cx, args| Box::pin(call(cx, Method::POST, args))),
    needs: &[Need::Words("the server's HTTP port")],
    by_hand: "curl [!status? -fsS] [status? -sS] -X POST -w '\\n%{http_code} in %{time_total}s\\n' [-H 'Content-Type: application/json' --data-binary {json:json}] [-H 'Content-Type:' --data-binary {body}] [{headers:headers}] {connection}{path}[{query:query}]",
    examples: &[
        Example::call(r#"change api.post("/indexes/documents/settings")"#),
        Example::call(
            r#"change issue = tracker.post("/issues", json: { title: "disk is nearly full", date: run.date })"#,
        ),
    ],
};
