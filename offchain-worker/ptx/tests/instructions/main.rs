//! What instructions do, one file for each family.

#![cfg(test)]

mod bit_fields;
mod carries;
mod comparisons;
mod control;
mod conversions;
mod evaluate;
mod floats;
mod functions;
mod integers;
mod kernel;
mod matrix;
mod memory;
mod roundings;
mod warp;
