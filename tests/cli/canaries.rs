//! A thousand secrets that everything repeats, in every form: none is in any output, record, message or process list.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test ends where something is not as it should be")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};

use crate::program::{Folder, finish};

const SECRETS: usize = 1000;

const PLAIN: &str = "abcdefghijkmnopqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";

/// As many letters of a form, and it was seen.
const SEEN: usize = 10;

/// The same each time: letters, then what is written otherwise in JSON, on a page, in an address, in a shell.
fn secret(index: usize) -> String {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(index as u64 + 1);
    let mut next = |from: &str| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        let letters: Vec<char> = from.chars().collect();
        letters[usize::try_from(state % letters.len() as u64).unwrap()]
    };
    let from = match index % 4 {
        0 => PLAIN,
        1 => "aZ9/+=&?#%:@!$*(),;-_.~",
        2 => "aZ9\"'<>&\\`|{}[] ^\t",
        _ => "aZ9äß€漢🔑é",
    };
    let mut text: String = (0..4).map(|_| next(PLAIN)).collect();
    text.extend((0..24).map(|_| next(from)));
    text.push('x');
    text
}

/// Each written by hand, in the way of those who write it so.
fn forms(secret: &str) -> Vec<String> {
    let percent = |kept: &str, upper: bool| {
        secret.bytes().fold(String::new(), |mut text, byte| {
            if byte.is_ascii_alphanumeric() || kept.as_bytes().contains(&byte) {
                text.push(char::from(byte));
            } else if upper {
                let _ = write!(text, "%{byte:02X}");
            } else {
                let _ = write!(text, "%{byte:02x}");
            }
            text
        })
    };
    let python = |text: &str| {
        text.encode_utf16().fold(String::new(), |mut text, unit| {
            match u8::try_from(unit) {
                Ok(b'"') => text.push_str("\\\""),
                Ok(b'\\') => text.push_str("\\\\"),
                Ok(b'\t') => text.push_str("\\t"),
                Ok(byte) if byte.is_ascii() => text.push(char::from(byte)),
                _ => {
                    let _ = write!(text, "\\u{unit:04x}");
                }
            }
            text
        })
    };
    let json = |text: &str| serde_json::to_string(text).unwrap().trim_matches('"').to_owned();
    let page = |double: &str, single: &str| {
        let text = secret.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
        text.replace('"', double).replace('\'', single)
    };
    let go = json(secret).replace('&', "\\u0026").replace('<', "\\u003c").replace('>', "\\u003e");
    vec![
        secret.to_owned(),
        json(secret),
        json(&json(secret)),
        python(secret),
        go,
        json(secret).replace('/', "\\/"),
        percent("", true),
        percent("-_.~", true),
        percent("-_.~", false),
        percent("-_.~/", true),
        percent("-_.*", true).replace("%20", "+"),
        page("&quot;", "&#39;"),
        page("&#34;", "&#39;"),
        page("&quot;", "&#x27;"),
        page("&quot;", "&apos;"),
        format!("{secret:?}").trim_matches('"').to_owned(),
        secret.replace('\'', "'\\''"),
        hex::encode(secret),
        hex::encode_upper(secret),
        BASE64_STANDARD.encode(secret),
        BASE64_URL_SAFE_NO_PAD.encode(secret),
        BASE64_STANDARD.encode(format!("user:{secret}")),
        BASE64_STANDARD.encode(format!("me:{secret}")),
        BASE64_STANDARD.encode(format!("u:{secret}")),
    ]
}

/// A server that knows them all, and repeats them in whatever it says.
fn tell_tale() -> (u16, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let heard = Arc::clone(&heard);
            thread::spawn(move || answer(&stream.unwrap(), &heard));
        }
    });
    (port, told)
}

