//! Servers of a test's own: `redis-server` on a free port, in a folder that goes with it.

use std::collections::BTreeMap;
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use super::{change, runbook, target};
use crate::harness::{Lab, Ran, left_out};

const PASSWORD: &str = "correct-horse-9";

/// A server; it ends with the test.
pub(super) struct Server {
    child: Child,
    pub(super) port: u16,
    _folder: tempfile::TempDir,
}

impl Drop for Server {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}

impl Server {
    /// Where it can be had.
    pub(super) fn start(test: &str, options: &[&str]) -> Option<Self> {
        let Some(program) = program("redis-server") else {
            left_out(test, "no redis-server: `apt-get install redis-server`");
            return None;
        };
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--bind", "127.0.0.1", "--save", "", "--dir"]).arg(folder.path());
        let child = command.args(options).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let server = Self { child, port, _folder: folder };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_secs(20), "redis-server does not start");
            std::thread::sleep(Duration::from_millis(20));
        }
        Some(server)
    }

    pub(super) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Runs statements. No output has a password in it.
pub(super) fn run(declarations: &str, statements: &str) -> Ran {
    let env = [("GOOD", PASSWORD), ("BAD", "another-secret-7")];
    let env: BTreeMap<String, String> = env.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let lab = Lab { facts: Json::Null, env };
    let secrets = "secret good = env(\"GOOD\")\nsecret bad = env(\"BAD\")";
    let ran = lab.run(&runbook(&format!("{secrets}\n{declarations}"), statements));
    for secret in lab.env.values() {
        assert!(!ran.text.contains(secret.as_str()), "a password is in the output:\n{}", ran.text);
    }
    ran
}

#[test]
fn passwords_are_wanted_wrong_and_right() {
    let Some(mut server) = Server::start("passwords_are_wanted_wrong_and_right", &["--requirepass", PASSWORD]) else {
        return;
    };
    let port = server.port;
    let declarations = format!(
        r#"
connect none = redis("127.0.0.1:{port}")
connect wrong = redis("127.0.0.1:{port}", password: bad)
connect nobody = redis("127.0.0.1:{port}", user: "nobody", password: good)
connect right = redis("127.0.0.1:{port}", password: good, database: 3)
connect beyond = redis("127.0.0.1:{port}", password: good, database: 99)
"#
    );
    let statements = r#"
    check none.answers() as "none"
    check wrong.answers() as "wrong"
    check nobody.answers() as "nobody"
    check right.answers() as "right"
    check beyond.answers() as "beyond"
    check right.setting("requirepass") == "x" as "the password itself"
    check right.setting("masterau*") == "x" as "a pattern"
    check right.setting("no-such-thing") == "x" as "no setting"
    check right.setting("maxmemory-policy") == "noeviction" as "setting"
"#;
    let ran = run(&declarations, statements);
    for (title, kind, words) in [
        ("none", "denied", "wants a password"),
        ("wrong", "denied", "does not let `default` in"),
        ("nobody", "denied", "does not let `nobody` in"),
        ("beyond", "setup", "has no database 99"),
        ("the password itself", "setup", "may hold a password"),
        ("a pattern", "setup", "is no name of a setting"),
        ("no setting", "not_found", "no-such-thing"),
    ] {
        assert_eq!(ran.outcome(title), "not_measured", "{title}: {}", ran.text);
        let (found, message) = ran.fault(title);
        assert!(found == kind && message.contains(words), "{title}: {found}: {message}");
    }
    assert_eq!((ran.outcome("right"), ran.outcome("setting")), ("passed", "passed"), "{}", ran.text);
    assert!(target(&ran, "right").starts_with(&format!("redis://127.0.0.1:{port}/3 (")), "{}", ran.text);

    server.kill();
    let ran = run(
        &format!("connect right = redis(\"127.0.0.1:{port}\", password: good)"),
        "    check right.answers() as \"down\"\n    check right.key_count() > 0 as \"counted\"\n    change right.command(\"DEL a\")",
    );
    assert_eq!(ran.outcome("down"), "failed", "{}", ran.text);
    assert_eq!(ran.fault("counted").0, "unreachable");
    assert!(ran.fault("counted").1.contains("connection refused"), "{}", ran.text);
    let refused = change(&ran, "right.command(\"DEL a\")");
    assert_eq!(refused["outcome"], "failed", "{}", ran.text);
}

