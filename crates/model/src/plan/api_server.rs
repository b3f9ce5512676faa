//! The Kubernetes API server: its arguments, the authentication of users, and the names of certificates.

use std::collections::BTreeSet;

use serde::Serialize;
use talosmith_document::{Code, Diagnostic, Pointer};
use talosmith_machinery::document_of_argument;

use super::components::{arguments, on_control_plane};
use super::{Check, ConfigFormat};
use crate::device::Oidc;
use crate::ordered::Ordered;
use crate::scalar::SubjectAltName;

#[derive(Debug, Serialize)]
pub struct ApiServer {
    /// Further names in its certificate.
    pub cert_sans: Vec<String>,
    /// Arguments, those of OpenID Connect among them where the base config has no document for it.
    pub extra_args: Ordered<String, String>,
    /// The OpenID Connect authenticator; none where arguments configure it.
    pub jwt: Option<Jwt>,
}

/// A JWT authenticator of Kubernetes's AuthenticationConfiguration.
#[derive(Debug, Serialize)]
pub struct Jwt {
    /// The issuer's URL.
    pub issuer_url: String,
    /// The client that tokens must be for.
    pub audience: String,
    /// The claim with the user's name.
    pub username_claim: String,
    /// What is put before the user's name.
    pub username_prefix: String,
    /// The claim with the user's groups.
    pub groups_claim: Option<String>,
    /// What is put before the name of a group.
    pub groups_prefix: String,
}

/// The API server's settings, which only a control plane may have.
pub(super) fn plan(check: &mut Check<'_>, config_format: ConfigFormat) -> Option<ApiServer> {
    let written = check.file.device.api_server.as_ref()?;
    if !on_control_plane(check, config_format, "apiServer") {
        return None;
    }
    let mut extra_args = arguments(&written.extra_args);
    let mut jwt = None;
    if let Some(oidc) = &written.oidc {
        check_issuer(check, oidc);
        check_oidc_arguments(check, &extra_args);
        match config_format {
            ConfigFormat::V1Alpha1 => extra_args.extend(oidc_arguments(oidc)),
            ConfigFormat::Documents => jwt = Some(authenticator(oidc)),
        }
    }
    if config_format == ConfigFormat::Documents {
        take_document_arguments(check, &mut extra_args);
    }
    let server = ApiServer { cert_sans: cert_sans(check, &written.cert_sans), extra_args, jwt };
    let is_empty = server.cert_sans.is_empty() && server.extra_args.is_empty() && server.jwt.is_none();
    (!is_empty).then_some(server)
}

/// Returns the names of a certificate, each once, with the addresses of the cluster's control planes for `controlplanes`.
pub(super) fn cert_sans(check: &Check<'_>, written: &[SubjectAltName]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in written {
        match name {
            SubjectAltName::Literal(name) => names.push(name.clone()),
            SubjectAltName::ControlPlanes => names.extend(check.control_planes.into_iter().flatten().cloned()),
        }
    }
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

fn check_issuer(check: &mut Check<'_>, oidc: &Oidc) {
    if let Some(host) = oidc.issuer_url.as_str().strip_prefix("http://") {
        check.push(
            Diagnostic::new(Code::BadAddress, "the issuer's URL is not https", check.at("/apiServer/oidc/issuerURL"))
                .note("kube-apiserver does not start with it")
                .help(format!("write `https://{host}`")),
        );
    }
}

/// Reports arguments that `oidc` sets and that are also in `extraArgs`.
fn check_oidc_arguments(check: &mut Check<'_>, extra_args: &Ordered<String, String>) {
    for name in extra_args.keys().filter(|name| name.starts_with("oidc-") || *name == "authentication-config") {
        let location = check.key(Pointer::new("/apiServer/extraArgs").child(name));
        check.push(
            Diagnostic::new(Code::ExclusiveKeys, format!("`{name}` is already set by `oidc`"), location)
                .also(check.key("/apiServer/oidc"), "set here")
                .help("remove the argument"),
        );
    }
}

/// Reports and removes arguments for which Talos 1.14 has documents: those of OpenID Connect once for all of them.
fn take_document_arguments(check: &mut Check<'_>, extra_args: &mut Ordered<String, String>) {
    let is_oidc = |name: &str| name.starts_with("oidc-");
    let mut oidc = extra_args.iter().filter(|(name, _)| is_oidc(name)).peekable();
    let issuer = extra_args.iter().find(|(name, _)| *name == "oidc-issuer-url");
    let first = issuer.or(oidc.peek().copied()).map(|(name, _)| name.as_str());
    let keys: Vec<String> = oidc.filter_map(|(name, value)| Some(format!("{}: {value}", oidc_key(name)?))).collect();
    for name in extra_args.keys().filter(|name| !is_oidc(name) || Some(name.as_str()) == first) {
        let Some(kind) = document_of_argument(name) else { continue };
        let help = match is_oidc(name) {
            true => format!(
                "remove the arguments that begin with `oidc-`, and write\napiServer:\n  oidc:\n    {}",
                keys.join("\n    ")
            ),
            false => format!("remove it, and set this with a raw patch of kind {kind}"),
        };
        let message = format!("Talos 1.14 does not accept `{name}` as an argument of kube-apiserver");
        let location = check.key(Pointer::new("/apiServer/extraArgs").child(name));
        check.push(
            Diagnostic::new(Code::NoSuccessor, message, location)
                .note(format!("with a base config of 1.14 the document {kind} configures it"))
                .help(help),
        );
    }
    extra_args.retain(|name| document_of_argument(name).is_none());
}

/// Returns the key of `apiServer.oidc` for an argument of kube-apiserver.
fn oidc_key(argument: &str) -> Option<&'static str> {
    Some(match argument {
        "oidc-issuer-url" => "issuerURL",
        "oidc-client-id" => "clientID",
        "oidc-username-claim" => "usernameClaim",
        "oidc-username-prefix" => "usernamePrefix",
        "oidc-groups-claim" => "groupsClaim",
        "oidc-groups-prefix" => "groupsPrefix",
        _ => return None,
    })
}

fn oidc_arguments(oidc: &Oidc) -> Vec<(String, String)> {
    let optional = [
        ("oidc-username-claim", &oidc.username_claim),
        ("oidc-username-prefix", &oidc.username_prefix),
        ("oidc-groups-claim", &oidc.groups_claim),
        ("oidc-groups-prefix", &oidc.groups_prefix),
    ];
    let mut arguments = vec![
        ("oidc-issuer-url".to_owned(), oidc.issuer_url.to_string()),
        ("oidc-client-id".to_owned(), oidc.client_id.clone()),
    ];
    arguments.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
    arguments
}

/// What kube-apiserver makes of the `--oidc-…` arguments:
/// <https://kubernetes.io/docs/reference/access-authn-authz/authentication/#openid-connect-tokens>.
fn authenticator(oidc: &Oidc) -> Jwt {
    let claim = oidc.username_claim.clone().unwrap_or_else(|| "sub".to_owned());
    let prefix = match &oidc.username_prefix {
        Some(prefix) if prefix == "-" => String::new(),
        Some(prefix) => prefix.clone(),
        None if claim == "email" => String::new(),
        None => format!("{}#", oidc.issuer_url),
    };
    Jwt {
        issuer_url: oidc.issuer_url.to_string(),
        audience: oidc.client_id.clone(),
        username_claim: claim,
        username_prefix: prefix,
        groups_claim: oidc.groups_claim.clone(),
        groups_prefix: oidc.groups_prefix.clone().unwrap_or_default(),
    }
}
