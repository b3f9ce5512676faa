//! A value that differs between two configs, and whether it is worth a row of its own.

use std::borrow::Cow;

use super::moved::{self, CanonicalPath};
use super::table::DifferenceKind;
use super::{Setting, SettingsByPath};
use crate::config::Config;
use crate::talos_data::types::MAIN;
use crate::value::Content;

/// A value that differs between two configs.
pub(super) struct Difference<'p, 'v> {
    pub before: Option<&'p Setting<'v>>,
    pub after: Option<&'p Setting<'v>>,
    /// The values of the config that has the value, and of the other one.
    pub own: &'p SettingsByPath<'v>,
    pub others: &'p SettingsByPath<'v>,
    pub other_config: &'v Config<'v>,
}

impl<'p, 'v> Difference<'p, 'v> {
    pub(super) fn kind(&self) -> DifferenceKind {
        match (self.before, self.after) {
            (None, _) => DifferenceKind::Added,
            (_, None) => DifferenceKind::Removed,
            _ => DifferenceKind::Changed,
        }
    }

    /// The value after, or else the one before.
    pub(super) fn setting(&self) -> Option<&'p Setting<'v>> {
        self.after.or(self.before)
    }

    /// Whether another difference reports the same, or the other config has the same in another form.
    pub(super) fn is_redundant(&self, setting: &Setting<'v>, is_same_base: bool) -> bool {
        if self.kind() == DifferenceKind::Changed {
            return false;
        }
        let is_moved = moved::is_implied(setting, self.other_config, is_same_base);
        // A mapping without values of its own.
        let is_hollow = setting.value.is_empty_mapping()
            || !setting.kind.is_empty() && matches!(setting.value.content, Content::Map(_));
        if is_moved || is_hollow && has_below(self.others, setting) {
            return true;
        }
        if setting.document.kind == MAIN {
            return false;
        }
        // A document with a name is one thing. Of one without, the values have classes of their own.
        let is_named = !setting.document.name.is_empty();
        let is_whole = self.is_of_whole_document(setting);
        match setting.path.is_empty() {
            true => !is_whole || !is_named && self.has_values(setting),
            false => is_whole && is_named,
        }
    }

    /// The keys of the item of a list that the other config does not have, if the value is in one.
    pub(super) fn new_item<'s>(&self, setting: &'s Setting<'v>) -> Option<&'s [Cow<'v, str>]> {
        let is_whole = |item: &&[Cow<'v, str>]| {
            let path: CanonicalPath<'_> = moved::canonical_path(setting.document, item);
            self.kind() != DifferenceKind::Changed && !self.others.contains_key(&path)
        };
        setting.item().filter(is_whole)
    }

    /// What happens to the document, or to the item of a list: a value inside one that both configs have changes it.
    pub(super) fn condition(&self, setting: &Setting<'v>) -> DifferenceKind {
        let document = setting.document;
        let is_in_document = document.kind != MAIN && !document.name.is_empty() && !self.is_of_whole_document(setting);
        let is_in_item = setting.item().is_some() && self.new_item(setting).is_none();
        if is_in_document || is_in_item { DifferenceKind::Changed } else { self.kind() }
    }

    fn is_of_whole_document(&self, setting: &Setting<'v>) -> bool {
        let document = setting.document;
        let start: CanonicalPath<'_> = moved::canonical_path(document, &[]);
        let first = self.others.range(start.clone()..).next();
        let has_document = first.is_some_and(|((kind, name, _), _)| *kind == start.0 && *name == start.1);
        self.kind() != DifferenceKind::Changed && !has_document
    }

    fn has_values(&self, setting: &Setting<'v>) -> bool {
        let is_other = |other: &Setting<'_>| std::ptr::eq(other.document, setting.document) && !other.path.is_empty();
        self.own.values().any(is_other)
    }
}

/// Whether a config has a value below one.
fn has_below(settings: &SettingsByPath<'_>, setting: &Setting<'_>) -> bool {
    let is_below = |other: &Setting<'_>| {
        (other.document.kind, other.document.name) == (setting.document.kind, setting.document.name)
            && other.path.len() > setting.path.len()
            && other.path.starts_with(&setting.path)
    };
    settings.values().any(is_below)
}
