//! Mail: what a server is told, and what each of its refusals means, step by step.

mod net;

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use net::server::{Server, authority, raw, sealed, secure_acceptor};
use net::told::{channel, failed, message, secret, tell, why};
use net::{Outside, ms, text, words};
use runbook::catalog::{Again, Channel, Message, Occasion, Person, Told};
use runbook::types::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};

/// What was said to a server: its commands, and the mails it got.
type Heard = Arc<Mutex<Vec<String>>>;

/// Answers a line, or `None` to hang up. `.` is the end of a mail.
type Script = fn(&str) -> Option<&'static str>;

/// A session as a script has it, from the greeting on.
async fn session<S: AsyncRead + AsyncWrite + Unpin>(
    mut stream: BufReader<S>,
    script: Script,
    heard: &Heard,
    greet: bool,
) -> Option<S> {
    if greet {
        stream.write_all(script("")?.as_bytes()).await.ok()?;
    }
    let mut mail: Option<String> = None;
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        let answer = match &mut mail {
            Some(text) if line == ".\r\n" => {
                heard.lock().expect("heard").push(text.clone());
                mail = None;
                script(".")
            }
            Some(text) => {
                text.push_str(&line);
                continue;
            }
            None => {
                let command = line.trim_end().to_owned();
                heard.lock().expect("heard").push(command.clone());
                let answer = script(&command);
                mail = (command == "DATA" && answer.is_some_and(|answer| answer.starts_with("354"))).then(String::new);
                answer
            }
        };
        stream.write_all(answer?.as_bytes()).await.ok()?;
        if line == "STARTTLS\r\n" {
            return Some(stream.into_inner());
        }
    }
}

async fn server(script: Script) -> (Server, Heard) {
    let heard = Heard::default();
    let own = Arc::clone(&heard);
    let server = raw(move |stream, _| {
        let heard = Arc::clone(&own);
        async move {
            session(BufReader::new(stream), script, &heard, true).await;
        }
    });
    (server.await, heard)
}

/// A server that takes everything.
#[expect(clippy::unnecessary_wraps, reason = "it is a script, and others hang up")]
fn kind(line: &str) -> Option<&'static str> {
    Some(match line.split([' ', ':']).next().unwrap_or_default() {
        "" => "220 mail.example.com ESMTP\r\n",
        "EHLO" => "250-mail.example.com\r\n250-AUTH PLAIN LOGIN\r\n250 8BITMIME\r\n",
        "AUTH" => "235 welcome\r\n",
        "DATA" => "354 go on\r\n",
        "." => "250 queued as 4711\r\n",
        "QUIT" => "221 bye\r\n",
        _ => "250 ok\r\n",
    })
}

async fn email(outside: &Outside, server: &Server, more: &[(&str, Value)]) -> Arc<dyn Channel> {
    let place = text(&server.address.to_string());
    let given = [
        ("to", words(&["a@example.com", "Bob <b@example.com>"])),
        ("from", text("Runbook <runbook@example.com>")),
        ("server", place),
        ("within", ms(1_500)),
    ];
    let all: Vec<(&str, Value)> = given.into_iter().filter(|one| more.iter().all(|two| two.0 != one.0)).collect();
    let all: Vec<(&str, Value)> = all.into_iter().chain(more.iter().cloned()).collect();
    channel(outside, "email", &all).await
}

fn commands(heard: &Heard, beginning: &str) -> Vec<String> {
    heard.lock().expect("heard").iter().filter(|line| line.starts_with(beginning)).cloned().collect()
}

#[tokio::test]
async fn a_mail_goes_to_all_in_one_envelope() {
    let (outside, (server, heard)) = (Outside::here(), server(kind).await);
    let mail = email(&outside, &server, &[("user", text("runbook")), ("password", secret("s3cret-password"))]).await;
    assert_eq!(mail.target(), "2 addresses by 127.0.0.1");
    let told = tell(&outside, &mail, &message(Occasion::Opened)).await.expect("told");
    assert_eq!(told, Told { said: "250 queued as 4711".to_owned() });
    assert_eq!(commands(&heard, "MAIL"), ["MAIL FROM:<runbook@example.com>"]);
    assert_eq!(commands(&heard, "RCPT"), ["RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>"]);
    assert_eq!(commands(&heard, "AUTH PLAIN").len(), 1);
    let sent = commands(&heard, "From:").remove(0);
    for line in ["Subject: [critical] Error rate: Daily operations\r\n", "To: a@example.com, Bob <b@example.com>\r\n"] {
        assert!(sent.contains(line), "{line} in {sent}");
    }
    assert!(sent.contains("text/plain") && sent.contains("text/html") && !sent.contains("s3cret"));
}

