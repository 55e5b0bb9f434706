//! `runbook plan`: what would be changed, before anything is.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};

use super::console::{Console, Failure};
use super::looking;
use super::places;
use super::request::{Asked, Prepared, prepare, something_to_run};
use super::run::{facts, id};
use super::standing;
use super::state::Kept;
use crate::plan::{self, of_places};
use crate::report;
use crate::report::looked::{Looked, Reached};
use crate::report::rights::{Subject, System};

/// Say what a run would change, need and tell, and the hash to approve. Makes the reads and never a change: whether
/// guards hold now, where connections lead, how often each change would be made. Exit 3: something could not be looked at.
#[derive(Debug, Args)]
pub(super) struct PlanArgs {
    #[command(flatten)]
    asked: Asked,
    #[command(flatten)]
    state: Kept,
    /// Open no connection: what only the targets can tell is said to be unknown.
    #[arg(long)]
    offline: bool,
    #[arg(long, value_enum, default_value_t = Format::Terminal)]
    format: Format,
    /// Print the least rights that the runbook needs, as what can be applied. Opens no connection.
    #[arg(long, value_name = "SYSTEM", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "all")]
    rbac: Option<Rbac>,
    /// Who a cluster grants them to: `NAMESPACE/ACCOUNT` or `ACCOUNT`, `user:NAME` or `group:NAME`.
    #[arg(long, value_name = "SUBJECT", requires = "rbac", default_value = "runbook")]
    to: String,
}

/// Whose rights are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Rbac {
    /// All of them, one after the other.
    All,
    /// Roles and bindings, for `kubectl apply -f -`.
    Kubernetes,
    /// Grants, for `psql`.
    Postgres,
    /// Policies of AWS IAM.
    S3,
    /// Rules of ACLs, for `redis-cli`.
    Redis,
    /// A network policy with the hosts and ports.
    Network,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    Terminal,
    /// One object.
    Json,
}

pub(super) fn run(args: &PlanArgs, console: &Console) -> Result<u8, Failure> {
    if let Some(system) = args.rbac {
        return rights(args, system, console);
    }
    let prepared = match prepare(&args.asked, console)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(exit),
    };
    something_to_run(&prepared.program, &args.asked.file)?;
    let mut looked = (!args.offline).then(|| looking::look(&prepared, &args.asked.file, &args.state)).transpose()?;
    let refused = looked.as_ref().is_some_and(|looked| looked.refused);
    let led = match &mut looked {
        Some(looked) if !refused => led_to(&prepared, args, looked)?,
        _ => Led::default(),
    };
    let places = led.places.as_deref();
    match args.format {
        Format::Terminal => {
            let look = console.look();
            let next = match &prepared.plan.hash {
                _ if refused => {
                    vec!["refused by the policy: it leads to a host that is not allowed, as it says above".to_owned()]
                }
                Some(_) => {
                    let mut next = led.unknown.clone();
                    next.extend(standing::how_to_approve(&prepared.plan, &args.asked, &args.state, places));
                    next
                }
                None => Vec::new(),
            };
            let mut lines = report::plan::lines(&prepared.plan, &prepared.sources, &next, looked.as_ref(), look);
            lines.extend(standing::policy_lines(&prepared.plan, prepared.policy.as_deref()));
            console.print_lines(&lines)?;
        }
        Format::Json => console.print(&json(&prepared, looked.as_ref(), places)?)?,
    }
    if refused {
        return Ok(6);
    }
    // What could not be looked at is not known to be well.
    Ok(if looked.is_none_or(|looked| looked.is_whole()) && led.unknown.is_empty() { 0 } else { 3 })
}

/// Where the changes of a plan lead now.
#[derive(Default)]
struct Led {
    /// The hash of it; `None` where they lead through no connection, or where one of them is not known.
    places: Option<String>,
    /// A line for each that is not known.
    unknown: Vec<String>,
}

fn led_to(prepared: &Prepared, args: &PlanArgs, looked: &mut Looked) -> Result<Led, Failure> {
    let names = &prepared.plan.leads_to;
    if names.is_empty() {
        return Ok(Led::default());
    }
    let facts = facts(id().into(), &prepared.program, &args.asked.file)?;
    let mut led = Led::default();
    let mut known = Vec::new();
    for places::Led { name, place, target } in places::led(prepared, names, &facts, &args.state)? {
        let reached =
            target.map_or_else(|fault| Reached::Fault(fault.to_string()), |to| Reached::Target(to.to_string()));
        looked.leads(&name, reached);
        match place {
            Ok(place) => known.push((name, place)),
            Err(fault) => led.unknown.push(format!(
                "where `{name}` leads is not known: {}; what is agreed to below holds wherever that is",
                fault.message
            )),
        }
    }
    if led.unknown.is_empty() {
        led.places = Some(of_places(known.iter().map(|(name, place)| (&**name, &**place))));
    }
    Ok(led)
}

