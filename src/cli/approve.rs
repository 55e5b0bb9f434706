//! `runbook approve`: puts a standing approval of a plan into the store.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{BuildHasher, RandomState};
use std::io::{BufRead, IsTerminal};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::console::{Console, Failure};
use super::edited;
use super::here;
use super::places::places;
use super::plan::command;
use super::request::{Asked, Prepared, prepare};
use super::run::{account, another_plan, facts, id};
use super::standing::{at, words};
use super::state::Kept;
use super::undo::{Undoing, to_be_undone};
use crate::diagnostics::nearest;
use crate::plan::Agreed;
use crate::report;
use crate::run::Proposal;
use crate::shown::look::{clean, quoted};
use crate::store::approval::{Approval, Part, PrivateKey, PublicKey, Signature, Undoes, by_agent};
use crate::store::event::ProposedChange;
use crate::system;
use crate::units;

/// Longer is no name of a role.
const MOST_LETTERS: usize = 100;
/// Who agreed to something may not be there any more.
const LONGEST: SignedDuration = SignedDuration::from_hours(366 * 24 + 24);

/// Agree to the changes of a runbook in advance, in a role: `run` and `serve` make them without asking anybody, until the approval
/// ends, is revoked, or what it covers is edited. Makes no reads and no change.
#[derive(Debug, Args)]
pub(super) struct Approve {
    #[command(flatten)]
    asked: Asked,
    /// In which role: the one that a change names in `approve by`, or another one.
    #[arg(long = "as", value_name = "ROLE")]
    role: String,
    /// Agree to the plan with this hash, which was looked at before, and ask nothing.
    #[arg(long, value_name = "HASH", value_parser = Agreed::read)]
    plan: Option<Agreed>,
    /// Until when it stands: a day (its end, in UTC), a time (`2026-12-31T06:00Z`), or a duration (`12h`).
    #[arg(long, value_name = "DATE", default_value = "30d")]
    until: String,
    /// Where a connection leads, if that cannot be known on this machine; as an earlier `runbook approve` or a refused run has said
    /// it. Can be given several times.
    #[arg(long, value_name = "NAME=PLACE")]
    target: Vec<String>,
    /// The ed25519 key that signs it, where the policy names keys of the role: a private key in OpenSSH's format, or the `.pub` of
    /// one that the SSH agent has.
    #[arg(long, value_name = "FILE")]
    key: Option<PathBuf>,
    /// Agree to the undoing of one change of a run instead, as `runbook undo RUN CHANGE` shows it, where the run is recorded.
    #[arg(long, value_name = "RUN:CHANGE", conflicts_with_all = ["only", "set"])]
    undo: Option<String>,
    #[command(flatten)]
    state: Kept,
}

/// What is agreed to.
struct Subject {
    asked: Asked,
    prepared: Prepared,
    hash: String,
    roles: BTreeSet<Arc<str>>,
    leads_to: Vec<Arc<str>>,
    programs: BTreeSet<String>,
    changes: Vec<ProposedChange>,
    parts: Vec<Part>,
    undoes: Option<Undoes>,
    /// What to type to look at it.
    look: String,
}

/// The exit code where there is none, which has been said then.
fn subject(args: &Approve, console: &Arc<Console>) -> Result<Result<Subject, u8>, Failure> {
    if let Some(text) = &args.undo {
        let (asked, prepared, undoing, undoes) = match to_be_undone(text, &args.asked.file, &args.state, console)? {
            Ok(found) => found,
            Err(exit) => return Ok(Err(exit)),
        };
        let Undoing { proposal, agreed, .. } = undoing;
        let look = format!("{} {} {}", args.state.again().command("undo"), undoes.run, undoes.change);
        return Ok(Ok(Subject {
            asked,
            prepared,
            hash: proposal.hash,
            roles: proposal.roles,
            leads_to: proposal.leads_to,
            programs: agreed.programs,
            changes: proposal.changes,
            parts: agreed.parts,
            undoes: Some(undoes),
            look,
        }));
    }
    let prepared = match prepare(&args.asked, console)? {
        Ok(prepared) => prepared,
        Err(exit) => return Ok(Err(exit)),
    };
    let Some(hash) = prepared.plan.hash.clone() else {
        return Err(Failure::new("nothing is changed, so there is nothing to approve"));
    };
    let asked = args.asked.clone();
    let proposal = Proposal::of(&prepared.plan, &prepared.sources, String::new());
    Ok(Ok(Subject {
        hash,
        roles: proposal.roles,
        leads_to: proposal.leads_to,
        programs: prepared.plan.programs.clone(),
        changes: proposal.changes,
        parts: edited::parts(&prepared.plan, &prepared.sources),
        undoes: None,
        look: command("plan", &asked, &args.state),
        asked,
        prepared,
    }))
}

