//! Kubernetes labels. Rules: <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>.

use talosmith_document::has_other_type;

use super::{ScalarError, string_scalars};

string_scalars! {
    /// The key of a label: an optional DNS name, a slash, and a name of at most 63 characters.
    pub LabelKey: check_label_key;
    /// The value of a label: at most 63 characters, or nothing.
    pub LabelValue: check_label_value;
    /// The value and the effect of a taint, as Talos writes them: `value:NoSchedule`, or the effect alone.
    pub Taint: check_taint;
}

fn check_label_key(text: &str) -> Result<(), ScalarError> {
    let fault = |why: &str| ScalarError::new(format!("`{text}` is not a valid label key")).label(why.to_owned());
    let name = match text.split_once('/') {
        Some((prefix, name)) => {
            if prefix.parse::<super::Hostname>().is_err() || prefix.bytes().any(|byte| byte.is_ascii_uppercase()) {
                return Err(fault(&format!("`{prefix}` is not a DNS name")));
            }
            name
        }
        None => text,
    };
    if name.contains('/') {
        return Err(fault("more than one slash"));
    }
    if name.is_empty() {
        return Err(fault("no name"));
    }
    is_name(name).map_err(|why| fault(&why))
}

impl LabelValue {
    /// Returns the value as YAML, in quotes where it would not be a string without.
    pub fn in_yaml(&self) -> String {
        if self.0.is_empty() || has_other_type(&self.0) { format!("\"{}\"", self.0) } else { self.0.clone() }
    }
}

fn check_label_value(text: &str) -> Result<(), ScalarError> {
    if text.is_empty() {
        return Ok(());
    }
    is_name(text).map_err(|why| ScalarError::new(format!("`{text}` is not a valid label value")).label(why))
}

impl Taint {
    /// The effects that Kubernetes knows.
    const EFFECTS: [&str; 3] = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
}

fn check_taint(text: &str) -> Result<(), ScalarError> {
    let (value, effect) = text.rsplit_once(':').unwrap_or(("", text));
    if !Taint::EFFECTS.contains(&effect) {
        let fault = ScalarError::new(format!("`{effect}` is not an effect of a taint"));
        return Err(match talosmith_document::closest(effect, Taint::EFFECTS) {
            Some(near) => fault.label(format!("did you mean `{near}`?")),
            None => fault.help("write `NoSchedule`, `PreferNoSchedule` or `NoExecute`, or `<value>:<effect>`"),
        });
    }
    check_label_value(value)
}

fn is_name(text: &str) -> Result<(), String> {
    if text.chars().count() > 63 {
        return Err(format!("{} characters; 63 at most", text.chars().count()));
    }
    if let Some(bad) = text.chars().find(|c| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))) {
        return Err(format!("`{bad}` is not allowed: letters, digits, `-`, `_` and `.` are"));
    }
    if !text.starts_with(|c: char| c.is_ascii_alphanumeric()) || !text.ends_with(|c: char| c.is_ascii_alphanumeric()) {
        return Err("must begin and end with a letter or digit".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_what_kubernetes_takes() {
        for good in ["kata-deploy", "kubevirt.io/schedulable", "a_b.c", "x"] {
            assert!(good.parse::<LabelKey>().is_ok(), "{good}");
        }
        for bad in ["", "/a", "a/", "a/b/c", "a b", "-a", "a-", "A.io/x!", "Upper.io/x", &"x".repeat(64)] {
            assert!(bad.parse::<LabelKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn taints_have_an_effect() {
        for good in ["NoSchedule", ":NoSchedule", "gpu:NoExecute", "PreferNoSchedule"] {
            assert!(good.parse::<Taint>().is_ok(), "{good}");
        }
        for bad in ["", "gpu", "gpu:Noschedule", "a b:NoSchedule", "NoSchedule:gpu"] {
            assert!(bad.parse::<Taint>().is_err(), "{bad}");
        }
        assert_eq!("noschedule".parse::<Taint>().expect_err("case").label, "did you mean `NoSchedule`?");
    }

    #[test]
    fn values_may_be_empty() {
        for good in ["", "enabled", "true", "a_b.c-D"] {
            assert!(good.parse::<LabelValue>().is_ok(), "{good}");
        }
        for bad in ["a b", "a/b", ".a", "a.", &"x".repeat(64)] {
            assert!(bad.parse::<LabelValue>().is_err(), "{bad}");
        }
    }
}
