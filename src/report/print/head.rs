//! What stands in front: whose page it is, what has to be on the machine, where connections lead and as whom.

use super::page::{Block, Line, code, joined, prose, strong, text};
use super::places::declared;
use super::sheet::of;
use super::steps::Writer;
use crate::catalog::DriverKind;
use crate::check::program::{Connection, ConnectionId};

/// What no client is told, or what is said elsewhere.
const INNER: &[&str] = &["at_once", "at_most", "within", "reads", "through", "port", "redirects", "downgrade", "proxy"];

impl<'p> Writer<'p> {
    /// The blocks in front of what was written, which says what is needed.
    pub(super) fn front(&mut self, file: &str) -> Vec<Block> {
        let program = self.knowledge.program;
        let header = &program.header;
        let mut blocks = Vec::new();
        let mut facts: Vec<Line> = Vec::new();
        if let Some(version) = &header.version {
            facts.push(of([text(format!("version {version}"))]));
        }
        if let Some(updated) = &header.updated {
            facts.push(of([text(format!("updated {updated}"))]));
        }
        if let Some(owner) = &header.owner {
            facts.push(of([text("owner "), strong(owner.to_string())]));
        }
        facts.push(of([text("from "), code(file)]));
        blocks.push(Block::Text(joined(facts, " · ")));
        for paragraph in header.doc.split("\n\n").filter(|paragraph| !paragraph.trim().is_empty()) {
            blocks.push(Block::Text(prose(&paragraph.split_whitespace().collect::<Vec<_>>().join(" "))));
        }
        let mut rules = vec![
            of([
                text(
                    "Find the section that is due, and do it from its top to its bottom. Each line in a block is typed as it is, into sh or bash; after ",
                ),
                code("#"),
                text(" is only a title."),
            ]),
            of([text("What stands in "), code("<…>"), text(" you fill in: below the block it says from where.")]),
            of([text(
                "Tick a box if what it says holds. A line that also printed an error has no answer, so type it again: a 0 below an error is not 0, and what could not be looked at is not well.",
            )]),
        ];
        if self.changes > 0 {
            rules.push(of([
                strong("CHANGE"),
                text(" changes something. At "),
                strong("STOP"),
                text(" do not go on unless what it says holds."),
            ]));
        }
        blocks.push(Block::Points(rules));
        if self.contents.len() > 3 {
            let rows =
                self.contents.iter().map(|(title, when)| vec![of([strong(title.clone())]), of([text(when.clone())])]);
            blocks.push(Block::Table(vec!["section", "when"], rows.collect()));
        }
        let forwards = self.places.forwards(&mut self.knowledge);
        blocks.push(Block::Heading(2, of([text("Before you begin")])));
        let mut programs = self.sheet.programs.clone();
        if !forwards.is_empty() && !programs.iter().any(|program| program == "kubectl") {
            programs.insert(0, "kubectl".to_owned());
        }
        if !programs.is_empty() {
            let names = programs.into_iter().map(|name| {
                let newer = name == "kubectl" && self.sheet.all_pods;
                let mut line = of([code(name)]);
                line.extend(newer.then(|| text(" (1.32 or newer)")));
                line
            });
            let mut line = of([text("On this machine there has to be: ")]);
            line.extend(joined(names, ", "));
            line.push(text("."));
            blocks.push(Block::Text(line));
        }
        let used = self.places.used.clone();
        let rows: Vec<Vec<Line>> = used.iter().filter_map(|id| self.connection(*id)).collect();
        if !rows.is_empty() {
            blocks.push(Block::Table(vec!["connection", "leads to", "as whom"], rows));
        }
        blocks.extend(self.secrets());
        blocks.extend(kept_open(&forwards));
        blocks
    }

    fn connection(&mut self, id: ConnectionId) -> Option<Vec<Line>> {
        let connection = self.knowledge.program.connections.get(id.index())?;
        let mut target = of([text(connection.made.driver.name), text(": ")]);
        if let Some(through) = declared(connection, "through") {
            target.push(code(self.knowledge.source(through)));
            if let Some(local) = self.places.local(id) {
                target.push(text(format!(", here on port {local}")));
            }
        }
        let leave: Vec<&str> = INNER.iter().chain(LOGINS).copied().collect();
        let rest = self.declaration(&connection.made, &leave);
        if !rest.is_empty() {
            if declared(connection, "through").is_some() {
                target.push(text(", "));
            }
            target.extend(rest);
        } else if declared(connection, "through").is_none() {
            target.push(text("where its client leads by itself"));
        }
        Some(vec![of([code(connection.name.to_string())]), target, self.login(connection)])
    }

    fn login(&mut self, connection: &'p Connection) -> Line {
        let others: Vec<&str> = connection
            .made
            .driver
            .params
            .iter()
            .map(|param| param.name)
            .filter(|name| !LOGINS.contains(name))
            .collect();
        let said = self.declaration(&connection.made, &others);
        let has = |name: &str| declared(connection, name).is_some();
        let default = match connection.made.driver.name {
            "kubernetes" if !has("context") => "the current context of kubectl",
            "postgres" if !has("password") => "password in `PGPASSWORD` or `~/.pgpass`",
            "redis" if !has("password") => "no login",
            "s3" if !has("profile") && !has("access_key") && !has("anonymous") => "the login of the AWS tools here",
            _ => "",
        };
        match (said.is_empty(), default) {
            (true, "") => of([text("no login")]),
            (true, default) => prose(default),
            (false, "") => said,
            (false, default) => said.into_iter().chain([text(", ")]).chain(prose(default)).collect(),
        }
    }

    /// The secrets that the page's lines take from the environment.
    fn secrets(&mut self) -> Vec<Block> {
        let program = self.knowledge.program;
        let mut names = Vec::new();
        for id in self.knowledge.secrets.clone() {
            let Some(secret) = program.secrets.get(id.index()) else { continue };
            debug_assert_eq!(secret.source.driver.kind, DriverKind::Secret, "a secret is made by a driver of secrets");
            let from = secret.source.args.iter().flatten().next().and_then(|arg| self.knowledge.text(arg));
            let from = from.unwrap_or_default();
            names.push(match secret.source.driver.name {
                "env" => of([code(from)]),
                _ => of([text("the file "), code(from)]),
            });
        }
        if names.is_empty() {
            return Vec::new();
        }
        let mut line = of([text("Secrets come from: ")]);
        line.extend(joined(names, ", "));
        line.push(text(". Set them before, by whatever keeps them; do not type them into a line."));
        vec![Block::Text(line)]
    }
}

/// The params of drivers that say who asks and who changes.
const LOGINS: &[&str] = &[
    "context",
    "change",
    "user",
    "password",
    "change_user",
    "change_password",
    "profile",
    "read",
    "access_key",
    "secret_key",
    "session_token",
    "anonymous",
    "bearer",
    "basic",
    "api_key",
    "headers",
];

fn kept_open(forwards: &[String]) -> Vec<Block> {
    if forwards.is_empty() {
        return Vec::new();
    }
    let line = "Keep these open, each in a terminal of its own. One that ends is started again; where its port is taken, the rest of the page would ask somebody else.";
    vec![Block::Text(of([text(line)])), Block::Commands(forwards.to_vec())]
}