pub(super) fn run(args: &Approve, console: &Arc<Console>) -> Result<u8, Failure> {
    let subject = match subject(args, console)? {
        Ok(subject) => subject,
        Err(exit) => return Ok(exit),
    };
    let Subject { prepared, hash, look, .. } = &subject;
    let is_other = |message| Failure::new(message).help(format!("look at it with `{look}`; nothing was approved"));
    if let Some(agreed) = args.plan.as_ref().filter(|agreed| !agreed.is_of(hash)) {
        return Err(is_other(another_plan(agreed, hash)));
    }
    if args.plan.is_none() && !console.can_ask() {
        return Err(Failure::new("nobody can be asked here whether this is agreed to")
            .help(format!("look at it with `{look}`, then add `--plan HASH`")));
    }
    let now = system::now();
    let until = until(&args.until, now)?;
    if clean(&args.role) != args.role || !(1..=MOST_LETTERS).contains(&args.role.trim().chars().count()) {
        return Err(Failure::new(format!("`--as {}` is no role", clean(&args.role)))
            .help(format!("write a name in one line of at most {MOST_LETTERS} letters, such as `--as dba`")));
    }
    named_role(args, &subject.roles, console);
    let signer = signer(args, prepared, console)?;
    let targets = targets(args, &subject)?;
    let places = subject.leads_to.iter().filter_map(|name| Some((&**name, targets.get(&**name)?.as_str())));
    if args.plan.as_ref().is_some_and(|agreed| !agreed.holds_at(places.clone())) {
        let places: Vec<String> = places.map(|(name, place)| format!("`{name}` to {place}")).collect();
        return Err(is_other(format!("the plan was made of other systems: from here it leads {}", places.join(", "))));
    }
    let account = account();
    let mut approval = Approval {
        id: String::new(),
        nonce: hex::encode(RandomState::new().hash_one(now.as_nanosecond()).to_be_bytes()),
        runbook: prepared.program.header.title.to_string(),
        file: subject.asked.file.clone(),
        only: subject.asked.only.clone(),
        set: prepared.typed.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        plan: hash.clone(),
        role: args.role.clone(),
        who: signer.as_ref().map_or_else(|| account.to_string(), |signer| signer.person.clone()),
        account,
        at: now,
        until,
        targets,
        changes: subject.changes.clone(),
        parts: subject.parts.clone(),
        undoes: subject.undoes.clone(),
        signature: None,
    };
    approval.id = approval.own_id()?;
    if args.plan.is_none() && !agrees(&approval, prepared, console)? {
        console.say("nothing was approved\n");
        return Ok(1);
    }
    if let Some(signer) = signer {
        let text = approval.text()?;
        let armoured = signer.sign(&text)?;
        let key = signer.public.fingerprint();
        // What is kept is what a run will find good.
        signer.public.verify(&text, &armoured).map_err(Failure::new)?;
        approval.signature = Some(Signature { key, armoured });
    }
    args.state.ledger()?.open()?.approve(&approval)?;
    console.print_lines(&said(&approval, &args.state))?;
    Ok(0)
}

fn said(approval: &Approval, state: &Kept) -> Vec<String> {
    let mut lines = vec![clean(&words(approval))];
    lines.extend(approval.targets.iter().map(|(name, place)| format!("  {} at {}", clean(name), clean(place))));
    if let Some(signature) = &approval.signature {
        lines.push(format!("  signed with {}", signature.key));
    }
    lines.push(format!("revoke it with `{} {}`", state.again().command("revoke"), approval.id));
    lines
}

