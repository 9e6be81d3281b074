//! Attacks that once got through, one file for each kind.

mod identity;
mod limits;
mod requests;
