//! Links by which people take on an incident: signed, so that nobody makes one up, and good for one incident for a time.

use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha2::Sha256;

/// How long a link is good: a page from the evening is answered in the morning, not next week.
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Makes links and tells good ones from others.
pub struct Links {
    /// Where people reach this server: `https://runbook.example.com`.
    base: String,
    key: [u8; 64],
}

impl Links {
    #[must_use]
    pub fn new(base: &str, key: [u8; 64]) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), key }
    }

    /// The link of an incident that is told now.
    #[must_use]
    pub fn of(&self, runbook: &str, incident: i64, now: Timestamp) -> String {
        let until = now.checked_add(GOOD_FOR).unwrap_or(Timestamp::MAX).as_second();
        let signature = hex::encode(self.signature(runbook, incident, until).finalize().into_bytes());
        let runbook = percent_encoding::utf8_percent_encode(runbook, percent_encoding::NON_ALPHANUMERIC);
        format!("{}/ack/{runbook}/{incident}?until={until}&signature={signature}", self.base)
    }

    /// Whether a link was made here and is still good.
    ///
    /// # Errors
    /// Why it is not.
    pub fn check(
        &self,
        runbook: &str,
        incident: i64,
        until: i64,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        let bytes = hex::decode(signature).map_err(|_| "the link is not whole")?;
        // In constant time.
        self.signature(runbook, incident, until).verify_slice(&bytes).map_err(|_| "the link was not made here")?;
        if until < now.as_second() { Err("the link is older than a week") } else { Ok(()) }
    }

    fn signature(&self, runbook: &str, incident: i64, until: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new(&self.key.into());
        mac.update(format!("ack\0{runbook}\0{incident}\0{until}").as_bytes());
        mac
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::Links;

    #[test]
    fn only_links_that_were_made_here_are_good_and_for_a_time() {
        let links = Links::new("https://ops.example.com/", [7; 64]);
        let now = Timestamp::UNIX_EPOCH;
        let link = links.of("Daily operations", 3, now);
        assert!(link.starts_with("https://ops.example.com/ack/Daily%20operations/3?until=604800&signature="), "{link}");
        let signature = link.rsplit('=').next().unwrap_or_default();
        assert_eq!(links.check("Daily operations", 3, 604_800, signature, now), Ok(()));
        assert!(links.check("Daily operations", 4, 604_800, signature, now).is_err());
        assert!(links.check("Other", 3, 604_800, signature, now).is_err());
        assert!(links.check("Daily operations", 3, 604_801, signature, now).is_err());
        assert!(links.check("Daily operations", 3, 604_800, "x", now).is_err());
        assert!(
            Links::new("https://ops.example.com", [8; 64])
                .check("Daily operations", 3, 604_800, signature, now)
                .is_err()
        );
        let late = now + SignedDuration::from_hours(24 * 8);
        assert_eq!(links.check("Daily operations", 3, 604_800, signature, late), Err("the link is older than a week"));
    }
}
