//! What was done that takes rights, or that changes an engine or a file: every step in order, with its outcome and what
//! takes it back.
//!
//! A step is recorded in the [`Journal`] where it is done. `-v` writes it to standard error, the screen lists it. Reading
//! through a helper changes nothing and is no step.

mod journal;
mod record;
mod step;

pub use journal::{Begun, Journal, Made};
pub use record::Record;
pub use step::{Outcome, Step, Undo};
