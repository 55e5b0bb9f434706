//! Diagnostics as SARIF 2.1.0, which code scanning services read.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize;

use super::range;
use crate::diagnostics::{Code, Diagnostic};
use crate::source::{Sources, Span};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";
/// What a path may hold as it is in a URI reference.
const PATH: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Log<'a> {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run<'a> {
    tool: Tool,
    /// Our columns count characters; without this, UTF-16 units are assumed.
    column_kind: &'static str,
    results: Vec<Finding<'a>>,
}

#[derive(Serialize)]
struct Tool {
    driver: Component,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Component {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    short_description: Text<'static>,
    help: Help,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Help {
    text: &'static str,
    markdown: &'static str,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding<'a> {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: [Location<'a>; 1],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related_locations: Vec<Location<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Fix<'a>>,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<usize>,
    #[serde(rename = "physicalLocation")]
    physical: Physical,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Text<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    region: Region,
}

#[derive(Serialize)]
struct Artifact {
    uri: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
    start_column: u32,
    end_line: u32,
    end_column: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Fix<'a> {
    description: Text<'a>,
    artifact_changes: [Change<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Change<'a> {
    artifact_location: Artifact,
    replacements: [Replacement<'a>; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Replacement<'a> {
    deleted_region: Region,
    inserted_content: Text<'a>,
}

/// One log with one run, on many lines.
///
/// # Errors
/// Where JSON cannot be written, which text and numbers never cause.
pub fn render(diagnostics: &[Diagnostic], sources: &Sources) -> Result<String, serde_json::Error> {
    let driver = Component { name: "runbook", version: env!("CARGO_PKG_VERSION"), rules: rules() };
    let results = diagnostics.iter().map(|diagnostic| finding(diagnostic, sources)).collect();
    let run = Run { tool: Tool { driver }, column_kind: "unicodeCodePoints", results };
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run] };
    serde_json::to_string_pretty(&log).map(|text| text + "\n")
}

fn rules() -> Vec<Rule> {
    Code::ALL
        .iter()
        .map(|code| Rule {
            id: code.name(),
            short_description: Text { text: code.summary() },
            help: Help { text: code.page(), markdown: code.page() },
            default_configuration: Configuration { level: code.level().name() },
        })
        .collect()
}

fn finding<'a>(diagnostic: &'a Diagnostic, sources: &Sources) -> Finding<'a> {
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!("\nhelp: {help}"));
    let location = |id: Option<usize>, span: Span, text: &'a str| Location {
        id,
        physical: Physical { artifact_location: artifact(span, sources), region: region(span, sources) },
        message: (!text.is_empty()).then_some(Text { text }),
    };
    let others = diagnostic.labels.iter().enumerate().skip(1);
    Finding {
        rule_id: diagnostic.code.name(),
        rule_index: Code::ALL.iter().position(|code| *code == diagnostic.code).unwrap_or_default(),
        level: diagnostic.level().name(),
        message: Message { text: format!("{}{help}", diagnostic.message) },
        locations: [location(None, diagnostic.span(), diagnostic.labels.first().map_or("", |label| &label.text))],
        related_locations: others.map(|(id, label)| location(Some(id), label.span, &label.text)).collect(),
        fixes: diagnostic.fix.iter().map(|fix| self::fix(fix, diagnostic, sources)).collect(),
    }
}

fn fix<'a>(fix: &'a crate::diagnostics::Fix, diagnostic: &'a Diagnostic, sources: &Sources) -> Fix<'a> {
    let replacement =
        Replacement { deleted_region: region(fix.span, sources), inserted_content: Text { text: &fix.replacement } };
    Fix {
        description: Text { text: diagnostic.help.as_deref().unwrap_or(&diagnostic.message) },
        artifact_changes: [Change { artifact_location: artifact(fix.span, sources), replacements: [replacement] }],
    }
}

fn artifact(span: Span, sources: &Sources) -> Artifact {
    let name = &sources.file(span.file).name;
    let path = utf8_percent_encode(name, PATH).to_string();
    Artifact { uri: if name.starts_with('/') { format!("file://{path}") } else { path } }
}

fn region(span: Span, sources: &Sources) -> Region {
    let (start, end) = range(sources, span);
    Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column }
}
