//! What a run makes of servers that are loading, silent, old, cut off, or no Redis at all.

use std::time::{Duration, Instant};

use super::own::run;
use super::stand_in::{Reply, StandIn, hello, say};
use super::{change, target};

fn connect(stand_in: &StandIn, more: &str) -> String {
    format!("connect cache = redis(\"127.0.0.1:{}\"{more})", stand_in.port)
}

#[test]
fn a_server_that_is_loading_does_not_answer() {
    let server = StandIn::start(|_, words| match words[0].as_str() {
        "HELLO" => hello(),
        _ => say("-LOADING Redis is loading the dataset in memory\r\n"),
    });
    let ran = run(
        &connect(&server, ""),
        "    check cache.answers() as \"answers\"\n    check cache.key_count() > 0 as \"counted\"",
    );
    assert_eq!(ran.outcome("answers"), "failed", "{}", ran.text);
    assert!(ran.text.contains("LOADING Redis is loading"), "{}", ran.text);
    assert_eq!(ran.fault("counted").0, "failed", "{}", ran.text);
}

#[test]
fn silence_ends_with_its_limit() {
    let server = StandIn::start(|_, words| if words[0] == "HELLO" { hello() } else { Reply::Silence });
    let mute = StandIn::start(|_, _| Reply::Silence);
    let start = Instant::now();
    let ran = run(
        &format!("{}\nconnect mute = redis(\"127.0.0.1:{}\", within: 1s)", connect(&server, ", within: 1s"), mute.port),
        r#"
    check cache.answers() as "answers"
    check cache.key_count() > 0 as "counted"
    check mute.answers() as "mute"
    change cache.command("DEL a") as "late"
    change mute.command("DEL a") as "never sent"
"#,
    );
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert_eq!((ran.outcome("answers"), ran.outcome("mute")), ("failed", "failed"), "{}", ran.text);
    let (kind, message) = ran.fault("counted");
    assert!(kind == "timeout" && message.contains("within 1s: waiting for the answer"), "{message}");
    let late = change(&ran, "late");
    assert_eq!((&late["outcome"], &late["fault"]["sent"]), (&"unknown".into(), &true.into()), "{}", ran.text);
    assert!(!mute.asked().iter().any(|command| command.starts_with("DEL")), "{:?}", mute.asked());
}

#[test]
fn a_change_that_never_went_out_has_failed() {
    let mute = StandIn::start(|_, _| Reply::Silence);
    let ran = run(&connect(&mute, ", within: 1s"), "    change cache.command(\"DEL a\") as \"never sent\"");
    let ended = change(&ran, "never sent");
    assert_eq!(ended["outcome"], "failed", "{}", ran.text);
    assert!(ended["fault"]["message"].as_str().unwrap().contains("nothing was sent"), "{}", ran.text);
}

#[test]
fn a_read_is_asked_again_on_a_new_connection_and_a_change_is_not() {
    // The first connection is cut in the middle of its answer, and all others for some commands.
    let server = StandIn::start(|number, words| match (words[0].as_str(), number) {
        ("HELLO", _) => hello(),
        ("DBSIZE", 0) => Reply::Last(b":4".to_vec()),
        ("DBSIZE", _) => say(":42\r\n"),
        _ => Reply::Last(b"$100\r\nhalf".to_vec()),
    });
    let ran = run(&connect(&server, ""), "    check cache.key_count() == 42 as \"counted\"");
    assert_eq!(ran.outcome("counted"), "passed", "{}", ran.text);
    let ran = run(
        &connect(&server, ""),
        "    check cache.get(\"a\") == \"x\" as \"always cut\"\n    change cache.command(\"DEL a\") as \"cut\"",
    );
    assert_eq!(ran.fault("always cut").0, "unreachable", "{}", ran.text);
    let cut = change(&ran, "cut");
    assert_eq!((&cut["outcome"], &cut["fault"]["sent"]), (&"unknown".into(), &true.into()), "{}", ran.text);
    let asked = server.asked();
    let times = |command: &str| asked.iter().filter(|one| one.starts_with(command)).count();
    assert_eq!((times("DBSIZE"), times("GET"), times("DEL")), (2, 2, 1), "{asked:?}");
}

