//! Whose credentials sign a request to S3: each source that the AWS tools know, and none that was not meant.

mod net;

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use net::aws_signature::is_signed;
use net::server::{Server, raw, reply, request, web};
use net::{Outside, fault, text};
use runbook::types::{Fault, FaultKind, Value};

const EMPTY: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";
const FUTURE: &str = "2099-01-01T00:00:00Z";

/// A bucket that takes whoever asks.
async fn bucket() -> Server {
    web(|asked| if asked.starts_with("DELETE") { reply("204 No Content", "", "") } else { reply("200 OK", "", EMPTY) })
        .await
}

/// Writes the two files into a home.
fn home(config: &str, credentials: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(home.path().join(".aws")).expect("a folder");
    std::fs::write(home.path().join(".aws/config"), config).expect("a file");
    std::fs::write(home.path().join(".aws/credentials"), credentials).expect("a file");
    home
}

struct Asker {
    outside: Outside,
    given: Vec<(&'static str, Value)>,
}

impl Asker {
    fn new(home: &Path, env: &[(&str, &str)], bucket: &Server) -> Self {
        let mut all = vec![("HOME", home.to_str().expect("a path"))];
        all.extend(env);
        let given = vec![("bucket", text("backups")), ("endpoint", text(&bucket.url()))];
        Self { outside: Outside::new(&all, Path::new(".")), given }
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.given.push((name, text(value)));
        self
    }

    async fn target(&self) -> String {
        self.outside.open("s3", &self.given).await.expect("a connection").target
    }

    async fn list(&self) -> Result<Value, Fault> {
        let connection = self.outside.connect("s3", &self.given).await?;
        self.outside.call("s3.list", &[("connection", connection)]).await
    }
}

/// Who signed the last request, and whether the signature is that of a secret.
fn signed_by(bucket: &Server, id: &str, secret: &str) {
    let asked = bucket.last();
    assert!(asked.contains(&format!("Credential={id}/")), "{asked}");
    assert!(is_signed(&asked, secret, "us-east-1").1, "{asked}");
}

fn role_answer(action: &str, id: &str) -> String {
    format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>{id}</AccessKeyId><SecretAccessKey>role-secret</SecretAccessKey>\
         <SessionToken>role-token</SessionToken><Expiration>{FUTURE}</Expiration></Credentials></{action}Result></{action}Response>"
    )
}

#[tokio::test]
async fn the_environment_and_the_profiles() {
    let bucket = bucket().await;
    let home = home(
        "[default]\nregion = us-east-1\n[profile ci]\naws_access_key_id = CI\naws_secret_access_key = ci-secret\n",
        "[default]\naws_access_key_id = AKIADEFAULTDEFAULT00\naws_secret_access_key = default-secret\n[half]\naws_access_key_id = H\n",
    );
    let plain = Asker::new(home.path(), &[], &bucket);
    plain.list().await.expect("a list");
    signed_by(&bucket, "AKIADEFAULTDEFAULT00", "default-secret");
    let shown = format!("s3://backups (us-east-1, {}) as access key AKIA…LT00 of profile default", bucket.url());
    assert_eq!(plain.target().await, shown);
    let keys = [("AWS_ACCESS_KEY_ID", "ENV"), ("AWS_SECRET_ACCESS_KEY", "env-secret"), ("AWS_SESSION_TOKEN", "tok")];
    Asker::new(home.path(), &keys, &bucket).list().await.expect("a list");
    signed_by(&bucket, "ENV", "env-secret");
    assert!(bucket.last().to_lowercase().contains("x-amz-security-token: tok"));
    // A profile that the runbook names goes before the environment.
    Asker::new(home.path(), &keys, &bucket).with("profile", "ci").list().await.expect("a list");
    signed_by(&bucket, "CI", "ci-secret");
    Asker::new(home.path(), &[("AWS_PROFILE", "ci")], &bucket).list().await.expect("a list");
    signed_by(&bucket, "CI", "ci-secret");
    let of = |env: &[(&str, &str)], profile: &'static str| {
        let asker = Asker::new(home.path(), env, &bucket);
        async move { fault(if profile.is_empty() { asker } else { asker.with("profile", profile) }.list().await) }
    };
    let missing = of(&[], "nobody").await;
    assert!(missing.kind == FaultKind::Setup && missing.message.contains("no profile `nobody`"), "{missing}");
    assert_eq!(missing.help.as_deref(), Some("they have `ci`, `default`, `half`"));
    let half = of(&[("AWS_ACCESS_KEY_ID", "ENV")], "").await;
    assert!(half.message.contains("`AWS_SECRET_ACCESS_KEY` is not"), "{half}");
    assert!(of(&[], "half").await.message.contains("only one of"));
    let broken = of(&[("AWS_CONFIG_FILE", "/dev/zero")], "").await;
    assert!(broken.kind == FaultKind::Setup && broken.message.contains("is no file"), "{broken}");
    let region = fault(Asker::new(home.path(), &[("AWS_REGION", "eu west")], &bucket).list().await);
    assert!(region.message.contains("`eu west` is no region"), "{region}");
}

