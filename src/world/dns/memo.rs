//! What was asked once is not asked again: who asks the same while it is under way waits for the same answer.

use futures_util::future::{BoxFuture, FutureExt, Shared};
use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

/// Answers and what is still under way.
pub struct Memo<K, V: Clone>(Mutex<HashMap<K, Pending<V>>>);

type Pending<V> = Shared<BoxFuture<'static, Option<V>>>;

impl<K, V: Clone> Default for Memo<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<K: Eq + Hash, V: Clone + Send + Sync + 'static> Memo<K, V> {
    /// The value of `key`; `find` is started where nobody asked for it before, and true says that it was. It goes
    /// on when nobody waits for it any more. `None`: finding it panicked.
    pub async fn get<F>(&self, key: K, find: impl FnOnce() -> F) -> (Option<V>, bool)
    where
        F: Future<Output = V> + Send + 'static,
    {
        let mut started = false;
        let pending = {
            let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            let start = || {
                started = true;
                let task = tokio::spawn(find());
                async move { task.await.ok() }.boxed().shared()
            };
            known.entry(key).or_insert_with(start).clone()
        };
        (pending.await, started)
    }
}
