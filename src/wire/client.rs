//! The client of the core.