#[test]
fn an_old_server_is_believed_only_where_it_can_say_it() {
    // Redis 6: no HELLO in its ACL-less ancestors, one entry for all that begins with MEMORY.
    let server = StandIn::start(|_, words| {
        let line = words.join(" ").to_lowercase();
        match line.as_str() {
            "command info memory" => say(
                "*1\r\n*7\r\n$6\r\nmemory\r\n:-2\r\n*3\r\n+readonly\r\n+random\r\n+movablekeys\r\n:0\r\n:0\r\n:0\r\n*1\r\n+@read\r\n",
            ),
            "command info get" => {
                say("*1\r\n*7\r\n$3\r\nget\r\n:2\r\n*2\r\n+readonly\r\n+fast\r\n:1\r\n:1\r\n:1\r\n*1\r\n+@read\r\n")
            }
            "get a" => say("$1\r\nb\r\n"),
            "ping" => say("+PONG\r\n"),
            // It repeats what it was sent.
            _ if line.starts_with("hello") => {
                let args: Vec<String> = words[1..].iter().map(|word| format!("`{word}`")).collect();
                say(&format!("-ERR unknown command `HELLO`, with args beginning with: {}\r\n", args.join(", ")))
            }
            _ if line.starts_with("auth") => say("+OK\r\n"),
            _ => say("-ERR unknown command\r\n"),
        }
    });
    let ran = run(
        &connect(&server, ", password: good"),
        r#"
    check cache.answers() as "answers"
    check cache.read("GET a") == "b" as "get"
    check cache.read("MEMORY PURGE") == "x" as "purge"
"#,
    );
    assert_eq!((ran.outcome("answers"), ran.outcome("get")), ("passed", "passed"), "{}", ran.text);
    let (kind, message) = ran.fault("purge");
    assert!(kind == "unsupported" && message.contains("too old to say"), "{message}");
    assert!(!server.asked().iter().any(|command| command.contains("PURGE")), "{:?}", server.asked());
    assert_eq!(target(&ran, "cache"), format!("redis://127.0.0.1:{}/0", server.port));
}

#[test]
fn what_may_not_be_asked_is_not_guessed() {
    let server = StandIn::start(|_, words| match words[0].as_str() {
        "HELLO" => hello(),
        "COMMAND" => say("-NOPERM User default has no permissions to run the 'command|info' command\r\n"),
        _ => say("$1\r\nb\r\n"),
    });
    let ran = run(&connect(&server, ""), "    check cache.read(\"GET a\") == \"b\" as \"read\"");
    let (kind, message) = ran.fault("read");
    assert!(kind == "denied" && message.contains("`ACL SETUSER default +command|info`"), "{message}");
    assert!(!server.asked().iter().any(|command| command.starts_with("GET")), "{:?}", server.asked());
}

#[test]
fn what_is_no_redis_is_called_so() {
    let web = StandIn::start(|_, _| Reply::Last(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n".to_vec()));
    let huge = StandIn::start(|_, words| match words[0].as_str() {
        "HELLO" => hello(),
        "DBSIZE" => say("*2000000000\r\n"),
        "INFO" => say("%-1\r\n"),
        _ => say(&format!("{}:1\r\n", "*1\r\n".repeat(400))),
    });
    let endless = StandIn::start(|_, words| {
        if words[0] == "HELLO" {
            hello()
        } else {
            Reply::Say([b"$600000000\r\n".as_slice(), &vec![b'x'; 8 << 20]].concat())
        }
    });
    let ran = run(
        &format!(
            "connect web = redis(\"127.0.0.1:{}\")\nconnect huge = redis(\"127.0.0.1:{}\", within: 1s)\nconnect endless = redis(\"127.0.0.1:{}\")",
            web.port, huge.port, endless.port
        ),
        r#"
    check web.answers() as "web"
    check web.key_count() > 0 as "web counted"
    check huge.key_count() > 0 as "huge"
    check huge.memory().used > 0B as "negative"
    check huge.get("a") == "x" as "deep"
    check endless.get("a") == "x" as "endless"
"#,
    );
    assert_eq!(ran.outcome("web"), "failed", "{}", ran.text);
    assert_eq!(ran.fault("web counted").0, "bad_answer");
    for (title, kind) in
        [("huge", "timeout"), ("negative", "timeout"), ("deep", "bad_answer"), ("endless", "too_large")]
    {
        assert_eq!(ran.fault(title).0, kind, "{title}: {:?}", ran.fault(title));
    }
}

#[test]
fn a_connection_is_set_up_in_one_way() {
    for (declaration, words) in [
        ("redis()", "needs its host"),
        ("redis(\"redis://ops:hunter22@h\")", "credentials"),
        ("redis(\"h\", user: \"ops\")", "with which password"),
        ("redis(\"h\", change_user: \"ops\")", "with which password"),
        ("redis(\"h\", change_password: good)", "there is none"),
        ("redis(\"h:6380\", port: 6381)", "keep one of them"),
        ("redis(\"rediss://h\", tls: false)", "keep one of them"),
        ("redis(\"h\", ca: \"./ca.pem\")", "tls: true"),
        ("redis(\"h\", insecure: true)", "tls: true"),
        ("redis(\"h\", port: 0)", "from 1 to 65535"),
        ("redis(\"h\", at_once: 0)", "at least 1"),
        ("redis(\"h\", database: -1)", "from 0 on"),
    ] {
        let ran = run(&format!("connect cache = {declaration}"), "    check cache.answers() as \"answers\"");
        // What is written there is judged before anything runs.
        if ran.code == 2 {
            assert!(ran.text.contains(words), "{declaration}: {}", ran.text);
            continue;
        }
        let (kind, message) = ran.fault("answers");
        assert!(kind == "setup" && message.contains(words), "{declaration}: {kind}: {message}");
    }
}
