//! What is asked of a run, and who answers for it.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio_util::sync::CancellationToken;

use super::known::Known;
use crate::catalog::RunFacts;
use crate::check::program::{Change, ParamId, Program};
use crate::plan::{Agreed, Around, Plan, Selection};
use crate::source::Sources;
use crate::store::definition::{Defined, Definition};
use crate::store::event::{ManualAnswer, ProposedChange, RunStarted, VERSION};
use crate::store::ledger::Exclusive;
use crate::types::{Fault, Value};

/// What is to be run, and how.
pub struct Request {
    pub program: Arc<Program>,
    /// The files of the program, for the places of its statements.
    pub sources: Arc<Sources>,
    /// The first event of the run.
    pub started: RunStarted,
    pub facts: Arc<RunFacts>,
    /// What of it.
    pub selection: Selection,
    /// What `--set` gave, already of the parameter's type.
    pub set: HashMap<ParamId, Value>,
    /// What the consent covers.
    pub proposal: Proposal,
    pub consent: Consent,
    /// What else decides about a change; `None` where nothing does: neither a policy nor a store of approvals.
    pub rules: Option<Arc<dyn Rules>>,
    /// Who answers `manual`; `None` where there is nobody.
    pub person: Option<Arc<dyn Person>>,
    pub interrupt: Interrupt,
    /// Keeps others from changing the same at the same time; `None` where nothing is changed outside.
    pub exclusive: Option<Arc<Exclusive>>,
    /// What runs before have made: it is not made again.
    pub known: Known,
}

/// The first event of a run, as far as its program and its facts say it: of a whole file that changes nothing.
#[must_use]
pub fn started(program: &Program, facts: &RunFacts) -> RunStarted {
    RunStarted {
        version: VERSION,
        tool: format!("runbook {}", env!("CARGO_PKG_VERSION")),
        run: Arc::clone(&facts.id),
        runbook: Arc::clone(&program.header.title),
        file: "".into(),
        folder: facts.directory.to_str().map(Arc::from),
        source_hash: String::new(),
        plan: None,
        scheduled_at: facts.scheduled_at,
        timezone: Arc::clone(&program.header.timezone_name),
        by: String::new(),
        read_only: false,
        only: Vec::new(),
        set: Vec::new(),
        changes: 0,
        steps: 0,
        definition: Definition::default(),
        continues: None,
    }
}

/// The changes of a plan and its hash.
#[derive(Clone, Debug, Default)]
pub struct Proposal {
    pub hash: String,
    pub changes: Vec<ProposedChange>,
    /// What to type to approve it.
    pub help: String,
    /// The connections that its changes lead to.
    pub leads_to: Vec<Arc<str>>,
    /// The roles whose approval they ask for.
    pub roles: BTreeSet<Arc<str>>,
}

impl Proposal {
    #[must_use]
    pub fn of(plan: &Plan, sources: &Sources, help: String) -> Self {
        let changes = plan.changes.iter().map(|change| {
            let targets = plan.connections.iter().filter(|target| change.on.contains(&target.name));
            let target: Vec<String> = targets.map(|target| target.declared.clone()).collect();
            ProposedChange {
                section: change.section.clone(),
                step: change.step.clone(),
                file: sources.file(change.span.file).name.as_str().into(),
                line: sources.position(change.span).line,
                change: change.text.clone(),
                around: change.around.iter().map(Around::words).collect(),
                given: change.given.clone(),
                on: change.on.clone(),
                target: (!target.is_empty()).then(|| target.join(", ")),
                before: Vec::new(),
            }
        });
        Self {
            hash: plan.hash.clone().unwrap_or_default(),
            changes: changes.collect(),
            help,
            leads_to: plan.leads_to.clone(),
            roles: plan.roles(),
        }
    }
}

/// How the changes of a plan are defined, as it is written down when a run begins.
#[must_use]
pub fn definition(plan: &Plan) -> Definition {
    let mut definition = Definition::default();
    let mut places: HashMap<Arc<str>, u32> = HashMap::new();
    for change in &plan.changes {
        let facts = change.covers.iter().map(|part| {
            let fact: Arc<str> = part.words().into();
            *places.entry(Arc::clone(&fact)).or_insert_with(|| {
                definition.facts.push(fact);
                u32::try_from(definition.facts.len() - 1).unwrap_or(u32::MAX)
            })
        });
        let facts = facts.collect();
        definition.changes.push(Defined {
            position: change.position.as_str().into(),
            section: Arc::clone(&change.section),
            step: change.step.clone(),
            text: Arc::clone(&change.text),
            facts,
        });
    }
    definition
}

/// Who may allow the changes of a run.
#[derive(Clone)]
pub enum Consent {
    /// `--read-only`: changes are withheld, the rest goes on.
    ReadOnly,
    /// A plan: changes are withheld, and what is waited for is looked at once.
    Plan,
    /// Nobody: the run stops before its first change.
    None,
    /// `--approve`: it counts if one of them is of the proposal, and of where that leads.
    Given(Vec<Agreed>),
    /// A rehearsal: nothing outside is changed. `roles` approve what asks for their approval.
    Rehearsed { roles: Vec<Arc<str>> },
    /// Somebody is asked once, before the first change.
    Ask(Arc<dyn AskConsent>),
}

/// Asks a person for consent to all changes of a run.
pub trait AskConsent: Send + Sync {
    /// How consent was given; `None` where it was not.
    fn ask(&self, proposal: Proposal) -> BoxFuture<'static, Option<String>>;
}

/// Standing approvals and the policy of the repository. They are asked right before each change, so that one which ended or
/// was taken back meanwhile lets nothing pass.
pub trait Rules: Send + Sync {
    /// The approvals of this plan.
    ///
    /// # Errors
    /// Where they cannot be looked up.
    fn standing(&self) -> Result<Standing, Fault>;

    /// Whether the policy lets a change be made now.
    ///
    /// # Errors
    /// Why it does not.
    fn lets(&self, change: &Change) -> Result<(), String>;
}

/// What is kept of approvals.
#[derive(Clone, Debug, Default)]
pub struct Standing {
    /// Those of this plan that are good now.
    pub approvals: Vec<StandingApproval>,
    /// Why others are not, in words.
    pub others: Vec<String>,
}

/// An approval that is good now.
#[derive(Clone, Debug)]
pub struct StandingApproval {
    pub id: Arc<str>,
    pub role: Arc<str>,
    /// `ann@laptop as "dba", until …`
    pub words: String,
    /// Whether whoever began the run has given it.
    pub by_asker: bool,
    /// The system that each connection is to lead to.
    pub targets: BTreeMap<String, String>,
}

/// Does what `manual` says, and answers.
pub trait Person: Send + Sync {
    fn ask(&self, task: ManualTask) -> BoxFuture<'static, Answer>;
}

/// What a person is asked to do.
#[derive(Clone, Debug)]
pub struct ManualTask {
    pub text: Arc<str>,
    pub link: Option<String>,
    /// How long an answer is waited for.
    pub within: Option<Duration>,
}

/// What a person answered.
#[derive(Clone, Debug)]
pub struct Answer {
    pub answer: ManualAnswer,
    pub note: Option<String>,
}

/// How a run is stopped from outside.
#[derive(Clone, Default)]
pub struct Interrupt {
    /// Nothing new begins, reads are dropped; a change in flight is waited for.
    pub cancel: CancellationToken,
    /// Nothing is waited for any more.
    pub abort: CancellationToken,
    /// What stopped it, to be set before `cancel`: `SIGTERM`. Else it was Ctrl-C.
    pub signal: Arc<OnceLock<String>>,
}
