//! Tests by call or subject.

mod agenda;
mod appealing;
mod condemning;
mod counting;
mod ending;
mod executing;
mod insurance;
mod invariants;
mod judging;
mod random;
mod reading;
mod traps;
mod verdicts;