#[tokio::test]
async fn each_step_of_a_server_may_refuse() {
    let cases: [(&str, Script, &str, Again, bool); 11] = [
        (
            "the greeting passes",
            |line| if line.is_empty() { Some("421 too busy\r\n") } else { kind(line) },
            "refuses the connection: 421 too busy",
            Again::Later,
            false,
        ),
        (
            "the greeting stays",
            |line| if line.is_empty() { Some("554 no\r\n") } else { kind(line) },
            "failed: 127.0.0.1:",
            Again::Never,
            false,
        ),
        (
            "the login",
            |line| if line.starts_with("AUTH") { Some("535 wrong s3cret-password\r\n") } else { kind(line) },
            "does not let us in: 535 wrong (secret) (are `user`",
            Again::Never,
            false,
        ),
        (
            "the sender",
            |line| if line.starts_with("MAIL") { Some("550 not you\r\n") } else { kind(line) },
            "refuses a mail from runbook@example.com: 550 not you",
            Again::Never,
            false,
        ),
        (
            "everybody, for good",
            |line| if line.starts_with("RCPT") { Some("550 5.1.1 No such user\r\n") } else { kind(line) },
            "refuses a@example.com: 550 5.1.1 No such user; b@example.com: 550",
            Again::Never,
            false,
        ),
        (
            "everybody, for now",
            |line| if line.starts_with("RCPT") { Some("451 greylisted\r\n") } else { kind(line) },
            "451 greylisted",
            Again::Later,
            false,
        ),
        (
            "the mail, for now",
            |line| if line == "." { Some("452 full\r\n") } else { kind(line) },
            "refuses the mail: 452 full",
            Again::Later,
            false,
        ),
        (
            "the mail, for good",
            |line| if line == "." { Some("552 too large\r\n") } else { kind(line) },
            "refuses the mail: 552 too large",
            Again::Never,
            false,
        ),
        (
            "dies after the mail",
            |line| if line == "." { None } else { kind(line) },
            "unreachable: 127.0.0.1:",
            Again::Later,
            true,
        ),
        (
            "dies before it",
            |line| if line == "DATA" { None } else { kind(line) },
            "closed the connection without an answer to the mail",
            Again::Later,
            false,
        ),
        ("is no mail server", |_| Some("HTTP/1.1 400 Bad Request\r\n\r\n"), "does not speak SMTP", Again::Later, false),
    ];
    for (what, script, wanted, again, sent) in cases {
        let (outside, (server, _)) = (Outside::here(), server(script).await);
        let mail =
            email(&outside, &server, &[("user", text("runbook")), ("password", secret("s3cret-password"))]).await;
        let result = tell(&outside, &mail, &message(Occasion::Opened)).await;
        let gone = result.as_ref().err().is_some_and(|failed| failed.fault.sent);
        let (message, own) = why(result);
        assert!(message.contains(wanted) && !message.contains("s3cret"), "{what}: {message}");
        assert_eq!((own, gone), (again, sent), "{what}: {message}");
    }
}

#[tokio::test]
async fn who_has_got_it_does_not_get_it_again() {
    static TRIES: Mutex<u32> = Mutex::new(0);
    let script: Script = |line| {
        if line == "RCPT TO:<b@example.com>" {
            let mut tries = TRIES.lock().expect("tries");
            *tries += 1;
            if *tries == 1 {
                return Some("451 greylisted\r\n");
            }
        }
        kind(line)
    };
    let (outside, (server, heard)) = (Outside::here(), server(script).await);
    let mail = email(&outside, &server, &[]).await;
    let first = failed(tell(&outside, &mail, &message(Occasion::Opened)).await);
    let wanted = format!("1 of 2 addresses were told; {} refuses b@example.com: 451 greylisted", server.address);
    assert_eq!((&*first.fault.message, first.again, first.fault.sent), (&*wanted, Again::Later, true));
    tell(&outside, &mail, &message(Occasion::Opened)).await.expect("told");
    assert_eq!(commands(&heard, "RCPT TO:<a@").len(), 1);
    assert_eq!(commands(&heard, "RCPT TO:<b@").len(), 2);
    // Another message goes to all.
    let other = Message { key: "another".into(), ..message(Occasion::Closed) };
    tell(&outside, &mail, &other).await.expect("told");
    assert_eq!(commands(&heard, "RCPT TO:<a@").len(), 2);
}

#[tokio::test]
async fn an_address_that_is_refused_for_good_is_named() {
    let script: Script = |line| if line.contains("<a@") { Some("550 No such user here\r\n") } else { kind(line) };
    let (outside, (server, heard)) = (Outside::here(), server(script).await);
    let (message, again) = why(tell(&outside, &email(&outside, &server, &[]).await, &message(Occasion::Note)).await);
    assert!(
        message.contains("1 of 2 addresses were told; ") && message.contains("a@example.com: 550 No such"),
        "{message}"
    );
    assert_eq!((again, commands(&heard, "From:").len()), (Again::Never, 1));
}

