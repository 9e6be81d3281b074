//! Attacks that once got through, one file for each kind.

mod assertion_for_its_site;
mod audit_disk;
mod bound_to_a_channel;
mod canonical_before_compared;
mod flow_control;
mod identity_by_connection;
mod large_bodies;
mod lost_rights;
mod loud_strangers;
mod named_facts;
mod nothing_fails_open;
mod path_readings;
mod same_limits;
mod secret_where_given;
mod target_names;
mod trailers;
mod unreadable_is_not_absent;
mod which_service;
mod who_somebody_is;
