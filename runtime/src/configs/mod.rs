//! Every pallet's configuration, grouped by what it is for. Each parameter says its unit and its reason.

pub mod bounds;
pub mod consensus;
pub mod delegation;
pub mod governance;
pub mod market;
pub mod money;
pub mod operations;
pub mod penalties;
pub mod system;
