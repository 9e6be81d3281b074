//! What a process is asked, in the words of [`dialogue`](crate::mechanism::ntlm::helper::dialogue).

use std::time::Duration;

use super::Process;
use crate::mechanism::ntlm::crypto::SecretKey;
use crate::mechanism::ntlm::helper::dialogue::server_1::{self, Answer};
use crate::mechanism::ntlm::helper::dialogue::squid::{self, Opening, Verdict};
use crate::mechanism::ntlm::helper::failure::Broken;

/// What a finished exchange gave.
#[derive(Debug)]
pub(in crate::mechanism::ntlm::helper) enum Closing {
    /// Signed on.
    Granted {
        /// The account, as winbind names it.
        name: String,
        /// The exported session key, where there is one.
        session_key: Option<SecretKey>,
    },
    /// Not signed on.
    Refused {
        /// A status.
        said: String,
    },
    /// The helper could not judge.
    Broken {
        /// Why: a status, or words.
        said: String,
    },
}

/// Puts an encoded question to a helper of `ntlm-server-1`.
pub(in crate::mechanism::ntlm::helper) async fn verify(
    process: &mut Process,
    question: &[u8],
) -> Result<Answer, Broken> {
    process.ask(question).await?;
    let mut lines = Vec::new();
    loop {
        let line = process.line().await?;
        if line == server_1::END {
            break;
        }
        lines.push(line);
        if lines.len() > server_1::MOST_LINES {
            break;
        }
    }
    let answer = server_1::answer(&lines)?;
    if matches!(answer, Answer::No { .. }) {
        // Samba's words end with a dot line of their own. A version that fixes it
        // loses its helper here, not the next client's answer.
        let line = process.line_within(SECOND_END).await?;
        if line != server_1::END {
            return Err(Broken::Chatter);
        }
    }
    process.quiet()?;
    Ok(answer)
}

/// Makes a helper of `squid-2.5-ntlmssp` keep session keys.
pub(in crate::mechanism::ntlm::helper) async fn keep_keys(
    process: &mut Process,
) -> Result<(), Broken> {
    process.ask(squid::FEATURES).await?;
    Ok(squid::features(&process.line().await?)?)
}

/// Begins an exchange, whatever was before.
pub(in crate::mechanism::ntlm::helper) async fn open(
    process: &mut Process,
    question: &[u8],
) -> Result<Opening, Broken> {
    process.ask(question).await?;
    let opening = squid::opening(&process.line().await?)?;
    process.quiet()?;
    Ok(opening)
}

/// Ends the exchange that was begun.
pub(in crate::mechanism::ntlm::helper) async fn close(
    process: &mut Process,
    question: &[u8],
) -> Result<Closing, Broken> {
    process.ask(question).await?;
    let name = match squid::verdict(&process.line().await?)? {
        Verdict::Granted { name } => name,
        Verdict::Refused { said } => {
            process.quiet()?;
            return Ok(Closing::Refused { said });
        }
        Verdict::Broken { said } => {
            process.quiet()?;
            return Ok(Closing::Broken { said });
        }
    };
    process.ask(squid::KEY).await?;
    let session_key = squid::key(&process.line().await?)?;
    process.quiet()?;
    Ok(Closing::Granted { name, session_key })
}

/// Both dots are written at once; this is for a machine under load.
const SECOND_END: Duration = Duration::from_millis(500);