/// Shows all of it and asks.
fn agrees(approval: &Approval, prepared: &Prepared, console: &Console) -> Result<bool, Failure> {
    let look = console.look();
    console.print_lines(&match &approval.undoes {
        Some(_) => report::terminal::proposed(&approval.changes, look),
        None => report::plan::lines(&prepared.plan, &prepared.sources, &[], None, look),
    })?;
    let targets = approval.targets.iter().map(|(name, place)| format!("  {} at {}", clean(name), clean(place)));
    console.print_lines(&targets.collect::<Vec<_>>())?;
    console.say(&format!(
        "Approve all of this as {:?} until {}? Type yes to do so, anything else to stop: ",
        approval.role,
        at(approval.until)
    ));
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.map_err(|error| Failure::new(format!("no answer can be read: {error}")))?;
    Ok(answer.trim().eq_ignore_ascii_case("yes"))
}

/// A day, a time or a duration, in the future.
fn until(text: &str, now: Timestamp) -> Result<Timestamp, Failure> {
    let bad = || {
        Failure::new(format!("`--until {text}` is no time")).help(
            "write a day such as `2026-12-31`, a time such as `2026-12-31T06:00Z`, or a duration such as `12h` or `7d`",
        )
    };
    let found = if text.is_empty() {
        return Err(bad());
    } else if let Ok(at) = text.parse::<Timestamp>() {
        at
    } else if let Ok(day) = text.parse::<Date>() {
        let end = day.tomorrow().and_then(|next| next.to_zoned(TimeZone::UTC));
        end.map_err(|_| bad())?.timestamp()
    } else {
        match units::parse_quantity(text) {
            Ok(units::Quantity::Duration(nanos)) => {
                now.checked_add(SignedDuration::from_nanos(nanos)).map_err(|_| bad())?
            }
            _ => return Err(bad()),
        }
    };
    if found.duration_since(now) > LONGEST {
        return Err(Failure::new(format!("`--until {text}` is more than a year away"))
            .help("an approval is given for a year at most, and can be given again"));
    }
    if found <= now {
        return Err(Failure::new(format!("`--until {text}` is over: it is {} now", at(now))).help("name a later one"));
    }
    Ok(found)
}

/// Says where the role is none that a change asks for, while others are.
fn named_role(args: &Approve, roles: &BTreeSet<Arc<str>>, console: &Console) {
    if roles.is_empty() || roles.iter().any(|role| **role == *args.role) {
        return;
    }
    let names: Vec<&str> = roles.iter().map(|role| &**role).collect();
    let help = match nearest(&args.role, names.iter().copied()) {
        Some(meant) => format!("did you mean `--as {}`?", quoted(meant)),
        None => format!("they ask for: {}", names.join(", ")),
    };
    let message =
        format!("no change asks for an approval by {:?}, so those that ask for another one still wait", args.role);
    console.warn(&message, Some(&help));
}

/// Which systems the connections lead to that are changed: from here, or as it is said.
fn targets(args: &Approve, subject: &Subject) -> Result<BTreeMap<String, String>, Failure> {
    let mut targets = BTreeMap::new();
    let Subject { prepared, leads_to, programs, .. } = subject;
    let known: Vec<&str> = leads_to.iter().map(|name| &**name).chain(here::names(programs)).collect();
    for text in &args.target {
        let (name, place) = text.split_once('=').filter(|(_, place)| !place.is_empty()).ok_or_else(|| {
            Failure::new(format!("`--target {text}` has no place")).help(format!("write `--target {text}=PLACE`"))
        })?;
        if !known.contains(&name) {
            let failure = Failure::new(format!("no change leads to `{name}`"));
            return Err(if known.is_empty() {
                failure
            } else {
                failure.help(format!("they lead to: {}", known.join(", ")))
            });
        }
        if targets.insert(name.to_owned(), place.to_owned()).is_some() {
            return Err(Failure::new(format!("`--target {name}` is given twice")).help("leave one of them out"));
        }
    }
    let facts = facts(id().into(), &prepared.program, &args.asked.file)?;
    if here::names(programs).any(|name| !targets.contains_key(name)) {
        let own = here::targets(programs, &facts.directory).map_err(|fault| {
            let help = "approve it where that is, or say what it is there: `--target NAME=PLACE`";
            Failure::new(format!("what is started is not known here: {}", fault.message)).help(help)
        })?;
        for (name, place) in own {
            targets.entry(name).or_insert(place);
        }
    }
    let unknown: Vec<Arc<str>> = leads_to.iter().filter(|name| !targets.contains_key(&***name)).cloned().collect();
    for (name, place) in places(prepared, &unknown, &facts, &args.state)? {
        let place = place.map_err(|fault| {
            let help = fault.help.as_ref().map_or_else(String::new, |help| format!("{help}; "));
            Failure::new(format!("where `{name}` leads is not known here: {}", fault.message)).help(format!(
                "{help}approve it on a machine where it can be reached, or say where it leads: `--target {name}=PLACE`"
            ))
        })?;
        targets.insert(name.to_string(), place.to_string());
    }
    Ok(targets)
}

