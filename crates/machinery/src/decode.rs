//! One patch on its own: whether Talos's loader takes it.
//!
//! The rules are those of the machinery's `config/configloader/internal/decoder`: a document's kind picks a struct, go-yaml decodes
//! into it, and no key may be left over. What a field must hold beyond its type is judged on the merged config.

mod deletions;
mod secret;
mod network;
mod text;
mod scalar;
mod wording;
mod fields;
mod documents;

use talosmith_document::TalosVersion;

use crate::talos_data::fields::Minor;
use crate::talos_data::talos;

pub use documents::{decode, decode_patch};

/// What a patch is for.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    /// The version that the node runs.
    pub version: &'a TalosVersion,
    /// The minor that made the base config.
    pub base: Minor,
}

impl Target<'_> {
    /// The minor whose fields are asked for: the nearest that is known.
    fn minor(&self) -> Minor {
        self.version.minor().clamp(talos::oldest_minor(), talos::newest_minor())
    }
}
