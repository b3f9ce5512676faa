//! What a change of a machine config does to a running node: the two configs are compared value by value, and each difference has a row
//! in one table.

mod class;
mod table;
mod moved;
mod difference;
mod volumes;

use std::borrow::Cow;
use std::collections::BTreeMap;

use talosmith_document::TalosVersion;

use crate::base::GeneratedBase;
use crate::check::merge_patches;
use crate::config::{Config, Document};
use crate::decode::title;
use crate::normal::normal;
use crate::setting::{Setting, settings};
use crate::talos_data::types::MAIN;
use crate::talos_data::{Minor, talos};
use crate::value::{Content, PatchSpan, Value};
use crate::{AppliedPatch, Role, Target};

pub use class::{Class, class_codes};
pub use table::DifferenceKind;

use difference::Difference;
use moved::CanonicalPath;
use table::{Change, Row};

/// A machine config: patches merged into a base.
#[derive(Debug)]
pub struct MachineConfig<'a> {
    pub(crate) config: Config<'a>,
    pub(crate) role: Role,
    /// The minor that generated the base; none if the repository keeps the base.
    pub(crate) base: Option<Minor>,
    /// The minor of the Talos that runs.
    pub(crate) running: Minor,
}

/// Where a value is written: the position of its patch in the order in which patches are applied, and its bytes there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub patch: usize,
    pub bytes: std::ops::Range<usize>,
}

/// A difference between two machine configs, and what it does to a node that runs with the first one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Consequence {
    /// The most harmful first.
    pub classes: Vec<Class>,
    /// Whether the connection through which one applies it may break.
    pub may_cut: bool,
    pub change: DifferenceKind,
    /// The document's kind and name; for the main document only the keys count.
    pub document: String,
    /// Keys joined by dots; empty for the whole document.
    pub path: String,
    /// The value before and after in one line; none where there is none.
    pub before: Option<String>,
    pub after: Option<String>,
    pub sentence: String,
    /// Whether the effect was concluded, rather than read in Talos's code.
    pub is_inferred: bool,
    /// Where the value after is written, or else the one before.
    pub written: Option<(Side, Written)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Before,
    After,
}

/// The values of the main document up to 1.13 that change without a reboot, below the keys that the second list has no row for.
///
/// Source: internal/app/machined/pkg/runtime/v1alpha1/v1alpha1_runtime.go, `CanApplyImmediate`, equal in 1.12.7 and 1.13.8.
const APPLIED_LIVE: &[&[&str]] = &[
    &["debug"],
    &["cluster"],
    &["machine", "ca"],
    &["machine", "acceptedCAs"],
    &["machine", "time"],
    &["machine", "certSANs"],
    &["machine", "install"],
    &["machine", "network"],
    &["machine", "sysfs"],
    &["machine", "sysctls"],
    &["machine", "logging"],
    &["machine", "controlPlane"],
    &["machine", "kubelet"],
    &["machine", "kernel"],
    &["machine", "registries"],
    &["machine", "pods"],
    &["machine", "seccompProfiles"],
    &["machine", "nodeAnnotations"],
    &["machine", "nodeLabels"],
    &["machine", "nodeTaints"],
    &["machine", "features", "kubernetesTalosAPIAccess"],
    &["machine", "features", "kubePrism"],
    &["machine", "features", "hostDNS"],
    &["machine", "features", "imageCache"],
    &["machine", "features", "nodeAddressSortAlgorithm"],
];

impl<'a> MachineConfig<'a> {
    /// Merges patches into the base config, which the first of them are where the repository keeps it. What cannot be merged or deleted is
    /// left as it was: [`crate::check_patches`] reports it.
    #[must_use]
    pub fn merged(target: &Target<'a>, role: Role, patches: &'a [AppliedPatch<'a>]) -> Self {
        let base = (!patches.iter().any(AppliedPatch::is_base)).then_some(target.base);
        let running = target.version.minor();
        Self { config: merge_patches(Config::of_base(target, role, patches), patches), role, base, running }
    }

    /// The same with a base config that was generated for a cluster.
    #[must_use]
    pub fn generated(
        target: &Target<'a>,
        role: Role,
        base: &'a GeneratedBase,
        patches: &'a [AppliedPatch<'a>],
    ) -> Self {
        let config = Config::new(base.documents().collect(), target.version);
        let running = target.version.minor();
        Self { config: merge_patches(config, patches), role, base: Some(target.base), running }
    }

    /// Returns the config as one that has no base: every value of it counts, and not only those of patches.
    #[must_use]
    pub fn as_whole(self) -> Self {
        Self { base: None, ..self }
    }

    /// The same config on a node that was upgraded.
    #[must_use]
    pub fn upgraded(mut self, version: &TalosVersion) -> Self {
        self.running = version.minor();
        self
    }

