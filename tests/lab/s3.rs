//! S3 against a server that checks signatures and policies: moto, with users of its own.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;

use crate::harness::{Lab, Ran, lab, left_out};

/// Keys that are easily sent or signed wrongly.
const ODD: &[&str] = &["a b+c", "größe/日本", "?x=1&y#z", "//a//", "%41", "a'(*)!~;:@,$=", "plain.txt"];

/// More than a page.
const MANY: usize = 1100;

/// A server with users, a bucket and objects; it ends with the test.
struct Store {
    child: Child,
    port: u16,
    lab: Lab,
    folder: tempfile::TempDir,
}

impl Drop for Store {
    fn drop(&mut self) {
        _ = self.child.kill();
        _ = self.child.wait();
    }
}

/// Where moto is: the lab's, one that a variable names, or one of this machine.
fn program() -> Option<PathBuf> {
    let of_lab = lab("the server of S3", &[]).and_then(|lab| lab.facts["parts"]["s3"]["program"].as_str());
    let named = of_lab.map(PathBuf::from).or_else(|| std::env::var_os("RUNBOOK_MOTO_SERVER").map(PathBuf::from));
    named.or_else(|| {
        let path = std::env::var_os("PATH")?;
        std::env::split_paths(&path).map(|folder| folder.join("moto_server")).find(|file| file.is_file())
    })
}

impl Store {
    fn start(program: &PathBuf) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.args(["-H", "127.0.0.1", "-p", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let lab = Lab { facts: Json::Null, env: BTreeMap::new() };
        let mut store = Self { child, port, lab, folder: tempfile::tempdir().unwrap() };
        let start = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(start.elapsed() < Duration::from_mins(1), "moto does not start");
            std::thread::sleep(Duration::from_millis(100));
        }
        store.fill();
        store
    }

    /// One request of the setting up, as long as nobody has to sign.
    fn send(&self, method: &str, path: &str, service: &str, body: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        let kind = if service == "s3" { "application/octet-stream" } else { "application/x-www-form-urlencoded" };
        write!(
            stream,
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nConnection: close\r\nContent-Length: {}\r\nContent-Type: {kind}\r\n\
             Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=x\r\n\r\n{body}",
            self.port,
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.split(' ').nth(1).is_some_and(|status| status.starts_with('2')), "{method} {path}: {answer}");
        answer
    }

