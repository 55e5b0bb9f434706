//! Where a bucket is: its region, its endpoint, and the URL of an object in it.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::Url;

use crate::builtins::settings::no_url;
use crate::types::{Fault, FaultKind};

/// What is encoded in a key: everything but the unreserved characters of RFC 3986 and the slash, as AWS signs it.
const KEY: &AsciiSet = &QUERY.remove(b'/');
const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A key is at most this long, in bytes.
const LONGEST: usize = 1024;

/// Regions of AWS that are worlds of their own, and what their names end with.
const WORLDS: &[(&str, &str, &str)] = &[
    ("cn-", "amazonaws.com.cn", "aws-cn"),
    ("us-gov-", "amazonaws.com", "aws-us-gov"),
    ("us-isob-", "sc2s.sgov.gov", "aws-iso-b"),
    ("us-isof-", "csp.hci.ic.gov", "aws-iso-f"),
    ("us-iso-", "c2s.ic.gov", "aws-iso"),
    ("eu-isoe-", "cloud.adc-e.uk", "aws-iso-e"),
    ("eusc-", "amazonaws.eu", "aws-eusc"),
];

/// A region, as it stands in host names and signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Region(String);

impl Region {
    /// Where nobody says another one. A bucket that is elsewhere says so, and is followed there.
    pub(super) const DEFAULT: &'static str = "us-east-1";

    pub(super) fn parse(text: &str) -> Result<Self, Fault> {
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if text.is_empty() || text.len() > 63 || !text.bytes().all(plain) {
            return Err(Fault::new(FaultKind::Setup, format!("`{text}` is no region"))
                .help("a region is written `eu-central-1`; servers of one's own mostly take `us-east-1`"));
        }
        Ok(Self(text.to_owned()))
    }

    pub(super) fn name(&self) -> &str {
        &self.0
    }

