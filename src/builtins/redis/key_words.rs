//! Which words of a command are keys. Of a command that is not here, only the server knows.

/// The words that have to be granted, and what nobody knows of them.
#[derive(Default)]
pub(super) struct Of<'w> {
    pub(super) keys: Vec<&'w str>,
    pub(super) channels: Vec<&'w str>,
    pub(super) unclear: Option<&'static str>,
}

/// Commands whose second word says which one is meant.
const CONTAINERS: &[&str] = &[
    "acl", "client", "cluster", "command", "config", "debug", "function", "latency", "memory", "module", "object",
    "pubsub", "script", "slowlog", "xgroup", "xinfo",
];

/// Those of them that have a key behind the second word.
const OF_A_KEY: &[(&str, &[&str])] = &[
    ("memory", &["usage"]),
    ("object", &["encoding", "freq", "idletime", "refcount"]),
    ("xgroup", &["create", "createconsumer", "delconsumer", "destroy", "setid"]),
    ("xinfo", &["consumers", "groups", "stream"]),
];

/// Commands of the whole server, or of a connection: what stands behind them is no key.
#[rustfmt::skip]
const KEYLESS: &[&str] = &[
    "bgrewriteaof", "bgsave", "dbsize", "echo", "failover", "flushall", "flushdb", "info", "keys", "lastsave", "lolwut",
    "ping", "randomkey", "replicaof", "role", "save", "scan", "select", "shutdown", "slaveof", "swapdb", "time", "wait",
    "waitaof",
];

/// Commands of one key, which is the word behind them.
#[rustfmt::skip]
const OF_ONE: &[&str] = &[
    "append", "bitcount", "bitfield", "bitfield_ro", "bitpos", "decr", "decrby", "dump", "expire", "expireat",
    "expiretime", "geoadd", "geodist", "geohash", "geopos", "geosearch", "get", "getbit", "getdel", "getex", "getrange",
    "getset", "hdel", "hexists", "hexpire", "hget", "hgetall", "hincrby", "hincrbyfloat", "hkeys", "hlen", "hmget",
    "hmset", "hpersist", "hrandfield", "hscan", "hset", "hsetnx", "hstrlen", "httl", "hvals", "incr", "incrby",
    "incrbyfloat", "lindex", "linsert", "llen", "lpop", "lpos", "lpush", "lpushx", "lrange", "lrem", "lset", "ltrim",
    "move", "persist", "pexpire", "pexpireat", "pexpiretime", "pfadd", "psetex", "pttl", "restore", "rpop", "rpush",
    "rpushx", "sadd", "scard", "set", "setbit", "setex", "setnx", "setrange", "sismember", "smembers", "smismember",
    "spop", "srandmember", "srem", "sscan", "strlen", "substr", "ttl", "type", "xack", "xadd", "xautoclaim", "xclaim",
    "xdel", "xlen", "xpending", "xrange", "xrevrange", "xsetid", "xtrim", "zadd", "zcard", "zcount", "zincrby",
    "zlexcount", "zmscore", "zpopmax", "zpopmin", "zrandmember", "zrange", "zrangebylex", "zrangebyscore", "zrank",
    "zrem", "zremrangebylex", "zremrangebyrank", "zremrangebyscore", "zrevrange", "zrevrangebylex", "zrevrangebyscore",
    "zrevrank", "zscan", "zscore",
];

/// Commands of two keys.
#[rustfmt::skip]
const OF_TWO: &[&str] = &[
    "blmove", "brpoplpush", "copy", "geosearchstore", "lcs", "lmove", "rename", "renamenx", "rpoplpush", "smove",
    "zrangestore",
];

/// Commands whose words are all keys.
#[rustfmt::skip]
const OF_ALL: &[&str] = &[
    "del", "exists", "mget", "pfcount", "pfmerge", "sdiff", "sdiffstore", "sinter", "sinterstore", "sunion",
    "sunionstore", "touch", "unlink", "watch",
];

