//! dns.resolves

use jiff::SignedDuration;

use crate::builtins::dial::{self, Place, Progress, name::resolve};
use crate::builtins::settings::limit;
use crate::catalog::need::Need;
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, Typed, Value};
const NAME: Param<String> = Param::required("name", "The name, as a program on this machine would use it.");
const WITHIN: Param<SignedDuration> =
    Param::or("within", "How long the answer may take.", || Value::Duration(SignedDuration::from_secs(5)));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "dns.resolves",
    summary: "Whether this machine finds an address for a name, its hosts file included. A fault where its name server does not answer.",
    params: &[NAME.info(), WITHIN.info()],
    returns: Returns::Type(bool::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(resolves(args))),
    needs: &[Need::Words("this machine's name server")],
    by_hand: "getent hosts {name}",
    examples: &[Example::call(r#"dns.resolves("db.internal.example")"#)],
};

async fn resolves(args: Args<'static>) -> Result<Value, Fault> {
    let place = Place { host: args.get(&NAME)?, port: 0 };
    let within = limit(args.get(&WITHIN)?)?;
    let progress = Progress::default();
    progress.looking_up(&place.host);
    match dial::within(within, &"this machine's name server", &progress, resolve(&place)).await {
        Ok(_) => Ok(Value::Bool(true)),
        Err(trouble) if trouble.ours => Err(trouble.fault),
        Err(_) => Ok(Value::Bool(false)),
    }
}
