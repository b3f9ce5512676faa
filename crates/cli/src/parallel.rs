//! Work on many things at once, where there are many.

use std::sync::OnceLock;

use rayon::prelude::*;

/// Fewer items than this are done by this thread: starting the others takes longer than, say, rendering a few devices.
const WORTH_IT: usize = 48;

/// Whether threads can be started. Where the system has no more of them, this thread does all the work.
fn has_threads() -> bool {
    static STARTED: OnceLock<bool> = OnceLock::new();
    *STARTED.get_or_init(|| rayon::ThreadPoolBuilder::new().build_global().is_ok())
}

/// Maps items in their order.
pub(crate) fn map<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Send + Sync) -> Vec<R> {
    if items.len() < WORTH_IT || !has_threads() {
        items.iter().map(work).collect()
    } else {
        items.par_iter().map(work).collect()
    }
}

/// Maps batches of items in their order; each but the last has `size` of them.
pub(crate) fn map_batches<T: Sync, R: Send>(
    items: &[T],
    size: usize,
    work: impl Fn(&[T]) -> R + Send + Sync,
) -> Vec<R> {
    if items.len() < WORTH_IT || !has_threads() {
        return items.chunks(size).map(work).collect();
    }
    // A thread that has nothing left takes one batch of another's, however many that one has taken on.
    items.par_chunks(size).with_max_len(1).map(work).collect()
}
