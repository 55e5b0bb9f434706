//! http.head

use http::Method;

use super::call::{CONNECTION, HEADERS, PATH, QUERY, STATUS, WITHIN, call};
use super::response::Response;
use crate::catalog::need::Need;
use crate::catalog::{Body, Builtin, EffectRule, Example, Returns};
use crate::types::Typed;

pub(super) static BUILTIN: Builtin = Builtin {
    name: "http.head",
    summary: "Asks for the headers of a resource only.",
    params: &[CONNECTION.info(), PATH.info(), QUERY.info(), HEADERS.info(), WITHIN.info(), STATUS.info()],
    returns: Returns::Type(Response::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(call(cx, Method::HEAD, args))),
    needs: &[Need::Words("the server's HTTP port")],
    by_hand: "curl [!status? -fsSLI] [status? -sSLI] [{headers:headers}] {connection}{path}[{query:query}]",
    examples: &[Example::call(r#"api.head("/backup.tar").headers"#)],
};
