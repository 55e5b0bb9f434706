//! Types, values and faults.