fn answer(stream: &TcpStream, heard: &Mutex<Vec<u8>>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    let path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        if let Some(value) = header.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    heard.lock().unwrap().extend_from_slice(&body);
    let (kind, index) = path.trim_matches('/').split_once('/').unwrap_or(("hook", "0"));
    let secret = secret(index.parse().unwrap());
    let all = forms(&secret);
    let text = all.iter().map(|form| format!("we got {form}, thank you")).collect::<Vec<_>>().join("\n");
    let json = serde_json::json!({
        "value": &secret, "list": [&secret, &all[1]], "deep": { secret.clone(): { "all": &all } }, "number": 5,
    });
    let (status, more, body) = match kind {
        "text" => ("200 OK", String::new(), text),
        "json" => ("200 OK", format!("x-token: {}\r\n", all[6]), json.to_string()),
        "fail" => ("500 Internal Server Error", String::new(), text),
        "refused" => ("401 Unauthorized", format!("www-authenticate: Bearer realm=\"{}\"\r\n", all[7]), text),
        "bad" => ("200 OK", String::new(), format!("{{\"value\": \"{}\", {}", all[1], all[3])),
        "moved" => ("302 Found", format!("location: gopher://example.com/{}\r\n", all[7]), String::new()),
        _ => ("200 OK", String::new(), "ok".to_owned()),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n{more}\r\n");
    let mut out = stream;
    let _ = out.write_all(head.as_bytes()).and_then(|()| out.write_all(body.as_bytes()));
}

fn runbook(port: u16) -> String {
    let mut text = String::from("runbook \"Canaries\" { edition 1 log \"./logs\" }\n");
    for index in 0..SECRETS {
        let _ = writeln!(text, "secret s{index} = env(\"S{index}\")");
    }
    let _ = write!(
        text,
        "secret hook_url = env(\"HOOK\")\nconnect api = http(\"http://127.0.0.1:{port}\", bearer: s0, at_once: 8)\n\
         channel hook = webhook(hook_url)\n\
         tool leak(name: string) -> string = argv(\"./leak.sh\", name)\n\
         metric leaky: int for one in api.get(\"/json/1\").json.list every 5m = api.get(\"/json/2\").json.number\n\
         metric blind: int every 5m = api.get(\"/bad/3\").json.number\n\
         threshold \"Leaks\" warning {{ when leaky > 4  notify hook }}\n\
         section \"All\" {{\n  measure leaky\n  measure blind\n"
    );
    for i in 0..SECRETS {
        let _ = writeln!(text, "  step \"Step {i}\" {{");
        let _ = match i % 10 {
            0 => writeln!(text, "    show api.get(\"/text/{i}\").text as \"text\""),
            1 => writeln!(text, "    show api.get(\"/json/{i}\").json as \"json\""),
            2 => writeln!(
                text,
                "    let value = api.get(\"/json/{i}\").json.value\n    check value == \"x\" as \"value\" else warning \"saw {{value}}\""
            ),
            3 => writeln!(text, "    show api.get(\"/fail/{i}\").text as \"fails\""),
            4 => writeln!(text, "    show api.get(\"/bad/{i}\").json as \"bad\""),
            5 => writeln!(text, "    show api.get(\"/moved/{i}\").text as \"moved\""),
            6 => writeln!(text, "    show api.get(\"/refused/{i}\").text as \"refused\""),
            7 => writeln!(
                text,
                "    let value = api.get(\"/json/{i}\").json.value\n    notify hook \"it says {{value}}\""
            ),
            8 => writeln!(text, "    show leak(\"S{i}\") as \"leaks\""),
            _ => writeln!(
                text,
                "    for one in api.get(\"/json/{i}\").json.list {{ check one == \"y\" as \"each {{one}}\" else warning }}"
            ),
        };
        text.push_str("  }\n");
    }
    text.push_str("}\n");
    text
}

/// All files below a folder but those that were written for the run.
fn records(folder: &Path, into: &mut Vec<(String, Vec<u8>)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            records(&path, into);
        } else if !path.ends_with("leak.sh") {
            into.push((path.display().to_string(), fs::read(&path).unwrap()));
        }
    }
}

