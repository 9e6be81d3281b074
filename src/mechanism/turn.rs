//! What a mechanism makes of a token, or of an answer that it asked for.

use super::outcome::{Challenge, Outcome};
use super::terms::Terms;

/// What comes next. `Work` is what is to be done, with the state that waits for
/// its answer; `Asked` is the state that waits for the client's next token.
#[derive(Debug)]
pub(crate) enum Turn<Work, Asked> {
    /// Have this done.
    Do(Work),
    /// Ask the client for its next token, which must come on this connection.
    Ask(Asked, Challenge),
    /// The exchange is over.
    Done(Outcome),
    /// The client leaves the exchange behind, and begins another with this token.
    Anew(Terms, Vec<u8>),
}
