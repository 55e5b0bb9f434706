//! runbook: the language and the tool with which operations people write their runbooks as code.
//!
//! A `.runbook` file flows through the modules in this order: its text becomes a file with spans
//! ([`source`]), a tree ([`syntax`]), a checked program ([`check`]), a graph of reads and changes
//! ([`plan`]), a stream of events ([`run`]), and last what a person sees ([`report`]). On its way it meets the
//! built-ins ([`builtins`]), which the earlier stages know only as a catalogue ([`catalog`]).
//!
//! A module imports only from the floors above it in this list. ARCHITECTURE.md has the map and the rules.

// What pest's generated parser names. Its `std` feature would probe the stack at every rule, and `syntax` bounds the depth
// before pest sees a text.
extern crate alloc;

// Floor 0: text and numbers.
pub mod apart;
pub mod source;
pub mod units;

// Floor 1: what can be said and what can be wrong.
pub mod diagnostics;
pub mod shown;
pub mod types;

// Floor 2: the language's form, and the contract of a built-in.
pub mod catalog;
pub mod syntax;

// Floor 3: what it means, and what it can call.
pub mod builtins;
pub mod check;
pub mod format;

// Floor 4: what will happen, and what happened.
pub mod plan;
pub mod store;

// Floor 5: making it happen, as far as it is allowed.
pub mod policy;
pub mod review;
pub mod run;

// Floor 6: what follows from it, when it comes, and what people see of it.
pub mod alerting;
pub mod report;
pub mod schedule;

// Floor 7: with all that is kept, or on a stage.
pub mod desk;
pub mod rehearsal;

// Floor 8: around the clock, and the real world.
pub mod server;
pub mod system;

// Floor 9: the commands.
pub mod cli;
