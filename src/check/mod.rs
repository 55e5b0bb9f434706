//! Checking: names, types, units, effects and reachability, from trees to a [`program::Program`].

pub mod program;
