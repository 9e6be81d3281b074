//! Mechanisms of signing on, without I/O: each consumes its state and returns the next.

use crate::wire;

pub mod kerberos;

/// Proof of who is there: made only by a mechanism.
#[derive(Clone, Debug)]
pub struct Proof(wire::Proof);

impl Proof {
    /// The message that carries it to the core.
    pub fn into_message(self) -> wire::Proof {
        self.0
    }
}
