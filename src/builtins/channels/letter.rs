//! A message as a mail: its headers, a part of plain text and one of HTML.

use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use sha2::{Digest, Sha256};

use super::template::{Makes, Template};
use super::wording;
use crate::catalog::{Message, Occasion};
use crate::shown::look::markup;
use crate::shown::{Shown, ShownBody};
use crate::source::visible_lines;
use crate::types::{Fault, FaultKind, Severity};

/// A longer subject is shown nowhere.
const SUBJECT: usize = 200;

/// The mail of a message as it goes over the wire, and what has to be said of its template.
pub(super) fn of(
    from: &Mailbox,
    to: &[Mailbox],
    message: &Message,
    template: Option<&Template>,
    now: Timestamp,
) -> Result<(Vec<u8>, Option<String>), Fault> {
    let page = template.map(|template| template.page(message).map(|page| (template.makes, page))).transpose();
    let remark = page.as_ref().err().cloned();
    let (text, html) = match page {
        Ok(Some((Makes::Text, page))) => (page, None),
        Ok(Some((_, page))) => (wording::text(message, None), Some(page)),
        Ok(None) | Err(_) => (wording::text(message, remark.as_deref()), Some(html(message, remark.as_deref()))),
    };
    // What a server said may be in it: nothing of that moves the cursor of who reads it in a terminal.
    let (text, html) = (visible_lines(&text), html.as_deref().map(visible_lines));
    let domain = from.email.domain();
    let thread = id(&message.about, "about", domain);
    let mut builder = lettre::Message::builder()
        .from(from.clone())
        .date(date(now))
        .subject(wording::shortened(&wording::subject(message), SUBJECT))
        .message_id(Some(id(&message.key, "message", domain)))
        // Mails of one subject are one thread: each answers the same first one.
        .in_reply_to(thread.clone())
        .references(thread)
        .raw_header(header("Auto-Submitted", "auto-generated"))
        // Out-of-office replies of Exchange go by this one.
        .raw_header(header("X-Auto-Response-Suppress", "All"));
    for one in to {
        builder = builder.to(one.clone());
    }
    if is_urgent(message) {
        builder = builder.raw_header(header("X-Priority", "1 (Highest)")).raw_header(header("Importance", "high"));
    }
    let mail = match html {
        Some(html) => builder.multipart(MultiPart::alternative_plain_html(text, html)),
        None => builder.singlepart(SinglePart::plain(text)),
    };
    let mail = mail.map_err(|error| Fault::new(FaultKind::Failed, format!("the mail cannot be written: {error}")))?;
    Ok((mail.formatted(), remark))
}