#[tokio::test]
async fn a_server_that_never_answers_is_left_in_time() {
    let server = raw(|stream, _| async move {
        tokio::time::sleep(Duration::from_mins(1)).await;
        drop(stream);
    })
    .await;
    let outside = Outside::here();
    let mail = email(&outside, &server, &[("within", ms(200))]).await;
    let begun = Instant::now();
    let (message, again) = why(tell(&outside, &mail, &message(Occasion::Opened)).await);
    let wanted = format!("timeout: no answer from {} within 200ms: waiting for the greeting", server.address);
    assert_eq!((message, again), (wanted, Again::Later));
    assert!(begun.elapsed() < Duration::from_secs(5));
}

/// A server that offers STARTTLS, or begins with TLS, under a certificate for `localhost`.
#[tokio::test]
async fn the_way_is_sealed_before_a_password_goes_over_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = authority();
    std::fs::write(folder.path().join("ca.pem"), &authority.pem).expect("written");
    let outside = Outside::new(&[], Path::new(folder.path()));
    let offers: Script = |line| match line {
        "STARTTLS" => Some("220 go on\r\n"),
        line if line.starts_with("EHLO") => Some("250-mail.example.com\r\n250-AUTH PLAIN\r\n250 STARTTLS\r\n"),
        line => kind(line),
    };
    for (tls, name, wanted) in [
        ("starttls", "localhost", None),
        ("tls", "localhost", None),
        ("starttls", "other.example", Some("the certificate is for `other.example`, not for `localhost`")),
        ("tls", "other.example", Some("the certificate is for `other.example`, not for `localhost`")),
    ] {
        let heard = Heard::default();
        let (own, acceptor) = (Arc::clone(&heard), secure_acceptor(authority.sign(&[name], 2100)));
        let server = raw(move |stream, _| {
            let (heard, acceptor) = (Arc::clone(&own), acceptor.clone());
            async move {
                let plain = if tls == "tls" {
                    Some(stream)
                } else {
                    session(BufReader::new(stream), offers, &heard, true).await
                };
                let Some(plain) = plain else { return };
                if let Some(stream) = sealed(&acceptor, plain).await {
                    heard.lock().expect("heard").push("(sealed)".to_owned());
                    session(BufReader::new(stream), kind, &heard, tls == "tls").await;
                }
            }
        })
        .await;
        let place = text(&format!("localhost:{}", server.address.port()));
        let login = [("user", text("runbook")), ("password", secret("s3cret-password"))];
        let more = [("server", place), ("tls", text(tls)), ("ca", text("ca.pem"))];
        let mail = email(&outside, &server, &[&login[..], &more[..]].concat()).await;
        let result = tell(&outside, &mail, &message(Occasion::Opened)).await;
        match wanted {
            None => assert_eq!(result.expect("told").said, "250 queued as 4711"),
            Some(wanted) => {
                let (message, again) = why(result);
                assert!(message.contains(wanted), "{tls}: {message}");
                assert_eq!(again, Again::Later);
            }
        }
        let heard = heard.lock().expect("heard").clone();
        let sealed = heard.iter().position(|line| line == "(sealed)");
        let login = heard.iter().position(|line| line.starts_with("AUTH"));
        assert!(login.is_none_or(|login| sealed.is_some_and(|sealed| sealed < login)), "{tls}: {heard:?}");
        assert_eq!(login.is_some(), wanted.is_none(), "{tls}: {heard:?}");
    }
}

/// Words of somebody on the way, sent behind the answer to STARTTLS, are not the server's.
#[tokio::test]
async fn nobody_answers_for_the_server_before_the_way_is_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = authority();
    std::fs::write(folder.path().join("ca.pem"), &authority.pem).expect("written");
    let outside = Outside::new(&[], Path::new(folder.path()));
    let injects: Script = |line| match line {
        "STARTTLS" => {
            Some("220 go on\r\n250 mail.example.com\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go on\r\n250 queued\r\n")
        }
        line if line.starts_with("EHLO") => Some("250-mail.example.com\r\n250 STARTTLS\r\n"),
        line => kind(line),
    };
    let acceptor = secure_acceptor(authority.sign(&["localhost"], 2100));
    let server = raw(move |stream, _| {
        let acceptor = acceptor.clone();
        async move {
            let plain = session(BufReader::new(stream), injects, &Heard::default(), true).await;
            if let Some(plain) = plain
                && let Some(stream) = sealed(&acceptor, plain).await
            {
                session(BufReader::new(stream), kind, &Heard::default(), false).await;
            }
        }
    })
    .await;
    let place = text(&format!("localhost:{}", server.address.port()));
    let mail = email(&outside, &server, &[("server", place), ("tls", text("starttls")), ("ca", text("ca.pem"))]).await;
    let failed = failed(tell(&outside, &mail, &message(Occasion::Opened)).await);
    assert_eq!((failed.again, failed.fault.sent), (Again::Later, false), "{}", failed.fault);
}

