//! The ingress firewall.
//!
//! Source: controllers/network/nftables_chain_config.go; docs.siderolabs.com, Ingress Firewall.

use talosmith_document::Code;

use super::Rules;
use super::section::Section;
use crate::placeholder::is_unknown;

/// The ports from which Linux chooses those of outgoing connections (`net.ipv4.ip_local_port_range`).
const EPHEMERAL: (u16, u16) = (32768, 60999);

/// A rule with fewer ports of that range is one for services, as for apid (50000) and trustd (50001).
const FEW: u16 = 100;

/// The port of apid, to which talosctl connects.
const APID: u16 = 50000;

pub(crate) fn check_firewall(rules: &Rules<'_>) {
    let config = rules.config;
    let action = config.first("NetworkDefaultActionConfig");
    let blocks = action.is_some_and(|action| action.value.text("ingress").eq_ignore_ascii_case("block"));
    let written = |kind| config.all(kind).map(|document| Section::new(rules, document));
    if !blocks {
        written("NetworkRuleConfig").for_each(check_rule);
        return;
    }
    let mut listed = written("NetworkRuleConfig").filter(|rule| rule.word("portSelector.protocol") != "udp");
    let reaches_apid = listed.any(|rule| {
        let mut ports = rule.items("portSelector.ports");
        ports.any(|port| {
            is_unknown(port.scalar()) || range(port.scalar()).is_some_and(|(low, high)| (low..=high).contains(&APID))
        })
    });
    if !reaches_apid && let Some(action) = action {
        let message = "the firewall blocks port 50000, and no rule opens it: talosctl cannot reach the node";
        Section::new(rules, action).report(Code::FirewallRule, "ingress", message, |finding| {
            finding.note("apid listens there; only the node's own console can undo this").help(
                "add a rule with the networks of your administrators:\napiVersion: v1alpha1\nkind: NetworkRuleConfig\nname: apid\n\
                 portSelector:\n  ports: [50000]\n  protocol: tcp\ningress:\n  - subnet: 0.0.0.0/0",
            )
        });
    }
}

/// Warns of a rule that drops replies where everything else is accepted.
fn check_rule(rule: Section<'_>) {
    for port in rule.items("portSelector.ports") {
        let Some((low, high)) = range(port.scalar()) else { continue };
        let (low, high) = (low.max(EPHEMERAL.0), high.min(EPHEMERAL.1));
        if high.saturating_sub(low) < FEW {
            continue;
        }
        let message = format!("{} also drops the replies to connections that the node opens itself", rule.title());
        port.report(Code::FirewallRule, "", message, |finding| {
            finding
                .note("where the default action is `accept`, Talos drops what comes to these ports from other networks before it looks for established connections")
                .note(format!("Linux chooses the ports {} to {} for them, as for DNS and NTP", EPHEMERAL.0, EPHEMERAL.1))
                .help("list the ports of services alone, or block by default:\napiVersion: v1alpha1\nkind: NetworkDefaultActionConfig\ningress: block")
        });
        return;
    }
}

fn range(text: &str) -> Option<(u16, u16)> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    Some((low.parse().ok()?, high.parse().ok()?))
}
