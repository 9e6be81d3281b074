//! Attacks that once got through, one file for each kind.

mod assertion_for_its_site;
mod canonical_before_compared;
mod flow_control;
mod identity_by_connection;
mod named_facts;
mod path_readings;
mod secret_where_given;
mod trailers;
mod unreadable_is_not_absent;
mod which_service;
mod who_somebody_is;
