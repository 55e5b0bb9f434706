//! The tool as people use it: the built binary, its outputs and its exit codes.

mod approvals;
mod audit;
mod canaries;
mod check;
mod consent;
mod diff;
mod diff_checks;
mod diff_follows;
mod diff_git;
mod diff_on_call;
mod diff_remarks;
mod diff_renamed;
mod diff_told;
mod diff_weighed;
mod exclusive;
mod fmt;
mod history;
mod incidents;
mod kills;
mod late;
mod next;
mod notify;
mod outcomes;
mod plan;
mod policy;
mod policy_files;
mod policy_hosts;
#[path = "../support/postgres.rs"]
mod postgres;
mod print;
mod print_values;
mod print_whole;
#[path = "../support/program.rs"]
mod program;
mod reference;
mod rehearse;
mod resume;
mod rights;
mod roles;
mod run;
mod serve;
mod serve_alerts;
mod serve_begins;
mod serve_beside;
mod serve_lines;
mod serve_told;
#[path = "../support/serving.rs"]
mod serving;
mod signed;
mod stopped;
mod store;
mod timings;
mod undo;
