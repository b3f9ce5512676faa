//! Work on many things at once, where there are many.

use std::sync::atomic::{AtomicBool, Ordering};

use rayon::prelude::*;

/// Fewer items than this are done by this thread: starting the others takes longer than, say, rendering a few devices.
const WORTH_IT: usize = 48;

/// Whether the other threads were started.
static STARTED: AtomicBool = AtomicBool::new(false);

/// Maps items in their order.
pub fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
    if is_worth_it(items) { items.par_iter().map(work).collect() } else { items.iter().map(work).collect() }
}

/// Maps batches of items in their order; each but the last has `size` of them.
pub fn map_batches<T: Sync, R: Send>(items: &[T], size: usize, work: impl Fn(&[T]) -> R + Send + Sync) -> Vec<R> {
    if !is_worth_it(items) {
        return items.chunks(size).map(work).collect();
    }
    // A thread that has nothing left takes one batch of another's, however many that one has taken on.
    items.par_chunks(size).with_max_len(1).map(work).collect()
}

fn is_worth_it<T>(items: &[T]) -> bool {
    let started = STARTED.load(Ordering::Relaxed) || items.len() >= WORTH_IT;
    STARTED.store(started, Ordering::Relaxed);
    started && items.len() > 1
}
