//! S3 against servers that don't behave, and the signatures of what is asked.

mod net;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use net::aws_signature::{is_signed, signature};
use net::server::{Reply, Server, authority, raw, refused, reply, request, says, secure, web};
use net::{Outside, fault, field, ms, text};
use runbook::types::{Fault, FaultKind, SecretText, Value};
use tokio::io::AsyncWriteExt;

const ID: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const EMPTY: &str = "<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>";

fn keys() -> Vec<(&'static str, Value)> {
    vec![("access_key", text(ID)), ("secret_key", Value::Secret(SecretText::new(SECRET.to_owned())))]
}

async fn ask(url: &str, more: &[(&str, Value)], name: &str, args: &[(&str, Value)]) -> Result<Value, Fault> {
    let mut given = vec![("bucket", text("backups")), ("endpoint", text(url))];
    if !more.iter().any(|(name, _)| ["anonymous", "access_key", "profile"].contains(name)) {
        given.extend(keys());
    }
    given.extend(more.iter().cloned());
    let outside = Outside::here();
    let connection = outside.connect("s3", &given).await?;
    let args: Vec<_> = [("connection", connection)].into_iter().chain(args.iter().cloned()).collect();
    outside.call(name, &args).await
}

async fn list(server: &Server) -> Result<Value, Fault> {
    ask(&server.url(), &[], "s3.list", &[("prefix", text("a/"))]).await
}

fn refusal(status: &str, headers: &str, code: &str, message: &str) -> Reply {
    reply(
        status,
        headers,
        &format!("<?xml version=\"1.0\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"),
    )
}

fn entries(keys: std::ops::Range<usize>) -> String {
    keys.fold(String::new(), |text, n| {
        text + &format!("<Contents><Key>a/{n:05}</Key>")
            + "<LastModified>2026-01-01T00:00:00.000Z</LastModified><Size>7</Size></Contents>"
    })
}

