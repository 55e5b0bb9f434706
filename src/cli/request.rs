//! What `run` and `plan` are asked for: a runbook, a part of it, and values for its parameters.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use clap::{Args, ValueEnum};
use sha2::{Digest, Sha256};

use super::checking;
use super::console::{Console, Failure};
use super::inputs;
use super::policy;
use crate::builtins;
use crate::check::program::{ParamId, Program};
use crate::check::setting;
use crate::diagnostics::render::terminal;
use crate::diagnostics::{Diagnostic, has_errors, nearest};
use crate::plan::{self, Plan, Selection};
use crate::policy::Policy;
use crate::source::Sources;
use crate::types::Value;

/// How a run is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Terminal,
    /// Its events, one object a line, as they happen.
    Json,
    /// `JUnit` XML, for the test reports of CI.
    Junit,
}

#[derive(Clone, Debug, Args)]
pub(super) struct Asked {
    /// The runbook, or `-` for standard input.
    pub(super) file: String,
    /// Only this section or step; can be given several times.
    #[arg(long, value_name = "TITLE")]
    pub(super) only: Vec<String>,
    /// A value for a `param`; can be given several times.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(super) set: Vec<String>,
}

/// A runbook that is valid, and what was asked of it.
pub(super) struct Prepared {
    pub(super) program: Arc<Program>,
    pub(super) sources: Arc<Sources>,
    pub(super) selection: Selection,
    pub(super) set: HashMap<ParamId, Value>,
    /// The same as they were typed.
    pub(super) typed: BTreeMap<Arc<str>, String>,
    pub(super) plan: Plan,
    /// SHA-256 of all files, in hex.
    pub(super) source_hash: String,
    /// What its repository asks of it.
    pub(super) policy: Option<Arc<Policy>>,
}

/// Checks a runbook and what is asked of it, and holds it to the policy of its repository. Gives the exit code where it is not
/// to be run, which has been said then.
pub(super) fn prepare(asked: &Asked, console: &Console) -> Result<Result<Prepared, u8>, Failure> {
    match held(&asked.file, console) {
        Ok((program, sources, policy)) => prepared(asked, program, sources, policy).map(Ok),
        Err(exit) => Ok(Err(exit)),
    }
}

/// A runbook that is valid, with the policy that it is held to. Else the exit code; why has been said then.
pub(super) fn held(file: &str, console: &Console) -> Result<(Program, Sources, Option<Arc<Policy>>), u8> {
    let (program, mut sources) = checked(file, console).ok_or(2)?;
    let mut found = Vec::new();
    let policy = policy::read(&mut sources, None, &builtins::catalog(), &mut found);
    found.extend(policy::judge(&program, policy.as_deref()));
    report(&found, &sources, console);
    match policy::exit(&found) {
        0 => Ok((program, sources, policy)),
        exit => Err(exit),
    }
}

/// The same for what is said of a run and changes nothing: no policy keeps anybody from it. `None` where it is not valid.
pub(super) fn prepare_to_say(asked: &Asked, console: &Console) -> Result<Option<Prepared>, Failure> {
    let Some((program, sources)) = checked(&asked.file, console) else { return Ok(None) };
    prepared(asked, program, sources, None).map(Some)
}

fn prepared(
    asked: &Asked,
    program: Program,
    sources: Sources,
    policy: Option<Arc<Policy>>,
) -> Result<Prepared, Failure> {
    let selection = select(&program, &asked.only, "only")?;
    let (set, typed) = settings(&program, &asked.set)?;
    let plan = plan::plan(&program, &selection, &typed)?;
    let source_hash = hash(&sources);
    let (program, sources) = (Arc::new(program), Arc::new(sources));
    Ok(Prepared { program, sources, selection, set, typed, plan, source_hash, policy })
}

/// Refuses a runbook in which there is nothing to run.
pub(super) fn something_to_run(program: &Program, file: &str) -> Result<(), Failure> {
    if program.sections.is_empty() {
        return Err(Failure::new(format!("there is nothing to run in `{file}`: it has no section"))
            .help("a section begins with `section \"title\" {`"));
    }
    Ok(())
}

