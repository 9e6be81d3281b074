//! The program as the system and its administrator meet it.

mod activation;
mod commands;
mod packaging;
pub(crate) mod privileges;
mod readable;