#[tokio::test]
async fn nobody_signs_where_that_is_wanted() {
    let bucket = bucket().await;
    let home = home("", "");
    let mut asker = Asker::new(home.path(), &[], &bucket);
    asker.given.push(("anonymous", Value::Bool(true)));
    asker.list().await.expect("a list");
    assert!(!bucket.last().to_lowercase().contains("authorization"), "{}", bucket.last());
    assert!(asker.target().await.ends_with(" as nobody, unsigned"));
    asker.given.push(("profile", text("x")));
    assert!(fault(asker.list().await).message.contains("keep one of them"));
}

#[tokio::test]
async fn one_profile_reads_and_another_changes() {
    let bucket = bucket().await;
    let home = home(
        "",
        "[r]\naws_access_key_id=R\naws_secret_access_key=rs\n[w]\naws_access_key_id=W\naws_secret_access_key=ws\n",
    );
    let asker = Asker::new(home.path(), &[], &bucket).with("read", "r").with("change", "w");
    let connection = asker.outside.connect("s3", &asker.given).await.expect("a connection");
    assert!(
        asker.target().await.ends_with(" as access key R… of profile r, for changes as access key W… of profile w")
    );
    asker.outside.call("s3.list", &[("connection", connection.clone())]).await.expect("a list");
    signed_by(&bucket, "R", "rs");
    asker.outside.call("s3.delete", &[("connection", connection), ("key", text("k"))]).await.expect("deleted");
    signed_by(&bucket, "W", "ws");
}