    /// Returns what happens to a node that runs with this config when it gets another one, the most harmful first.
    #[must_use]
    pub fn consequences(&self, after: &MachineConfig<'_>) -> Vec<Consequence> {
        ConfigComparison::new(self, after).run()
    }
}

/// The paths of `machine.files`, in their order.
fn order_of_files<'s>(settings: &'s [Setting<'_>]) -> impl Iterator<Item = &'s str> {
    let main = settings.iter().filter(|setting| setting.document.kind == MAIN);
    let below = main.filter_map(|setting| setting.path.strip_prefix(&["machine".into(), "files".into()][..]));
    let paths = below.filter_map(|rest| rest.first()).map(|path| &**path);
    let mut last = None;
    paths.filter(move |path| last.replace(*path) != Some(*path))
}

/// Whether Talos up to 1.13 changes a value of the main document without a reboot.
fn is_applied_live(path: &[impl AsRef<str>]) -> bool {
    let is_at = |live: &&[&str]| live.len() <= path.len() && live.iter().zip(path).all(|(key, at)| *key == at.as_ref());
    APPLIED_LIVE.iter().any(is_at)
}

struct ConfigComparison<'v> {
    before: &'v Config<'v>,
    after: &'v Config<'v>,
    role: Role,
    minor: Minor,
    /// Whether both have the same base, so that everything counts; otherwise only what patches set does.
    is_same_base: bool,
    found: Vec<Consequence>,
}

/// The values of a config by their canonical paths.
type SettingsByPath<'v> = BTreeMap<CanonicalPath<'v>, Setting<'v>>;

impl<'v> ConfigComparison<'v> {
    fn new(before: &'v MachineConfig<'_>, after: &'v MachineConfig<'_>) -> Self {
        let minor = before.running.clamp(talos::oldest_minor(), talos::newest_minor());
        let is_same_base = before.base == after.base && before.role == after.role;
        let (role, before, after) = (after.role, &before.config, &after.config);
        Self { before, after, role, minor, is_same_base, found: Vec::new() }
    }

    fn run(mut self) -> Vec<Consequence> {
        let (before, after) = (settings(self.before), settings(self.after));
        let reboots = self.minor < (1, 14) && self.reboots(&before, &after);
        volumes::compare(&mut self, &before, &after);
        let (old, new) = (self.by_path(before), self.by_path(after));
        for (path, setting) in &old {
            let other = new.get(path);
            if !other.is_some_and(|other| moved::is_same(setting, other, self.before)) {
                let (before, own, others, other_config) = (Some(setting), &old, &new, self.after);
                self.add(&Difference { before, after: other, own, others, other_config });
            }
        }
        for (_, setting) in new.iter().filter(|(path, _)| !old.contains_key(path)) {
            let (after, own, others, other_config) = (Some(setting), &new, &old, self.before);
            self.add(&Difference { before: None, after, own, others, other_config });
        }
        let is_reported = self.found.iter().any(|found| found.classes.contains(&Class::Reboot));
        if reboots && !is_reported {
            self.found.push(reboot_alone());
        }
        let mut found = self.found;
        found.sort_by(|a, b| (&a.classes, &a.document, &a.path).cmp(&(&b.classes, &b.document, &b.path)));
        found
    }

    fn by_path(&self, settings: Vec<Setting<'v>>) -> SettingsByPath<'v> {
        let counts = |setting: &Setting<'_>| {
            (self.is_same_base || setting.is_patched()) && !volumes::KINDS.contains(&setting.document.kind)
        };
        // A document counts where the main document has the same value too.
        let (main, documents): (Vec<_>, Vec<_>) =
            settings.into_iter().filter(counts).partition(|setting| setting.document.kind == MAIN);
        let path_of = |setting: &Setting<'v>| moved::canonical_path(setting.document, &setting.path);
        let mut by_path: SettingsByPath<'v> =
            documents.into_iter().map(|setting| (path_of(&setting), setting)).collect();
        for setting in main {
            let path = path_of(&setting);
            let is_free = !by_path.contains_key(&path) || setting.kind.is_empty();
            let path = if is_free { path } else { (MAIN, Cow::Borrowed(""), Cow::Owned(setting.path())) };
            by_path.entry(path).or_insert(setting);
        }
        by_path
    }

    /// Whether Talos up to 1.13 reboots: the main documents differ outside of what it can change in place.
    fn reboots(&self, before: &[Setting<'v>], after: &[Setting<'v>]) -> bool {
        let normal = |setting: &Setting<'v>, config: &Config<'_>| normal(setting.kind, setting.value, config.types);
        let is_same = |(one, other): (&&Setting<'v>, &&Setting<'v>)| {
            one.path == other.path
                && (one.kind == other.kind && one.value.is_identical(other.value)
                    || normal(one, self.before) == normal(other, self.after))
        };
        let (old, new) = (self.values_with_reboot(before), self.values_with_reboot(after));
        let is_same = old.len() == new.len() && old.iter().zip(&new).all(is_same);
        !is_same || !order_of_files(before).eq(order_of_files(after))
    }

