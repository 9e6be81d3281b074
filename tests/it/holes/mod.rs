//! Attacks that once got through, one file for each kind.

mod audit_disk;
mod bound_to_a_channel;
mod canonical_before_compared;
mod large_bodies;
mod lost_rights;
mod loud_strangers;
mod nothing_fails_open;
mod same_limits;
mod target_names;
mod which_service;
mod who_somebody_is;
