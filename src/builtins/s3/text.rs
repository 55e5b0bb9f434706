//! `s3.text`

use http::Method;

use super::ask::{Ask, ask};
use super::connection::S3;
use super::needs;
use super::{CONNECTION, KEY};
use crate::catalog::{Args, Body, Builtin, Cx, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Size, Typed, Value};

const AT_MOST: Param<Size> =
    Param::or("at_most", "How large it may be. A larger one is a fault.", || Value::Size(1 << 20));

pub(super) static BUILTIN: Builtin = Builtin {
    name: "s3.text",
    summary: "What a small object holds, as text: a manifest, a marker, a report. What is not UTF-8 is a fault.",
    params: &[CONNECTION.info(), KEY.info(), AT_MOST.info()],
    returns: Returns::Type(String::ty),
    effect: EffectRule::Reads,
    body: Body::Outside(|cx, args| Box::pin(text(cx, args))),
    needs: &[needs::GET],
    by_hand: "aws {connection} s3 cp s3://{connection.bucket}/{key} -",
    examples: &[Example::call(r#"backups.text("postgres/latest.json") | parse_json"#)],
};

async fn text(cx: Cx, args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let s3 = S3::of(&connection)?;
    let key = args.get(&KEY)?;
    let at_most = usize::try_from(args.get(&AT_MOST)?.0)
        .map_err(|_| Fault::new(FaultKind::Setup, "`at_most` cannot be negative"))?;
    let question = Ask { at_most, ..Ask::read(s3, Method::GET, Some(&key), "s3:GetObject") };
    let answer = ask(&cx, s3, &question).await.map_err(|fault| match fault.kind {
        FaultKind::TooLarge => {
            let message = format!("`{key}` is larger than {}", Value::Size(i64::try_from(at_most).unwrap_or(i64::MAX)));
            Fault::new(FaultKind::TooLarge, message).help("say `at_most:` for more, as in `text(key, at_most: 10MiB)`")
        }
        _ => fault,
    })?;
    let text = String::from_utf8(answer.body).map_err(|error| {
        let from = error.utf8_error().valid_up_to();
        Fault::new(FaultKind::BadAnswer, format!("`{key}` is not UTF-8, from byte {from} on"))
    })?;
    Ok(Value::string(text))
}