/// A runbook that is valid. `None` where it is not, which has been said then.
pub(super) fn checked(file: &str, console: &Console) -> Option<(Program, Sources)> {
    let catalog = builtins::catalog();
    let mut sources = Sources::new();
    let mut found = Vec::new();
    let input = inputs::read(file, &mut sources, &mut found);
    if !input.is_text {
        report(&found, &sources, console);
        return None;
    }
    let (checked, _) = checking::check(input.id, &mut sources, &catalog);
    report(&checked.diagnostics, &sources, console);
    (!has_errors(&checked.diagnostics)).then_some((checked.program, sources))
}

/// Diagnostics on standard error: they are not what was asked for.
pub(super) fn report(found: &[Diagnostic], sources: &Sources, console: &Console) {
    if found.is_empty() {
        return;
    }
    console.say(&terminal::render(found, sources, console.diagnostics_look_err()));
    let nothing_ran = if has_errors(found) { ": nothing was run" } else { "" };
    console.say(&format!("{}{nothing_ran}\n\n", terminal::summary(found)));
}

pub(super) fn select(program: &Program, titles: &[String], flag: &str) -> Result<Selection, Failure> {
    Selection::of(program, titles).map_err(|fault| {
        let failure = Failure::new(format!("there is no section, step or report \"{}\"", fault.title));
        match fault.nearest {
            Some(meant) => failure.help(format!("did you mean `--{flag} \"{meant}\"`?")),
            None => failure.help(format!("there are: {}", fault.known.join(", "))),
        }
    })
}

pub(super) type Settings = (HashMap<ParamId, Value>, BTreeMap<Arc<str>, String>);

pub(super) fn settings(program: &Program, given: &[String]) -> Result<Settings, Failure> {
    let (mut values, mut typed) = (HashMap::new(), BTreeMap::new());
    self::given(program, given, &mut values, &mut typed)?;
    for param in &program.params {
        if param.default.is_none() && !param.ty.is_optional() && !typed.contains_key(&param.name) {
            return Err(Failure::new(format!("the param `{}` ({}) has no default and no value", param.name, param.ty))
                .help(format!("write `--set {}=VALUE`", param.name)));
        }
    }
    Ok((values, typed))
}

/// What is set, whether or not that is all that a run needs.
pub(super) fn given(
    program: &Program,
    given: &[String],
    values: &mut HashMap<ParamId, Value>,
    typed: &mut BTreeMap<Arc<str>, String>,
) -> Result<(), Failure> {
    for text in given {
        let (name, text) = text.split_once('=').ok_or_else(|| {
            Failure::new(format!("`--set {text}` has no value")).help(format!("write `--set {text}=VALUE`"))
        })?;
        let index = program.params.iter().position(|param| *param.name == *name);
        let param = index.and_then(|index| Some((index, program.params.get(index)?)));
        let Some((index, param)) = param else { return Err(unknown_param(program, name)) };
        let value = setting(&param.ty, text).map_err(|why| Failure::new(format!("`--set {name}={text}`: {why}")))?;
        if typed.insert(param.name.clone(), text.to_owned()).is_some() {
            return Err(Failure::new(format!("`{name}` is set twice")).help("leave one of them out"));
        }
        values.insert(ParamId(u32::try_from(index).unwrap_or(u32::MAX)), value);
    }
    Ok(())
}

fn unknown_param(program: &Program, name: &str) -> Failure {
    let failure = Failure::new(format!("the runbook has no param `{name}`"));
    let known: Vec<&str> = program.params.iter().map(|param| &*param.name).collect();
    match nearest(name, known.iter().copied()) {
        Some(meant) => failure.help(format!("did you mean `--set {meant}=…`?")),
        None if known.is_empty() => failure.help("it has no params at all"),
        None => failure.help(format!("it has: {}", known.join(", "))),
    }
}

fn hash(sources: &Sources) -> String {
    let mut hasher = Sha256::new();
    for id in sources.ids() {
        let file = sources.file(id);
        hasher.update(format!("{}:{}:", file.name, file.text.len()));
        hasher.update(file.text.as_bytes());
    }
    hex::encode(hasher.finalize())
}
