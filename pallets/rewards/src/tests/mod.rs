//! Tests by subject.

mod claiming;
mod earning;
mod invariants;
mod pruning;
mod random;
mod traps;
