//! The client against Delves that were recorded, and against one that misbehaves.

mod hostile;
mod recorded;
mod scenario;
