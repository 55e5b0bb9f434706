//! http.get

use http::Method;

use super::call::{CONNECTION, HEADERS, PATH, QUERY, STATUS, WITHIN, call};
use super::response::Response;
use crate::catalog::need::Need;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::Typed;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "http.get",
    summary: "Asks for a page or a resource. An error status is no fault: `.ok` and `.status` say it, and `.text` and `.json` are not to be had.",
    params: &[CONNECTION.info(), PATH.info(), QUERY.info(), HEADERS.info(), WITHIN.info(), STATUS.info()],
    returns: Returns::Type(Response::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(call(cx, Method::GET, args))),
    needs: &[Need::Words("the server's HTTP port")],
    by_hand: "curl [!status? -fsSL] [status? -sSL] -w '\\n%{http_code} in %{time_total}s\\n' [{headers:headers}] {connection}{path}[{query:query}]",
    examples: &[Example::call(r#"api.get("/health").ok"#), Example::call(r#"api.get("/tasks/{id}").json.status"#)],
};
