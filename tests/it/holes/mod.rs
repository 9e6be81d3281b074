//! Attacks that once got through, one file for each kind.

mod canonical_before_compared;
mod which_service;
mod who_somebody_is;
