//! Names of devices, hosts, volumes and other things that are called by one.

use std::borrow::Borrow;

use super::{ScalarError, string_scalars};

string_scalars! {
    /// The name of a device, a cluster, a disk, a schematic or a patch: it is part of file names.
    pub Name: check_name;
    pub SecretName: check_secret_name;
    /// One part of a DNS name, as RFC 1123 has it: at most 63 lower-case letters, digits and hyphens.
    pub DnsLabel: check_dns_label;
    /// A hostname: DNS labels with dots between, at most 253 characters, the first label at most 63 (as Talos checks it).
    pub Hostname: check_hostname;
    /// The DNS domain of a cluster: DNS labels with dots between, at most 253 characters, and no dot at the end.
    pub DnsDomain: check_dns_domain;
    /// The name of a Kubernetes object: DNS labels with dots between, at most 253 characters.
    /// Rules: <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#dns-subdomain-names>.
    pub ObjectName: check_object_name;
    /// The name of a volume. Talos: 1 to 34 ASCII letters, digits and hyphens, so that `u-<name>` fits the 36 characters of a GPT label.
    pub VolumeName: check_volume_name;
    /// A CEL expression on one line. Its syntax is checked here; its types are checked in the plan, where the version of Talos is known.
    pub Cel: check_cel;
    /// One argument of a program that splits its arguments at white space.
    pub Argument: check_argument;
    pub EnvironmentVariable: check_environment_variable;
    /// A reference of 1Password: `op://vault/item/field`, with a section before the field if need be.
    pub(crate) OpReference: check_op_reference;
    /// A key of the model that requests a file, as `files` names it: `hostname`, `volumes.EPHEMERAL`.
    pub ModelKey: check_model_key;
}

/// Checks a name of letters, digits and the characters in `others`, of at most `longest` characters; `what` is its kind.
fn plain_name(text: &str, what: &str, others: &[char], longest: usize) -> Result<(), ScalarError> {
    let fault = || ScalarError::new(format!("`{text}` is not {what}"));
    if text.is_empty() {
        return Err(ScalarError::new(format!("{what} is missing")));
    }
    if text.chars().count() > longest {
        return Err(fault().label(format!("{} characters; {longest} at most", text.chars().count())));
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || others.contains(c))) {
        let allowed: Vec<String> = others.iter().map(|c| format!("`{c}`")).collect();
        return Err(fault().label(format!(
            "`{}` is not allowed: letters, digits and {} are",
            bad.escape_debug(),
            allowed.join(", ")
        )));
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err(fault().label("must begin and end with a letter or digit"));
    }
    Ok(())
}

/// Lets maps by name be searched for a string.
impl Borrow<str> for Name {
    fn borrow(&self) -> &str {
        &self.0
    }
}

fn check_name(text: &str) -> Result<(), ScalarError> {
    plain_name(text, "a name", &['-', '_', '.'], 63)
}

impl SecretName {
    /// The placeholder's name in a tracked template: upper case, with underscores. `tailscale-authkey` becomes `TAILSCALE_AUTHKEY`.
    pub fn placeholder(&self) -> String {
        self.0.to_ascii_uppercase().replace(['-', '.'], "_")
    }
}

/// Whether a text can be the name of a secret in talosmith.yaml.
pub fn is_secret_name(text: &str) -> bool {
    check_secret_name(text).is_ok()
}

fn check_secret_name(text: &str) -> Result<(), ScalarError> {
    if text.starts_with("tskey-") || text.contains("://") {
        return Err(ScalarError::new("a secret is referenced by its name, not by its value")
            .note("this file is tracked by Git")
            .help("list its sources under `secrets` in talosmith.yaml, and write the name of that key here"));
    }
    plain_name(text, "the name of a secret", &['-', '_', '.'], 63)
}

fn check_dns_label(text: &str) -> Result<(), ScalarError> {
    dns_label(text).map_err(|why| hostname_fault(text, &why))
}

fn check_hostname(text: &str) -> Result<(), ScalarError> {
    if text.len() > 253 {
        return Err(hostname_fault(text, &format!("{} characters; 253 at most", text.len())));
    }
    for label in text.split('.') {
        dns_label(label).map_err(|why| hostname_fault(text, &why))?;
    }
    Ok(())
}

fn check_object_name(text: &str) -> Result<(), ScalarError> {
    check_hostname(text)
        .map_err(|why| ScalarError { message: format!("`{text}` is not the name of a Kubernetes object"), ..why })
}

fn check_dns_domain(text: &str) -> Result<(), ScalarError> {
    let fault = |why| ScalarError { message: format!("`{text}` is not a DNS domain"), ..why };
    check_hostname(text).map_err(fault).map_err(|why| match text.strip_suffix('.') {
        Some(domain) if check_hostname(domain).is_ok() => why.help(format!("write `{domain}`")),
        _ => why,
    })
}

fn hostname_fault(text: &str, why: &str) -> ScalarError {
    let fault = ScalarError::new(format!("`{text}` is not a hostname")).label(why.to_owned());
    let fixed = text.to_ascii_lowercase().replace(['_', ' '], "-");
    if fixed != text && fixed.split('.').all(|label| dns_label(label).is_ok()) {
        return fault.help(format!("write `{fixed}`"));
    }
    fault
}