const fn is_urgent(message: &Message) -> bool {
    matches!(message.severity, Severity::Critical)
        && matches!(message.occasion, Occasion::Opened | Occasion::Again | Occasion::Escalated | Occasion::Note)
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// The id of a mail or a thread: the same for the same name, and nothing of a name can break out of it.
fn id(name: &str, what: &str, domain: &str) -> String {
    format!("<{what}-{:.32}@{domain}>", hex::encode(Sha256::digest(name.as_bytes())))
}

fn date(now: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(u64::try_from(now.as_second()).unwrap_or_default())
}

/// The built-in page: plain enough for every reader of mail.
fn html(message: &Message, remark: Option<&str>) -> String {
    let colour = match (message.occasion, message.severity) {
        (Occasion::Closed | Occasion::Acknowledged, _) => "#2e7d32",
        (Occasion::Test | Occasion::Report, _) | (_, Severity::Info) => "#1565c0",
        (_, Severity::Warning) => "#ef6c00",
        (_, Severity::Critical) => "#c62828",
    };
    let mut page = format!(
        "<!DOCTYPE html>\n<html><body style=\"font-family: sans-serif; line-height: 1.4\">\n\
         <h2 style=\"border-left: 6px solid {colour}; padding-left: 10px\">{}</h2>\n",
        markup(&wording::subject(message)),
    );
    let mut add = |part: String| page.push_str(&part);
    if let Some(why) = wording::why(message) {
        add(format!("<p><b>{}</b></p>\n", markup(&why)));
    }
    if !message.text.trim().is_empty() {
        add(format!("<p style=\"white-space: pre-wrap\">{}</p>\n", markup(message.text.trim())));
    }
    message.parts.iter().for_each(|part| add(self::part(part)));
    add("<table cellpadding=\"4\">\n".to_owned());
    for (name, value) in wording::facts(message) {
        add(format!(
            "<tr><td style=\"color: #666; vertical-align: top\">{}</td><td style=\"white-space: pre-wrap\">{}</td></tr>\n",
            markup(&name),
            markup(value.trim())
        ));
    }
    add("</table>\n".to_owned());
    if !message.doc.trim().is_empty() {
        add(format!("<h3>What to do</h3>\n<p style=\"white-space: pre-wrap\">{}</p>\n", markup(message.doc.trim())));
    }
    for (name, url) in wording::links(message) {
        add(format!("<p><a href=\"{}\"><b>{name}</b></a></p>\n", markup(&url)));
    }
    if let Some(remark) = remark {
        add(format!("<p><i>{}</i></p>\n", markup(remark)));
    }
    page + "</body></html>\n"
}

/// A part of a report: its title, and a table where it is one.
fn part(part: &Shown) -> String {
    let title = markup(part.title.as_deref().unwrap_or_default());
    let heading = if title.is_empty() { String::new() } else { format!("<h3>{title}</h3>\n") };
    let body = match &part.body {
        ShownBody::Value { cell } if title.is_empty() => format!("<p>{}</p>\n", markup(&cell.text)),
        ShownBody::Value { cell } => format!("<p>{title}: <b>{}</b></p>\n", markup(&cell.text)),
        ShownBody::Record { fields } => {
            let rows = fields.iter().map(|(name, cell)| row(&[(name, false), (&cell.text, false)], "td"));
            heading + &table(&rows.collect::<String>())
        }
        ShownBody::Table { rows, .. } if rows.is_empty() => heading + "<p>(none)</p>\n",
        ShownBody::Table { columns, rows, total } => {
            let is_number = |column: usize| rows.iter().all(|row| row.get(column).is_some_and(|cell| cell.number));
            let head = columns.iter().enumerate().map(|(index, name)| (name.as_str(), is_number(index)));
            let head = row(&head.collect::<Vec<_>>(), "th");
            let body = rows.iter().map(|cells| {
                let cells = cells.iter().map(|cell| (cell.text.as_str(), cell.number));
                row(&cells.collect::<Vec<_>>(), "td")
            });
            heading + &table(&(head + &body.collect::<String>())) + &left(rows.len(), *total)
        }
        ShownBody::Lines { lines, .. } if lines.is_empty() => heading + "<p>(none)</p>\n",
        ShownBody::Lines { lines, total } => {
            heading + &format!("<pre>{}</pre>\n", markup(&lines.join("\n"))) + &left(lines.len(), *total)
        }
    };
    let not_whole = part.partial.as_ref().map(|reason| format!("<p><i>not whole: {}</i></p>\n", markup(reason)));
    body + &not_whole.unwrap_or_default()
}

fn table(rows: &str) -> String {
    format!("<table cellpadding=\"4\">\n{rows}</table>\n")
}

/// Numbers stand at the right.
fn row(cells: &[(&str, bool)], tag: &str) -> String {
    let cells = cells.iter().map(|(text, number)| {
        let side = if *number { "right" } else { "left" };
        let style = format!("text-align: {side}; vertical-align: top; white-space: pre-wrap");
        format!("<{tag} style=\"{style}\">{}</{tag}>", markup(text))
    });
    format!("<tr>{}</tr>\n", cells.collect::<String>())
}

/// How many rows are not among those that were kept.
fn left(kept: usize, total: u64) -> String {
    match total.saturating_sub(kept as u64) {
        0 => String::new(),
        left => format!("<p>… {left} more</p>\n"),
    }
}

#[cfg(test)]
mod tests {
    use lettre::message::Mailbox;

    use super::{html, of};
    use crate::builtins::channels::shape::example;
    use crate::catalog::{Message, Occasion};
    use crate::types::Severity;

    fn mail(message: &Message) -> String {
        let from: Mailbox = "Runbook <runbook@example.com>".parse().expect("an address");
        let to: Vec<Mailbox> = ["a@example.com", "b@example.com"].map(|to| to.parse().expect("an address")).into();
        let (bytes, remark) = of(&from, &to, message, None, message.at).expect("a mail");
        assert_eq!(remark, None);
        String::from_utf8(bytes).expect("text")
    }

    fn value<'m>(mail: &'m str, name: &str) -> Option<&'m str> {
        mail.split("\r\n\r\n").next()?.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    }

    #[test]
    fn mails_of_one_incident_are_one_thread() {
        let [opened, closed] = [("k1", Occasion::Opened), ("k2", Occasion::Closed)]
            .map(|(key, occasion)| mail(&Message { key: key.into(), ..example(occasion, true) }));
        assert_eq!(value(&opened, "Subject"), Some("[critical] Error rate: Daily operations"));
        assert_eq!(value(&closed, "Subject"), Some("[over] Error rate: Daily operations"));
        assert_eq!(value(&opened, "From"), Some("Runbook <runbook@example.com>"));
        assert_eq!(value(&opened, "To"), Some("a@example.com, b@example.com"));
        assert_eq!(value(&opened, "Date"), Some("Thu, 26 Nov 2026 08:00:05 +0000"));
        assert_eq!(value(&opened, "Auto-Submitted"), Some("auto-generated"));
        assert_eq!((value(&opened, "X-Priority"), value(&closed, "X-Priority")), (Some("1 (Highest)"), None));
        assert!(value(&opened, "References").is_some_and(|id| id.ends_with("@example.com>")));
        for name in ["References", "In-Reply-To"] {
            assert_eq!(value(&opened, name), value(&closed, name));
        }
        assert_ne!(value(&opened, "Message-ID"), value(&closed, "Message-ID"));
        assert_eq!(
            value(&opened, "Message-ID"),
            value(&mail(&Message { key: "k1".into(), ..example(Occasion::Note, false) }), "Message-ID")
        );
        assert!(opened.contains("text/plain") && opened.contains("text/html"));
    }

    #[test]
    fn a_report_is_a_table_in_html_and_columns_in_text() {
        let mut message = example(Occasion::Report, false);
        message.parts[0].title = Some("<b>Disks</b>".to_owned());
        let sent = mail(&message);
        let text = sent.split("text/plain").nth(1).expect("a text");
        assert!(text.contains("\r\n<b>Disks</b>\r\nmount  used\r\n/       68%\r\n"), "{sent}");
        let page = html(&message, None);
        assert!(page.contains("<h3>&lt;b&gt;Disks&lt;/b&gt;</h3>\n<table"), "{page}");
        assert!(
            page.contains(">mount</th>") && page.contains("text-align: right") && page.contains(">68%</td>"),
            "{page}"
        );
        assert!(page.contains("<p>… 1 more</p>"), "{page}");
    }

    #[test]
    fn what_a_server_said_moves_no_cursor() {
        let text = "disk \x1b[2Jfull\x07\u{202e}\r\n  second\tline\u{9b}1m".to_owned();
        let sent = mail(&Message { text, ..example(Occasion::Note, false) });
        for part in ["text/plain", "text/html"] {
            let part = sent.split(part).nth(1).expect("a part");
            assert!(part.contains("disk \\x1b[2Jfull\\x07\\u{202e}\r\n  second\tline\\x9b1m"), "{part}");
        }
        assert!(!sent.contains(['\x1b', '\x07']) && !sent.contains("=1B"), "{sent}");
    }

    #[test]
    fn nobody_writes_headers_or_markup_into_it() {
        let title = "x\r\nBcc: everybody@example.com\r\n\r\n<script>";
        let sent = mail(&Message {
            title: title.into(),
            about: "a>\r\nBcc: b".into(),
            key: "k\r\nBcc: c".into(),
            severity: Severity::Info,
            ..example(Occasion::Note, true)
        });
        assert!(!sent.lines().any(|line| line.starts_with("Bcc")), "{sent}");
        let page = sent.split("text/html").nth(1).expect("a page");
        assert!(!page.contains("<script>") && page.contains("&lt;script&gt;"), "{page}");
    }
}
