#![allow(missing_docs)]

#[path = "../lab/mod.rs"]
mod lab;

mod realm;