    /// The values of the main document that do not change in place, by their paths.
    fn values_with_reboot<'s>(&self, settings: &'s [Setting<'v>]) -> Vec<&'s Setting<'v>> {
        let counts = |setting: &&Setting<'v>| {
            let is_main = setting.document.kind == MAIN && !is_applied_live(&setting.path);
            is_main && (self.is_same_base || setting.is_patched())
        };
        let mut values: Vec<_> = settings.iter().filter(counts).collect();
        values.sort_by(|one, other| one.path.cmp(&other.path));
        values
    }

    fn add(&mut self, difference: &Difference<'_, 'v>) {
        let Some(setting) = difference.setting() else { return };
        if difference.is_redundant(setting, self.is_same_base) {
            return;
        }
        let document = setting.document;
        let keys = difference.new_item(setting).unwrap_or(&setting.path);
        let path = keys.join(".");
        let is_part = keys.len() < setting.path.len();
        let last = self.found.last();
        if is_part && last.is_some_and(|last| last.path == path && last.document == title(document.kind, document.name))
        {
            return;
        }
        let change = Change { value: difference.kind(), whole: difference.condition(setting) };
        let row = table::find(document.kind, keys, self.minor, self.role, change);
        let text = |setting: &Setting<'v>| if setting.is_secret { "…".to_owned() } else { shown(setting) };
        let (before, after) = match setting.kind.is_empty() || is_part {
            true => (None, None),
            false => (difference.before.map(text), difference.after.map(text)),
        };
        let side = if difference.after.is_some() { Side::After } else { Side::Before };
        // What only the base config has is written nowhere.
        let of_document = document.origin.filter(|_| setting.kind.is_empty() || setting.is_patched());
        let written = written(side, setting.value.origin.or(of_document));
        self.push(row, document, Found { change: difference.kind(), path, before, after, written });
    }

    fn push(&mut self, row: Option<&Row>, document: &Document<'_>, found: Found) {
        let Found { change, path, before, after, written } = found;
        let name = document.name;
        let is_inferred = row.is_some_and(|row| row.is_inferred);
        let (classes, may_cut, sentence) = match row {
            Some(row) => (row.classes(name), row.may_cut(), row.sentence.replace("$name", name)),
            None => (vec![Class::Unknown], false, "talosmith has no fact about it".to_owned()),
        };
        let document = title(document.kind, name);
        self.found.push(Consequence {
            classes,
            may_cut,
            change,
            document,
            path,
            before,
            after,
            sentence,
            is_inferred,
            written,
        });
    }
}

/// What differs, without what it does.
struct Found {
    change: DifferenceKind,
    path: String,
    before: Option<String>,
    after: Option<String>,
    written: Option<(Side, Written)>,
}

fn written(side: Side, origin: Option<PatchSpan>) -> Option<(Side, Written)> {
    let origin = origin?;
    Some((side, Written { patch: usize::from(origin.patch), bytes: origin.bytes() }))
}

/// The reboot of a node whose values are the same, but no longer where Talos looks for a difference.
fn reboot_alone() -> Consequence {
    Consequence {
        classes: vec![Class::Reboot],
        may_cut: false,
        change: DifferenceKind::Changed,
        document: title(MAIN, ""),
        path: "machine".to_owned(),
        before: None,
        after: None,
        sentence: "a value leaves the main document or changes its order there: Talos reboots, though it is the same"
            .to_owned(),
        is_inferred: false,
        written: None,
    }
}

/// A value in one line; of a variable, without its name. Quotes show that a number or flag is a text, where it can be both.
fn shown(setting: &Setting<'_>) -> String {
    let text = match &setting.value.content {
        Content::Scalar(scalar) if setting.kind.ends_with("any") && scalar.is_quoted_word() => {
            format!("{:?}", scalar.text)
        }
        _ => shown_value(setting.value),
    };
    let name = setting.path.last().map(|name| format!("{name}="));
    match name.and_then(|name| text.strip_prefix(&name).map(str::to_owned)) {
        Some(value) if setting.document.kind == "ExtensionServiceConfig" => value,
        _ => text,
    }
}

fn shown_value(value: &Value<'_>) -> String {
    match &value.content {
        Content::Scalar(scalar) => scalar.text.split_whitespace().collect::<Vec<_>>().join(" "),
        Content::List(items) => format!("[{}]", items.iter().map(shown_value).collect::<Vec<_>>().join(", ")),
        Content::Map(fields) => {
            let fields = fields.iter().map(|field| format!("{}: {}", field.key, shown_value(&field.value)));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
    }
}

#[cfg(test)]
mod tests;
