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
    let aggregates = matches!(mode, "802.3ad" | "balance-alb" | "balance-tlb");
    let balances = matches!(mode, "balance-alb" | "balance-tlb");
    let options = [
        ("lacpRate", bond.is_filled("lacpRate"), mode == "802.3ad"),
        ("arpValidate", bond.is_filled("arpValidate"), !aggregates),
        ("primary", bond.is_filled("primary"), mode == "active-backup" || balances),
        ("arpInterval", number("arpInterval") > 0, !aggregates),
        ("packetsPerSlave", number("packetsPerSlave") > 1, mode == "balance-rr"),
        ("tlbDynamicLb", number("tlbDynamicLb") > 0, balances),
        ("adActorSysPrio", number("adActorSysPrio") > 0, mode == "802.3ad"),
        ("adUserPortKey", number("adUserPortKey") > 0, mode == "802.3ad"),
    ];
    for (path, ..) in options.into_iter().filter(|(_, is_set, is_allowed)| *is_set && !is_allowed) {
        let message = format!("`{path}` cannot be combined with `mode: {mode}`");
        bond.refuse(path, message, "remove it, or choose another mode");
    }
}
