//! `doorward.toml`: what the file says (`raw`), what runs (`checked`), and
//! everything that is wrong with it at once (`errors`).

pub mod checked;
