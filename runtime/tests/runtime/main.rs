//! The whole runtime, natively: transactions and blocks go through `Executive` as they do on a node.
#![expect(clippy::unwrap_used, reason = "a test may panic, and so may what tests share")]

mod chain;
mod config;
mod contests;
mod delegates;
mod equivocation;
mod failover;
#[allow(dead_code, reason = "the benchmark uses more of it")]
mod fault_model;
mod feeless;
mod fees;
mod genesis;
mod governance;
mod indices;
mod lease_life;
mod ledger;
mod many_ends;
mod market;
mod proxies;
mod random_market;
mod reads;
mod simulation;
mod slashing;
mod tokens;