    fn world(&self) -> (&'static str, &'static str) {
        let world = WORLDS.iter().find(|(start, ..)| self.0.starts_with(start));
        world.map_or(("amazonaws.com", "aws"), |(_, suffix, partition)| (*suffix, *partition))
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where a bucket is.
#[derive(Clone, Debug)]
pub(super) struct Place {
    pub(super) bucket: String,
    /// Where that is not AWS.
    pub(super) endpoint: Option<Url>,
    /// Whether the bucket is the first part of the path rather than of the host.
    pub(super) path_style: bool,
}

impl Place {
    /// The name of a bucket, as servers take them: AWS's rules and the older, wider ones.
    pub(super) fn bucket(name: &str) -> Result<String, Fault> {
        let bad = |message: String, help: &str| Err(Fault::new(FaultKind::Setup, message).help(help.to_owned()));
        if let Some(rest) = name.strip_prefix("s3://") {
            let bucket = rest.split('/').next().unwrap_or_default();
            return bad(format!("`{name}` is a URL"), &format!("name the bucket alone: `bucket: \"{bucket}\"`"));
        }
        if name.starts_with("arn:") {
            return Err(Fault::new(FaultKind::Unsupported, format!("`{name}` is no name of a bucket"))
                .help("an access point has an alias, which can be named like a bucket"));
        }
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let dots = name.contains("..") || name.starts_with('.') || name.ends_with('.');
        if !(3..=255).contains(&name.len()) || !name.bytes().all(plain) || dots {
            return bad(
                format!("`{name}` is no name of a bucket"),
                "it has 3 to 63 lower-case letters, digits, dots and dashes",
            );
        }
        Ok(name.to_owned())
    }

    /// Whether a bucket can be a part of a host name that AWS's certificates are good for.
    pub(super) fn is_host(bucket: &str) -> bool {
        bucket.len() <= 63
            && bucket.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            && !bucket.starts_with('-')
            && !bucket.ends_with('-')
    }

    /// The resource as policies name it.
    pub(super) fn arn(&self, region: &Region, key: Option<&str>) -> String {
        let partition = if self.endpoint.is_some() { "aws" } else { region.world().1 };
        let key = key.map(|key| format!("/{key}")).unwrap_or_default();
        format!("arn:{partition}:s3:::{}{key}", self.bucket)
    }

    /// The URL of the bucket or of an object in it. Each key is a URL of its own, or none at all.
    pub(super) fn url(&self, region: &Region, key: Option<&str>, query: &[(&str, String)]) -> Result<Url, Fault> {
        let base = match &self.endpoint {
            Some(endpoint) => endpoint.as_str().trim_end_matches('/').to_owned(),
            None => format!("https://s3.{region}.{}", region.world().0),
        };
        let key = key.map(encoded).transpose()?;
        let key = key.as_deref().unwrap_or_default();
        let mut text = if self.path_style {
            let slash = if key.is_empty() { "" } else { "/" };
            format!("{base}/{}{slash}{key}", self.bucket)
        } else {
            let (scheme, rest) = base.split_once("://").unwrap_or(("https", &base));
            format!("{scheme}://{}.{rest}/{key}", self.bucket)
        };
        for (index, (name, value)) in query.iter().enumerate() {
            text.push_str(if index == 0 { "?" } else { "&" });
            text.extend([name, "="].into_iter().chain(utf8_percent_encode(value, QUERY)));
        }
        let url =
            Url::parse(&text).map_err(|error| Fault::new(FaultKind::Setup, format!("`{text}` is no URL: {error}")))?;
        // `a/../b` would be another object's URL: what is not taken as it is written is not asked for.
        let asked = &url[url::Position::BeforePath..];
        if !text.ends_with(asked) || !url.path().ends_with(key) {
            return Err(Fault::new(
                FaultKind::Unsupported,
                format!("the key `{key}` has a part `.` or `..`, which no URL can have"),
            )
            .help("the AWS tools cannot name it either by a URL: copy it from the console, or rename it there"));
        }
        Ok(url)
    }
}

/// A key as a part of a path.
pub(super) fn encoded(key: &str) -> Result<String, Fault> {
    if key.is_empty() {
        return Err(Fault::no_value("an empty text is no key of an object"));
    }
    if key.len() > LONGEST {
        let length = key.len();
        return Err(Fault::new(
            FaultKind::TooLarge,
            format!("a key is at most {LONGEST} bytes long, and this one {length}"),
        ));
    }
    Ok(utf8_percent_encode(key, KEY).to_string())
}

/// The URL of a server.
pub(super) fn endpoint(text: &str, source: &str) -> Result<Url, Fault> {
    // The text may hold a password: no message repeats it.
    let bad = |why: &str| {
        Fault::new(FaultKind::Setup, format!("{source} {why}"))
            .help("an endpoint is written `https://s3.example.com` or `http://127.0.0.1:9000`")
    };
    let url = Url::parse(text).map_err(|error| bad(&format!("is no URL: {}", no_url(error))))?;
    if !matches!(url.scheme(), "http" | "https") || url.host_str().is_none_or(str::is_empty) {
        return Err(bad("is no http or https URL"));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(bad("has credentials in it, where everybody sees them"));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(bad("has more than a path"));
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::{Place, Region, endpoint};

    fn place(endpoint_url: Option<&str>, path_style: bool) -> Place {
        let endpoint = endpoint_url.map(|text| endpoint(text, "it").expect("a URL"));
        Place { bucket: "b-1".to_owned(), endpoint, path_style }
    }

    #[test]
    fn a_key_is_one_url() {
        let region = Region::parse("eu-west-1").expect("a region");
        let of = |place: &Place, key: &str| place.url(&region, Some(key), &[]).map(|url| url.to_string());
        let aws = place(None, false);
        for (key, url) in [
            ("a/b.gz", "https://b-1.s3.eu-west-1.amazonaws.com/a/b.gz"),
            ("a b+c?d#e%", "https://b-1.s3.eu-west-1.amazonaws.com/a%20b%2Bc%3Fd%23e%25"),
            ("//x//", "https://b-1.s3.eu-west-1.amazonaws.com///x//"),
            ("größe/日", "https://b-1.s3.eu-west-1.amazonaws.com/gr%C3%B6%C3%9Fe/%E6%97%A5"),
            ("a\\b\n'(*)", "https://b-1.s3.eu-west-1.amazonaws.com/a%5Cb%0A%27%28%2A%29"),
            ("...", "https://b-1.s3.eu-west-1.amazonaws.com/..."),
        ] {
            assert_eq!(of(&aws, key).as_deref(), Ok(url), "{key}");
        }
        let own = place(Some("http://127.0.0.1:9000/s3/"), true);
        assert_eq!(of(&own, "/a").as_deref(), Ok("http://127.0.0.1:9000/s3/b-1//a"));
        for key in ["a/../b", "..", "./a", "a/.", ".", ""] {
            assert!(of(&own, key).is_err(), "{key}");
            assert!(of(&aws, key).is_err(), "{key}");
        }
        let listed = own.url(&region, None, &[("list-type", "2".to_owned()), ("prefix", "a b/&".to_owned())]);
        let listed = listed.expect("a URL").to_string();
        assert_eq!(listed, "http://127.0.0.1:9000/s3/b-1?list-type=2&prefix=a%20b%2F%26");
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        assert!(Region::parse("eu-west-1.evil.example/").is_err());
        for bucket in ["a", "a/b", "s3://backups/x", "arn:aws:s3:::x", "a..b", "a?b", "evil.example@x"] {
            assert!(Place::bucket(bucket).is_err(), "{bucket}");
        }
        assert!(Place::bucket("my.backups_2").is_ok());
        let china = Region::parse("cn-north-1").expect("a region");
        let place = place(None, false);
        assert_eq!(place.arn(&china, Some("k")), "arn:aws-cn:s3:::b-1/k");
        let url = place.url(&china, None, &[]).expect("a URL").to_string();
        assert_eq!(url, "https://b-1.s3.cn-north-1.amazonaws.com.cn/");
        assert!(endpoint("https://user:word@h", "it").is_err_and(|fault| !fault.message.contains("word")));
    }
}
