//! The bonds of the main document's network.

use super::Rules;
use crate::config::Document;
use crate::value::Value;

/// The words that options of a bond may have.
const WORDS: [(&str, &[&str]); 8] = [
    ("mode", &["balance-rr", "active-backup", "balance-xor", "broadcast", "802.3ad", "balance-tlb", "balance-alb"]),
    ("xmitHashPolicy", &["layer2", "layer3+4", "layer2+3", "encap2+3", "encap3+4"]),
    ("lacpRate", &["slow", "fast"]),
    ("arpValidate", &["none", "active", "backup", "all", "filter", "filter-active", "filter-backup"]),
    ("arpAllTargets", &["any", "all"]),
    ("primaryReselect", &["always", "better", "failure"]),
    ("failOverMac", &["none", "active", "follow"]),
    ("adSelect", &["stable", "bandwidth", "count"]),
];

/// A bond.
pub(crate) fn check_bond(rules: &mut Rules<'_, '_>, document: &Document<'_>, bond: &Value<'_>) {
    for (field, words) in WORDS {
        let word = bond.text(field);
        if !word.is_empty() && !words.contains(&word) {
            let at = bond.get(field).unwrap_or(bond);
            rules.refuse_value(
                document,
                at,
                format!("there is no `{field}: {word}`"),
                format!("choose from {}", words.join(", ")),
            );
        }
    }
    let mut refuse = |field: &str, message: String, help: &str| {
        rules.refuse_value(document, bond.get(field).unwrap_or(bond), message, help);
    };
    let number = |field: &str| bond.number(field).unwrap_or_default();
    let monitor = number("miimon");
    for field in ["updelay", "downdelay"] {
        if monitor == 0 && number(field) != 0 {
            refuse(field, format!("`{field}` needs `miimon`"), "add `miimon`");
        } else if monitor != 0 && number(field) % monitor != 0 {
            refuse(field, format!("`{field}` is no multiple of `miimon`"), "write a multiple of it");
        }
    }
    if !bond.items("arpIPTarget").is_empty() {
        refuse("arpIPTarget", "`arpIPTarget` is not supported".to_owned(), "use `miimon` instead");
    }
    if !bond.text("adActorSystem").is_empty() {
        refuse("adActorSystem", "`adActorSystem` is not supported".to_owned(), "remove it");
    }
    let mode = match bond.text("mode") {
        "" => "balance-rr",
        mode => mode,
    };
    let is_given = |field: &str| match field {
        "lacpRate" | "arpValidate" | "primary" => !bond.text(field).is_empty(),
        "packetsPerSlave" => number(field) > 1,
        _ => number(field) > 0,
    };
    let aggregates = ["802.3ad", "balance-alb", "balance-tlb"];
    let balances = ["balance-alb", "balance-tlb"];
    let modes: [(&str, bool); 8] = [
        ("lacpRate", mode == "802.3ad"),
        ("arpValidate", !aggregates.contains(&mode)),
        ("primary", mode == "active-backup" || balances.contains(&mode)),
        ("arpInterval", !aggregates.contains(&mode)),
        ("packetsPerSlave", mode == "balance-rr"),
        ("tlbDynamicLb", balances.contains(&mode)),
        ("adActorSysPrio", mode == "802.3ad"),
        ("adUserPortKey", mode == "802.3ad"),
    ];
    for (field, _) in modes.into_iter().filter(|(field, fits)| !fits && is_given(field)) {
        refuse(field, format!("`{field}` does not work with `mode: {mode}`"), "remove it, or choose another mode");
    }
}