/// Keys, and a time at the end.
const OF_ALL_BUT_LAST: &[&str] = &["blpop", "brpop", "bzpopmax", "bzpopmin"];

/// A key and a value in turn.
const OF_EVERY_SECOND: &[&str] = &["mset", "msetnx"];

/// Where the number of keys stands that come behind it.
#[rustfmt::skip]
const NUMBERED: &[(&str, usize)] = &[
    ("blmpop", 2), ("bzmpop", 2), ("lmpop", 1), ("sintercard", 1), ("zdiff", 1), ("zdiffstore", 2), ("zinter", 1),
    ("zintercard", 1), ("zinterstore", 2), ("zmpop", 1), ("zunion", 1), ("zunionstore", 2),
    ("eval", 2), ("eval_ro", 2), ("evalsha", 2), ("evalsha_ro", 2), ("fcall", 2), ("fcall_ro", 2),
];

/// Commands that call others.
const SCRIPTS: &[&str] = &["eval", "eval_ro", "evalsha", "evalsha_ro", "fcall", "fcall_ro"];

const KEYS_UNCLEAR: &str = "which of its words are keys: `~PATTERN` for each of them";
const SCRIPT_UNCLEAR: &str =
    "the commands that the script calls: `+COMMAND` for each, and `~PATTERN` for keys that are not said with it";

pub(super) fn is_container(first: &str) -> bool {
    CONTAINERS.contains(&first)
}

/// Of a command, `first` in small letters.
pub(super) fn of<'w>(first: &str, words: &[&'w str]) -> Of<'w> {
    let behind = |from: usize| words.get(from..).unwrap_or_default();
    let some = |keys: &[&'w str]| Of { keys: keys.to_vec(), ..Of::default() };
    let unclear = || Of { unclear: Some(KEYS_UNCLEAR), ..Of::default() };
    if let Some((_, at)) = NUMBERED.iter().find(|(name, _)| *name == first) {
        // Where the keys are stored is a key itself.
        let mut keys: Vec<&str> = words.get(1).copied().filter(|_| first.ends_with("store")).into_iter().collect();
        let count = words.get(*at).and_then(|count| count.parse::<usize>().ok());
        let unclear = if SCRIPTS.contains(&first) { Some(SCRIPT_UNCLEAR) } else { None };
        let Some(count) = count else {
            return Of { keys, unclear: unclear.or(Some(KEYS_UNCLEAR)), ..Of::default() };
        };
        keys.extend(behind(at + 1).iter().take(count));
        return Of { keys, unclear, ..Of::default() };
    }
    if is_container(first) {
        let second = words.get(1).map(|word| word.to_lowercase()).unwrap_or_default();
        let mut with_key = OF_A_KEY.iter().filter(|(name, _)| *name == first);
        let has_key = with_key.any(|(_, all)| all.contains(&second.as_str()));
        return some(behind(if has_key { 2 } else { words.len() }).get(..1).unwrap_or_default());
    }
    match first {
        _ if KEYLESS.contains(&first) => Of::default(),
        _ if OF_ONE.contains(&first) => some(words.get(1..2).unwrap_or_default()),
        _ if OF_TWO.contains(&first) => some(words.get(1..3).unwrap_or_default()),
        _ if OF_ALL.contains(&first) => some(behind(1)),
        _ if OF_ALL_BUT_LAST.contains(&first) => some(behind(1).split_last().map(|(_, keys)| keys).unwrap_or_default()),
        _ if OF_EVERY_SECOND.contains(&first) => some(&behind(1).iter().copied().step_by(2).collect::<Vec<_>>()),
        "bitop" => some(behind(2)),
        "publish" | "spublish" => Of { channels: words.get(1).copied().into_iter().collect(), ..Of::default() },
        // `STREAMS a b 0 0`
        "xread" | "xreadgroup" => match words.iter().position(|word| word.eq_ignore_ascii_case("streams")) {
            Some(at) => {
                let all = behind(at + 1);
                some(all.get(..all.len() / 2).unwrap_or_default())
            }
            None => unclear(),
        },
        _ => unclear(),
    }
}
