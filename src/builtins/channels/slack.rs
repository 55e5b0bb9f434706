//! `channel slack = slack(webhook: slack_webhook, channel: "#alerts")`

use std::sync::Arc;

use futures_util::future::BoxFuture;
use http::HeaderMap;
use serde_json::{Map, Value as Json, json};

use super::post::{Post, Reached, Refused, address};
use super::template::{self, Makes, Template};
use super::{AT_MOST, WITHIN, at_most, wording};
use crate::builtins::dial::tls::Trust;
use crate::builtins::reaches;
use crate::builtins::settings::limit;
use crate::catalog::{Args, ByHand, Channel, Cx, Driver, DriverKind, Example, Message, NotTold, Open, Param, Told};
use crate::types::{Fault, SecretText};

const WEBHOOK: Param<SecretText> =
    Param::required("webhook", "The address of the incoming webhook: whoever has it can post.");
const CHANNEL: Param<Option<String>> = Param::optional(
    "channel",
    "Where to post, such as `#alerts`; where the webhook belongs otherwise. The webhook of an app posts there in any case.",
);
const TEMPLATE: Param<Option<String>> = template::param(template::judge_slack);

pub(super) static DRIVER: Driver = Driver {
    name: "slack",
    kind: DriverKind::Channel { person: true, policy: None },
    summary: "A Slack channel.",
    params: &[WEBHOOK.info(), CHANNEL.info(), TEMPLATE.info(), AT_MOST.info(), WITHIN.info()],
    open: Open::Channel(|cx, args| Box::pin(async move { open(&cx, &args) })),
    needs: &[],
    reaches: |written| reaches::url(written, "webhook"),
    by_hand: ByHand::NONE,
    examples: &[Example::call(r##"channel slack = slack(webhook: slack_webhook, channel: "#alerts")"##)],
};

/// What Slack takes: blocks of a message, characters of a header, of a text and of a field, fields of a section.
const BLOCKS: usize = 50;
const HEADER: usize = 150;
const TEXT: usize = 3_000;
const FIELD: usize = 2_000;
const FIELDS: usize = 10;
/// How many parts of a report.
const PARTS: usize = 30;
/// What stands around the facts: header, text, doc, links, remark, context, and what says that some were left out.
const AROUND: usize = 7;

fn open(cx: &Cx, args: &Args<'static>) -> Result<Arc<dyn Channel>, Fault> {
    let webhook = args.get(&WEBHOOK)?;
    let reached = Reached {
        url: address(webhook.expose(), "the secret of `webhook`")?,
        is_secret: true,
        headers: HeaderMap::new(),
        secrets: vec![webhook],
        trust: Trust::System,
        within: limit(args.get(&WITHIN)?)?,
    };
    let slack = Slack {
        post: Post::new(cx, "Slack", reached)?,
        channel: args.get(&CHANNEL)?,
        template: Template::of(cx, args, &TEMPLATE, Some(Makes::Slack))?,
        at_most: at_most(args.get(&AT_MOST)?)?,
    };
    Ok(Arc::new(Opened(Arc::new(slack))))
}

struct Opened(Arc<Slack>);

struct Slack {
    post: Post,
    channel: Option<String>,
    template: Option<Template>,
    at_most: usize,
}

impl Channel for Opened {
    fn tell(&self, cx: Cx, message: Arc<Message>) -> BoxFuture<'static, Result<Told, NotTold>> {
        let slack = Arc::clone(&self.0);
        Box::pin(async move { slack.tell(&cx, &message).await })
    }

    fn target(&self) -> String {
        self.0.post.by_its_way(&match &self.0.channel {
            Some(channel) => format!("{} by Slack", wording::one_line(channel)),
            None => "the channel of the webhook by Slack".to_owned(),
        })
    }

    fn at_most(&self) -> Option<usize> {
        Some(self.0.at_most)
    }
}

impl Slack {
    async fn tell(&self, cx: &Cx, message: &Message) -> Result<Told, NotTold> {
        let Some(template) = &self.template else { return self.send(cx, blocks(message, None)).await? };
        let document = template.document(message).and_then(|document| match document {
            Json::Object(fields) => Ok(fields),
            _ => Err(template.remark("what it makes is no JSON object: a message of Slack is `{ \"blocks\": […] }`")),
        });
        let remark = match document {
            Ok(mut fields) => {
                fields.entry("text").or_insert_with(|| escaped(&wording::subject(message)).into());
                match self.send(cx, fields).await {
                    // It was not taken, so nothing is told twice.
                    Err(refused) if is_about_the_document(&refused) => {
                        template.remark(&format!("Slack does not take what it makes: {}", refused.said))
                    }
                    sent => return sent?,
                }
            }
            Err(remark) => remark,
        };
        let told = self.send(cx, blocks(message, Some(&remark))).await??;
        Ok(Told { said: format!("{}. {remark}", told.said) })
    }

    async fn send(&self, cx: &Cx, mut fields: Map<String, Json>) -> Result<Result<Told, NotTold>, Refused> {
        if let Some(channel) = &self.channel {
            fields.entry("channel").or_insert_with(|| channel.as_str().into());
        }
        let answer = self.post.send(cx, Json::Object(fields).to_string(), &[]).await.map_err(explained)?;
        let json: Option<Json> = serde_json::from_slice(&answer.body).ok();
        let says_so = |name: &str| json.as_ref().and_then(|json| json.get(name)?.as_bool()) == Some(true);
        // What else takes messages of this kind says it in its own way.
        if answer.body.trim_ascii() == b"ok" || says_so("ok") || says_so("success") {
            return Ok(Ok(Told { said: "ok".to_owned() }));
        }
        Ok(Err(self.post.strange(&answer)))
    }
}

/// Whether Slack refuses a message for what it looks like.
fn is_about_the_document(refused: &Refused) -> bool {
    refused.status.is_some_and(|status| status.as_u16() == 400)
        && ["invalid_payload", "invalid_blocks", "no_text", "too_many_attachments", "invalid_attachments"]
            .iter()
            .any(|word| refused.said.starts_with(word))
}

/// What to do about a refusal, in words beside Slack's own.
fn explained(refused: Refused) -> Refused {
    let help = match refused.said.split_whitespace().next().unwrap_or_default() {
        "no_service" | "no_active_hooks" | "no_team" | "team_disabled" | "invalid_token" => {
            "the webhook was removed or turned off: make a new one in Slack, and put its address into the secret"
        }
        "channel_not_found" => "is it spelt as in Slack, and is the webhook's app in it? `channel:` can be left out",
        "channel_is_archived" => "the channel is archived in Slack: bring it back, or name another one",
        "action_prohibited" | "posting_to_general_channel_denied" | "restricted_action" => {
            "the administrators of this Slack do not allow it: ask them, or name another channel"
        }
        "user_not_found" => "is the person spelt as in Slack?",
        _ => match refused.status.map(|status| status.as_u16()) {
            Some(403 | 404 | 410) => "is the secret the whole address of the webhook, as Slack shows it?",
            Some(429) => "Slack takes about one message a second",
            _ => return refused,
        },
    };
    refused.help(help)
}

/// The built-in look: a header, the text, facts side by side, what to do, where to go, and what it is about.
fn blocks(message: &Message, remark: Option<&str>) -> Map<String, Json> {
    let subject = wording::subject(message);
    let mut blocks = vec![json!({
        "type": "header",
        "text": { "type": "plain_text", "text": wording::shortened(&subject, HEADER), "emoji": false },
    })];
    let why = wording::why(message).map(|why| format!("*{}*", escaped(&why)));
    // The file of roles was checked: it is an id, and calls one person.
    let call: Vec<String> =
        message.people().filter_map(|person| person.slack.as_ref()).map(|id| format!("<@{}>", escaped(id))).collect();
    let call = (!call.is_empty()).then(|| call.join(" "));
    let text: Vec<String> =
        call.into_iter().chain(why).chain([escaped(message.text.trim())]).filter(|part| !part.is_empty()).collect();
    blocks.extend(section(&text.join("\n")));
    blocks.extend(part_blocks(message));
    blocks.extend(fact_blocks(message));
    if !message.doc.trim().is_empty() {
        blocks.extend(section(&format!("*What to do*\n{}", escaped(message.doc.trim()))));
    }
    let links = wording::links(message);
    let links: Vec<String> = links.iter().map(|(name, url)| format!("*<{}|{name}>*", address_in_text(url))).collect();
    blocks.extend(section(&links.join("   ")));
    blocks.extend(remark.and_then(|remark| section(&format!("_{}_", escaped(remark)))));
    let of_all = wording::facts(message).into_iter().skip(message.facts.len());
    let context: Vec<String> = of_all.map(|(name, value)| format!("{name}: {value}")).collect();
    blocks.push(json!({
        "type": "context",
        "elements": [{ "type": "mrkdwn", "text": shortened(&escaped(&context.join(" · ")), FIELD) }],
    }));
    let mut fields = Map::new();
    // What a notification shows, and what reads no blocks.
    let fallback = format!("{}\n{}", escaped(&subject), escaped(message.text.trim()));
    fields.insert("text".to_owned(), shortened(&fallback, TEXT).into());
    fields.insert("blocks".to_owned(), blocks.into());
    fields
}

fn section(text: &str) -> Option<Json> {
    let text = shortened(text, TEXT);
    (!text.is_empty()).then(|| json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } }))
}

