//! Tests by subject.

mod census;
mod finality;
mod judgements;
mod lag;
mod observations;
mod pauses;
mod pruning;
mod stalls;
mod try_state;
mod upgrades;
