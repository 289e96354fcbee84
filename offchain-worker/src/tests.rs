//! Tests of the worker as a whole and of its asynchronous parts.

mod bidding;
mod containers;
pub(crate) mod doubles;
mod exchange;
mod isolation;
mod jobs;
mod real_executor;
mod submit;
mod whole;
