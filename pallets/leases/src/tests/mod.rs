//! Tests by call or subject.

mod agenda;
mod asks;
mod invariants;
mod jobs;
mod life;
mod orders;
mod random;
mod status;
mod traps;
