//! Attacks that once got through, one file for each kind.

mod flow_control;
mod trailers;
