//! Answers that were worked out before.

use std::collections::HashMap;
use std::hash::Hash;
use std::mem;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// So many answers are kept at least, and twice as many at most.
const KEPT: usize = 64;

/// The latest answers by their questions, so that the same question of many devices costs its work once.
///
/// What was not asked for lately is forgotten, so that a big fleet does not fill the memory with what it asks once.
#[derive(Debug)]
pub struct Cache<Q, A>(Mutex<Answers<Q, A>>);

#[derive(Debug)]
struct Answers<Q, A> {
    young: HashMap<Q, A>,
    old: HashMap<Q, A>,
}

impl<Q, A> Default for Cache<Q, A> {
    fn default() -> Self {
        Self(Mutex::new(Answers { young: HashMap::new(), old: HashMap::new() }))
    }
}

impl<Q: Eq + Hash, A: Clone> Cache<Q, A> {
    /// The answer to a question, which `work` must give from the question alone.
    pub fn get_or_compute(&self, question: Q, work: impl FnOnce(&Q) -> A) -> A {
        // What is forgotten is let go of behind the lock, on which other threads wait.
        let (known, _forgotten) = self.lock().find(&question);
        if let Some(get_or_compute) = known {
            return get_or_compute;
        }
        // Other threads need not wait meanwhile; the same work twice does no harm.
        let get_or_compute = work(&question);
        let _forgotten = self.lock().keep(question, get_or_compute.clone());
        get_or_compute
    }

    fn lock(&self) -> MutexGuard<'_, Answers<Q, A>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<Q: Eq + Hash, A: Clone> Answers<Q, A> {
    /// The answer, if it is known, and what is forgotten.
    fn find(&mut self, question: &Q) -> (Option<A>, HashMap<Q, A>) {
        if let Some(get_or_compute) = self.young.get(question) {
            return (Some(get_or_compute.clone()), HashMap::new());
        }
        match self.old.remove_entry(question) {
            Some((question, get_or_compute)) => (Some(get_or_compute.clone()), self.keep(question, get_or_compute)),
            None => (None, HashMap::new()),
        }
    }

    /// Keeps an answer, and gives what is forgotten for it.
    fn keep(&mut self, question: Q, get_or_compute: A) -> HashMap<Q, A> {
        let mut forgotten = HashMap::new();
        if self.young.len() == KEPT {
            forgotten = mem::replace(&mut self.old, mem::take(&mut self.young));
        }
        self.young.insert(question, get_or_compute);
        forgotten
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use super::{Cache, KEPT};

    #[test]
    fn a_question_is_worked_on_once_while_it_is_asked() {
        let cache = Cache::default();
        let worked = RefCell::new(Vec::new());
        let ask = |question: usize| {
            let get_or_compute = cache.get_or_compute(question, |question| {
                worked.borrow_mut().push(*question);
                question * 2
            });
            assert_eq!(get_or_compute, question * 2);
        };
        ask(0);
        ask(0);
        assert_eq!(worked.take(), [0]);
        // What is asked for now and then stays, however much is asked once.
        for question in 1..=KEPT * 4 {
            ask(question);
            ask(0);
        }
        assert_eq!(worked.take(), (1..=KEPT * 4).collect::<Vec<_>>());
        ask(1);
        assert_eq!(worked.take(), [1]);
    }
}
