//! What the shell and other languages call things, and what it is called here: for "did you mean" and `runbook doc`.

/// Names that have another one here, for the very same thing.
const NAMES: &[(&str, &str)] = &[
    ("avg", "average"),
    ("capitalize", "upper"),
    ("distinct_by", "distinct"),
    ("duration", "parse_duration"),
    ("endswith", "ends_with"),
    ("every", "all"),
    ("exists", "any"),
    ("filter", "where"),
    ("find", "where"),
    ("flat_map", "flatten"),
    ("float", "parse_json"),
    ("foreach", "each"),
    ("freq", "count_by"),
    ("from_json", "parse_json"),
    ("fromjson", "parse_json"),
    ("gsub", "replace"),
    ("groupby", "group_by"),
    ("head", "take"),
    ("includes", "contains"),
    ("int", "parse_json"),
    ("is_null", "is_empty"),
    ("items", "entries"),
    ("jq", "parse_json"),
    ("json", "parse_json"),
    ("len", "length"),
    ("limit", "take"),
    ("lowercase", "lower"),
    ("map", "each"),
    ("mean", "average"),
    ("mod", "remainder"),
    ("modulo", "remainder"),
    ("number", "parse_json"),
    ("object_keys", "keys"),
    ("order_by", "sort"),
    ("orderby", "sort"),
    ("parse_float", "parse_json"),
    ("parse_int", "parse_json"),
    ("parse_number", "parse_json"),
    ("rev", "reverse"),
    ("select", "where"),
    ("size", "count"),
    ("some", "any"),
    ("sort_by", "sort"),
    ("startswith", "starts_with"),
    ("strip", "trim"),
    ("sub", "replace"),
    ("tac", "reverse"),
    ("to_duration", "parse_duration"),
    ("to_entries", "entries"),
    ("to_float", "parse_json"),
    ("to_int", "parse_json"),
    ("to_lower", "lower"),
    ("to_number", "parse_json"),
    ("to_upper", "upper"),
    ("tonumber", "parse_json"),
    ("total", "sum"),
    ("uniq", "distinct"),
    ("unique", "distinct"),
    ("uppercase", "upper"),
    ("wc", "count"),
];

/// What makes a time of a text.
const TIMES: &str = "a text of data that spells an instant is one beside a time: `.at > run.started_at - 1h`; a tool says in its type what a field is: `-> list<{ at: time }>`";

