//! What the calls of Redis need: rules of an ACL.

use super::command::COMMAND as WORDS;
use super::key::KEY;
use crate::catalog::need::{Argument, Need, Right, Written};

/// Needs of one rule each, whatever is written in the call.
macro_rules! rules {
    ($($name:ident = $rule:literal;)*) => {$(
        pub(super) const $name: Need =
            Need::Granted { words: concat!("ACL ", $rule), rights: |_| vec![rule($rule)] };
    )*};
}

rules! {
    INFO = "+info";
    PING = "+ping";
    COUNT = "+dbsize";
    SCAN = "+scan";
    SLOW_LOG = "+slowlog|get";
    SETTING = "+config|get";
    DOCTOR = "+memory|doctor";
}

/// Of the connection itself, where it is about another database than the first.
pub(super) const SELECT: Need = Need::Granted {
    words: "ACL +select, where `database` is given",
    rights: |written| match (written.argument)("database") {
        Argument::Absent => Vec::new(),
        _ => vec![rule("+select")],
    },
};

pub(super) const GET: Need =
    Need::Granted { words: "ACL +get, and ~PATTERN for the key", rights: |written| of_key(written, &["+get"]) };

pub(super) const KEY_FACTS: Need = Need::Granted {
    words: "ACL +type +pttl +memory|usage, and ~PATTERN for the key",
    rights: |written| of_key(written, &["+type", "+pttl", "+memory|usage"]),
};

pub(super) const COMMAND: Need =
    Need::Granted { words: "ACL + the command, and ~PATTERN for its keys", rights: of_command };

pub(super) const READ: Need = Need::Granted {
    words: "ACL +command|info + the command, and ~PATTERN for its keys",
    rights: |written| std::iter::once(rule("+command|info")).chain(of_command(written)).collect(),
};

/// Commands whose second word says which one is meant.
const CONTAINERS: &[&str] = &[
    "acl", "client", "cluster", "command", "config", "debug", "function", "latency", "memory", "module", "object",
    "pubsub", "script", "slowlog", "xgroup", "xinfo",
];

/// Commands of the whole server: what stands behind them is no key.
const KEYLESS: &[&str] = &[
    "acl",
    "bgrewriteaof",
    "bgsave",
    "client",
    "cluster",
    "command",
    "config",
    "dbsize",
    "debug",
    "echo",
    "failover",
    "flushall",
    "flushdb",
    "function",
    "info",
    "lastsave",
    "latency",
    "module",
    "ping",
    "pubsub",
    "replicaof",
    "role",
    "save",
    "script",
    "shutdown",
    "slowlog",
    "time",
    "wait",
];

/// Commands of one key, which is the word behind them.
#[rustfmt::skip]
const OF_ONE_KEY: &[&str] = &[
    "append", "bitcount", "bitfield", "decr", "decrby", "dump", "expire", "expireat", "expiretime", "geoadd", "geodist",
    "geohash", "geopos", "geosearch", "get", "getbit", "getdel", "getex", "getrange", "getset", "hdel", "hexists",
    "hget", "hgetall", "hincrby", "hincrbyfloat", "hkeys", "hlen", "hmget", "hmset", "hrandfield", "hscan", "hset",
    "hsetnx", "hstrlen", "hvals", "incr", "incrby", "incrbyfloat", "lindex", "linsert", "llen", "lpop", "lpos", "lpush",
    "lpushx", "lrange", "lrem", "lset", "ltrim", "persist", "pexpire", "pexpireat", "pfadd", "psetex", "pttl",
    "restore", "rpop", "rpush", "rpushx", "sadd", "scard", "set", "setbit", "setex", "setnx", "setrange", "sismember",
    "smembers", "smismember", "spop", "srandmember", "srem", "sscan", "strlen", "ttl", "type", "xack", "xadd",
    "xautoclaim", "xclaim", "xdel", "xlen", "xpending", "xrange", "xrevrange", "xtrim", "zadd", "zcard", "zcount",
    "zincrby", "zlexcount", "zpopmax", "zpopmin", "zrandmember", "zrange", "zrangebylex", "zrangebyscore", "zrank",
    "zrem", "zremrangebyrank", "zremrangebyscore", "zrevrange", "zrevrank", "zscan", "zscore",
];

fn rule(rule: &str) -> Right {
    Right::Redis { rule: rule.to_owned() }
}

fn of_key(written: &Written<'_>, commands: &[&str]) -> Vec<Right> {
    let keys = (written.argument)(KEY.name());
    let keys = keys.patterns().iter().map(|key| rule(&format!("~{key}")));
    commands.iter().map(|command| rule(command)).chain(keys).collect()
}

/// The command itself, and its keys. Which words of a rarer command are keys only the server knows: each may be one.
fn of_command(written: &Written<'_>) -> Vec<Right> {
    let mut rights = Vec::new();
    for text in (written.argument)(WORDS.name()).patterns() {
        let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let Some(first) = words.first() else { continue };
        let container = CONTAINERS.contains(&first.as_str());
        match words.get(1).filter(|_| container) {
            Some(second) if second.contains('*') => rights.push(rule(&format!("+{first}"))),
            Some(second) => rights.push(rule(&format!("+{first}|{second}"))),
            None => rights.push(rule(&format!("+{first}"))),
        }
        let keyless =
            KEYLESS.contains(&first.as_str()) || (first == "memory" && words.get(1).is_none_or(|w| w != "usage"));
        if !keyless {
            let behind = text.split_whitespace().skip(if container { 2 } else { 1 });
            let most = if OF_ONE_KEY.contains(&first.as_str()) { 1 } else { usize::MAX };
            rights.extend(behind.take(most).map(|word| rule(&format!("~{}", word.trim_matches(['"', '\''])))));
        }
    }
    rights
}
