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

/// When a question gets its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// In the order of coming.
    Queue,
    /// It follows from an answer, and more may follow from it: it may have one of the places kept for such, or a long
    /// queue would be waited for at every link of a chain.
    Ahead,
}

/// The places of one server.
#[derive(Clone)]
pub struct Window(Arc<Inner>);

struct Inner {
    places: Arc<Semaphore>,
    /// For those ahead, beside the others: a quarter of the places at first.
    kept: Arc<Semaphore>,
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
    /// It is one of those kept, which do not become more or fewer.
    kept: bool,
    window: Window,
    entered: Instant,
}

impl Window {
    /// `begin` questions at first, never more than `most`.
    pub fn new(begin: usize, most: usize) -> Self {
        let state = State { size: begin, most, owed: 0, heard: None };
        let (places, kept) = (Arc::new(Semaphore::new(begin)), Arc::new(Semaphore::new(begin / 4)));
        Self(Arc::new(Inner { places, kept, state: Mutex::new(state) }))
    }

    /// Waits for a place. `None`: the server said nothing for a whole `patience` while this waited, or it took
    /// twice as long: so all who wait for a dead server learn it at the same time, and not one after the other.
    pub async fn enter(&self, patience: Duration, turn: Turn) -> Option<Place> {
        let began = Instant::now();
        let place = Arc::clone(&self.0.places).acquire_owned();
        let kept = Arc::clone(&self.0.kept).acquire_owned();
        let acquiring = async {
            match turn {
                Turn::Queue => (place.await, false),
                Turn::Ahead => tokio::select! {
                    biased;
                    permit = place => (permit, false),
                    permit = kept => (permit, true),
                },
            }
        };
        tokio::pin!(acquiring);
        loop {
            let heard = self.state().heard.map_or(began, |heard| heard.max(began));
            let until = (heard + patience).min(began + 2 * patience);
            if let Ok((permit, kept)) = timeout_at(until, &mut acquiring).await {
                // Never closed, so there always is a permit.
                let (permit, window) = (permit.ok()?, self.clone());
                return Some(Place { permit, kept, window, entered: Instant::now() });
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
        if self.kept {
            return;
        }
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
        if state.owed > 0 && !self.kept {
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
        let enter = async || window.enter(PATIENCE, Turn::Queue).await.unwrap();
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
        assert!(window.enter(PATIENCE, Turn::Queue).await.is_none(), "a place more than the window has");
    }

    /// Proves: who follows from an answer does not wait for the queue, and those places neither grow nor shrink.
    #[tokio::test]
    async fn the_next_link_of_a_chain_goes_ahead() {
        let window = Window::new(16, 16);
        let mut places = Vec::new();
        for _ in 0..16 {
            places.push(window.enter(PATIENCE, Turn::Queue).await.unwrap());
        }
        assert!(window.enter(PATIENCE, Turn::Queue).await.is_none());
        for _ in 0..8 {
            window.enter(PATIENCE, Turn::Ahead).await.unwrap().answered();
            window.enter(PATIENCE, Turn::Ahead).await.unwrap().overwhelmed();
        }
        for _ in 0..4 {
            places.push(window.enter(PATIENCE, Turn::Ahead).await.unwrap());
        }
        assert!(window.enter(PATIENCE, Turn::Ahead).await.is_none());
    }

    /// Proves: a name that nobody answers for does not shrink the window of a server that answers others.
    #[tokio::test]
    async fn one_dead_name_is_not_a_dead_server() {
        let window = Window::new(64, 64);
        let dead = window.enter(PATIENCE, Turn::Queue).await.unwrap();
        window.enter(PATIENCE, Turn::Queue).await.unwrap().answered();
        dead.unanswered();
        assert_eq!(window.state().size, 64);
    }
}
