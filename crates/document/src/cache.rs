//! A bounded cache for values that many devices have in common.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The size of a generation: at least this many recently used values are kept, and at most twice as many.
const GENERATION: usize = 64;

/// Values by their keys, so that a value that many devices need is computed once. Values that were not used recently are evicted.
#[derive(Debug)]
pub struct Cache<K, V>(Mutex<Generations<K, V>>);

/// When `young` is full it replaces `old`, whose values are evicted. A value of `old` that is used moves to `young`.
#[derive(Debug)]
struct Generations<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
}

impl<K, V> Default for Cache<K, V> {
    fn default() -> Self {
        Self(Mutex::new(Generations { young: HashMap::new(), old: HashMap::new() }))
    }
}

impl<K: Eq + Hash, V: Clone> Cache<K, V> {
    /// Returns the value for a key, which `compute` must determine from the key alone.
    pub fn get_or_compute<Q>(&self, key: &Q, compute: impl FnOnce() -> V) -> V
    where
        K: Borrow<Q>,
        Q: Eq + Hash + ToOwned<Owned = K> + ?Sized,
    {
        // Evicted values are dropped after the lock is released, because other threads wait for it.
        let (cached, _evicted) = self.lock().get(key);
        if let Some(value) = cached {
            return value;
        }
        // Without the lock: two threads may compute the same value, which does no harm.
        let value = compute();
        let _evicted = self.lock().insert(key.to_owned(), value.clone());
        value
    }

    fn lock(&self) -> MutexGuard<'_, Generations<K, V>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V: Clone> Generations<K, V> {
    /// Returns the value, if it is cached, and the evicted values.
    fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> (Option<V>, HashMap<K, V>)
    where
        K: Borrow<Q>,
    {
        if let Some(value) = self.young.get(key) {
            return (Some(value.clone()), HashMap::new());
        }
        match self.old.remove_entry(key) {
            Some((key, value)) => (Some(value.clone()), self.insert(key, value)),
            None => (None, HashMap::new()),
        }
    }

    /// Inserts a value, and returns the evicted ones.
    fn insert(&mut self, key: K, value: V) -> HashMap<K, V> {
        let mut evicted = HashMap::new();
        if self.young.len() == GENERATION {
            evicted = mem::replace(&mut self.old, mem::take(&mut self.young));
        }
        self.young.insert(key, value);
        evicted
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{Cache, GENERATION};

    #[test]
    fn a_value_is_computed_once_while_it_is_used() {
        let cache = Cache::default();
        let computed = RefCell::new(Vec::new());
        let get = |key: usize| {
            let value = cache.get_or_compute(&key, || {
                computed.borrow_mut().push(key);
                key * 2
            });
            assert_eq!(value, key * 2);
        };
        get(0);
        get(0);
        assert_eq!(computed.take(), [0]);
        // A value that is used regularly stays, however many others are used once.
        for key in 1..=GENERATION * 4 {
            get(key);
            get(0);
        }
        assert_eq!(computed.take(), (1..=GENERATION * 4).collect::<Vec<_>>());
        get(1);
        assert_eq!(computed.take(), [1]);
    }
}
