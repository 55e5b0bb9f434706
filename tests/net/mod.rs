//! What the tests of network built-ins and tools share: a world that is this machine, with an environment of its own.
#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    dead_code,
    unreachable_pub,
    reason = "each test takes what it needs of it, and it is the real machine that they ask"
)]

pub mod aws_signature;
pub mod server;
pub mod told;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::{Timestamp, tz::TimeZone};
use runbook::builtins::catalog;
use runbook::catalog::{Arg, Args, Body, Call, Cx, Opened, Opening, Remark, RunFacts, World};
use runbook::types::{Connection, Fault, FaultKind, Piece, Template, Value};

/// This machine.
#[derive(Default)]
pub struct Machine {
    env: HashMap<String, String>,
    directory: PathBuf,
}

impl World for Machine {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }

    fn call(&self, call: Call) -> BoxFuture<'static, Result<Value, Fault>> {
        match call.builtin.body {
            Body::Outside(body) => body(call.cx, call.args),
            _ => panic!("{} does not go outside", call.builtin.name),
        }
    }

    fn open(&self, opening: Opening) -> BoxFuture<'static, Result<Opened, Fault>> {
        opening.driver.make(opening.cx, opening.args)
    }

    fn env(&self, name: &str) -> Result<Option<String>, Fault> {
        Ok(self.env.get(name).cloned())
    }

    fn file(&self, path: &Path) -> Result<String, Fault> {
        std::fs::read_to_string(self.directory.join(path))
            .map_err(|error| Fault::new(FaultKind::Setup, format!("{}: {error}", path.display())))
    }
}

/// A world to call built-ins in.
#[derive(Clone)]
pub struct Outside {
    pub cx: Cx,
}

impl Outside {
    /// With an environment, in a folder.
    pub fn new(env: &[(&str, &str)], directory: &Path) -> Self {
        let mut env: HashMap<String, String> = env.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        env.entry("PATH".to_owned()).or_insert_with(|| std::env::var("PATH").unwrap_or_default());
        let now = Timestamp::now();
        let run = RunFacts {
            id: "test".into(),
            started_at: now,
            scheduled_at: now,
            timezone: TimeZone::UTC,
            directory: directory.to_owned(),
        };
        Self {
            cx: Cx {
                world: Arc::new(Machine { env, directory: directory.to_owned() }),
                run: Arc::new(run),
                remark: Remark::default(),
            },
        }
    }

    pub fn here() -> Self {
        Self::new(&[], Path::new("."))
    }

    /// Calls a built-in by its name, with arguments by theirs.
    pub async fn call(&self, name: &str, given: &[(&str, Value)]) -> Result<Value, Fault> {
        let builtin = catalog().builtin(name).unwrap_or_else(|| panic!("no built-in {name}"));
        let args = Args::new(builtin, arranged(name, builtin.params, given));
        self.cx.world.call(Call { builtin, args, cx: self.cx.clone() }).await
    }

    /// Opens a connection or a secret by the name of its driver.
    pub async fn open(&self, name: &str, given: &[(&str, Value)]) -> Result<Opened, Fault> {
        let driver = catalog().driver(name).unwrap_or_else(|| panic!("no driver {name}"));
        let args = Args::of(driver.params, arranged(name, driver.params, given));
        self.cx.world.open(Opening { name: name.into(), driver, args, cx: self.cx.clone() }).await
    }

    /// Opens a connection, ready to be called on.
    pub async fn connect(&self, driver: &str, given: &[(&str, Value)]) -> Result<Value, Fault> {
        let opened = self.open(driver, given).await?;
        Ok(Value::Connection(Arc::new(Connection {
            name: "api".into(),
            driver: driver.into(),
            target: opened.target.into(),
            handle: opened.handle,
        })))
    }
}

fn arranged(
    name: &str,
    params: &'static [runbook::catalog::ParamInfo],
    given: &[(&str, Value)],
) -> Vec<Option<Arg<'static>>> {
    for (param, _) in given {
        assert!(params.iter().any(|info| info.name == *param), "{name} has no parameter {param}");
    }
    let value = |param: &str| given.iter().find(|(name, _)| *name == param).map(|(_, v)| Arg::Value(v.clone()));
    params.iter().map(|info| value(info.name)).collect()
}

/// A string.
pub fn text(text: &str) -> Value {
    Value::string(text)
}

/// A list of strings.
pub fn words(words: &[&str]) -> Value {
    Value::list(words.iter().map(|word| Value::string(*word)).collect())
}

/// A literal text without interpolations.
pub fn literal(text: &str) -> Value {
    template(vec![Piece::Text(text.into())])
}

/// A literal text with interpolated values.
pub fn template(pieces: Vec<Piece>) -> Value {
    Value::Template(Arc::new(Template { pieces }))
}

/// A duration.
pub fn ms(milliseconds: i64) -> Value {
    Value::Duration(jiff::SignedDuration::from_millis(milliseconds))
}

/// A field of a record, by its path: `timing.total`.
pub fn field(value: &Value, path: &str) -> Value {
    path.split('.').fold(value.clone(), |value, name| match value {
        Value::Record(record) => record.get(name).cloned().unwrap_or_else(|| panic!("no field {name}: {record:?}")),
        other => panic!("{name} of {other:?}"),
    })
}

/// The fault of what must not have gone well.
pub fn fault(result: Result<Value, Fault>) -> Fault {
    match result {
        Ok(value) => panic!("wanted a fault, got {value:?}"),
        Err(fault) => fault,
    }
}
