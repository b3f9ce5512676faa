//! Names for things that have none in the imported files, such as disks and log receivers.

/// Returns the first of `base`, `base-2`, `base-3`, … that is free, with `separator` before the number.
pub(super) fn free_name(base: &str, separator: char, is_free: impl Fn(&str) -> bool) -> String {
    let numbered = (2_u32..).map(|number| format!("{base}{separator}{number}"));
    let mut names = std::iter::once(base.to_owned()).chain(numbered);
    names.find(|name| is_free(name)).unwrap_or_else(|| base.to_owned())
}

/// Replaces each character by a dash that is neither an ASCII letter, nor a digit, nor one of `others`.
pub(super) fn with_dashes(text: &str, others: &str) -> String {
    let is_kept = |c: char| c.is_ascii_alphanumeric() || others.contains(c);
    text.chars().map(|c| if is_kept(c) { c } else { '-' }).collect()
}