#[tokio::test]
async fn roles_are_assumed() {
    let bucket = bucket().await;
    let sts = web(|asked| {
        if asked.contains("AssumeRoleWithWebIdentity") {
            reply("200 OK", "", &role_answer("AssumeRoleWithWebIdentity", "WEB"))
        } else if asked.contains("forbidden") {
            let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>User: u is not authorized to perform: sts:AssumeRole</Message></Error></ErrorResponse>";
            reply("403 Forbidden", "", body)
        } else {
            reply("200 OK", "", &role_answer("AssumeRole", "ASIAROLEROLEROLE0000"))
        }
    })
    .await;
    let mut config = String::from("[profile base]\nregion = us-east-1\n");
    for (name, lines) in [
        ("ops", "role_arn = arn:aws:iam::123456789012:role/ops\nsource_profile = base\nexternal_id = ext"),
        ("bad", "role_arn = arn:aws:iam::123456789012:role/forbidden\nsource_profile = base"),
        ("mfa", "role_arn = arn:aws:iam::123456789012:role/ops\nsource_profile = base\nmfa_serial = x"),
        ("loop", "role_arn = arn:aws:iam::123456789012:role/ops\nsource_profile = pool"),
        ("pool", "role_arn = arn:aws:iam::123456789012:role/ops\nsource_profile = loop"),
        ("none", "role_arn = arn:aws:iam::123456789012:role/ops"),
    ] {
        _ = write!(config, "[profile {name}]\n{lines}\n");
    }
    let home = home(&config, "[base]\naws_access_key_id = BASE\naws_secret_access_key = base-secret\n");
    let sts_url = sts.url();
    let env = [("AWS_ENDPOINT_URL_STS", sts_url.as_str()), ("AWS_EC2_METADATA_DISABLED", "true")];
    let asker = |profile: &str| Asker::new(home.path(), &env, &bucket).with("profile", profile);
    asker("ops").list().await.expect("a list");
    signed_by(&bucket, "ASIAROLEROLEROLE0000", "role-secret");
    assert!(bucket.last().to_lowercase().contains("x-amz-security-token: role-token"));
    let asked = sts.last();
    assert!(
        asked.contains("Credential=BASE/") && asked.contains("ExternalId=ext") && asked.contains("/sts/aws4_request")
    );
    assert!(asker("ops").target().await.ends_with(" as profile ops (arn:aws:iam::123456789012:role/ops)"));
    // A role that may not be assumed is a fault, and nobody else is asked instead.
    let denied = fault(asker("bad").list().await);
    assert!(
        denied.kind == FaultKind::Denied && denied.message.contains("not authorized to perform: sts:AssumeRole"),
        "{denied}"
    );
    assert_eq!(fault(asker("mfa").list().await).kind, FaultKind::Unsupported);
    assert!(fault(asker("loop").list().await).message.contains("leads in a circle"));
    assert!(fault(asker("none").list().await).message.contains("neither source_profile"));
    let token = home.path().join("token");
    std::fs::write(&token, "web-token\n").expect("a file");
    let token = token.to_str().expect("a path").to_owned();
    let web_env =
        [&env[..], &[("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod"), ("AWS_WEB_IDENTITY_TOKEN_FILE", &token)]]
            .concat();
    Asker::new(home.path(), &web_env, &bucket).list().await.expect("a list");
    signed_by(&bucket, "WEB", "role-secret");
    assert!(sts.last().contains("WebIdentityToken=web-token"));
    let gone = [&env[..], &[("AWS_ROLE_ARN", "arn:aws:iam::1:role/pod"), ("AWS_WEB_IDENTITY_TOKEN_FILE", "/nowhere")]]
        .concat();
    let gone = fault(Asker::new(home.path(), &gone, &bucket).list().await);
    assert!(gone.kind == FaultKind::Setup && gone.message.contains("`/nowhere` does not exist"), "{gone}");
}

