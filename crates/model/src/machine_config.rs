//! Machine configs: what Talos's own machinery says to a patch that somebody wrote by hand.

mod origin;
mod decode;

pub use decode::{Target, decode, decode_patch};
pub use origin::Origin;
