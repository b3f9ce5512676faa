//! The bonds of the main document's network.

use super::section::Section;

/// The values that options of a bond may have.
const VALUES: [(&str, &[&str]); 8] = [
    ("mode", &["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"]),
    ("xmitHashPolicy", &["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4"]),
    ("lacpRate", &["slow", "fast"]),
    ("arpValidate", &["none", "active", "backup", "all", "filter", "filter-active", "filter-backup"]),
    ("arpAllTargets", &["any", "all"]),
    ("primaryReselect", &["always", "better", "failure"]),
    ("failOverMac", &["none", "active", "follow"]),
    ("adSelect", &["stable", "bandwidth", "count"]),
];

const ACTIVE_BACKUP: &str = "active-backup";
const LACP: &str = "802.3ad";
const TLB: &str = "balance-tlb";
const ALB: &str = "balance-alb";
/// The modes in which the bond watches its links by ARP.
const WITH_ARP: &[&str] = &["balance-rr", ACTIVE_BACKUP, "balance-xor", "broadcast"];

/// The options of a bond that only some modes have, with these modes.
const OPTIONS: [(&str, &[&str]); 8] = [
    ("lacpRate", &[LACP]),
    ("arpValidate", WITH_ARP),
    ("primary", &[ACTIVE_BACKUP, ALB, TLB]),
    ("arpInterval", WITH_ARP),
    ("packetsPerSlave", &["balance-rr"]),
    ("tlbDynamicLb", &[ALB, TLB]),
    ("adActorSysPrio", &[LACP]),
    ("adUserPortKey", &[LACP]),
];

/// Returns the modes in which a bond has an option; none if all have it.
#[must_use]
pub fn bond_modes(option: &str) -> Option<&'static [&'static str]> {
    OPTIONS.iter().find(|(name, _)| *name == option).map(|(_, modes)| *modes)
}

pub(crate) fn check_bond(bond: Section<'_>) {
    for (path, values) in VALUES {
        bond.require_value(path, values);
    }
    let number = |path: &str| bond.number(path).unwrap_or_default();
    let monitor = number("miimon");
    for path in ["updelay", "downdelay"] {
        if bond.is_unknown("miimon") {
            continue;
        }
        if monitor == 0 && number(path) != 0 {
            bond.refuse_without(path, "miimon");
        } else if monitor != 0 && number(path) % monitor != 0 {
            bond.refuse(
                path,
                format!("`{path}` is not a multiple of `miimon`"),
                format!("write a multiple of {monitor}"),
            );
        }
    }
    for path in ["arpIPTarget", "adActorSystem"] {
        bond.forbid(path, "which Talos does not support");
    }
    if bond.is_unknown("mode") {
        return;
    }
    let mode = match bond.text("mode") {
        "" => "balance-rr",
        mode => mode,
    };
    let is_set = |path: &str| match path {
        "lacpRate" | "arpValidate" | "primary" => bond.is_filled(path),
        "packetsPerSlave" => number(path) > 1,
        _ => number(path) > 0,
    };
    for (path, _) in OPTIONS.into_iter().filter(|(path, modes)| is_set(path) && !modes.contains(&mode)) {
        let message = format!("`{path}` cannot be combined with `mode: {mode}`");
        bond.refuse(path, message, "remove it, or choose another mode");
    }
}
