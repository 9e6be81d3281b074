//! Sessions: how long they count, and what outlives what.

mod cookie;
mod crash;
pub(crate) mod full_disk;