#[test]
fn the_second_opinion_is_that_of_the_documentation() {
    // The four examples of "Authenticating Requests: Using the Authorization Header" in the S3 API reference.
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let welcome = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
    let host = ("host", "examplebucket.s3.amazonaws.com");
    let date = ("x-amz-date", "20130524T000000Z");
    let empty = [host, date, ("x-amz-content-sha256", nothing)];
    let of =
        |method: &str, target: &str, headers: &[(&str, &str)]| signature(SECRET, "us-east-1", method, target, headers);
    let ranged = [&empty[..], &[("range", "bytes=0-9")]].concat();
    assert_eq!(of("GET", "/test.txt", &ranged), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    assert_eq!(of("GET", "/?lifecycle", &empty), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    assert_eq!(
        of("GET", "/?max-keys=2&prefix=J", &empty),
        "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
    );
    let put = [
        ("date", "Fri, 24 May 2013 00:00:00 GMT"),
        host,
        date,
        ("x-amz-content-sha256", welcome),
        ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
    ];
    assert_eq!(
        of("PUT", "/test%24file.text", &put),
        "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
    );
}

#[tokio::test]
async fn every_key_is_signed_as_it_is_sent() {
    let server = web(|asked| {
        if asked.starts_with("GET /backups?") {
            reply("200 OK", "", EMPTY)
        } else if asked.starts_with("PUT") {
            reply("200 OK", "", "<CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>")
        } else if asked.starts_with("DELETE") {
            reply("204 No Content", "", "")
        } else {
            reply("200 OK", "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\nETag: \"e\"\r\n", "")
        }
    })
    .await;
    let keys =
        ["a b+c", "größe/日本", "?x=1&y#z", "//a//", "%41", "a'(*)!~;:@,$=", "a\\b|c\"<>^`{}[]", "new\nline\ttab"];
    for key in keys {
        for (name, args) in [
            ("s3.head", vec![("key", text(key))]),
            ("s3.text", vec![("key", text(key))]),
            ("s3.list", vec![("prefix", text(key))]),
            ("s3.delete", vec![("key", text(key))]),
            ("s3.copy", vec![("from", text(key)), ("to", text(&format!("{key} copy")))]),
        ] {
            let token = vec![("session_token", Value::Secret(SecretText::new("TOKEN//".to_owned())))];
            let result = ask(&server.url(), &token, name, &args).await;
            assert!(result.is_ok(), "{name} {key}: {result:?}");
            let asked = server.last();
            let (target, right) = is_signed(&asked, SECRET, "us-east-1");
            assert!(right, "{name} of `{key}` has a wrong signature: {asked}");
            assert!(target.is_ascii() && asked.to_lowercase().contains("x-amz-security-token: token//"), "{asked}");
            let part = target.trim_start_matches("/backups/").split("prefix=").last().unwrap_or_default().to_owned();
            let told = percent_encoding::percent_decode_str(&part).decode_utf8().expect("UTF-8").into_owned();
            assert!(told == key || told == format!("{key} copy"), "{name}: {told:?} for {key:?}");
        }
    }
    for key in ["../x", "a/./b", "..", ""] {
        let before = server.asked().len();
        let fault = fault(ask(&server.url(), &[], "s3.delete", &[("key", text(key))]).await);
        assert!(matches!(fault.kind, FaultKind::Unsupported | FaultKind::NoValue), "{fault}");
        assert_eq!(server.asked().len(), before, "`{key}` was asked for");
    }
}

#[tokio::test]
async fn a_list_is_whole_or_a_fault() {
    let paged = web(|asked| {
        let (keys, more) =
            match asked.split("continuation-token=").nth(1).and_then(|rest| rest.split(['&', ' ']).next()) {
                None => (0..3, "<NextContinuationToken>to+k/2</NextContinuationToken>"),
                Some("to%2Bk%2F2") => (3..6, ""),
                Some(other) => panic!("the token {other}"),
            };
        let body = format!(
            "<ListBucketResult><Name>b</Name><IsTruncated>{}</IsTruncated>{}{more}</ListBucketResult>",
            !more.is_empty(),
            entries(keys)
        );
        reply("200 OK", "", &body)
    })
    .await;
    let Value::List(objects) = list(&paged).await.expect("a list") else { panic!("no list") };
    assert_eq!(objects.len(), 6);
    let of = |name: &'static str, most: i64| {
        let url = paged.url();
        async move { ask(&url, &[], name, &[("prefix", text("a/")), ("at_most", Value::Int(most))]).await }
    };
    assert!(of("s3.list", 6).await.is_ok());
    for most in [1, 3, 5] {
        let fault = fault(of("s3.list", most).await);
        assert_eq!(fault.kind, FaultKind::TooLarge, "{fault}");
        assert_eq!(&*fault.message, format!("there are more than {most} objects in `s3://backups/a/`"));
        assert!(fault.help.is_some_and(|help| help.contains(&format!("at_most: {}", most * 10))));
    }
    assert_eq!(of("s3.size", 6).await.expect("a size").to_string(), "42B");
    assert_eq!(field(&of("s3.newest", 6).await.expect("one"), "key").to_string(), "a/00005");
    for (body, words) in [
        ("", "it is empty"),
        ("OK", "it is no XML"),
        ("<html><body>It works!</body></html>", "it is a `html`"),
        ("{\"a\": 1}", "it is no XML"),
        ("<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/1", "it breaks off"),
        ("<ListBucketResult><Contents></Contents></ListBucketResult>", "no listing"),
        ("<ListBucketResult></ListBucketResult>", "no listing"),
        ("<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>", "not how to get it"),
        (
            "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken></ListBucketResult>",
            "on and on",
        ),
        (
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>b/1</Key><LastModified>2026-01-01T00:00:00Z</LastModified><Size>1</Size></Contents></ListBucketResult>",
            "does not begin as was asked for",
        ),
        (
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/1</Key><LastModified>yesterday</LastModified><Size>1</Size></Contents></ListBucketResult>",
            "the time `yesterday`",
        ),
        (
            "<ListBucketResult><IsTruncated>false</IsTruncated><Contents><Key>a/1</Key><LastModified>2026-01-01T00:00:00Z</LastModified><Size>big</Size></Contents></ListBucketResult>",
            "no listing",
        ),
    ] {
        let server = web(move |_| reply("200 OK", "", body)).await;
        let fault = fault(list(&server).await);
        assert!(fault.kind == FaultKind::BadAnswer && fault.message.contains(words), "{body}: {fault}");
    }
}

#[tokio::test]
async fn refusals_say_what_to_do() {
    let cases: &[(&str, &str, &str, FaultKind, &str)] = &[
        ("404 Not Found", "NoSuchBucket", "", FaultKind::NotFound, "there is no bucket `backups` at http://127.0.0.1"),
        (
            "403 Forbidden",
            "AccessDenied",
            "User: x is not authorized.",
            FaultKind::Denied,
            "access key AKIA…MPLE may not `s3:ListBucket` on arn:aws:s3:::backups: User: x is not authorized",
        ),
        ("400 Bad Request", "ExpiredToken", "gone", FaultKind::Denied, "have expired: gone"),
        ("403 Forbidden", "InvalidAccessKeyId", "", FaultKind::Denied, "does not know access key AKIA…MPLE"),
        ("403 Forbidden", "SignatureDoesNotMatch", "", FaultKind::Denied, "the signature of access key AKIA…MPLE"),
        ("400 Bad Request", "InvalidArgument", "what?", FaultKind::Failed, "refused: 400 InvalidArgument: what?"),
        ("501 Not Implemented", "NotImplemented", "", FaultKind::BadAnswer, "answered 501 NotImplemented"),
    ];
    for (status, code, message, kind, words) in cases {
        let server = web(move |_| refusal(status, "", code, message)).await;
        let fault = fault(list(&server).await);
        assert!(fault.kind == *kind && fault.message.contains(words), "{code}: {:?} {fault}", fault.kind);
        assert!(!format!("{fault:?}").contains(SECRET) && server.asked().len() == 1, "{code}");
    }
    let page = web(|_| reply("404 Not Found", "", "<html>nginx</html>")).await;
    let fault = fault(list(&page).await);
    assert!(fault.kind == FaultKind::BadAnswer && fault.message.contains("and not as S3 does"), "{fault}");
    // Whoever repeats a secret does not get it into a message.
    let echo = web(|_| refusal("400 Bad Request", "", "InvalidArgument", &format!("your {SECRET} is wrong"))).await;
    let fault = net::fault(list(&echo).await);
    assert!(fault.message.ends_with("your (secret) is wrong"), "{fault}");
}

#[tokio::test]
async fn a_clock_that_is_off_is_said_with_how_much() {
    let body = "<Error><Code>RequestTimeTooSkewed</Code><Message>The difference between the request time and the current time is too large.</Message><RequestTime>20260101T001700Z</RequestTime><ServerTime>2026-01-01T00:00:00Z</ServerTime><MaxAllowedSkewMilliseconds>900000</MaxAllowedSkewMilliseconds></Error>";
    let server = web(move |_| reply("403 Forbidden", "", body)).await;
    let off = fault(list(&server).await);
    assert_eq!(off.kind, FaultKind::Setup);
    assert!(off.message.starts_with("this machine's clock is 17m ahead of the server's"), "{off}");
    let dated =
        web(|_| refusal("403 Forbidden", "Date: Thu, 01 Jan 2099 00:00:00 GMT\r\n", "RequestTimeTooSkewed", "")).await;
    let off = fault(list(&dated).await);
    assert!(off.message.contains("behind the server's"), "{off}");
}

#[tokio::test]
async fn a_bucket_elsewhere_is_followed_there_once() {
    let server = web(|asked| {
        if asked.contains("/eu-west-1/s3/aws4_request") {
            reply("200 OK", "", EMPTY)
        } else {
            refusal("400 Bad Request", "x-amz-bucket-region: eu-west-1\r\n", "AuthorizationHeaderMalformed", "wrong")
        }
    })
    .await;
    assert!(list(&server).await.is_ok());
    assert_eq!(server.asked().len(), 2);
    assert!(is_signed(&server.last(), SECRET, "eu-west-1").1);
    let circle =
        web(|_| refusal("301 Moved Permanently", "x-amz-bucket-region: eu-west-1\r\n", "PermanentRedirect", "go"))
            .await;
    let lost = fault(list(&circle).await);
    assert!(lost.kind == FaultKind::Setup && circle.asked().len() == 2, "{lost}");
    let nowhere = web(|_| refusal("301 Moved Permanently", "", "PermanentRedirect", "go")).await;
    let lost = fault(list(&nowhere).await);
    assert!(lost.message.contains("is not in us-east-1") && lost.help.is_some_and(|help| help.contains("region:")));
}

#[tokio::test]
async fn reads_are_asked_again_and_changes_never() {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    let busy = web(move |asked| {
        let nth = counted.fetch_add(1, Ordering::SeqCst);
        if asked.starts_with("DELETE") || nth < 2 {
            refusal("503 Slow Down", "", "SlowDown", "less")
        } else {
            reply("200 OK", "", EMPTY)
        }
    })
    .await;
    assert!(list(&busy).await.is_ok());
    assert_eq!(count.swap(0, Ordering::SeqCst), 3);
    let refused = fault(ask(&busy.url(), &[], "s3.delete", &[("key", text("k"))]).await);
    assert_eq!((count.load(Ordering::SeqCst), refused.kind), (1, FaultKind::Failed), "{refused}");
    // One that asks for more time than there is gets no second question.
    let later = web(|_| refusal("503 Slow Down", "Retry-After: 3600\r\n", "SlowDown", "less")).await;
    let start = Instant::now();
    assert_eq!(fault(list(&later).await).kind, FaultKind::Failed);
    assert!(later.asked().len() == 1 && start.elapsed() < Duration::from_secs(2));
    // A body that breaks off is read again; what always breaks off ends as that.
    let broken = says(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n<ListBucketResult>").await;
    let fault_of = fault(list(&broken).await);
    assert!(fault_of.kind == FaultKind::BadAnswer && fault_of.message.contains("broke off"), "{fault_of}");
    assert_eq!(broken.asked().len(), 4);
    // A change that nobody answered may have been made.
    let mute = says(b"").await;
    let unknown = fault(ask(&mute.url(), &[], "s3.delete", &[("key", text("k"))]).await);
    assert!(unknown.sent && mute.asked().len() == 1, "{unknown:?}");
    let odd = web(|_| reply("200 OK", "", "<html>welcome</html>")).await;
    let unknown = fault(ask(&odd.url(), &[], "s3.delete", &[("key", text("k"))]).await);
    assert!(unknown.sent && unknown.kind == FaultKind::BadAnswer, "{unknown:?}");
}

#[tokio::test]
async fn a_copy_is_made_when_the_server_says_so() {
    async fn copy(size: &'static str, body: &'static str) -> (Result<Value, Fault>, Server) {
        let server = raw(move |mut stream, server| async move {
            while let Some(asked) = request(&mut stream, &server).await {
                let answer = if asked.starts_with("HEAD") {
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {size}\r\nETag: \"e\"\r\nLast-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n\r\n")
                } else {
                    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
                };
                _ = stream.write_all(answer.as_bytes()).await;
            }
        })
        .await;
        let result = ask(&server.url(), &[], "s3.copy", &[("from", text("a b")), ("to", text("c"))]).await;
        (result, server)
    }
    let (made, server) = copy("7", "  <CopyObjectResult><ETag>\"f\"</ETag></CopyObjectResult>").await;
    assert_eq!(field(&made.expect("a copy"), "etag").to_string(), "f");
    let asked = server.last();
    assert!(asked.contains("x-amz-copy-source: /backups/a%20b\r\n"), "{asked}");
    assert!(asked.contains("x-amz-copy-source-if-match: \"e\"\r\n"), "{asked}");
    let (late, _) = copy("7", "<Error><Code>InternalError</Code><Message>no</Message></Error>").await;
    let late = fault(late);
    assert!(late.sent && late.kind == FaultKind::BadAnswer && late.message.contains("InternalError no"), "{late}");
    assert!(fault(copy("7", "").await.0).sent);
    let (large, server) = copy("5368709121", "").await;
    let large = fault(large);
    assert!(large.kind == FaultKind::Unsupported && large.help.is_some_and(|help| help.contains("aws s3 cp")));
    assert_eq!(server.asked().len(), 1);
}

#[tokio::test]
async fn nobody_there_ends_quickly() {
    let address = refused().await;
    let start = Instant::now();
    let gone = fault(ask(&format!("http://{address}"), &[], "s3.list", &[]).await);
    assert_eq!(gone.kind, FaultKind::Unreachable);
    let silent = raw(|mut stream, server| async move {
        request(&mut stream, &server).await;
        std::future::pending::<()>().await;
    })
    .await;
    let late = fault(ask(&silent.url(), &[("within", ms(200))], "s3.list", &[]).await);
    assert_eq!(late.kind, FaultKind::Timeout);
    assert!(start.elapsed() < Duration::from_secs(2));
}

#[tokio::test]
async fn without_a_reason_a_missing_object_is_no_such_thing() {
    let of = |code: &'static str| {
        web(move |asked| {
            if asked.starts_with("HEAD") {
                reply("404 Not Found", "", "")
            } else {
                refusal("404 Not Found", "", code, "")
            }
        })
    };
    let gone = of("NoSuchKey").await;
    let key = [("key", text("k"))];
    assert!(matches!(ask(&gone.url(), &[], "s3.exists", &key).await, Ok(Value::Bool(false))));
    let fault_of = fault(ask(&gone.url(), &[], "s3.head", &key).await);
    assert_eq!(&*fault_of.message, "`k` is not in the bucket `backups`");
    let bucket = of("NoSuchBucket").await;
    assert_eq!(fault(ask(&bucket.url(), &[], "s3.exists", &key).await).kind, FaultKind::NotFound);
    let page = web(|_| reply("404 Not Found", "", "")).await;
    assert_eq!(fault(ask(&page.url(), &[], "s3.exists", &key).await).kind, FaultKind::BadAnswer);
}

