//! Tests by call or subject.

mod agenda;
mod asks;
mod auctions;
mod closing;
mod deadlines;
mod failover;
mod faults;
mod funding;
mod gangs;
mod invariants;
mod jobs;
mod life;
mod market;
mod market_traps;
mod orders;
mod pausing;
mod random;
mod random_market;
mod reads;
mod reclaim;
mod rounds;
mod status;
mod term;
mod traps;
mod waiting;
