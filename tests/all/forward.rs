//! Ports of this host that lead inside, through every door.

mod doors;
mod forwarded;
mod pod;
mod refusals;
mod traffic;
