//! Why a call failed.

use crate::exit::{Exit, Explain};
use crate::text::Safe;

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Delve says no.
    #[error("delve: {0}")]
    Refused(Safe),
    /// The connection is closed: Delve ended, or was ended.
    #[error("delve is gone")]
    Gone,
    /// A call was not answered in time. Delve reads nothing more until it has answered it, so the connection is of no
    /// use any more.
    #[error("delve did not answer {method} within {seconds} s, and hears nothing more until it does")]
    Stuck {
        /// The call.
        method: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// What came is no answer.
    #[error("delve's answer makes no sense: {0}")]
    Malformed(&'static str),
}

impl Explain for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Refused(_) => None,
            Self::Gone | Self::Stuck { .. } => {
                Some("Close the debugger and open it again: the process runs on when Delve lets go of it.".to_owned())
            }
            Self::Malformed(_) => Some("Try the newest Delve: `scratchdbg doctor` says which one is used.".to_owned()),
        }
    }

    fn exit(&self) -> Exit {
        Exit::No
    }
}