/// Programs and functions whose place something else takes: what to write.
const WAYS: &[(&str, &str)] = &[
    (
        "amtool",
        "declare `connect name = alertmanager(\"http://…\")` and write `name.alerts()` or `change name.silence(…)`",
    ),
    ("awk", "write `… | each(…)` or `… | where(…)`"),
    ("aws", "declare `connect name = s3(bucket: \"bucket\")` and write `name.list(\"prefix/\")`"),
    ("cat", "write `host.text(\"/path\")`, or `logs(file: \"/path\")` for a log"),
    ("concat", "write `[xs, ys] | flatten` for lists, and `\"{a}{b}\"` for texts"),
    (
        "curl",
        "declare `connect name = http(\"https://…\")` and write `name.get(\"/path\")` or `name.answers(\"/path\")`",
    ),
    ("cut", "write `… | split(by: \" \")` or `… | capture(/…/)`"),
    ("date", "write `run.date` or `run.started_at`"),
    ("df", "write `host.disks()` or `host.disk(\"/path\")`"),
    ("dig", "write `dns.lookup(\"name\")`"),
    ("echo", "write `show …`"),
    ("env", "write `host.variable(\"NAME\")`; for a secret, declare `secret name = env(\"NAME\")`"),
    ("exec", "declare `tool name() = argv(\"program\", \"argument\")` and call `name()`"),
    ("fetch", "declare `connect name = http(\"https://…\")` and write `name.get(\"/path\")`"),
    ("free", "write `host.memory()`"),
    ("getenv", "write `host.variable(\"NAME\")`; for a secret `secret name = env(\"NAME\")`"),
    ("grep", "write `… | where(.text ~ /pattern/)` for lines, and `… | where(it ~ /pattern/)` for texts"),
    ("hostname", "write `host.facts().hostname`"),
    ("journalctl", "write `logs(file: \"/var/log/syslog\", since: 2h)`"),
    ("ls", "write `host.files(\"/path/*\")`"),
    ("lsof", "write `host.listeners()`"),
    ("match", "write `text ~ /pattern/`"),
    ("matches", "write `text ~ /pattern/`"),
    ("nc", "write `host.port(443, host: \"name\").open`"),
    ("netstat", "write `host.listeners()`"),
    ("now", "write `run.started_at`"),
    ("nproc", "write `host.facts().cores`"),
    ("nslookup", "write `dns.lookup(\"name\")`"),
    ("openssl", "write `tls.certificate(\"name:443\")`"),
    ("percentile", "write `p50`, `p90`, `p95` or `p99`"),
    ("parse_time", TIMES),
    ("pgrep", "write `host.processes() | where(.name == \"name\")`"),
    ("print", "write `show …`"),
    ("printf", "write `show …`"),
    ("promtool", "declare `connect name = prometheus(\"http://…\")` and write `name.query('up')`"),
    ("ps", "write `host.processes()`"),
    ("pwd", "paths start from the folder of the runbook"),
    ("range", "write the list: `[1, 2, 3]`"),
    ("reduce", "write `sum(…)`, `min(…)`, `max(…)` or `join(…)`"),
    ("regex", "a pattern is written between slashes: `/error/i`"),
    ("sed", "write `… | replace(\"this\", \"that\")` or `… | capture(/…/)`"),
    ("service", "write `host.unit(\"name\").active`"),
    ("sleep", "write `wait until condition every 5s within 10m`"),
    ("ss", "write `host.listeners()`"),
    ("stat", "write `host.file(\"/path\")`"),
    ("systemctl", "write `host.unit(\"name\").active`, or `host.units()`"),
    ("tail", "write `… | last` or `… | skip(n)`"),
    ("test", "write `host.file(\"/path\").exists`"),
    ("to_time", TIMES),
    ("today", "write `run.date`"),
    ("uname", "write `host.facts()`"),
    ("uptime", "write `host.load()` or `host.facts().uptime`"),
    ("wget", "declare `connect name = http(\"https://…\")` and write `name.get(\"/path\")`"),
];

/// Arguments that have another name here.
const ARGUMENTS: &[(&str, &str)] = &[
    ("count", "n"),
    ("deadline", "within"),
    ("desc", "descending"),
    ("key", "by"),
    ("last", "since"),
    ("limit", "at_most"),
    ("max", "at_most"),
    ("path", "file"),
    ("reverse", "descending"),
    ("timeout", "within"),
    ("token", "bearer"),
    ("verify", "insecure"),
];

/// Values that have another name here.
const VALUES: &[(&str, &str)] =
    &[("nil", "null"), ("no", "false"), ("none", "null"), ("undefined", "null"), ("yes", "true")];

/// What a value is called here that is called so elsewhere.
#[must_use]
pub fn value_of(word: &str) -> Option<&'static str> {
    found(VALUES, word)
}

/// What something is called here that is called so elsewhere.
#[must_use]
pub fn name_of(word: &str) -> Option<&'static str> {
    found(NAMES, word)
}

/// What to write in the place of a program or a function.
#[must_use]
pub fn way_of(word: &str) -> Option<&'static str> {
    found(WAYS, word)
}

/// What an argument is called here.
#[must_use]
pub fn argument_of(word: &str) -> Option<&'static str> {
    found(ARGUMENTS, word)
}

fn found(table: &[(&str, &'static str)], word: &str) -> Option<&'static str> {
    table.iter().find(|(known, _)| known.eq_ignore_ascii_case(word)).map(|(_, here)| *here)
}
