//! The upper bound of a volume.

use std::str::FromStr;

use serde::Deserialize;

use super::{ScalarError, Size, try_from_text};

/// The upper bound of a volume, in one of the three forms that Talos accepts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum UpperBound {
    Size(Size),
    /// A whole percentage of the space that is free when the volume is created; not of the disk.
    Percent(u8),
    /// All space that is free when the volume is created, except for this size. Since Talos 1.13.
    AllBut(Size),
}

impl UpperBound {
    /// Returns the bound in bytes; none if it depends on the free space.
    pub const fn bytes(&self) -> Option<u64> {
        match self {
            Self::Size(size) => Some(size.bytes()),
            Self::Percent(_) | Self::AllBut(_) => None,
        }
    }
}

impl std::fmt::Display for UpperBound {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Size(size) => write!(f, "{size}"),
            Self::Percent(percent) => write!(f, "{percent}%"),
            Self::AllBut(size) => write!(f, "-{size}"),
        }
    }
}

impl FromStr for UpperBound {
    type Err = ScalarError;

    fn from_str(text: &str) -> Result<Self, ScalarError> {
        if let Some(number) = text.strip_suffix('%') {
            // Talos reads a float and cuts it to a whole number; zero counts as a bound that is set.
            return match number.parse() {
                Ok(percent @ 1..=100) if !number.starts_with('+') => Ok(Self::Percent(percent)),
                _ => Err(ScalarError::new(format!("`{text}` is not a whole percentage"))
                    .note("it is a share of the space that is free when the volume is created")
                    .help("write a percentage from `1%` to `100%`")),
            };
        }
        match text.strip_prefix('-') {
            Some(size) => size.parse().map(Self::AllBut),
            None => text.parse().map(Self::Size),
        }
    }
}

try_from_text!(UpperBound);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_written_as_talos_reads_them() {
        for text in ["100GiB", "50%", "100%", "-10GiB"] {
            assert_eq!(text.parse::<UpperBound>().map(|bound| bound.to_string()), Ok(text.to_owned()));
        }
        for text in ["0%", "101%", "12.5%", "%", "+5%", "-10", "10G", "--1GB", ""] {
            assert!(text.parse::<UpperBound>().is_err(), "{text}");
        }
        assert_eq!("1GB".parse::<UpperBound>().map(|bound| bound.bytes()), Ok(Some(1_000_000_000)));
        assert_eq!("50%".parse::<UpperBound>().map(|bound| bound.bytes()), Ok(None));
    }
}
