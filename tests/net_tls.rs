//! Certificates as servers show them, good and bad.

mod net;

use net::server::{authority, reply, secure, web};
use net::{Outside, fault, field, ms, text};
use runbook::types::{FaultKind, Value};

#[tokio::test]
async fn a_certificate_is_read_whatever_is_wrong_with_it() {
    let ours = authority();
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("ca.pem"), &ours.pem).expect("written");
    let outside = Outside::new(&[], folder.path());
    let hello = |_: &str| reply("200 OK", "", "");
    let show = async |address: String, name: Option<&str>, ca: bool| {
        let mut given = vec![("address", text(&address))];
        given.extend(name.map(|name| ("name", text(name))));
        given.extend(ca.then(|| ("ca", text("ca.pem"))));
        outside.call("tls.certificate", &given).await.expect("a certificate")
    };
    let problem = |certificate: &Value| field(certificate, "problem").to_string();

    let good = ours.sign(&["localhost", "127.0.0.1"], 2099);
    std::fs::write(folder.path().join("good.pem"), &good.pem).expect("written");
    let good = secure(good, hello).await;
    let address = format!("localhost:{}", good.address.port());
    let certificate = show(address.clone(), None, true).await;
    let json = certificate.to_json();
    assert_eq!(json["trusted"], true, "{json}");
    assert_eq!(json["problem"], Value::Null.to_json());
    assert_eq!(json["subject"], "CN=localhost");
    assert_eq!(json["issuer"], "CN=Test Authority");
    assert_eq!(json["names"], serde_json::json!(["localhost", "127.0.0.1"]));
    assert_eq!(json["not_after"], "2099-01-01T00:00:00Z");
    assert_eq!(json["protocol"], "TLSv1.3");
    assert!(json["left"].as_f64().expect("seconds") > 365.0 * 86_400.0);
    let openssl = std::process::Command::new("openssl")
        .args(["x509", "-noout", "-fingerprint", "-sha256", "-in"])
        .arg(folder.path().join("good.pem"))
        .output()
        .expect("openssl");
    let theirs = String::from_utf8_lossy(&openssl.stdout).to_lowercase().replace(':', "");
    assert!(theirs.trim().ends_with(json["fingerprint"].as_str().expect("text")), "{theirs}");

    let by_address = show(good.address.to_string(), None, true).await;
    assert_eq!(field(&by_address, "trusted").to_json(), true);
    let unknown = show(address.clone(), None, false).await;
    assert_eq!(field(&unknown, "trusted").to_json(), false);
    assert!(problem(&unknown).contains("signed by no authority"), "{}", problem(&unknown));
    let other = show(address, Some("other.example"), true).await;
    assert!(problem(&other).contains("not for `other.example`"), "{}", problem(&other));

    let expired = secure(ours.sign(&["localhost"], 2024), hello).await;
    let expired = show(format!("localhost:{}", expired.address.port()), None, true).await;
    assert_eq!(field(&expired, "trusted").to_json(), false);
    assert!(problem(&expired).contains("expired"), "{}", problem(&expired));
    assert!(field(&expired, "left").to_json().as_f64().expect("seconds") < 0.0);
}

#[tokio::test]
async fn where_there_is_no_certificate_it_says_why() {
    let outside = Outside::here();
    let show = async |address: &str| {
        let given = [("address", text(address)), ("within", ms(300))];
        fault(outside.call("tls.certificate", &given).await)
    };
    let plain = web(|_| reply("200 OK", "", "")).await;
    let silent = show(&plain.address.to_string()).await;
    assert_eq!(silent.kind, FaultKind::Timeout);
    assert!(silent.message.ends_with("within 300ms: the TLS handshake"), "{silent}");
    let refused = show(&net::server::refused().await.to_string()).await;
    assert_eq!(refused.kind, FaultKind::Unreachable);
    assert!(show("https://example.com").await.message.contains("is no address of a server"));
}