fn dns_label(text: &str) -> Result<(), String> {
    if text.is_empty() {
        return Err("an empty part".to_owned());
    }
    if text.len() > 63 {
        return Err(format!("a part of {} characters; 63 at most", text.len()));
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        return Err(format!("`{}` is not allowed: lower-case letters, digits and `-` are", bad.escape_debug()));
    }
    if text.starts_with('-') || text.ends_with('-') {
        return Err("a part begins or ends with `-`".to_owned());
    }
    Ok(())
}

fn check_volume_name(text: &str) -> Result<(), ScalarError> {
    let fault = || ScalarError::new(format!("`{text}` is not a valid volume name"));
    if text.is_empty() || text.chars().count() > 34 {
        return Err(fault()
            .label(format!("{} characters; 1 to 34 are allowed", text.chars().count()))
            .note("the partition's label is `u-<name>`, and a GPT label has 36 characters at most"));
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == '-')) {
        let fault = fault().label(format!("`{}` is not allowed: letters, digits and `-` are", bad.escape_debug()));
        let fixed = text.replace(['_', '.', ' '], "-");
        let is_fixed = fixed.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        return Err(if is_fixed { fault.help(format!("write `{fixed}`")) } else { fault });
    }
    Ok(())
}

fn check_cel(text: &str) -> Result<(), ScalarError> {
    if text.trim().is_empty() || text.contains('\n') {
        return Err(ScalarError::new("a selector is a CEL expression on one line")
            .help("write an expression such as `disk.transport == 'nvme'`, or `\"!system_disk\"` in quotes"));
    }
    Ok(talosmith_machinery::cel::check_syntax(text)?)
}

fn check_argument(text: &str) -> Result<(), ScalarError> {
    if text.is_empty() || text.contains(char::is_whitespace) {
        return Err(ScalarError::new(format!("`{}` is not one argument", text.escape_debug()))
            .note("containerboot splits TS_EXTRA_ARGS at white space")
            .help("write each argument as an item of its own"));
    }
    Ok(())
}

fn check_environment_variable(text: &str) -> Result<(), ScalarError> {
    let bare = text.trim_start_matches('$').trim_start_matches('{').trim_end_matches('}');
    let good = |text: &str| {
        !text.is_empty()
            && !text.starts_with(|c: char| c.is_ascii_digit())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if good(text) {
        return Ok(());
    }
    let fault = ScalarError::new(format!("`{text}` is not a valid name of an environment variable"));
    Err(if good(bare) { fault.help(format!("write `{bare}`")) } else { fault })
}

fn check_op_reference(text: &str) -> Result<(), ScalarError> {
    let parts = text.strip_prefix("op://").map(|rest| rest.split('/').collect::<Vec<_>>());
    match parts {
        Some(parts) if (3..=4).contains(&parts.len()) && parts.iter().all(|part| !part.is_empty()) => Ok(()),
        _ => Err(ScalarError::new(format!("`{text}` is not a 1Password secret reference"))
            .help("write `op://<vault>/<item>/<field>`")),
    }
}

fn check_model_key(text: &str) -> Result<(), ScalarError> {
    if text.split('.').any(str::is_empty) || text.contains(char::is_whitespace) {
        return Err(ScalarError::new(format!("`{text}` is not a model key"))
            .help("write a key such as `hostname` or `volumes.EPHEMERAL`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn volume_names_are_what_talos_takes() {
        for good in ["a", "blockfile-scratch", "EPHEMERAL", &"x".repeat(34)] {
            assert!(good.parse::<VolumeName>().is_ok(), "{good}");
        }
        let fault = "local_path".parse::<VolumeName>().expect_err("an underscore");
        assert_eq!(fault.label, "`_` is not allowed: letters, digits and `-` are");
        assert_eq!(fault.help.as_deref(), Some("write `local-path`"));
        assert!("x".repeat(35).parse::<VolumeName>().is_err());
        assert!("".parse::<VolumeName>().is_err());
    }

    #[test]
    fn hostnames_are_dns_names() {
        for good in ["ryzen", "a-1.example.net", "1"] {
            assert!(good.parse::<Hostname>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "a..b", "Ryzen", "a_b", "a b", &"x".repeat(64), &"a.".repeat(127)] {
            assert!(bad.parse::<Hostname>().is_err(), "{bad}");
        }
        assert_eq!("My_Node".parse::<Hostname>().expect_err("case").help.as_deref(), Some("write `my-node`"));
    }

    #[test]
    fn objects_have_the_names_of_hosts() {
        for good in ["fast-node-1", "fast.example.net"] {
            assert!(good.parse::<ObjectName>().is_ok(), "{good}");
        }
        let fault = "Fast_1".parse::<ObjectName>().expect_err("case");
        assert_eq!(fault.message, "`Fast_1` is not the name of a Kubernetes object");
        assert_eq!(fault.help.as_deref(), Some("write `fast-1`"));
    }

    #[test]
    fn a_secret_is_named_and_never_written() {
        assert!("tailscale-authkey".parse::<SecretName>().is_ok());
        assert_eq!("tailscale-authkey".parse::<SecretName>().expect("a name").placeholder(), "TAILSCALE_AUTHKEY");
        for bad in ["tskey-auth-k-1", "op://a/b/c"] {
            let fault = bad.parse::<SecretName>().expect_err(bad);
            assert!(!format!("{fault:?}").contains(bad), "the text is repeated: {fault:?}");
        }
    }
}
