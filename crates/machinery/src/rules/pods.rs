//! The programs of the control plane, and kube-proxy.

use super::Rules;
use crate::config::Document;

/// Beginnings of arguments of kube-apiserver for which Talos has documents.
const DENIED: [(&str, &str); 6] = [
    ("anonymous-auth", "KubeAuthenticationConfig"),
    ("oidc-", "KubeAuthenticationConfig"),
    ("authentication-config", "KubeAuthenticationConfig"),
    ("authorization-config", "KubeAuthorizerConfig"),
    ("authorization-mode", "KubeAuthorizerConfig"),
    ("authorization-webhook-", "KubeAuthorizerConfig"),
];

/// kube-apiserver.
pub(crate) fn api_server(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    rules.require(document, "image");
    for field in document.value.fields("extraArgs") {
        if let Some((_, kind)) = DENIED.iter().find(|(start, _)| field.key.starts_with(start)) {
            let message = format!("kube-apiserver does not take the argument `{}` here", field.key);
            rules.refuse_value(document, &field.value, message, format!("write a {kind} document instead"));
        }
    }
    resources(rules, document, "resources");
}

/// kube-controller-manager and kube-scheduler, which may be off.
pub(crate) fn optional(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    if document.value.flag("enabled") != Some(false) {
        rules.require(document, "image");
    }
    resources(rules, document, "resources");
}

/// kube-proxy, which may be off.
pub(crate) fn proxy(rules: &mut Rules<'_, '_>, document: &Document<'_>) {
    optional(rules, document);
    let mode = document.value.text("mode");
    if !matches!(mode, "" | "nftables" | "iptables" | "ipvs") {
        let message = format!("there is no mode `{mode}` of kube-proxy");
        rules.refuse(document, "mode", message, "write `nftables`");
    }
}

/// What a pod asks for, and what it may have at most.
pub(crate) fn resources(rules: &mut Rules<'_, '_>, document: &Document<'_>, path: &str) {
    for section in ["requests", "limits"] {
        for field in document.value.fields(&format!("{path}.{section}")) {
            if !matches!(&*field.key, "memory" | "cpu") {
                let message = format!("`{}` is no resource that can be set here", field.key);
                rules.refuse_value(document, &field.value, message, "write `cpu` and `memory` alone");
            }
        }
    }
}
