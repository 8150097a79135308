//! `Aside`: what a session waits for beside its client: the end of all, and the end of its own time.
//!
//! Both are asked once and then wake the session by themselves. Asking them again at each request would take two locks
//! that all sessions share, for an answer that is "no" a thousand times in a row.

use super::Drain;
use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};
use tokio::{
    sync::futures::Notified,
    time::{Instant, Sleep, sleep_until},
};

/// What came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Call {
    /// All sessions are to end.
    Stop,
    /// The time that was set is over.
    Late,
}

/// Both, of one session.
pub struct Aside<'a> {
    drain: &'a Drain,
    stopping: Pin<Box<Notified<'a>>>,
    timer: Pin<Box<Sleep>>,
    /// Whom they wake; `None` = they have to be asked.
    wakes: Option<Waker>,
}

impl<'a> Aside<'a> {
    /// From now on a beginning of `drain` is not missed.
    pub fn new(drain: &'a Drain, until: Instant) -> Self {
        let mut stopping = Box::pin(drain.notified());
        stopping.as_mut().enable();
        Self { drain, stopping, timer: Box::pin(sleep_until(until)), wakes: None }
    }

    /// Sets the time.
    pub fn until(&mut self, until: Instant) {
        self.timer.as_mut().reset(until);
        self.wakes = None;
    }

    /// Whether one of them has come. `Stop` is told only where `may_stop`.
    pub fn poll(&mut self, context: &mut Context<'_>, may_stop: bool) -> Poll<Call> {
        let stop = may_stop && self.drain.begun();
        let asleep = self.wakes.as_ref().is_some_and(|waker| waker.will_wake(context.waker()));
        if asleep && !stop && !self.timer.is_elapsed() {
            return Poll::Pending;
        }
        self.wakes = Some(context.waker().clone());
        if self.stopping.as_mut().poll(context).is_ready() && may_stop || stop {
            return Poll::Ready(Call::Stop);
        }
        self.timer.as_mut().poll(context).map(|()| Call::Late)
    }
}
