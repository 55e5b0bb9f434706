//! Bodies that come compressed. None is asked for, and some servers and proxies send one all the same.

use std::io::Read;

use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// What became of a body.
pub(super) enum Body {
    /// As it is meant.
    Plain(Vec<u8>),
    /// As it came: compressed in a way that is not known here, or broken.
    Packed(Vec<u8>, String),
    /// It unpacks to more than is taken.
    TooLarge,
}

/// The body as it is meant, if that is no longer than `most`: a page of zeros packs a gigabyte into a megabyte.
pub(super) fn unpacked(headers: &HeaderMap, body: Vec<u8>, most: usize) -> Body {
    let encodings = headers.get_all(CONTENT_ENCODING).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let encoding = encodings.collect::<Vec<_>>().join(", ").trim().to_lowercase();
    if body.is_empty() || matches!(encoding.as_str(), "" | "identity") {
        return Body::Plain(body);
    }
    let mut plain = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = match encoding.as_str() {
        "gzip" | "x-gzip" => MultiGzDecoder::new(body.as_slice()).take(limit).read_to_end(&mut plain),
        "deflate" => ZlibDecoder::new(body.as_slice()).take(limit).read_to_end(&mut plain),
        _ => return Body::Packed(body, encoding),
    };
    match read {
        Ok(_) if plain.len() > most => Body::TooLarge,
        Ok(_) => Body::Plain(plain),
        Err(_) => Body::Packed(body, format!("{encoding}, broken")),
    }
}