fn rights(args: &PlanArgs, system: Rbac, console: &Console) -> Result<u8, Failure> {
    let subject = subject(&args.to)?;
    let Prepared { program, selection, typed, .. } = match prepare(&args.asked, console)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(exit),
    };
    let rights = plan::rights(&program, &selection, &typed);
    if args.format == Format::Json {
        let text = serde_json::to_string_pretty(&rights);
        let text = text.map_err(|error| Failure::new(format!("cannot write the rights: {error}")))?;
        console.print(&(text + "\n"))?;
        return Ok(0);
    }
    let one = match system {
        Rbac::All => None,
        Rbac::Kubernetes => Some(System::Kubernetes),
        Rbac::Postgres => Some(System::Postgres),
        Rbac::S3 => Some(System::S3),
        Rbac::Redis => Some(System::Redis),
        Rbac::Network => Some(System::Network),
    };
    let of = |system: System| report::rights::of(system, &program.header.title, &rights, &subject);
    if let Some(system) = one {
        // Nothing is what is to be applied then.
        console.print(&of(system).unwrap_or_default())?;
        return Ok(0);
    }
    let mut text = String::new();
    for system in System::ALL {
        if let Some(own) = of(*system) {
            let _ = write!(text, "### {}\n{own}\n", system.title());
        }
    }
    if text.is_empty() {
        text.push_str("nothing has to be granted: this runbook asks no system that grants rights\n");
    }
    console.print(&text)?;
    Ok(0)
}

fn subject(text: &str) -> Result<Subject, Failure> {
    let subject = match (text.split_once(':'), text.split_once('/')) {
        (Some(("user", name)), _) => Subject::User(name.to_owned()),
        (Some(("group", name)), _) => Subject::Group(name.to_owned()),
        (None, Some((namespace, name))) => {
            Subject::ServiceAccount { namespace: Some(namespace.to_owned()), name: name.to_owned() }
        }
        (None, None) => Subject::ServiceAccount { namespace: None, name: text.to_owned() },
        (Some(_), _) => {
            return Err(Failure::new(format!("`--to {text}` is nobody whom a cluster knows"))
                .help("write `NAMESPACE/ACCOUNT`, `user:NAME` or `group:NAME`"));
        }
    };
    Ok(subject)
}

/// `runbook run …` or another verb, as it would be typed for what was asked.
pub(super) fn command(verb: &str, asked: &Asked, state: &Kept) -> String {
    let mut command = format!("{} {}", state.again().command(verb), crate::shown::look::quoted(&asked.file));
    for (flag, values) in [("only", &asked.only), ("set", &asked.set)] {
        for value in values {
            command.push_str(" --");
            command.push_str(flag);
            command.push(' ');
            command.push_str(&crate::shown::look::quoted(value));
        }
    }
    command
}

/// The plan with the places of its changes.
fn json(prepared: &Prepared, looked: Option<&Looked>, places: Option<&str>) -> Result<String, Failure> {
    let failed = |error: serde_json::Error| Failure::new(format!("cannot write the plan: {error}"));
    let mut plan = serde_json::to_value(&prepared.plan).map_err(failed)?;
    let changes = plan.get_mut("changes").and_then(serde_json::Value::as_array_mut);
    for (value, change) in changes.into_iter().flatten().zip(&prepared.plan.changes) {
        if let Some(fields) = value.as_object_mut() {
            let file = &prepared.sources.file(change.span.file).name;
            fields.insert("file".to_owned(), file.as_str().into());
            let at = prepared.sources.position(change.span);
            fields.insert("line".to_owned(), at.line.into());
            let rounds = looked.and_then(|looked| looked.rounds(change, &prepared.sources));
            if let Some(rounds) = rounds {
                fields.insert("ready_now".to_owned(), rounds.ready.into());
                fields.insert("guarded_now".to_owned(), rounds.guarded.into());
                fields.insert("after_manual_now".to_owned(), rounds.after_manual.into());
                fields.insert("after_wait_now".to_owned(), rounds.after_wait.into());
                if let Some((found, _)) = rounds.too_many {
                    fields.insert("too_many_now".to_owned(), found.into());
                }
                fields.insert("unknown_now".to_owned(), rounds.unknown.into());
            }
        }
    }
    if let (Some(hash), Some(fields)) = (&prepared.plan.hash, plan.as_object_mut()) {
        fields.insert("approve".to_owned(), standing::typed(hash, places).into());
    }
    if let (Some(policy), Some(fields)) = (&prepared.policy, plan.as_object_mut()) {
        fields.insert("policy".to_owned(), policy.name().into());
    }
    if let (Some(looked), Some(fields)) = (looked, plan.as_object_mut()) {
        let mut seen = serde_json::to_value(looked).map_err(failed)?;
        if let Some(seen) = seen.as_object_mut() {
            seen.insert("unmeasured".to_owned(), looked.unmeasured().into());
        }
        fields.insert("looked".to_owned(), seen);
    }
    serde_json::to_string_pretty(&plan).map(|text| text + "\n").map_err(failed)
}
