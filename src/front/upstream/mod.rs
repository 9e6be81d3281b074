//! The application behind the front.
