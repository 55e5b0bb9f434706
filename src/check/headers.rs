//! Headers: what a file says of itself.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::checker::Checker;
use super::constants::constant;
use super::program::{Header, Program};
use crate::diagnostics::{Code, Diagnostic, nearest};
use crate::source::Span;
use crate::syntax::ast::{self, ExprKind, HeaderField};
use crate::types::Value;
use crate::units;

/// The fields of a header.
const FIELDS: &[&str] = &["edition", "version", "updated", "owner", "timezone", "log"];

/// The editions of the language there are.
const EDITIONS: &[&str] = &["1"];

/// The zone of a runbook that names none.
const UTC: &str = "UTC";

impl Checker<'_> {
    /// A program that holds nothing but its header.
    pub(super) fn empty_program(&mut self) -> Program {
        let names = self.names;
        let mut header = None;
        for (index, module) in names.modules.iter().enumerate() {
            self.module = index;
            let checked = self.header(module.file);
            header.get_or_insert(checked);
        }
        let header = header.unwrap_or_else(|| empty_header("".into()));
        Program {
            header,
            params: Vec::new(),
            secrets: Vec::new(),
            connections: Vec::new(),
            tools: Vec::new(),
            commands: Vec::new(),
            metrics: Vec::new(),
            thresholds: Vec::new(),
            channels: Vec::new(),
            escalations: Vec::new(),
            sections: Vec::new(),
            tests: Vec::new(),
            locals: Vec::new(),
        }
    }

    fn header(&mut self, file: &ast::File) -> Header {
        let name = self.sources.file(file.id).name.as_str();
        let mut header = empty_header(super::modules::stem(name).into());
        let Some(written) = &file.header else { return header };
        header.title.clone_from(&written.title.text);
        header.doc = super::declarations::doc(&written.docs);
        header.span = Some(written.span);
        let mut seen: Vec<(&str, Span)> = Vec::new();
        for field in &written.fields {
            let known = field.name.as_str();
            if let Some((_, first)) = seen.iter().find(|(name, _)| *name == known) {
                let message = format!("`{known}` is there twice");
                let diagnostic =
                    Diagnostic::new(Code::InvalidHeader, field.name.span, message).label(*first, "first here");
                self.report(diagnostic);
            }
            seen.push((known, field.name.span));
            self.header_field(field, &mut header);
        }
        header
    }

    fn header_field(&mut self, field: &HeaderField, header: &mut Header) {
        let text = constant_text(&field.value);
        match (field.name.as_str(), text) {
            ("edition", _) => self.edition(field),
            ("updated", _) => match &field.value.kind {
                ExprKind::Date(text) => {
                    if let Some(Value::Date(date)) = constant(&self.date(text, field.value.span)) {
                        header.updated = Some(*date);
                    }
                }
                _ => self.invalid_field(field, "a date", "updated 2025-09-09"),
            },
            ("owner", Some(owner)) => header.owner = Some(owner),
            ("version", Some(version)) => header.version = Some(version),
            ("log", Some(folder)) => header.log = Some(folder),
            ("timezone", Some(zone)) => self.timezone(field, zone, header),
            (name @ ("owner" | "version" | "log" | "timezone"), None) => {
                self.invalid_field(field, "a text", &format!("{name} \"…\""));
            }
            (name, _) => {
                let meant = nearest(name, FIELDS.iter().copied()).map(str::to_owned);
                let nothing_near = meant.is_none();
                self.report_unknown(Code::InvalidHeader, field.name.span, &format!("a header has no `{name}`"), meant);
                if nothing_near && let Some(last) = self.diagnostics.last_mut() {
                    last.help = Some(format!("its fields: {}", FIELDS.join(", ")));
                }
            }
        }
    }

    fn edition(&mut self, field: &HeaderField) {
        let known = matches!(&field.value.kind, ExprKind::Number(number) if EDITIONS.contains(&&**number));
        if !known {
            let message = format!("there is no edition {}", self.quoted(field.value.span));
            let diagnostic = Diagnostic::new(Code::InvalidHeader, field.value.span, message);
            self.report(diagnostic.help("write `edition 1`").fix(field.value.span, "1"));
        }
    }

    fn timezone(&mut self, field: &HeaderField, zone: Arc<str>, header: &mut Header) {
        if let Some(found) = units::zone(&zone) {
            header.timezone = found;
            header.timezone_name = zone;
        } else {
            let known = units::zones();
            let message = format!("there is no time zone `{zone}`");
            let diagnostic = Diagnostic::new(Code::InvalidHeader, field.value.span, &message);
            let diagnostic = match nearest(&zone, known.iter().map(String::as_str)) {
                Some(meant) => Diagnostic::new(
                    Code::InvalidHeader,
                    field.value.span,
                    format!("{message}; did you mean `{meant}`?"),
                )
                .help(format!("write `\"{meant}\"`"))
                .fix(field.value.span, format!("\"{meant}\"")),
                None => diagnostic.help("name it as the IANA does: `\"Europe/Berlin\"`"),
            };
            self.report(diagnostic);
        }
    }

    fn invalid_field(&mut self, field: &HeaderField, wanted: &str, example: &str) {
        let message = format!("`{}` is {wanted}, and {} is none", field.name, self.quoted(field.value.span));
        self.report(Diagnostic::new(Code::InvalidHeader, field.value.span, message).help(format!("write `{example}`")));
    }
}

fn empty_header(title: Arc<str>) -> Header {
    Header {
        title,
        doc: "".into(),
        owner: None,
        version: None,
        updated: None,
        log: None,
        timezone: TimeZone::UTC,
        timezone_name: UTC.into(),
        span: None,
    }
}

fn constant_text(value: &ast::Expr) -> Option<Arc<str>> {
    match &value.kind {
        ExprKind::Template(template) => template.constant().map(Arc::from),
        _ => None,
    }
}