#[tokio::test]
async fn the_bucket_is_a_part_of_the_host_or_of_the_path() {
    let proxy = web(|_| reply("200 OK", "", EMPTY)).await;
    let given = [("proxy", text(&proxy.url())), ("path_style", Value::Bool(false))];
    ask("http://s3.example.test", &given, "s3.list", &[]).await.expect("a list");
    let asked = proxy.last();
    assert!(asked.starts_with("GET http://backups.s3.example.test/?list-type=2&"), "{asked}");
    assert!(asked.to_lowercase().contains("host: backups.s3.example.test\r\n"), "{asked}");
    ask("http://s3.example.test/base/", &given[..1], "s3.list", &[]).await.expect("a list");
    assert!(proxy.last().starts_with("GET http://s3.example.test/base/backups?list-type=2&"), "{}", proxy.last());
    for (given, words) in [
        (("bucket", text("s3://backups/x")), "is a URL"),
        (("endpoint", text("minio:9000")), "is no http or https URL"),
        (("endpoint", text("http://user:hush@minio:9000")), "has credentials in it"),
        (("region", text("nowhere!")), "is no region"),
        (("within", ms(-1)), "cannot be negative"),
        (("at_once", Value::Int(0)), "is at least 1"),
        (("session_token", Value::Secret(SecretText::new("t".to_owned()))), "go together"),
        (("ca", text("/nowhere.pem")), "/nowhere.pem"),
    ] {
        let mut all = vec![("bucket", text("backups")), ("endpoint", text("http://s3.example.test"))];
        all.retain(|(name, _)| *name != given.0);
        all.push(given);
        let Err(fault) = Outside::here().open("s3", &all).await else { panic!("{words}") };
        assert!(fault.kind == FaultKind::Setup && fault.message.contains(words), "{words}: {fault}");
        assert!(!fault.message.contains("hush"), "{fault}");
    }
}

#[tokio::test]
async fn tls_trusts_whom_the_environment_says() {
    let authority = authority();
    let server = secure(authority.sign(&["127.0.0.1"], 2090), |_| reply("200 OK", "", EMPTY)).await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("ca.pem");
    std::fs::write(&file, &authority.pem).expect("a file");
    let url = server.url().replace("http:", "https:");
    let list = |env: Vec<(&'static str, String)>| {
        let url = url.clone();
        async move {
            let env: Vec<(&str, &str)> = env.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let outside = Outside::new(&env, std::path::Path::new("."));
            let given: Vec<_> =
                keys().into_iter().chain([("bucket", text("backups")), ("endpoint", text(&url))]).collect();
            let connection = outside.connect("s3", &given).await?;
            outside.call("s3.list", &[("connection", connection)]).await
        }
    };
    list(vec![("AWS_CA_BUNDLE", file.display().to_string())]).await.expect("a list");
    let unknown = fault(list(Vec::new()).await);
    assert!(unknown.message.contains("certificate"), "{unknown}");
}
