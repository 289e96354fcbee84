//! What an operator asks from a terminal: whether this machine is fit for strangers' jobs, and how a running worker is.

mod ask;
mod check;
mod show;

pub(crate) use ask::{ask, NodeUrl};
pub(crate) use check::check_machine;
pub(crate) use show::show_worker;
