//! The room of a tunnel: how much may be put into it before the helper says that it was taken.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::wire::TUNNEL_ROOM;

/// Bytes that are free, and whoever waits for more.
#[derive(Debug)]
pub struct Room(Mutex<State>);

#[derive(Debug)]
struct State {
    free: usize,
    closed: bool,
    waits: Option<Waker>,
}

impl Room {
    /// All of it is free.
    pub fn new() -> Self {
        Self(Mutex::new(State { free: TUNNEL_ROOM, closed: false, waits: None }))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held; if something did, the numbers are still numbers.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes as much as is free, at most so many bytes; `None` if nobody takes anything any more.
    pub fn poll_use(&self, cx: &Context<'_>, most: usize) -> Poll<Option<usize>> {
        let mut state = self.lock();
        match state.free.min(most) {
            _ if state.closed => Poll::Ready(None),
            0 => {
                state.waits = Some(cx.waker().clone());
                Poll::Pending
            }
            bytes => {
                state.free -= bytes;
                Poll::Ready(Some(bytes))
            }
        }
    }

    /// Waits until all that was put has been taken. Not if it never will be.
    pub fn poll_taken(&self, cx: &Context<'_>) -> Poll<bool> {
        let mut state = self.lock();
        match state.free == TUNNEL_ROOM {
            true => Poll::Ready(true),
            false if state.closed => Poll::Ready(false),
            false => {
                state.waits = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// So many bytes were taken. Not if there were not so many.
    #[must_use]
    pub fn taken(&self, bytes: u32) -> bool {
        let mut state = self.lock();
        match usize::try_from(bytes).ok().and_then(|bytes| state.free.checked_add(bytes)) {
            Some(free) if free <= TUNNEL_ROOM => state.free = free,
            _ => return false,
        }
        if let Some(waker) = state.waits.take() {
            waker.wake();
        }
        true
    }

    /// Nobody takes anything any more.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        if let Some(waker) = state.waits.take() {
            waker.wake();
        }
    }
}