    fn fill(&mut self) {
        self.send("PUT", "/backups", "s3", "");
        for key in ODD {
            let key = key.bytes().fold(String::new(), |text, byte| text + &format!("%{byte:02X}"));
            let text = format!("text of {}", key.len());
            self.send("PUT", &format!("/backups/odd/{key}"), "s3", &text);
        }
        for number in 0..MANY {
            self.send("PUT", &format!("/backups/many/{number:05}"), "s3", "0123456789");
        }
        let policy = |actions: &str| {
            format!(
                "{{\"Version\":\"2012-10-17\",\"Statement\":[{{\"Effect\":\"Allow\",\"Action\":[{actions}],\"Resource\":\"*\"}}]}}"
            )
        };
        let mut env = Vec::new();
        for (user, actions) in [("ALL", "\"s3:*\",\"sts:AssumeRole\""), ("NONE", "\"ec2:*\"")] {
            self.send("POST", "/", "iam", &format!("Action=CreateUser&UserName={user}"));
            let policy =
                format!("Action=PutUserPolicy&UserName={user}&PolicyName=p&PolicyDocument={}", policy(actions));
            self.send("POST", "/", "iam", &policy);
            let made = self.send("POST", "/", "iam", &format!("Action=CreateAccessKey&UserName={user}"));
            let part =
                |name: &str| made.split(&format!("<{name}>")).nth(1).unwrap().split('<').next().unwrap().to_owned();
            env.push((format!("{user}_ID"), part("AccessKeyId")));
            env.push((format!("{user}_SECRET"), part("SecretAccessKey")));
        }
        let trust = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":\
                     {\"AWS\":\"arn:aws:iam::123456789012:user/ALL\"},\"Action\":\"sts:AssumeRole\"}]}";
        self.send("POST", "/", "iam", &format!("Action=CreateRole&RoleName=reader&AssumeRolePolicyDocument={trust}"));
        let reads = policy("\"s3:ListBucket\"");
        let reads = format!("Action=PutRolePolicy&RoleName=reader&PolicyName=p&PolicyDocument={reads}");
        self.send("POST", "/", "iam", &reads);
        // From here on, each request is checked.
        self.send("POST", "/moto-api/reset-auth", "s3", "0");
        self.lab.env.extend(env);
        let (id, secret) = (self.lab.env["ALL_ID"].clone(), self.lab.env["ALL_SECRET"].clone());
        let files = self.folder.path();
        std::fs::write(
            files.join("credentials"),
            format!("[all]\naws_access_key_id={id}\naws_secret_access_key={secret}\n"),
        )
        .unwrap();
        let role = "role_arn = arn:aws:iam::123456789012:role/reader";
        std::fs::write(files.join("config"), format!("[profile reader]\n{role}\nsource_profile = all\n")).unwrap();
        for (name, value) in [
            ("AWS_ENDPOINT_URL", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_REGION", "us-east-1".to_owned()),
            ("AWS_CONFIG_FILE", files.join("config").display().to_string()),
            ("AWS_SHARED_CREDENTIALS_FILE", files.join("credentials").display().to_string()),
        ] {
            self.lab.env.insert(name.to_owned(), value);
        }
    }

    /// Runs statements with connections of each user. No output has a secret in it.
    fn run(&self, statements: &str) -> Ran {
        let ran = self.lab.run(&format!(
            r#"runbook "S3" {{ edition 1 }}
secret all_id = env("ALL_ID")
secret all_secret = env("ALL_SECRET")
secret none_id = env("NONE_ID")
secret none_secret = env("NONE_SECRET")
connect backups = s3(bucket: "backups", access_key: all_id, secret_key: all_secret)
connect denied = s3(bucket: "backups", access_key: none_id, secret_key: none_secret)
connect mixed = s3(bucket: "backups", access_key: all_id, secret_key: none_secret)
connect gone = s3(bucket: "no-such-bucket", access_key: all_id, secret_key: all_secret)
connect reader = s3(bucket: "backups", profile: "reader", change: "all")
section "S3" {{
  step "S3" {{
{statements}
  }}
}}
"#
        ));
        for name in ["ALL_SECRET", "NONE_SECRET"] {
            assert!(!ran.text.contains(&self.lab.env[name]), "{name} is in the output:\n{}", ran.text);
        }
        ran
    }
}

#[test]
fn a_bucket_is_read_and_changed() {
    let Some(program) = program() else {
        return left_out(
            "a_bucket_is_read_and_changed",
            "no moto_server: `pip install 'moto[server]'`, or RUNBOOK_MOTO_SERVER",
        );
    };
    let store = Store::start(&program);
    reads(&store);
    refusals(&store);
    changes(&store);
    roles(&store);
    without_credentials(&store);
    down(store);
}

fn reads(store: &Store) {
    let ran = store.run(&format!(
        r#"
    let many = backups.list("many/")
    check many | count == {MANY} as "pages"
    check many | all(.size == 10B and .storage_class == "STANDARD" and .age < 1h) as "fields"
    check backups.list("many/", at_most: 1000) | is_empty as "too many"
    check backups.size("many/") == {MANY}0B as "size"
    check backups.newest("many/")?.key == "many/{:05}" as "newest"
    check backups.list("nothing/") | is_empty as "nothing"
    check backups.list("nothing/") | all(.size > 0B) as "all of nothing"
    show backups.folders() as "folders"
    show backups.list("odd/") | each(.key) as "odd"
    show backups.head("odd/plain.txt") as "head"
    check backups.exists("odd/größe/日本") as "there"
    check backups.exists("odd/nope") as "not there"
    check backups.head("odd/nope").size > 0B as "no head"
    check backups.text("many/00000", at_most: 9B) == "" as "large"
    for o in backups.list("odd/") at most 20 {{
      check "text of" in backups.text(o.key) as "text of {{o.key}}"
    }}
"#,
        MANY - 1
    ));
    for title in ["pages", "fields", "size", "newest", "nothing", "there"] {
        assert_eq!(ran.outcome(title), "passed", "{title}: {}", ran.text);
    }
    assert_eq!(ran.outcome("not there"), "failed");
    assert_eq!(ran.fault("too many").0, "too_large");
    assert_eq!(ran.fault("all of nothing").0, "no_value");
    assert_eq!(ran.fault("no head"), ("not_found".to_owned(), "`odd/nope` is not in the bucket `backups`".to_owned()));
    assert_eq!(ran.fault("large").0, "too_large");
    for key in ODD {
        assert_eq!(ran.outcome(&format!("text of odd/{key}")), "passed");
    }
    assert!(ran.shown("folders").to_string().contains("many/"));
}

fn refusals(store: &Store) {
    let ran = store.run(
        r#"
    check denied.list("x") | is_empty as "denied"
    check denied.exists("odd/plain.txt") as "denied exists"
    check mixed.list() | is_empty as "wrong key"
    check gone.list() | is_empty as "no bucket"
    check gone.exists("x") as "no bucket exists"
"#,
    );
    let (kind, words) = ran.fault("denied");
    let id = &store.lab.env["NONE_ID"];
    let who = format!("access key {}…{}", &id[..4], &id[id.len() - 4..]);
    let policy = "a policy that allows `s3:ListBucket` on `arn:aws:s3:::backups` lets it";
    assert_eq!(kind, "denied");
    assert!(words.starts_with(&format!("{who} may not `s3:ListBucket` on arn:aws:s3:::backups")), "{words}");
    assert!(words.contains(policy), "{words}");
    assert_eq!(ran.fault("denied exists").0, "denied");
    let (kind, words) = ran.fault("wrong key");
    assert!(kind == "denied" && words.contains("the signature of access key"), "{words}");
    for title in ["no bucket", "no bucket exists"] {
        let (kind, words) = ran.fault(title);
        assert!(kind == "not_found" && words.contains("there is no bucket `no-such-bucket`"), "{title}: {words}");
    }
}

fn changes(store: &Store) {
    let ran = store.run(
        r#"
    change copied = backups.copy("odd/größe/日本", "new/kopie von +&?#")
      verify backups.exists("new/kopie von +&?#")
    check backups.text("new/kopie von +&?#") == backups.text("odd/größe/日本") as "the copy"
    change backups.delete("new/kopie von +&?#")
    check backups.exists("new/kopie von +&?#") as "deleted"
    change backups.delete("new/kopie von +&?#")
    check backups.list("odd/") | count == 7 as "the others"
"#,
    );
    assert_eq!(ran.outcome("the copy"), "passed", "{}", ran.text);
    assert_eq!(ran.outcome("deleted"), "failed");
    assert_eq!(ran.outcome("the others"), "passed");
    let denied = store.run("change denied.delete(\"odd/plain.txt\")");
    assert!(denied.text.contains("may not `s3:DeleteObject` on arn:aws:s3:::backups/odd/plain.txt"), "{}", denied.text);
    let missing = store.run("change backups.copy(\"odd/nope\", \"new/x\")");
    assert!(missing.text.contains("`odd/nope` is not in the bucket"), "{}", missing.text);
}

fn roles(store: &Store) {
    let ran = store.run(
        r#"
    check reader.list("odd/") | count == 7 as "as the role"
    check reader.text("odd/plain.txt") == "" as "beyond the role"
    change reader.copy("odd/plain.txt", "new/by-all")
"#,
    );
    assert_eq!(ran.outcome("as the role"), "passed", "{}", ran.text);
    let (kind, words) = ran.fault("beyond the role");
    assert!(kind == "denied" && words.contains("role/reader) may not `s3:GetObject`"), "{words}");
}

fn without_credentials(store: &Store) {
    let start = Instant::now();
    let source = "runbook \"S3\" { edition 1 }\nconnect backups = s3(bucket: \"backups\")\nsection \"S3\" { check backups.list() | is_empty as \"none\" }\n";
    let ran = store.lab.run_with(source, &[], &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9")]);
    let (kind, words) = ran.fault("none");
    assert!(kind == "setup" && words.contains("no credentials anywhere: AWS_ACCESS_KEY_ID is not set"), "{words}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

fn down(mut store: Store) {
    store.child.kill().unwrap();
    store.child.wait().unwrap();
    let ran = store.run("check backups.list() | is_empty as \"down\"\n    change backups.delete(\"odd/plain.txt\")");
    let (kind, words) = ran.fault("down");
    assert!(kind == "unreachable" && words.contains("connection refused"), "{words}");
}

/// As the daily runbook asks: every store has a backup of today, and it did not shrink.
#[test]
fn the_backups_of_the_lab_are_listed() {
    let Some(lab) = lab("the_backups_of_the_lab_are_listed", &["s3"]) else { return };
    let ran = lab.run(
        r#"runbook "S3" { edition 1 timezone "UTC" }
param stores: list<string> = ["postgres", "redis", "qdrant", "arangodb", "meilisearch"]
connect backups = s3(bucket: "sarvanom-backups")
connect many = s3(bucket: "many")
connect empty = s3(bucket: "empty")
section "S3" {
  step "Databases" for store in stores {
    let today = backups.list("{store}/{run.date:%Y/%m/%d}/")
    let yesterday = backups.list("{store}/{run.date - 1d:%Y/%m/%d}/")
    check today | any(.size > 0B and .age < 26h) as "{store} is fresh"
    check today | sum(.size) > 80% * yesterday | sum(.size) as "{store} did not shrink"
  }
  step "Others" {
    check many.list() | count == 1200 as "many"
    check empty.list() | is_empty as "empty"
    check empty.list() | any(.size > 0B) as "none"
  }
}
"#,
    );
    for store in ["postgres", "redis", "qdrant", "arangodb", "meilisearch"] {
        assert_eq!(ran.outcome(&format!("{store} is fresh")), "passed", "{}", ran.text);
        assert_eq!(ran.outcome(&format!("{store} did not shrink")), "passed", "{}", ran.text);
    }
    assert_eq!((ran.outcome("many"), ran.outcome("empty")), ("passed", "passed"), "{}", ran.text);
    assert_eq!(ran.outcome("none"), "failed");
}
