//! DNS against a name server of the test.

mod net;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

use hickory_resolver::proto::op::{Message, MessageType, ResponseCode};
use hickory_resolver::proto::rr::rdata::{A, CNAME, MX, TXT};
use hickory_resolver::proto::rr::{Name, RData, Record, RecordType};
use net::{Outside, fault, ms, text};
use runbook::types::{Fault, FaultKind, Value};
use tokio::net::UdpSocket;

/// Answers by the name that is asked for.
async fn name_server() -> SocketAddr {
    #[expect(clippy::disallowed_methods, reason = "a test has no policy")]
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("bind");
    let address = socket.local_addr().expect("address");
    tokio::spawn(async move {
        let mut buffer = [0; 4096];
        while let Ok((length, from)) = socket.recv_from(&mut buffer).await {
            let asked = Message::from_vec(buffer.get(..length).expect("a message")).expect("a query");
            if let Some(answer) = answer(&asked) {
                _ = socket.send_to(&answer.to_vec().expect("bytes"), from).await;
            }
        }
    });
    address
}

fn answer(asked: &Message) -> Option<Message> {
    let query = asked.queries.first().expect("a query").clone();
    let name = query.name().clone();
    let mut answer = asked.clone();
    answer.metadata.message_type = MessageType::Response;
    answer.metadata.recursion_available = true;
    let text = name.to_string();
    let target = Name::from_ascii("target.example.").expect("a name");
    let records = match (text.as_str(), query.query_type()) {
        ("silent.example.", _) => return None,
        ("none.example.", _) => {
            answer.metadata.response_code = ResponseCode::NXDomain;
            vec![]
        }
        ("broken.example.", _) => {
            answer.metadata.response_code = ResponseCode::ServFail;
            vec![]
        }
        ("refused.example.", _) => {
            answer.metadata.response_code = ResponseCode::Refused;
            vec![]
        }
        ("alias.example.", RecordType::A) => vec![
            Record::from_rdata(name, 60, RData::CNAME(CNAME(target.clone()))),
            Record::from_rdata(target, 60, RData::A(A(Ipv4Addr::new(192, 0, 2, 9)))),
        ],
        (_, RecordType::A) => vec![
            Record::from_rdata(name.clone(), 300, RData::A(A(Ipv4Addr::new(192, 0, 2, 1)))),
            Record::from_rdata(name, 300, RData::A(A(Ipv4Addr::new(192, 0, 2, 2)))),
        ],
        (_, RecordType::MX) => vec![Record::from_rdata(name, 60, RData::MX(MX::new(10, target)))],
        (_, RecordType::TXT) => {
            vec![Record::from_rdata(name, 60, RData::TXT(TXT::new(vec!["v=spf1 ".into(), "-all".into()])))]
        }
        _ => vec![],
    };
    answer.answers = records;
    Some(answer)
}

async fn lookup(name: &str, kind: &str, server: &str) -> Result<Value, Fault> {
    let given = [("name", text(name)), ("type", text(kind)), ("server", text(server)), ("within", ms(600))];
    Outside::here().call("dns.lookup", &given).await
}

#[tokio::test]
async fn records_are_what_the_server_has() {
    let server = name_server().await.to_string();
    let values = async |name: &str, kind: &str| {
        let records = lookup(name, kind, &server).await.expect("records").to_json();
        let records = records.as_array().expect("a list").clone();
        records.iter().map(|record| record["value"].as_str().expect("text").to_owned()).collect::<Vec<_>>()
    };
    let mut addresses = values("www.example", "A").await;
    addresses.sort();
    assert_eq!(addresses, ["192.0.2.1", "192.0.2.2"]);
    assert_eq!(values("www.example", "MX").await, ["10 target.example."]);
    assert_eq!(values("www.example", "TXT").await, ["v=spf1 -all"]);
    assert_eq!(values("alias.example", "A").await, ["192.0.2.9"]);
    assert_eq!(values("www.example", "AAAA").await, [""; 0], "no record of a type is an empty list");
    assert_eq!(values("_dmarc.example", "TXT").await, ["v=spf1 -all"]);
    assert_eq!(values("münchen.example", "MX").await, ["10 target.example."]);
    let record = lookup("www.example", "MX", &server).await.expect("records").to_json();
    assert_eq!(
        record[0],
        serde_json::json!({ "name": "www.example", "type": "MX", "value": "10 target.example.", "ttl": 60.0 })
    );
}

#[tokio::test]
async fn what_went_wrong_is_told_apart() {
    let server = name_server().await.to_string();
    let kinds = [
        ("none.example", FaultKind::NotFound),
        ("broken.example", FaultKind::BadAnswer),
        ("refused.example", FaultKind::Denied),
        ("silent.example", FaultKind::Timeout),
        ("..", FaultKind::Setup),
    ];
    for (name, kind) in kinds {
        let start = Instant::now();
        let fault = fault(lookup(name, "A", &server).await);
        assert_eq!(fault.kind, kind, "{name}: {fault}");
        assert!(start.elapsed() < Duration::from_secs(2), "{name}: {:?}", start.elapsed());
    }
    let nobody = net::server::refused().await.to_string();
    let fault = fault(lookup("www.example", "A", &nobody).await);
    assert!(matches!(fault.kind, FaultKind::Unreachable | FaultKind::Timeout), "{fault}");
}

#[tokio::test]
async fn this_machine_finds_its_own_name() {
    let resolves = async |name: &str| Outside::here().call("dns.resolves", &[("name", text(name))]).await;
    assert_eq!(resolves("localhost").await.expect("yes").to_json(), true);
    // Without a network the name server is silent, with one it says no. Either way it is never yes.
    match resolves("no-such-host.invalid").await {
        Ok(value) => assert_eq!(value.to_json(), false),
        Err(fault) => assert!(matches!(fault.kind, FaultKind::Unreachable | FaultKind::Timeout), "{fault}"),
    }
}
