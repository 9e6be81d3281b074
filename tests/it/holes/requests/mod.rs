//! What a request says, and who may say it.

mod named_facts;
mod path_readings;
mod trailers;
mod unreadable_is_not_absent;
