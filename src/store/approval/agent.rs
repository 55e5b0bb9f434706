//! Signatures by the SSH agent, which keeps the private key to itself.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use ssh_key::Signature;

use super::signature::{PublicKey, armoured, to_sign};

/// A person may be asked to touch a key.
const PATIENCE: Duration = Duration::from_mins(2);
/// An answer is never longer.
const MOST: u32 = 64 * 1024;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// The signature of a text by the agent at a socket, armoured.
///
/// # Errors
/// Where the agent cannot be asked, or does not have the key.
pub fn by_agent(socket: &Path, key: &PublicKey, text: &str) -> Result<String, String> {
    let unreachable =
        |error: std::io::Error| format!("the SSH agent at `{}` does not answer: {error}", socket.display());
    let mut stream = UnixStream::connect(socket).map_err(unreachable)?;
    stream
        .set_read_timeout(Some(PATIENCE))
        .and_then(|()| stream.set_write_timeout(Some(PATIENCE)))
        .map_err(unreachable)?;
    let blob = key.0.to_bytes().map_err(|error| error.to_string())?;
    let mut request = vec![SIGN_REQUEST];
    string(&mut request, &blob);
    string(&mut request, &to_sign(text)?);
    request.extend(0_u32.to_be_bytes());
    let mut framed = Vec::new();
    string(&mut framed, &request);
    stream.write_all(&framed).map_err(unreachable)?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).map_err(unreachable)?;
    let length = u32::from_be_bytes(length);
    if length > MOST {
        return Err(format!("the SSH agent at `{}` answers something else", socket.display()));
    }
    let mut answer = vec![0; length as usize];
    stream.read_exact(&mut answer).map_err(unreachable)?;
    // The kind of the answer, the length of the signature, the signature.
    match answer.split_first() {
        Some((&SIGN_RESPONSE, rest)) => {
            let blob = rest.get(4..).unwrap_or_default();
            let signature =
                Signature::try_from(blob).map_err(|error| format!("the agent's signature is none: {error}"))?;
            armoured(key, signature)
        }
        _ => Err(format!("the SSH agent does not sign with {}: is the key loaded? `ssh-add -l`", key.fingerprint())),
    }
}

fn string(to: &mut Vec<u8>, bytes: &[u8]) {
    to.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    to.extend(bytes);
}
