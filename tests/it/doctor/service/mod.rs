//! Faults of what is around a sign-on: applications, proxies, folders, the core.

pub(super) mod application;
pub(super) mod config;
pub(super) mod core_link;
pub(super) mod proxy;
pub(super) mod storage;
