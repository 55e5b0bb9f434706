//! The contract of a built-in.