#[tokio::test]
async fn containers_machines_and_programs_give_credentials() {
    let bucket = bucket().await;
    let near = web(|asked| {
        let keys = |id: &str| {
            format!(
                "{{\"Version\":1,\"Code\":\"Success\",\"AccessKeyId\":\"{id}\",\"SecretAccessKey\":\"near-secret\",\"Token\":\"t\",\"Expiration\":\"{FUTURE}\"}}"
            )
        };
        if asked.starts_with("PUT /latest/api/token") {
            reply("200 OK", "", "imds-token")
        } else if asked.starts_with("GET /latest/meta-data/iam/security-credentials/ ") {
            reply("200 OK", "", "the-role")
        } else if asked.starts_with("GET /latest/meta-data/iam/security-credentials/the-role ") {
            reply("200 OK", "", &keys("MACHINE"))
        } else if asked.starts_with("GET /task ") && asked.to_lowercase().contains("authorization: task-token") {
            reply("200 OK", "", &keys("TASK"))
        } else {
            reply("404 Not Found", "", "")
        }
    })
    .await;
    let home = home("", "");
    let url = near.url();
    let machine = Asker::new(home.path(), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)], &bucket);
    machine.list().await.expect("a list");
    signed_by(&bucket, "MACHINE", "near-secret");
    assert!(machine.target().await.ends_with(" as the role of this machine"));
    let task = format!("{url}/task");
    let env =
        [("AWS_CONTAINER_CREDENTIALS_FULL_URI", task.as_str()), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", "task-token")];
    Asker::new(home.path(), &env, &bucket).list().await.expect("a list");
    signed_by(&bucket, "TASK", "near-secret");
    let program = home.path().join("give");
    let line = "#!/bin/sh\necho '{\"Version\":1,\"AccessKeyId\":\"PROGRAM\",\"SecretAccessKey\":\"program-secret\"}'\n";
    std::fs::write(&program, line).expect("a file");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    let config = format!("[default]\ncredential_process = {}\n", program.display());
    std::fs::write(home.path().join(".aws/config"), config).expect("a file");
    Asker::new(home.path(), &[], &bucket).list().await.expect("a list");
    signed_by(&bucket, "PROGRAM", "program-secret");
    std::fs::write(&program, "#!/bin/sh\necho the-secret-thing >&2\nexit 3\n").expect("a file");
    let failed = fault(Asker::new(home.path(), &[], &bucket).list().await);
    assert!(failed.kind == FaultKind::Setup && failed.message.contains("status 3"), "{failed}");
    assert!(!failed.message.contains("the-secret-thing"), "{failed}");
}

#[tokio::test]
async fn sso_wants_a_login() {
    let bucket = bucket().await;
    let config = "[default]\nsso_session = corp\nsso_account_id = 1\nsso_role_name = r\n[sso-session corp]\nsso_region = eu-west-1\nsso_start_url = https://corp.awsapps.com/start\n[profile lost]\nsso_session = other\n";
    let home = home(config, "");
    let fault_of = fault(Asker::new(home.path(), &[], &bucket).list().await);
    assert!(fault_of.message.contains("of profile default by SSO: No valid SSO token found"), "{fault_of}");
    let lost = fault(Asker::new(home.path(), &[], &bucket).with("profile", "lost").list().await);
    assert!(lost.message.contains("the sso-session `other`, which no file has"), "{lost}");
}

#[tokio::test]
async fn no_credentials_anywhere_ends_quickly_and_says_where_was_looked() {
    let bucket = bucket().await;
    let silent = raw(|mut stream, server| async move {
        request(&mut stream, &server).await;
        std::future::pending::<()>().await;
    })
    .await;
    let home = tempfile::tempdir().expect("a folder");
    let url = silent.url();
    let asker = Asker::new(home.path(), &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &url)], &bucket);
    let connection = asker.outside.connect("s3", &asker.given).await.expect("a connection");
    let start = Instant::now();
    let none = fault(asker.outside.call("s3.list", &[("connection", connection.clone())]).await);
    assert!(start.elapsed() < Duration::from_millis(1900), "{:?}", start.elapsed());
    assert_eq!(none.kind, FaultKind::Setup);
    for words in [
        "no credentials anywhere: AWS_ACCESS_KEY_ID is not set",
        ".aws/config`, which is not there",
        ".aws/credentials`, which is not there",
        "there is no profile `default`",
        "AWS_WEB_IDENTITY_TOKEN_FILE is not set",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI is not set",
        "this machine is none of EC2's with a role: no answer from",
    ] {
        assert!(none.message.contains(words), "{words} in {none}");
    }
    assert!(none.help.is_some_and(|help| help.contains("aws configure")));
    // It is found out once.
    let again = Instant::now();
    fault(asker.outside.call("s3.size", &[("connection", connection)]).await);
    assert!(again.elapsed() < Duration::from_millis(200));
    assert!(bucket.asked().is_empty());
    let off = Asker::new(home.path(), &[("AWS_EC2_METADATA_DISABLED", "true")], &bucket);
    let off = fault(off.list().await);
    assert!(off.kind == FaultKind::Setup && off.message.contains("AWS_EC2_METADATA_DISABLED"), "{off}");
}
