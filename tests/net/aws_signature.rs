//! The signature of a request as AWS documents it, computed a second time and by other code than the program's.

use sha2::{Digest, Sha256};

pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

pub fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut block = [0_u8; 64];
    block.iter_mut().zip(key).for_each(|(own, byte)| *own = *byte);
    let pad = |with: u8| block.iter().map(|byte| byte ^ with).collect::<Vec<u8>>();
    let inner = Sha256::new().chain_update(pad(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(pad(0x5c)).chain_update(inner).finalize().to_vec()
}

/// The signature that a request should have: the path and the query as they go over the wire, and its headers.
pub fn signature(secret: &str, region: &str, method: &str, target: &str, headers: &[(&str, &str)]) -> String {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut query: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| if pair.contains('=') { pair.to_owned() } else { format!("{pair}=") })
        .collect();
    query.sort();
    let mut headers = headers.to_vec();
    headers.sort_unstable();
    let value = |name: &str| headers.iter().find(|(own, _)| *own == name).map(|(_, value)| *value).expect(name);
    let names = headers.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(";");
    let lines: String = headers.iter().flat_map(|(name, value)| [name, ":", value.trim(), "\n"]).collect();
    let asked = format!("{method}\n{path}\n{}\n{lines}\n{names}\n{}", query.join("&"), value("x-amz-content-sha256"));
    let time = value("x-amz-date");
    let day = time.split('T').next().expect("a day");
    let scope = format!("{day}/{region}/s3/aws4_request");
    let text = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hex(&Sha256::digest(asked.as_bytes())));
    let key = [day, region, "s3", "aws4_request"]
        .iter()
        .fold(format!("AWS4{secret}").into_bytes(), |key, part| hmac(&key, part.as_bytes()));
    hex(&hmac(&key, text.as_bytes()))
}

/// The target of a request, and whether its signature is the right one.
pub fn is_signed(request: &str, secret: &str, region: &str) -> (String, bool) {
    let mut lines = request.split("\r\n");
    let first = lines.next().expect("a request");
    let mut first = first.split(' ');
    let (method, target) = (first.next().expect("a method"), first.next().expect("a target"));
    let all: Vec<(String, &str)> = lines
        .take_while(|line| !line.is_empty())
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_lowercase(), value))
        .collect();
    let authorization = all.iter().find(|(name, _)| name == "authorization").map(|(_, value)| *value).expect("signed");
    let part = |name: &str| authorization.split(name).nth(1).and_then(|rest| rest.split(',').next()).expect("a part");
    let names: Vec<&str> = part("SignedHeaders=").split(';').collect();
    let headers: Vec<(&str, &str)> =
        all.iter().filter(|(name, _)| names.contains(&name.as_str())).map(|(n, v)| (n.as_str(), *v)).collect();
    assert_eq!(headers.len(), names.len(), "a signed header was not sent: {names:?}");
    let ours = signature(secret, region, method, target, &headers);
    (target.to_owned(), part("Signature=") == ours)
}
