//! The catalogue of system extensions. Names are as schematics have them: `siderolabs/tailscale`.

use talosmith_document::TalosVersion;
use talosmith_document::table;

const EXTENSIONS: &str = include_str!("extensions.txt");
const ALIASES: &str = include_str!("aliases.txt");

/// A service that an extension brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Service {
    /// Its name in an `ExtensionServiceConfig`; `talosctl service` has `ext-` in front.
    pub name: &'static str,
    /// Whether it waits for an `ExtensionServiceConfig` and does not start without.
    pub needs_configuration: bool,
}

/// Whether a version of Talos has an extension; none where nothing is known of the version's minor.
///
/// Releases that are not known count as the known ones of their minor.
pub(crate) fn knows(version: &TalosVersion, name: &str) -> Option<bool> {
    let row = table::find(EXTENSIONS, name).filter(|_| name != CATALOGUE);
    let is_listed = row.is_some_and(|mut fields| has(fields.nth(1), version));
    (is_listed || covers(version)).then_some(is_listed)
}

/// The extensions of a version of Talos, sorted by name; empty where nothing is known of the version's minor.
pub(crate) fn names(version: &TalosVersion) -> impl Iterator<Item = &'static str> {
    table::rows(EXTENSIONS).filter_map(|mut row| {
        let name = row.next().filter(|name| *name != CATALOGUE)?;
        has(row.nth(1), version).then_some(name)
    })
}

/// Returns the name that the Image Factory uses for an old one that its catalogue does not have. The ID keeps the name as written.
pub(crate) fn alias(name: &str) -> Option<&'static str> {
    table::find(ALIASES, name)?.next()
}

/// The architectures that an extension is for, `amd64` and `arm64`; on others its image is there and empty.
pub(crate) fn architectures(name: &str) -> impl Iterator<Item = &'static str> {
    table::list(table::find(EXTENSIONS, name).and_then(|mut fields| fields.next()))
}

/// The services that an extension brings with one version of Talos or another.
pub(crate) fn services(name: &str) -> impl Iterator<Item = Service> {
    table::list(table::find(EXTENSIONS, name).and_then(|mut fields| fields.nth(2))).map(|service| {
        match service.strip_suffix('!') {
            Some(name) => Service { name, needs_configuration: true },
            None => Service { name: service, needs_configuration: false },
        }
    })
}

/// The row for the catalogue as a whole.
const CATALOGUE: &str = "*";

fn covers(version: &TalosVersion) -> bool {
    table::find(EXTENSIONS, CATALOGUE).is_some_and(|mut fields| has(fields.nth(1), version))
}

/// Whether a list of minors and of first releases contains a version.
fn has(versions: Option<&str>, version: &TalosVersion) -> bool {
    table::list(versions).any(|entry| match entry.parse::<TalosVersion>() {
        Ok(first) => first.minor() == version.minor() && first <= *version,
        Err(_) => table::minor(entry) == Some(version.minor()),
    })
}

#[cfg(test)]
#[expect(clippy::disallowed_methods, reason = "reads the collected sources")]
mod reference;

#[cfg(test)]
mod tests {
    use super::{ALIASES, EXTENSIONS, Service, alias, architectures, knows, names, services};
    use talosmith_document::table;
    use talosmith_document::{TalosVersion, closest};

    fn version(text: &str) -> TalosVersion {
        text.parse().expect(text)
    }

    #[test]
    fn extensions_are_known_by_version() {
        let known = |text, name| knows(&version(text), name);
        assert_eq!(known("v1.12.1", "siderolabs/tailscale"), Some(true));
        assert_eq!(known("v1.12.1", "siderolabs/gpio-pinctrl"), Some(false), "it came with v1.12.2");
        assert_eq!(known("v1.12.2", "siderolabs/gpio-pinctrl"), Some(true));
        assert_eq!(known("v1.12.99", "siderolabs/gpio-pinctrl"), Some(true), "a later patch is as the last one known");
        assert_eq!(known("v1.13.0-beta.0", "siderolabs/gpio-pinctrl"), Some(true));
        assert_eq!(known("v1.13.9", "siderolabs/kata-containers-snp"), Some(false));
        assert_eq!(known("v1.14.1", "siderolabs/kata-containers-snp"), Some(true));
        assert_eq!(known("v1.12.1", "siderolabs/tailscail"), Some(false));
        assert_eq!(known("v1.12.1", "tailscale"), Some(false), "the name has its owner in front");
        assert_eq!(known("v1.12.1", "*"), Some(false));
        assert_eq!(known("v1.12.1", "#"), Some(false));
        assert_eq!(known("v1.10.3", "siderolabs/tailscale"), None);
        assert_eq!(known("v1.15.0", "siderolabs/tailscale"), None);
    }

    #[test]
    fn names_are_those_that_are_known() {
        // The counts of the catalogue's own lists.
        for (text, count) in
            [("v1.11.6", 67), ("v1.12.1", 77), ("v1.12.2", 78), ("v1.13.9", 83), ("v1.14.0-rc.1", 86), ("v1.15.0", 0)]
        {
            let version = version(text);
            assert_eq!(names(&version).filter(|name| knows(&version, name) == Some(true)).count(), count, "{text}");
            assert_eq!(names(&version).count(), count, "{text}");
        }
        let version = version("v1.12.1");
        assert_eq!(closest("siderolabs/tailscail", names(&version)), Some("siderolabs/tailscale"));
    }

    #[test]
    fn aliases_lead_to_extensions() {
        assert_eq!(alias("siderolabs/amdgpu-firmware"), Some("siderolabs/amdgpu"));
        assert_eq!(alias("siderolabs/amdgpu"), None);
        let newest = version("v1.14.0");
        for mut row in table::rows(ALIASES) {
            let name = row.nth(1).expect("two fields");
            assert_eq!(knows(&newest, name), Some(true), "{name}");
        }
    }

    #[test]
    fn architectures_and_services_are_the_extensions() {
        assert_eq!(architectures("siderolabs/tailscale").collect::<Vec<_>>(), ["amd64", "arm64"]);
        assert_eq!(architectures("siderolabs/amdgpu").collect::<Vec<_>>(), ["amd64"]);
        assert_eq!(architectures("siderolabs/panfrost").collect::<Vec<_>>(), ["arm64"]);
        assert_eq!(architectures("siderolabs/nothing").count(), 0);
        let service = |name, needs_configuration| Service { name, needs_configuration };
        assert_eq!(services("siderolabs/tailscale").collect::<Vec<_>>(), [service("tailscale", true)]);
        let two = [service("rpc-statd", false), service("rpcbind", false)];
        assert_eq!(services("siderolabs/nfs-utils").collect::<Vec<_>>(), two);
        assert_eq!(services("siderolabs/glibc").count(), 0);
    }

    #[test]
    fn tables_are_sorted() {
        for table in [EXTENSIONS, ALIASES] {
            let keys: Vec<&str> = table::rows(table).filter_map(|mut row| row.next()).collect();
            assert!(keys.is_sorted_by(|a, b| a < b), "{keys:?}");
            assert!(keys.iter().all(|key| table::find(table, key).is_some()));
        }
    }
}
