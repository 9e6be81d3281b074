//! The embedded database: one file, one thread that writes, one core.

mod database;
pub(crate) mod inspect;
mod queue;
mod rows;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use database::{Database, FILE_NAME};
pub(crate) use queue::Store;
