//! Front, core, or both.

/// Which half runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Front and core in one process, which still talk through the core's socket.
    Both,
    /// The front alone.
    Front,
    /// The core alone.
    Core,
}
