//! `kubernetes.detail`

use std::sync::Arc;

use serde_json::Value as Json;

use super::ask::{Ask, Resource};
use super::call::{CLUSTER, OWN_NAMESPACE, WITHIN, cluster, deadline, namespace};
use super::events::{self, Event};
use super::known_kinds;
use super::request::parse;
use super::resources::{KIND, refuse_secrets};
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value, records};

const NAME: Param<String> = Param::required("name", "The name of the object.");

records! {
    /// A condition of an object, as its controller sees it.
    struct Condition "condition" {
        /// What it is about: `Ready`, `Available`, `Progressing`.
        r#type: Arc<str>,
        /// `True`, `False` or `Unknown`.
        status: Arc<str>,
        /// Why, in a word.
        reason: Arc<str>,
        /// Why, in a sentence.
        message: Arc<str>,
    }
    /// An object with what is known about it.
    struct Detail "detail" {
        /// The object itself, as the API has it.
        object: Arc<Json>,
        /// Its conditions.
        conditions: Vec<Condition>,
        /// What happened to it, the last first.
        events: Vec<Event>,
    }
}

pub(super) static BUILTIN: Builtin = Builtin {
    name: "kubernetes.detail",
    summary: "What `kubectl describe` tells of an object: the object, its conditions and its events.",
    params: &[CLUSTER.info(), KIND.info(), NAME.info(), OWN_NAMESPACE.info(), WITHIN.info()],
    returns: Returns::Type(Detail::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(detail(cx, args))),
    needs: &[known_kinds::GET_WITH_EVENTS],
    by_hand: "kubectl {connection} describe [-n {namespace}] {kind} {name}",
    examples: &[Example::call(r#"cluster.detail("deployment", "gateway").conditions"#)],
};

async fn detail(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let cluster = cluster(&args)?;
    let deadline = deadline(&cluster, &args)?;
    let (namespace, name) = (namespace(&cluster, &args)?, args.get(&NAME)?);
    let resource = cluster.kind(&args.get(&KIND)?, deadline).await?;
    refuse_secrets(&resource.qualified())?;
    let ask = Ask::get(&resource, &namespace, &name)?;
    let object: Json = parse(&cluster.read_bytes(&ask, deadline).await?, &ask)?;
    let uid = object.pointer("/metadata/uid").and_then(Json::as_str).unwrap_or_default();
    let place = if resource.namespaced { &*namespace } else { super::ask::ALL };
    let about = Ask::list(&Resource::EVENTS, place)?.query("fieldSelector", format!("involvedObject.uid={uid}"));
    let mut events = cluster.list(&about, deadline, |event| events::shown(&cx, event)).await?;
    events.sort_by_key(|event| std::cmp::Reverse(event.last_seen));
    let conditions = object.pointer("/status/conditions").and_then(Json::as_array).into_iter().flatten();
    let conditions = conditions.map(|condition| {
        let text = |name: &str| Arc::from(condition.get(name).and_then(Json::as_str).unwrap_or_default());
        Condition { r#type: text("type"), status: text("status"), reason: text("reason"), message: text("message") }
    });
    Ok(Detail { conditions: conditions.collect(), events, object: Arc::new(object) }.into())
}
