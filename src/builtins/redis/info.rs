//! `redis.info`

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use super::connection;
use super::needs;
use super::reply;
use super::sections::{CONNECTION, WITHIN, lines, parts, within};
use crate::catalog::{Args, Body, Builtin, EffectRule, Example, Param, Returns};
use crate::types::{Fault, FaultKind, Type, Value};

const SECTION: Param<String> = Param::word(
    "section",
    "Which part of it; `default` is what `INFO` says without one, `everything` that of modules too.",
    &[
        "server",
        "clients",
        "memory",
        "persistence",
        "stats",
        "replication",
        "cpu",
        "commandstats",
        "latencystats",
        "errorstats",
        "cluster",
        "modules",
        "keyspace",
        "default",
        "all",
        "everything",
    ],
    Some(|| Value::string("default")),
);

pub(super) static BUILTIN: Builtin = Builtin {
    name: "redis.info",
    summary: "What a server says of itself, field by field as it calls them. `memory`, `clients`, `stats` and others give the same with units.",
    params: &[CONNECTION.info(), SECTION.info(), WITHIN.info()],
    returns: Returns::Type(|| Type::Data),
    effect: EffectRule::Reads,
    body: Body::Outside(|_, args| Box::pin(info(args))),
    needs: &[needs::INFO],
    by_hand: "redis-cli {connection} INFO {section}",
    examples: &[
        Example::call(r#"cache.info("memory").used_memory_lua < 1000000"#),
        Example::call(r#"cache.info("keyspace").db0.keys > 0"#),
    ],
};

async fn info(args: Args<'static>) -> Result<Value, Fault> {
    let connection = args.get(&CONNECTION)?;
    let redis = connection::of(&connection)?;
    let section = args.get(&SECTION)?;
    let text = reply::text(redis.read(&["INFO", &section], within(redis, &args)?).await?)?;
    // A section that a server does not know is an empty answer, one that says nothing has at least its title.
    if text.trim().is_empty() {
        let message = format!("this server has no section `{section}` in its `INFO`");
        return Err(Fault::new(FaultKind::Unsupported, message));
    }
    let fields: Map<String, Json> = lines(&text).map(|(name, value)| (name.to_owned(), field(value))).collect();
    Ok(Value::Data(Arc::new(Json::Object(fields))))
}

/// `keys=3,expires=1` has fields of its own.
fn field(value: &str) -> Json {
    match parts(value) {
        Some(parts) => Json::Object(parts.map(|(name, value)| (name.to_owned(), plain(value))).collect()),
        None => plain(value),
    }
}

/// What is written as a number is one: not `7.0.15`, and not the digits of an id (`00000000`, `1e5…`).
fn plain(value: &str) -> Json {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let written = digits.len() <= 20 && digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let padded = digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.");
    if !written || padded {
        return Json::from(value);
    }
    if let Ok(number) = value.parse::<i64>() {
        return Json::from(number);
    }
    match value.parse::<f64>() {
        Ok(number) if digits.contains('.') => Json::from(number),
        _ => Json::from(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::field;

    #[test]
    fn numbers_are_numbers_and_nothing_else_is() {
        assert_eq!(field("988608"), json!(988_608));
        assert_eq!(field("-1"), json!(-1));
        assert_eq!(field("1.20"), json!(1.2));
        assert_eq!(field("0"), json!(0));
        for text in ["7.0.15", "00000000", "1e5", "965.44K", "87.93%", "", "-", ".", "99999999999999999999999"] {
            assert_eq!(field(text), json!(text), "{text}");
        }
        assert_eq!(field("keys=3,expires=1,avg_ttl=0"), json!({ "keys": 3, "expires": 1, "avg_ttl": 0 }));
        assert_eq!(field("/etc/a=b/redis.conf"), json!("/etc/a=b/redis.conf"));
    }
}