/// The message's own facts, as many as there is room for.
fn fact_blocks(message: &Message) -> Vec<Json> {
    let room = (BLOCKS - AROUND - message.parts.len().min(PARTS)) * FIELDS;
    let facts = message.facts.iter().take(room).map(|(name, value)| {
        let text = format!("*{}*\n{}", escaped(&wording::one_line(name)), escaped(value.trim()));
        json!({ "type": "mrkdwn", "text": shortened(&text, FIELD) })
    });
    let facts: Vec<Json> = facts.collect();
    let mut blocks: Vec<Json> = facts.chunks(FIELDS).map(|some| json!({ "type": "section", "fields": some })).collect();
    let left = message.facts.len().saturating_sub(room);
    blocks.extend(
        (left > 0).then(|| section(&format!("_… and {left} facts more, for which Slack has no room_"))).flatten(),
    );
    blocks
}

/// What a report shows, in the letters of a typewriter, so that columns stay columns.
fn part_blocks(message: &Message) -> Vec<Json> {
    let parts = message.parts.iter().take(PARTS).map(|part| {
        // Nothing in it ends the block of code that it stands in.
        let text = escaped(&wording::plain(part)).replace("```", "\u{2bc}\u{2bc}\u{2bc}");
        let text = format!("```{}```", shortened(&text, TEXT - "``````".len()));
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
    });
    let mut blocks: Vec<Json> = parts.collect();
    let left = message.parts.len().saturating_sub(PARTS);
    blocks.extend(
        (left > 0).then(|| section(&format!("_… and {left} parts more, for which Slack has no room_"))).flatten(),
    );
    blocks
}

