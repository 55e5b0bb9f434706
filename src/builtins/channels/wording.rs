//! What a message says, for every channel the same: its subject, its text, its facts, and times in the runbook's zone.

use jiff::tz::TimeZone;

use crate::catalog::{Message, Occasion};
use crate::shown::Shown;
use crate::shown::look::Look;
use crate::shown::text::{self, Extent};
use crate::units;

/// `[critical] Disk full: Daily operations`
pub(super) fn subject(message: &Message) -> String {
    let (title, runbook) = (one_line(&message.title), one_line(&message.runbook));
    let tag = tag(message);
    if title == runbook || runbook.is_empty() {
        format!("[{tag}] {title}")
    } else {
        format!("[{tag}] {title}: {runbook}")
    }
}

/// What stands in the brackets of the subject.
fn tag(message: &Message) -> String {
    let severity = message.severity.name();
    match message.occasion {
        Occasion::Opened | Occasion::Note => severity.to_owned(),
        Occasion::Again => format!("{severity}, again"),
        Occasion::Escalated => match &message.incident {
            Some(incident) => format!("{severity}, level {}", incident.level),
            None => format!("{severity}, escalated"),
        },
        Occasion::Acknowledged => "acknowledged".to_owned(),
        Occasion::Closed => "over".to_owned(),
        Occasion::Report => "report".to_owned(),
        Occasion::Test => "TEST".to_owned(),
    }
}

/// Why people are told, where that is not the text itself.
pub(super) fn why(message: &Message) -> Option<String> {
    Some(match message.occasion {
        Occasion::Opened | Occasion::Note | Occasion::Report => return None,
        Occasion::Again => "Nobody has answered yet.".to_owned(),
        Occasion::Escalated => match &message.incident {
            Some(incident) => format!("Escalated to level {}, {}.", incident.level, one_line(&incident.role)),
            None => "Escalated.".to_owned(),
        },
        Occasion::Acknowledged => "Somebody has taken it on.".to_owned(),
        // Whether it is over or somebody has closed it, the text says.
        Occasion::Closed => "It is closed.".to_owned(),
        Occasion::Test => "This is a test: nothing is wrong, and nothing has to be done.".to_owned(),
    })
}

/// What is known, in order: the message's own facts, then what is known of every message.
pub(super) fn facts(message: &Message) -> Vec<(String, String)> {
    let own = message.facts.iter().map(|(name, value)| (one_line(name), value.clone()));
    let mut facts: Vec<(String, String)> = own.collect();
    facts.push(("When".to_owned(), when(message)));
    facts.push(("Runbook".to_owned(), one_line(&message.runbook)));
    if let Some(incident) = &message.incident {
        let role = one_line(&incident.role);
        let role = if role.is_empty() { String::new() } else { format!(" ({role})") };
        facts.push(("Incident".to_owned(), format!("{}, level {}{role}", incident.number, incident.level)));
    }
    facts
}

/// The text, and below it what a report shows.
pub(super) fn whole(message: &Message) -> String {
    let mut paragraphs = vec![message.text.trim().to_owned()];
    paragraphs.extend(message.parts.iter().map(plain));
    paragraphs.retain(|paragraph| !paragraph.is_empty());
    paragraphs.join("\n\n")
}

/// A part of a report as lines of text, its columns below one another.
pub(super) fn plain(part: &Shown) -> String {
    text::lines("", part, Look::PLAIN, 0, Extent { rows: usize::MAX - 1, rest: "" }).join("\n")
}

/// When it happened, as people of the runbook read times: `2026-11-26 08:00:05 CET`.
pub(super) fn when(message: &Message) -> String {
    let zone = units::zone(&message.timezone).unwrap_or(TimeZone::UTC);
    message.at.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S %Z").to_string()
}

/// All of it as plain text. `remark` is what has to be said of the message itself.
pub(super) fn text(message: &Message, remark: Option<&str>) -> String {
    let mut parts: Vec<String> = Vec::new();
    parts.extend(why(message));
    parts.push(whole(message));
    let facts = facts(message).into_iter().map(|(name, value)| format!("{name}: {}", indented(&value)));
    parts.push(facts.collect::<Vec<_>>().join("\n"));
    if !message.doc.trim().is_empty() {
        parts.push(format!("What to do:\n{}", message.doc.trim()));
    }
    let links = links(message).into_iter().map(|(name, url)| format!("{name}: {url}"));
    parts.push(links.collect::<Vec<_>>().join("\n"));
    parts.extend(remark.map(|remark| format!("({remark})")));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n") + "\n"
}

/// Where to go from here.
pub(super) fn links(message: &Message) -> Vec<(&'static str, String)> {
    let link = |name, url: &Option<String>| url.as_ref().map(|url| (name, one_line(url)));
    [link("Acknowledge", &message.acknowledge), link("Read on", &message.link)].into_iter().flatten().collect()
}

/// A text on one line: a header or a title that somebody put a line break into does not begin a second one.
pub(super) fn one_line(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines of a value below one another.
fn indented(value: &str) -> String {
    value.trim().replace('\n', "\n  ")
}

/// A text of at most so many characters. One that was cut says so, and how much there was.
pub(super) fn shortened(text: &str, most: usize) -> String {
    let all = text.chars().count();
    if all <= most {
        return text.to_owned();
    }
    let note = format!("… (shortened from {all} characters)");
    // Where there is no room for words, the dots say it.
    let note = if note.chars().count() * 2 > most { "…".to_owned() } else { note };
    let kept: String = text.chars().take(most.saturating_sub(note.chars().count())).collect();
    kept + &note
}

#[cfg(test)]
mod tests {
    use super::{facts, one_line, shortened, subject, text};
    use crate::builtins::channels::shape::example;
    use crate::catalog::{Message, Occasion};

    #[test]
    fn a_message_says_what_why_and_when_in_the_zone_of_its_runbook() {
        let message = Message { timezone: "Asia/Kolkata".into(), ..example(Occasion::Escalated, true) };
        assert_eq!(subject(&message), "[critical, level 2] Error rate: Daily operations");
        let said = text(&message, Some("the template failed"));
        for part in [
            "Escalated to level 2, Engineering Manager.\n\nerror_rate is 12%",
            "service: gateway\nWhen: 2026-11-26 13:30:05 IST\nRunbook: Daily operations\nIncident: 7, level 2 (Engineering Manager)",
            "What to do:\nRestart the gateway.",
            "Acknowledge: https://runbook.example.com/ack/7\nRead on: https://wiki.example.com/errors",
            "\n\n(the template failed)\n",
        ] {
            assert!(said.contains(part), "{part}\nin\n{said}");
        }
    }

    #[test]
    fn a_zone_that_nobody_knows_is_utc_and_says_so() {
        let message = Message { timezone: "Mars/Olympus".into(), ..example(Occasion::Note, false) };
        assert!(facts(&message).contains(&("When".to_owned(), "2026-11-26 08:00:05 UTC".to_owned())));
    }

    #[test]
    fn a_line_is_one_line_and_a_cut_says_so() {
        assert_eq!(one_line("a\r\nBcc: x\t\u{0}b"), "a Bcc: x b");
        assert_eq!(shortened("short", 5), "short");
        let long = "x".repeat(200);
        let cut = shortened(&long, 100);
        assert_eq!((cut.chars().count(), cut.ends_with("… (shortened from 200 characters)")), (100, true), "{cut}");
        assert_eq!(shortened("abcdef", 3), "ab…");
    }
}
