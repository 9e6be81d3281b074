//! Faults that keep people from signing on.

pub(super) mod certificates;
pub(super) mod client;
pub(super) mod clock;
pub(super) mod keytab;
pub(super) mod names;
pub(super) mod ntlm;
pub(super) mod passwords;
pub(super) mod realm;
