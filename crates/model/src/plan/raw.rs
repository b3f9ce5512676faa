//! Values of raw patches that checks of the model need.

use std::sync::Arc;

use talosmith_document::Location;
use talosmith_machinery::{PatchScalar, PatchedDocument};

use super::Patch;

/// A kind of document, `v1alpha1` for the main one, and a path in it.
pub(super) type Place = (&'static str, &'static str);

/// The kind of the main document.
pub(super) const MAIN: &str = "v1alpha1";

/// A scalar of a raw patch.
pub(super) struct RawScalar<'p> {
    pub text: &'p str,
    pub location: Location,
}

/// Returns the documents of a kind in raw patches, each with its patch, in the order in which they are applied.
pub(super) fn documents<'p>(
    patches: &'p [Arc<Patch>],
    kind: &'static str,
) -> impl Iterator<Item = (&'p Patch, PatchedDocument<'p>)> {
    patches.iter().flat_map(move |patch| {
        let decoded = patch.decoded.iter().flat_map(|decoded| decoded.documents(kind));
        decoded.map(move |document| (&**patch, document))
    })
}

/// Returns the scalars of raw patches at some places.
pub(super) fn scalars<'p>(patches: &'p [Arc<Patch>], places: &[Place]) -> Vec<RawScalar<'p>> {
    let mut found = Vec::new();
    for (kind, path) in places.iter().filter(|_| !patches.is_empty()) {
        for (patch, document) in documents(patches, kind) {
            found.extend(document.scalars(path).into_iter().map(|scalar| located(patch, scalar)));
        }
    }
    found
}

/// Returns the list that remains of several patches where a later list replaces an earlier one; empty if there is none.
pub(super) fn last_list<'p>(patches: &'p [Arc<Patch>], places: &[Place]) -> Vec<RawScalar<'p>> {
    let mut last = Vec::new();
    for (kind, path) in places.iter().filter(|_| !patches.is_empty()) {
        for (patch, document) in documents(patches, kind) {
            let list = document.scalars(path);
            if !list.is_empty() {
                last = list.into_iter().map(|scalar| located(patch, scalar)).collect();
            }
        }
    }
    last
}

fn located<'p>(patch: &Patch, scalar: PatchScalar<'p>) -> RawScalar<'p> {
    RawScalar { text: scalar.text, location: patch.locator.location(scalar.bytes) }
}