/// Who signs, and with what.
struct Signer {
    person: String,
    public: PublicKey,
    /// `None`: the agent has it.
    private: Option<PrivateKey>,
}

impl Signer {
    fn sign(&self, text: &str) -> Result<String, Failure> {
        if let Some(key) = &self.private {
            return key.sign(text).map_err(Failure::new);
        }
        let socket = system::env("SSH_AUTH_SOCK").ok_or_else(|| {
            Failure::new("there is no SSH agent: `SSH_AUTH_SOCK` is not set").help("name the private key with `--key`")
        })?;
        by_agent(Path::new(&socket), &self.public, text).map_err(Failure::new)
    }
}

/// Whoever has to sign; `None` where the policy names no keys of the role.
fn signer(args: &Approve, prepared: &Prepared, console: &Console) -> Result<Option<Signer>, Failure> {
    let role = &args.role;
    let people = prepared.policy.as_ref().and_then(|policy| policy.approvers(role));
    let (people, path) = match (people, &args.key) {
        (None, None) => return Ok(None),
        (None, Some(_)) => {
            return Err(Failure::new(format!(
                "there is no policy that names keys of {role:?}, so no signature would count"
            ))
            .help(format!("write `[approvers.{role:?}]` into `{}`, or leave `--key` out", crate::policy::FILE)));
        }
        (Some(people), None) => {
            let names: Vec<&str> = people.keys().map(String::as_str).collect();
            return Err(Failure::new(format!("an approval as {role:?} is signed, by {}", names.join(" or ")))
                .help("name the key: `--key ~/.ssh/id_ed25519`"));
        }
        (Some(people), Some(path)) => (people, path),
    };
    let shown = path.display();
    let cannot = |why: String| Failure::new(format!("the key `{shown}`: {why}"));
    let text = std::fs::read_to_string(path).map_err(|error| cannot(format!("it cannot be read: {error}")))?;
    let (public, private) = if text.contains("PRIVATE KEY-----") {
        let key = PrivateKey::parse(&text).map_err(cannot)?;
        (key.public(), Some(key))
    } else {
        (PublicKey::parse(&text).map_err(cannot)?, None)
    };
    let fingerprint = public.fingerprint();
    let own = people.into_iter().find(|(_, keys)| keys.iter().any(|key| key.fingerprint() == fingerprint));
    let Some((person, _)) = own else {
        return Err(cannot(format!("the policy does not name it ({fingerprint}) as one of {role:?}")));
    };
    let private = match private {
        Some(key) if key.is_encrypted() => {
            Some(key.decrypt(&passphrase(&shown.to_string(), console)?).map_err(cannot)?)
        }
        other => other,
    };
    Ok(Some(Signer { person, public, private }))
}

/// Typed without being shown.
fn passphrase(key: &str, console: &Console) -> Result<String, Failure> {
    let stdin = std::io::stdin();
    if !stdin.is_terminal() || !console.can_ask() {
        return Err(Failure::new(format!("the key `{key}` asks for a passphrase, and there is no terminal"))
            .help("load it into the SSH agent with `ssh-add`, and name its `.pub`"));
    }
    let failed =
        |error: rustix::io::Errno| Failure::new(format!("the terminal cannot be asked for a passphrase: {error}"));
    let before = rustix::termios::tcgetattr(&stdin).map_err(failed)?;
    let mut silent = before.clone();
    silent.local_modes.remove(rustix::termios::LocalModes::ECHO);
    rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &silent).map_err(failed)?;
    console.say(&format!("passphrase of {}: ", clean(key)));
    let mut typed = String::new();
    let read = stdin.lock().read_line(&mut typed);
    let restored = rustix::termios::tcsetattr(&stdin, rustix::termios::OptionalActions::Now, &before);
    console.say("\n");
    restored.map_err(failed)?;
    read.map_err(|error| Failure::new(format!("no passphrase can be read: {error}")))?;
    Ok(typed.trim_end_matches(['\n', '\r']).to_owned())
}
