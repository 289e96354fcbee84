//! Tests by call or subject.

mod absence;
mod invariants;
mod job_results;
mod misses;
mod random;
mod reports;
mod traps;
mod uptime;
