//! Whose identity it is, and where it counts.

mod assertion_for_its_site;
mod bound_to_a_channel;
mod canonical_before_compared;
mod identity_by_connection;
mod lost_rights;
mod nothing_fails_open;
mod secret_where_given;
mod target_names;
mod which_service;
mod who_somebody_is;
