//! Where sessions survive.
