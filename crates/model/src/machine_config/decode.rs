//! One patch on its own: whether Talos's loader takes it.
//!
//! The rules are those of the machinery's `config/configloader/internal/decoder`: a document's kind picks a struct, go-yaml decodes
//! into it, and no key may be left over. What a field must hold beyond its type is judged on the merged config.

mod documents;
mod fields;
mod scalar;
mod text;
mod network;
mod wording;
mod secret;

pub use documents::{Target, decode, decode_patch};