#[test]
fn values_of_all_kinds_are_read_and_what_changes_is_not() {
    let Some(server) = Server::start("values_of_all_kinds_are_read_and_what_changes_is_not", &[]) else { return };
    let port = server.port;
    let filled = run(
        &format!("connect cache = redis(\"127.0.0.1:{port}\")\nparam name: string = \"a b; FLUSHALL\""),
        r#"
    change cache.command("SET text 'two  words'")
    change cache.command("SET lock:{name} held EX 100")
    change cache.command("RPUSH queue 1 2 3")
    change cache.command("HSET user:7 plan gold visits 12")
    change cache.command("SETRANGE large 3000000 x")
    change cache.command("EVAL \"redis.call('SET', KEYS[1], string.char(255, 0, 254)) return 1\" 1 binary")
    change cache.command("EVAL \"for i = 1, 1500 do redis.call('SET', 'many:' .. i, i) end return 1\" 0")
    change half = cache.command("EVAL \"redis.call('SET', 'half', 1) error('no')\" 0") as "half"
"#,
    );
    assert_eq!(change(&filled, "half")["outcome"], "unknown", "{}", filled.text);
    let declarations = format!(
        "connect cache = redis(\"127.0.0.1:{port}\", at_most: 1MiB)\nparam name: string = \"a b; FLUSHALL\"\nparam lost: string = \"FLUSHALL\""
    );
    let ran = run(
        &declarations,
        r#"
    check cache.get("text") == "two  words" as "text"
    check (cache.get("nothing") ?? "missing") == "missing" as "missing"
    check cache.get("binary") == "x" as "binary"
    check cache.get("queue") == "x" as "no string"
    check cache.get("large") == "x" as "large"
    show cache.read("GET binary") as "shown bytes"
    check cache.read("LRANGE queue 0 -1") | count == 3 as "list"
    check cache.read("HGETALL user:7").visits == "12" as "hash"
    check cache.read("GET lock:{name}") == "held" as "one word"
    check cache.read("EXISTS nothing") == 0 as "int"
    let lock = cache.key("lock:a b; FLUSHALL")
    check lock.exists and (lock.ttl ?? 0s) > 1m and lock.type == "string" as "key"
    check (lock.size ?? 0B) > 0B as "key size"
    check cache.key("nothing").exists as "no key"
    check cache.keys("lock:*") == ["lock:a b; FLUSHALL"] as "keys"
    check cache.keys("many:*") | is_empty as "too many"
    check cache.keys("many:*", at_most: 2000) | count == 1500 as "many"
    check cache.keys("nothing:*") | is_empty as "no keys"
    check cache.keyspace() | all(.keys > 1500) as "keyspace"
    check cache.read("FLUSHALL") == "x" as "flushall"
    check cache.read("{lost}") == "x" as "by a value"
    check cache.read("SET text 1") == "x" as "set"
    check cache.read("MEMORY PURGE") == "x" as "purge"
    check cache.read("MEMORY USAGE text") > 0 as "usage"
    check cache.read("memory usage text") > 0 as "small letters"
    check cache.read("CONFIG GET maxmemory") == "x" as "config"
    check cache.read("CONFIG") == "x" as "half a command"
    check cache.read("CONFIG BANANA") == "x" as "no subcommand"
    check cache.read("KEYS *") == "x" as "keys command"
    check cache.read("EVAL_RO 'return 1' 0") == "x" as "script"
    check cache.read("XREAD BLOCK 0 STREAMS s 0") == "x" as "blocks"
    check cache.read("SUBSCRIBE news") == "x" as "subscribe"
    check cache.read("SELECT 3") == "x" as "select"
    check cache.read("BANANA") == "x" as "no command"
    check cache.info("stats").evicted_keys == 0 as "info"
    check cache.persistence().append_only as "append only"
    check cache.stats().evicted == 0 as "stats"
    check cache.clients().connected_share < 50% as "clients"
    check cache.cpu().user < 1h as "cpu"
    check cache.server().uptime < 1h as "server"
    check cache.replication().role == "primary" as "role"
    check cache.replication().replicas | is_empty as "no replicas"
    check cache.replication().link_up ?? false as "no link"
    check cache.memory().max == null as "no limit"
    change cache.command("SELECT 3")
    check cache.key_count() > 1500 as "still the same database"
    show cache.slow_log() as "slow"
"#,
    );
    for title in [
        "text",
        "missing",
        "list",
        "hash",
        "one word",
        "int",
        "key",
        "key size",
        "keys",
        "many",
        "no keys",
        "keyspace",
        "usage",
        "small letters",
        "info",
        "stats",
        "clients",
        "cpu",
        "server",
        "role",
        "no replicas",
        "no limit",
        "still the same database",
    ] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    for title in ["no key", "append only", "no link"] {
        assert_eq!(ran.outcome(title), "failed", "{title}: {}", ran.text);
    }
    for (title, kind, words) in [
        ("binary", "conversion", "is not UTF-8, from byte 0 on"),
        ("no string", "failed", "WRONGTYPE"),
        ("large", "too_large", "longer than 1MiB"),
        ("too many", "too_large", "more than 1000 keys match `many:*`"),
        ("flushall", "setup", "`FLUSHALL` was not sent"),
        ("by a value", "setup", "`FLUSHALL` was not sent"),
        ("set", "setup", "the server calls it `write`"),
        ("purge", "setup", "`MEMORY PURGE` was not sent"),
        ("config", "setup", "`admin`"),
        ("half a command", "setup", "needs another word"),
        ("no subcommand", "unsupported", "knows no command `CONFIG BANANA`"),
        ("keys command", "setup", "cache.keys"),
        ("script", "setup", "`@scripting`"),
        ("blocks", "setup", "`blocking`"),
        ("subscribe", "setup", "`pubsub`"),
        ("select", "setup", "does not call it `readonly`"),
        ("no command", "unsupported", "knows no command `BANANA`"),
    ] {
        assert_eq!(ran.outcome(title), "not_measured", "{title}: {}", ran.text);
        let (found, message) = ran.fault(title);
        assert!(found == kind && message.contains(words), "{title}: {found}: {message}");
    }
    assert!(ran.shown("shown bytes").to_string().contains("\u{fffd}"), "{}", ran.text);
}