#[tokio::test]
async fn what_is_not_sealed_goes_nowhere_but_to_this_machine() {
    let (outside, (server, heard)) = (Outside::here(), server(kind).await);
    let mail = email(&outside, &server, &[("tls", text("starttls"))]).await;
    let (message, again) = why(tell(&outside, &mail, &message(Occasion::Opened)).await);
    assert!(message.contains("does not offer STARTTLS"), "{message}");
    assert_eq!((again, commands(&heard, "MAIL").len()), (Again::Never, 0));
    let to = ("to", words(&["a@example.com"]));
    let from = ("from", text("runbook@example.com"));
    let login = [("user", text("u")), ("password", secret("s3cret"))];
    let far = ("server", text("mail.example.com"));
    for (given, wanted) in [
        (
            vec![far.clone(), ("tls", text("none")), login[0].clone(), login[1].clone()],
            "the password would go to mail.example.com:25 in the clear",
        ),
        (vec![login[0].clone()], "there is a `user` and no `password`"),
        (vec![("server", text("not a server"))], "`server`: \"not a server\" is no server"),
        (vec![("to", words(&["a@example.com\r\nBcc: all@example.com"]))], "has a character in it that ends a line"),
        (vec![("to", words(&["nobody"]))], "`to`: \"nobody\" is no address"),
        (vec![("to", words(&[]))], "`to` names nobody"),
    ] {
        let base = [to.clone(), from.clone()].into_iter().filter(|one| given.iter().all(|two| two.0 != one.0));
        let all: Vec<(&str, Value)> = base.chain(given.clone()).collect();
        let fault = outside.open("email", &all).await.err().expect("no channel");
        assert!(fault.message.contains(wanted) && !fault.message.contains("s3cret"), "{wanted}: {fault}");
    }
}

#[tokio::test]
async fn a_template_makes_the_page_and_a_broken_one_holds_nothing_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
    write("good.html", "<h1>{{ title }}</h1><p>{{ text }}</p>");
    write("good.txt", "{{ title }}: {{ text }}");
    write("broken.html", "{% for fact in facts %}");
    let outside = Outside::new(&[], Path::new(folder.path()));
    for (template, wanted, html) in [
        ("good.html", "<h1>Error rate</h1><p>error_rate is 12%, for service=&lt;gateway&gt;</p>", true),
        ("good.txt", "Error rate: error_rate is 12%, for service=<gateway>", false),
        ("broken.html", "The template `broken.html` could not be used", true),
    ] {
        let (server, heard) = server(kind).await;
        let mail = email(&outside, &server, &[("template", text(template))]).await;
        let told = tell(&outside, &mail, &message(Occasion::Opened)).await.expect("told");
        let sent = commands(&heard, "From:").remove(0).replace("=\r\n", "");
        assert!(sent.contains(wanted), "{template}: {sent}");
        assert_eq!(sent.contains("text/html"), html, "{template}");
        assert_eq!(told.said.contains("could not be used"), template == "broken.html", "{}", told.said);
    }
}

#[tokio::test]
async fn who_is_on_call_gets_the_mail_too_and_once() {
    let (outside, (server, heard)) = (Outside::here(), server(kind).await);
    let mail = email(&outside, &server, &[]).await;
    let person = |email: &str| {
        let person = Person { name: "Ann Example".into(), email: Some(email.into()), phone: None, slack: None };
        Some(Arc::new(person))
    };
    for (email, addresses) in [("ann@example.com", 3), ("a@example.com", 2), ("no address", 2)] {
        heard.lock().expect("heard").clear();
        let message = Message { on_call: person(email), ..message(Occasion::Opened) };
        tell(&outside, &mail, &message).await.expect("told");
        let told = commands(&heard, "RCPT TO");
        assert_eq!(told.len(), addresses, "{told:?}");
        assert_eq!(told.iter().any(|line| line.contains("<ann@example.com>")), addresses == 3, "{told:?}");
    } // What all hear who know of it goes to whoever was told before, and not to who is on call by now.
    heard.lock().expect("heard").clear();
    let called = person("ben@example.com").into_iter().collect();
    let over = Message { on_call: person("ann@example.com"), called, ..message(Occasion::Closed) };
    tell(&outside, &mail, &over).await.expect("told");
    let told = commands(&heard, "RCPT TO");
    assert!(told.len() == 3 && told.iter().any(|line| line.contains("<ben@example.com>")), "{told:?}");
}
