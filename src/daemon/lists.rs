//! Keeps the block and allow lists of the files current: looks once a second whether one has changed.

use super::state::State;
use crate::world::lists::{Shelf, Trouble};
use std::{path::PathBuf, sync::Arc, time::Duration};
use tokio::{task::spawn_blocking, time::sleep};

/// How often the folder is looked at; nothing is read but what has changed.
const POLL: Duration = Duration::from_secs(1);

/// Reads them for the first time: before anybody is answered.
pub async fn first(state: &State, folder: PathBuf) -> Option<Shelf> {
    look(Shelf::new(folder)).await.map(|(shelf, _)| {
        take_up(state, &shelf);
        shelf
    })
}

/// Follows them for ever.
pub async fn follow(state: Arc<State>, mut shelf: Shelf) {
    loop {
        sleep(POLL).await;
        let Some((again, changed)) = look(shelf).await else { return };
        shelf = again;
        if changed {
            take_up(&state, &shelf);
        }
    }
}

/// On a thread that may wait: a long file takes a while to compile.
async fn look(mut shelf: Shelf) -> Option<(Shelf, bool)> {
    let looked = spawn_blocking(move || {
        let changed = shelf.look();
        (shelf, changed)
    });
    looked.await.inspect_err(|error| tracing::error!(%error, "the lists are not followed any more")).ok()
}

fn take_up(state: &State, shelf: &Shelf) {
    let troubles = shelf.troubles();
    let known = {
        let mut known = state.write();
        known.lists.files = shelf.tables().map(|(_, table)| table.clone()).collect();
        std::mem::replace(&mut known.troubles, troubles.clone())
    };
    for (name, table) in shelf.tables() {
        let (allow, block) = table.counts();
        tracing::info!(file = name, allow, block, "list read");
    }
    for Trouble { file, what, instead } in troubles.iter().filter(|trouble| !known.contains(trouble)) {
        tracing::error!(%file, %what, "a list is not taken as it stands: {instead}");
    }
}
