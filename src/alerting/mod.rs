//! Alerting: what was measured and checked becomes alerts, incidents and messages.
//!
//! `engine` is pure: a state, a time and an input give a new state and what has to be told. It knows no clock, no store
//! and no network, so a night with nobody answering is rehearsed in a millisecond, and what it decided can be written
//! down in one piece before anybody is told. `reading` turns the events of a run into its inputs.

mod alerts;
mod calling;
mod closing;
mod definitions;
mod dues;
mod engine;
mod gathered;
mod groups;
mod incidents;
mod index;
mod moved;
mod outcome;
mod posted;
mod raisers;
mod reading;
mod rota;
mod state;
mod wording;

pub use self::calling::Caller;
pub use self::definitions::{Definitions, Escalate, EscalateWhen, Level, Policy, Threshold};
pub use self::engine::{Engine, Input, Judged, Raised, Report};
pub use self::outcome::{Happened, Happening, Outcome, Tell, Touched};
pub use self::posted::{Posted, fires, posted};
pub use self::reading::{Along, Reading};
pub use self::rota::{Failing, Rota, Said};
pub use self::state::{Alert, Cause, End, Incident, Numbers, Quiet, Silence, State, Subject, Watch};
