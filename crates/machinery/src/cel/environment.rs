//! The names, fields and functions that expressions can use, by the place of the expression in a machine config.

use talosmith_document::TalosVersion;
use talosmith_document::table;

use super::kind::{Parameters, Type, split};

const NAMES: &str = include_str!("names.txt");
const FIELDS: &str = include_str!("fields.txt");
const FUNCTIONS: &str = include_str!("functions.txt");

/// The place of an expression in a machine config. Source: github.com/siderolabs/talos: pkg/machinery/cel/celenv/celenv.go and its users in
/// pkg/machinery/config/types.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Environment {
    /// `provisioning.diskSelector.match` of VolumeConfig, UserVolumeConfig, RawVolumeConfig and SwapVolumeConfig, and from 1.14
    /// `diskSelector.match` of UnattendedInstallConfig: `disk`, `system_disk`.
    Disk,
    /// `discovery.volumeSelector.match` of ExistingVolumeConfig: `volume`, `disk`.
    Volume,
    /// `provisioning.volumeSelector.match` of RAIDArrayConfig and LVMVolumeGroupConfig, from Talos 1.14 on: `volume`,
    /// `disk`, `volume_id`, `system_disk`.
    MemberVolume,
    /// `selector.match` of LinkAliasConfig: `link`.
    LinkAlias,
    /// `triggerExpression` of OOMConfig: memory pressure on the node and on its classes of cgroups.
    OomTrigger,
    /// `cgroupRankingExpression` of OOMConfig, whose result is a `double`: the memory of a cgroup.
    OomRanking,
}

impl Environment {
    /// Its letter in the tables.
    const fn letter(self) -> char {
        ['d', 'v', 'm', 'l', 't', 'r'][self as usize]
    }

    /// Whether it has optional values and their syntax.
    pub(super) const fn has_optionals(self) -> bool {
        matches!(self, Self::OomTrigger | Self::OomRanking)
    }

    /// The type that the result of an expression must have.
    pub(super) const fn result(self) -> Type {
        match self {
            Self::OomRanking => Type::Plain("double"),
            _ => Type::BOOL,
        }
    }

    fn knows(self, letters: Option<&str>) -> bool {
        letters.is_some_and(|letters| letters == "*" || letters.contains(self.letter()))
    }

    /// The type of a variable, of a constant, or of the name of a type.
    pub(super) fn name(self, name: &str) -> Option<Type> {
        let mut row = table::find(NAMES, name)?;
        self.knows(row.next()).then(|| row.next().map(|kind| Type::read(kind, 0)))?
    }

    /// The names of variables and constants.
    pub(super) fn names(self) -> impl Iterator<Item = &'static str> {
        table::rows(NAMES).filter_map(move |mut row| {
            let name = row.next()?;
            (self.knows(row.next()) && !row.next()?.starts_with("type(")).then_some(name)
        })
    }

    /// The overloads of a function, method or operator; `None` if there is none of this name.
    pub(super) fn function(self, name: &str, version: &TalosVersion) -> Option<Vec<Overload>> {
        let mut row = table::find(FUNCTIONS, name)?;
        let known = self.knows(row.next());
        known.then(|| row.filter_map(|text| Overload::read(text, version)).collect())
    }

    /// The names of all functions and methods.
    pub(super) fn functions(self) -> impl Iterator<Item = &'static str> {
        table::rows(FUNCTIONS).filter_map(move |mut row| {
            let name = row.next()?;
            (self.knows(row.next()) && !name.contains(['_', '@']) || name == "multiply_qos_vectors").then_some(name)
        })
    }
}

/// The value of a unit such as `GB`, in bytes.
pub(super) fn unit(name: &str) -> Option<u64> {
    table::find(NAMES, name)?.nth(2)?.parse().ok()
}

/// The units in ascending order, powers of 1000 and then of 1024.
pub(super) const UNITS: &[&str] = &["kB", "MB", "GB", "TB", "PB", "EB", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

/// The type of a message's field, and the minor of Talos that added it if that is newer than the oldest known one.
pub(super) fn field(message: &str, field: &str) -> Option<(Type, Option<(u64, u64)>)> {
    let mut row = table::find(FIELDS, &format!("{message}.{field}"))?;
    let kind = Type::read(row.next()?, 0);
    Some((kind, row.next().and_then(table::minor)))
}

/// The names of a message's fields.
pub(super) fn fields(message: &str) -> impl Iterator<Item = &'static str> {
    table::rows(FIELDS).filter_map(move |mut row| {
        let (owner, field) = row.next()?.split_once('.')?;
        (owner == message).then_some(field)
    })
}

/// The type of a protobuf message by its full name, such as `talos.resource.definitions.block.DiskSpec`; `dyn` if the tables do not have
/// the message.
pub(super) fn message(name: &str) -> Option<Type> {
    let (package, short) = name.rsplit_once('.')?;
    if !["talos.", "google.", "common"].iter().any(|root| package.starts_with(root)) {
        return None;
    }
    let owner =
        table::rows(FIELDS).find_map(|mut row| row.next()?.split_once('.').filter(|(owner, _)| *owner == short));
    Some(owner.map_or(Type::Dyn, |(owner, _)| Type::Message(owner)))
}

/// A signature of a function, method or operator.
pub(super) struct Overload {
    pub method: bool,
    arguments: &'static str,
    result: &'static str,
}

impl Overload {
    fn read(text: &'static str, version: &TalosVersion) -> Option<Self> {
        let (text, until) = text.split_once('<').map_or((text, None), |(text, until)| (text, table::minor(until)));
        if until.is_some_and(|until| version.minor() >= until) {
            return None;
        }
        let method = text.starts_with('.');
        let text = text.trim_start_matches('.');
        // The bracket that closes the arguments. The result after it may have brackets of its own.
        let mut depth = 0;
        let close = text.find(|c| {
            depth += i32::from(c == '(') - i32::from(c == ')');
            depth == 0
        })?;
        Some(Self { method, arguments: &text[1..close], result: &text[close + 1..] })
    }

    /// The types of the arguments and of the result, with new type parameters.
    pub(super) fn types(&self, parameters: &mut Parameters) -> (Vec<Type>, Type) {
        // Most overloads have no type parameters, and all that exist are copied for each trial.
        let base = if self.arguments.contains('A') || self.result.contains('A') { parameters.fresh_pair() } else { 0 };
        let arguments = split(self.arguments).map(|kind| Type::read(kind, base)).collect();
        (arguments, Type::read(self.result, base))
    }
}
