//! The one question and the one answer of SNTP (RFC 4330).

use jiff::{SignedDuration, Timestamp};

use crate::types::{Fault, FaultKind};

/// Seconds from 1900, where NTP counts from, to 1970.
const EPOCH: i128 = 2_208_988_800;

const SECOND: i128 = 1_000_000_000;

/// A question: version 4, from a client, with the time that the answer has to bring back.
pub(super) fn question(now: Timestamp) -> [u8; 48] {
    let mut packet = [0; 48];
    let [first, ..] = &mut packet;
    *first = 0b00_100_011;
    if let Some(sent) = packet.get_mut(40..48) {
        sent.copy_from_slice(&written(now.as_nanosecond()));
    }
    packet
}

/// What is taken from an answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) stratum: u8,
    /// When the server got the question and when it answered, in nanoseconds since 1970.
    received: i128,
    sent: i128,
}

impl Reply {
    pub(super) fn parse(packet: &[u8], question: &[u8; 48]) -> Result<Self, Fault> {
        let bad = |why: &str| Fault::new(FaultKind::BadAnswer, format!("the answer {why}"));
        let field = |at: usize| packet.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes);
        let (Some(&first), Some(&stratum)) = (packet.first(), packet.get(1)) else {
            return Err(bad("is empty"));
        };
        let (Some(origin), Some(received), Some(sent)) = (field(24), field(32), field(40)) else {
            return Err(bad("is too short for SNTP"));
        };
        if first & 0b111 != 4 || !(3..=4).contains(&(first >> 3 & 0b111)) {
            return Err(bad("is not that of an SNTP server"));
        }
        if question.get(40..48) != Some(&origin.to_be_bytes()) {
            return Err(bad("is to another question"));
        }
        if stratum == 0 {
            let code = packet.get(12..16).map(String::from_utf8_lossy).unwrap_or_default();
            return Err(Fault::new(
                FaultKind::Denied,
                format!("the server refuses to answer: {}", code.escape_default()),
            ));
        }
        if first >> 6 == 3 || stratum > 15 {
            return Err(bad("says that the server's own clock is not set"));
        }
        if sent == 0 || received == 0 || sent < received {
            return Err(bad("has no sound times"));
        }
        Ok(Self { stratum, received: read(received), sent: read(sent) })
    }

    /// How far our clock is behind and how long the way took, where the answer came `took` nanoseconds after `asked`.
    pub(super) fn compare(&self, asked: Timestamp, took: i128) -> (SignedDuration, SignedDuration) {
        let asked = asked.as_nanosecond();
        let offset = i128::midpoint(self.received - asked, self.sent - asked - took);
        let delay = (took - (self.sent - self.received)).max(0);
        (duration(offset), duration(delay))
    }
}

fn duration(nanoseconds: i128) -> SignedDuration {
    let bounded = nanoseconds.clamp(i128::from(i64::MIN), i128::from(i64::MAX));
    SignedDuration::from_nanos(i64::try_from(bounded).unwrap_or(i64::MAX))
}

/// Seconds and a fraction, 32 bits each.
fn written(nanoseconds: i128) -> [u8; 8] {
    let since_1900 = nanoseconds + EPOCH * SECOND;
    let fixed = (since_1900 << 32) / SECOND;
    // The seconds start again at 0 in 2036.
    u64::try_from(fixed & i128::from(u64::MAX)).unwrap_or_default().to_be_bytes()
}

fn read(fixed: u64) -> i128 {
    // From 1968 to 2036 the highest bit is set; without it the count has started again.
    let era = if fixed >> 63 == 1 { 0 } else { 1_i128 << 64 };
    (((i128::from(fixed) + era) * SECOND) >> 32) - EPOCH * SECOND
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};

    use super::{Reply, question, read, written};
    use crate::types::FaultKind;

    fn answer(asked: Timestamp, ahead: SignedDuration) -> [u8; 48] {
        let mut packet = [0; 48];
        packet[0] = 0b00_100_100;
        packet[1] = 2;
        packet[24..32].copy_from_slice(&question(asked)[40..48]);
        packet[32..40].copy_from_slice(&written((asked + ahead).as_nanosecond()));
        packet[40..48].copy_from_slice(&written((asked + ahead).as_nanosecond() + 1_000_000));
        packet
    }

    #[test]
    fn times_survive_the_turn_of_2036() {
        for text in ["1970-01-01T00:00:00Z", "2026-11-23T08:00:00.5Z", "2036-02-07T06:28:15Z", "2036-02-07T06:28:17Z"] {
            let time: Timestamp = text.parse().unwrap();
            let back = read(u64::from_be_bytes(written(time.as_nanosecond())));
            assert!((back - time.as_nanosecond()).abs() <= 1, "{text}");
        }
    }

    #[test]
    fn compares_clocks() {
        let asked: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let reply = Reply::parse(&answer(asked, SignedDuration::from_secs(10)), &question(asked)).unwrap();
        let (offset, delay) = reply.compare(asked, 21_000_000);
        // A fraction of 32 bits is a little less than the nanosecond that it was.
        let near = |duration: SignedDuration, ns: i128| (duration.as_nanos() - ns).abs() <= 2;
        assert!(near(offset, 9_990_000_000) && near(delay, 20_000_000), "{offset:?} {delay:?}");
    }

    #[test]
    fn refuses_what_is_no_answer() {
        let asked: Timestamp = "2026-11-23T08:00:00Z".parse().unwrap();
        let good = answer(asked, SignedDuration::ZERO);
        let of = |change: &dyn Fn(&mut [u8; 48])| {
            let mut packet = good;
            change(&mut packet);
            Reply::parse(&packet, &question(asked)).map_err(|fault| fault.kind)
        };
        assert!(of(&|_| ()).is_ok());
        assert_eq!(of(&|p| p[0] = 0b00_100_011), Err(FaultKind::BadAnswer), "a client's packet");
        assert_eq!(of(&|p| p[0] = 0b11_100_100), Err(FaultKind::BadAnswer), "a clock that is not set");
        assert_eq!(of(&|p| p[1] = 16), Err(FaultKind::BadAnswer), "stratum 16");
        assert_eq!(of(&|p| p[1] = 0), Err(FaultKind::Denied), "a kiss of death");
        assert_eq!(of(&|p| p[31] ^= 1), Err(FaultKind::BadAnswer), "to another question");
        assert_eq!(of(&|p| p[40..48].fill(0)), Err(FaultKind::BadAnswer), "no time");
        assert_eq!(Reply::parse(&good[..47], &question(asked)).unwrap_err().kind, FaultKind::BadAnswer);
        assert_eq!(Reply::parse(&[], &question(asked)).unwrap_err().kind, FaultKind::BadAnswer);
    }
}
