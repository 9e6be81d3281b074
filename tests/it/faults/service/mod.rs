//! The service: its start, its log, its commands and its end.

mod advice;
mod core;
mod first_start;
mod listeners;
mod log;
mod probe;
mod readiness;
mod reload;
mod stop;