/// A text in which nothing calls people, links or formats by itself.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// An address where `<address|words>` stands: nothing in it ends it.
fn address_in_text(url: &str) -> String {
    url.replace('<', "%3C").replace('>', "%3E").replace('|', "%7C")
}

/// Cut so that no escape is broken in two.
fn shortened(text: &str, most: usize) -> String {
    let cut = wording::shortened(text, most);
    match cut.rfind('…') {
        Some(dots) if cut.len() != text.len() || cut != text => {
            let (kept, note) = cut.split_at(dots);
            let whole = match kept.rfind('&') {
                Some(at) if !kept.get(at..).unwrap_or_default().contains(';') => kept.get(..at).unwrap_or_default(),
                _ => kept,
            };
            format!("{whole}{note}")
        }
        _ => cut,
    }
}

/// The fields of a message as a template for Slack gets them.
pub(super) fn escape_fields(fields: &mut Json) {
    match fields {
        Json::String(text) => *text = escaped(text),
        Json::Array(items) => items.iter_mut().for_each(escape_fields),
        Json::Object(fields) => {
            for (name, value) in fields {
                match value {
                    // An address is used as one: in `"url": "…"` Slack takes it as it is.
                    Json::String(url) if matches!(name.as_str(), "link" | "acknowledge") => *url = address_in_text(url),
                    value => escape_fields(value),
                }
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{blocks, shortened};
    use crate::builtins::channels::shape::example;
    use crate::catalog::{Message, Occasion};

    #[test]
    fn a_message_has_its_parts_and_calls_nobody_by_itself() {
        let text = "<!channel> & <https://evil.example|click>".to_owned();
        let made = blocks(&Message { text, ..example(Occasion::Opened, true) }, None);
        let made = serde_json::Value::Object(made);
        assert_eq!(made["blocks"][0]["text"]["text"], "[critical] Error rate: Daily operations");
        assert_eq!(made["blocks"][1]["text"]["text"], "&lt;!channel&gt; &amp; &lt;https://evil.example|click&gt;");
        assert_eq!(made["blocks"][2]["fields"][0]["text"], "*service*\ngateway");
        assert_eq!(
            made["blocks"][4]["text"]["text"],
            "*<https://runbook.example.com/ack/7|Acknowledge>*   *<https://wiki.example.com/errors|Read on>*"
        );
        let context = made["blocks"][5]["elements"][0]["text"].as_str().expect("a context");
        assert_eq!(
            context,
            "When: 2026-11-26 08:00:05 UTC · Runbook: Daily operations · Incident: 7, level 2 (Engineering Manager)"
        );
    }

    #[test]
    fn the_limits_of_slack_are_kept_and_said() {
        let message = Message {
            title: "t".repeat(400).into(),
            text: "&".repeat(4_000),
            doc: "d".repeat(10_000).into(),
            facts: (0..700).map(|n| (format!("fact {n}").into(), "v".repeat(3_000))).collect(),
            ..example(Occasion::Escalated, true)
        };
        let made = serde_json::Value::Object(blocks(&message, Some("a remark")));
        let all = made["blocks"].as_array().expect("blocks");
        assert!(all.len() <= 50, "{}", all.len());
        for block in all {
            let text = block["text"]["text"].as_str().unwrap_or_default();
            let most = if block["type"] == "header" { 150 } else { 3_000 };
            assert!(text.chars().count() <= most, "{text}");
            for field in block["fields"].as_array().into_iter().flatten() {
                assert!(field["text"].as_str().expect("a text").chars().count() <= 2_000);
            }
        }
        let said = made.to_string();
        assert!(said.contains("… and 270 facts more") && said.contains("… (shortened from "), "{}", &said[..200]);
        assert!(said.contains("a remark"));
    }

    #[test]
    fn the_columns_of_a_report_stay_columns_and_nothing_ends_them() {
        let mut message = example(Occasion::Report, false);
        message.parts[0].title = Some("a``` <!channel>".to_owned());
        let made = serde_json::Value::Object(blocks(&message, None));
        let text = made["blocks"][2]["text"]["text"].as_str().expect("a part");
        assert_eq!(text, "```aʼʼʼ &lt;!channel&gt;\nmount  used\n/       68%\n/var     9%\n… 1 more (not kept)```");
        let one = message.parts[0].clone();
        message.parts = vec![one; 100];
        let made = serde_json::Value::Object(blocks(&message, None));
        assert!(made["blocks"].as_array().expect("blocks").len() <= 50);
        assert!(made.to_string().contains("… and 70 parts more"));
    }

    #[test]
    fn an_escape_is_cut_whole() {
        let cut = shortened(&"&amp;".repeat(100), 103);
        let kept = cut.split('…').next().expect("a text");
        assert!(kept.ends_with("&amp;") && cut.ends_with("… (shortened from 500 characters)"), "{cut}");
    }
}
