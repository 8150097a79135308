//! How many questions are under way to one server at a time. It begins modest, grows while answers come, and halves
//! when the server is overwhelmed: a router at home keeps its breath, a big resolver gives what it has.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};

/// Fewer would make even a healthy server slow.
const LEAST: usize = 16;

/// The places of one server.
#[derive(Clone)]
pub struct Window(Arc<Inner>);

struct Inner {
    places: Arc<Semaphore>,
    state: Mutex<State>,
}

struct State {
    size: usize,
    most: usize,
    /// Places to take away as they come back.
    owed: usize,
    /// When the server was last heard.
    heard: Option<Instant>,
}

/// A place; goes back when dropped.
pub struct Place {
    permit: OwnedSemaphorePermit,
    window: Window,
    entered: Instant,
}

impl Window {
    /// `begin` questions at first, never more than `most`.
    pub fn new(begin: usize, most: usize) -> Self {
        let state = State { size: begin, most, owed: 0, heard: None };
        Self(Arc::new(Inner { places: Arc::new(Semaphore::new(begin)), state: Mutex::new(state) }))
    }

    /// Waits for a place. `None`: the server said nothing for a whole `patience` while this waited, or it took
    /// twice as long: so all who wait for a dead server learn it at the same time, and not one after the other.
    pub async fn enter(&self, patience: Duration) -> Option<Place> {
        let began = Instant::now();
        let acquiring = Arc::clone(&self.0.places).acquire_owned();
        tokio::pin!(acquiring);
        loop {
            let heard = self.state().heard.map_or(began, |heard| heard.max(began));
            let until = (heard + patience).min(began + 2 * patience);
            if let Ok(permit) = timeout_at(until, &mut acquiring).await {
                // Never closed, so there always is a permit.
                return Some(Place { permit: permit.ok()?, window: self.clone(), entered: Instant::now() });
            }
            let heard = self.state().heard.is_some_and(|heard| heard + patience > until);
            if !heard || until >= began + 2 * patience {
                return None;
            }
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Place {
    /// An answer came: room for one more, so the window doubles with every round of answers.
    pub fn answered(self) {
        let window = self.window.clone();
        let mut state = window.state();
        state.heard = Some(Instant::now());
        if state.owed > 0 {
            state.owed -= 1;
            self.permit.forget();
        } else if state.size < state.most {
            state.size += 1;
            window.0.places.add_permits(1);
        }
    }

    /// An answer came, but not to the first packet: a name far away, or a crowd. No reason to ask more at a time.
    pub fn late(self) {
        self.window.state().heard = Some(Instant::now());
    }

    /// Nothing came in time. Only where the server said nothing to anybody meanwhile it is a matter of the server.
    pub fn unanswered(self) {
        if self.window.state().heard.is_none_or(|heard| heard < self.entered) {
            self.overwhelmed();
        }
    }

    /// Whether so many were under way that the server may refuse for their number alone.
    pub fn crowded(&self) -> bool {
        let state = self.window.state();
        state.size + state.owed - self.window.0.places.available_permits() > LEAST
    }

    /// The server refuses in a crowd: half as many.
    pub fn overwhelmed(self) {
        let window = self.window.clone();
        let mut state = window.state();
        // One lost round halves once: while places are owed, it is the same crowd.
        if state.owed == 0 && state.size > LEAST {
            state.owed = state.size - (state.size / 2).max(LEAST);
            state.size -= state.owed;
        }
        if state.owed > 0 {
            state.owed -= 1;
            self.permit.forget();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_millis(20);

    #[tokio::test]
    async fn grows_with_answers_and_halves_with_silence() {
        let window = Window::new(32, 64);
        let enter = async || window.enter(PATIENCE).await.unwrap();
        for _ in 0..100 {
            enter().await.answered();
        }
        assert_eq!(window.state().size, 64);
        enter().await.unanswered();
        assert_eq!(window.state().size, 32);
        for _ in 0..200 {
            enter().await.overwhelmed();
        }
        assert_eq!(window.state().size, LEAST);
        let mut places = Vec::new();
        for _ in 0..LEAST {
            places.push(enter().await);
        }
        assert!(window.enter(PATIENCE).await.is_none(), "a place more than the window has");
    }

    /// Proves: a name that nobody answers for does not shrink the window of a server that answers others.
    #[tokio::test]
    async fn one_dead_name_is_not_a_dead_server() {
        let window = Window::new(64, 64);
        let dead = window.enter(PATIENCE).await.unwrap();
        window.enter(PATIENCE).await.unwrap().answered();
        dead.unanswered();
        assert_eq!(window.state().size, 64);
    }
}