#[test]
fn a_replica_says_how_far_it_is() {
    const TEST: &str = "a_replica_says_how_far_it_is";
    let Some(mut primary) = Server::start(TEST, &["--repl-diskless-sync-delay", "0"]) else { return };
    let port = primary.port.to_string();
    let options = ["--replicaof", "127.0.0.1", &port, "--replica-serve-stale-data", "no"];
    let Some(replica) = Server::start(TEST, &options) else { return };
    let declarations = format!(
        "connect primary = redis(\"127.0.0.1:{}\")\nconnect replica = redis(\"127.0.0.1:{}\")",
        primary.port, replica.port
    );
    let ran = run(
        &declarations,
        r#"
    wait until replica.replication().link_up ?? false every 100ms within 20s
    check replica.replication().role == "replica" as "role"
    check replica.replication().syncing ?? true as "syncing"
    check (replica.replication().heard ?? 1h) < 1m as "heard"
    wait until primary.replication().replicas | any(.state == "online") every 100ms within 20s
    check primary.replication().replicas | all(.behind < 1MiB and .lag < 10s) as "near"
    change replica.command("SET a 1") as "write"
"#,
    );
    assert_eq!(ran.outcome("role"), "passed", "{}", ran.text);
    assert_eq!((ran.outcome("syncing"), ran.outcome("heard"), ran.outcome("near")), ("failed", "passed", "passed"));
    let write = change(&ran, "write");
    assert_eq!(write["outcome"], "failed", "{}", ran.text);
    assert!(write["fault"]["message"].as_str().unwrap().contains("READONLY"), "{}", ran.text);
    assert!(target(&ran, "replica").contains(", replica)"), "{}", ran.text);
    primary.kill();
    std::thread::sleep(Duration::from_millis(300));
    let ran = run(
        &declarations,
        "    check replica.answers() as \"answers\"\n    check replica.replication().link_up ?? true as \"link\"",
    );
    assert_eq!(ran.outcome("answers"), "failed", "{}", ran.text);
    assert!(ran.text.contains("MASTERDOWN"), "{}", ran.text);
    assert_eq!(ran.outcome("link"), "failed", "{}", ran.text);
}