/// The command lines of all processes, until it is told to stop.
fn process_list(stop: &AtomicBool) -> Vec<u8> {
    let mut seen = BTreeSet::new();
    while !stop.load(Ordering::Relaxed) {
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            // A process may be gone by now.
            seen.extend(fs::read(entry.path().join("cmdline")));
        }
        thread::sleep(Duration::from_millis(5));
    }
    seen.into_iter().flatten().collect()
}

#[test]
fn no_secret_is_ever_repeated() {
    let secrets: Vec<String> = (0..SECRETS).map(secret).collect();
    let beginnings: BTreeSet<String> = secrets
        .iter()
        .flat_map(|secret| forms(secret))
        .map(|form| form.chars().take(SEEN).collect::<String>())
        // What begins with the user's name has it first.
        .filter(|form| !["dXNlcj", "bWU6", "dTo"].iter().any(|user| form.starts_with(user)))
        .collect();
    let search = AhoCorasick::new(&beginnings).unwrap();
    let (port, told) = tell_tale();
    let folder = Folder::with(runbook(port));
    folder.write(
        "leak.sh",
        "#!/bin/sh\nprintenv \"$1\"\nprintf 'cannot log in with %s\\n' \"$(printenv \"$1\")\" >&2\nexit 3\n",
    );
    fs::set_permissions(folder.path("leak.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let hook = format!("http://127.0.0.1:{port}/hook");
    let start = |args: &[&str]| {
        let mut command = folder.command(args);
        command.env("HOOK", &hook).env("RUNBOOK_LOG", "trace");
        command.envs(secrets.iter().enumerate().map(|(index, secret)| (format!("S{index}"), secret)));
        finish(command.spawn().unwrap())
    };
    let stop = Arc::new(AtomicBool::new(false));
    let watching = Arc::clone(&stop);
    let watch = thread::spawn(move || process_list(&watching));
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    for args in [
        &["run", "a.runbook", "--format", "json"][..],
        &["run", "a.runbook"],
        &["run", "a.runbook", "--format", "junit"],
        &["plan", "a.runbook"],
        &["show", "last"],
        &["history"],
        &["incidents"],
        &["store", "export"],
        &["audit", "export"],
        &["print", "a.runbook"],
    ] {
        let output = start(args);
        let expected = if args.first() == Some(&"run") { 3..=4 } else { 0..=4 };
        assert!(expected.contains(&output.code), "{args:?}: {} {}", output.code, output.stderr);
        all.push((format!("{args:?} on stdout"), output.stdout.into_bytes()));
        all.push((format!("{args:?} on stderr"), output.stderr.into_bytes()));
    }
    stop.store(true, Ordering::Relaxed);
    all.push(("the process list".to_owned(), watch.join().unwrap()));
    all.push(("messages".to_owned(), told.lock().unwrap().clone()));
    records(&folder.path(""), &mut all);
    let mut bytes = 0;
    for (what, text) in &all {
        bytes += text.len();
        if let Some(found) = search.find(text) {
            let around = text.get(found.start().saturating_sub(150)..(found.end() + 60).min(text.len())).unwrap();
            panic!(
                "{what} has {:?}: …{}…",
                &beginnings.iter().nth(found.pattern().as_usize()),
                String::from_utf8_lossy(around)
            );
        }
    }
    // It was looked at a good deal, and everybody who was to repeat something did.
    let told = |name: &str, what: &str| -> usize {
        let of = all.iter().filter(|(known, _)| known.contains(name));
        of.map(|(_, text)| String::from_utf8_lossy(text).matches(what).count()).sum()
    };
    let seen = (told("/runs/", "(secret)"), told("messages", "it says (secret)"), told("ledger.sqlite", "(secret)"));
    assert!(bytes > 1_000_000 && seen.0 > 3 * SECRETS && seen.1 >= SECRETS / 10 && seen.2 > 0, "{bytes} {seen:?}");
}
