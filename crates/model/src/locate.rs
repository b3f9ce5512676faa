//! From a place to bytes, when a finding is printed.

use std::ops::Range;

use crate::{Place, Sources};

/// Resolves places; parses each source at most once.
#[derive(Debug)]
pub struct Locator<'a> {
    sources: &'a Sources,
}

impl<'a> Locator<'a> {
    /// A locator over the texts of a run.
    #[must_use]
    pub const fn new(sources: &'a Sources) -> Self {
        Self { sources }
    }

    /// The bytes of a place; none for a file as a whole. Where a pointer leads nowhere, the nearest value around it.
    pub fn locate(&mut self, place: &Place) -> Option<Range<usize>> {
        unimplemented!("{place:?} {:?}", self.sources)
    }
}
