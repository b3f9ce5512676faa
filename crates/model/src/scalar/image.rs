//! Images, and what they are made of.

use super::{ScalarError, string_scalars};

string_scalars! {
    /// A container image with a tag or a digest, or both.
    pub Image: check_image;
    /// A tag of an image or of a Git repository.
    pub Tag: check_tag;
    /// The name of a system extension as schematics have it: `siderolabs/<name>`.
    pub Extension: check_extension;
    pub KernelArgument: check_kernel_argument;
}

impl Image {
    /// The reference without tag and digest.
    pub fn name(&self) -> &str {
        let tag = self.tag().map_or(0, |tag| tag.len() + 1);
        let digest = self.digest().map_or(0, |digest| digest.len() + 1);
        &self.0[..self.0.len() - tag - digest]
    }

    pub fn tag(&self) -> Option<&str> {
        let name = self.0.split_once('@').map_or(self.0.as_str(), |(name, _)| name);
        let last = name.rsplit_once('/').map_or(name, |(_, last)| last);
        last.split_once(':').map(|(_, tag)| tag)
    }

    /// The digest with its algorithm, if there is one.
    pub fn digest(&self) -> Option<&str> {
        self.0.split_once('@').map(|(_, digest)| digest)
    }
}

fn check_image(text: &str) -> Result<(), ScalarError> {
    let fault = |why: &str| {
        ScalarError::new(format!("`{text}` is not a container image"))
            .label(why.to_owned())
            .help("write `<registry>/<name>:<tag>` or `<registry>/<name>@sha256:<digest>`")
    };
    let (name, digest) = match text.split_once('@') {
        Some((name, digest)) => (name, Some(digest)),
        None => (text, None),
    };
    if let Some(digest) = digest {
        let hex = digest.strip_prefix("sha256:").ok_or_else(|| fault("the digest is not sha256"))?;
        if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)) {
            return Err(fault("a digest is 64 hexadecimal digits"));
        }
    }
    let last = name.rsplit_once('/').map_or(name, |(_, last)| last);
    let tag = last.split_once(':').map(|(_, tag)| tag);
    if tag.is_none() && digest.is_none() {
        return Err(fault("neither tag nor digest"));
    }
    if let Some(tag) = tag {
        tag.parse::<Tag>().map_err(|_| fault("the tag has characters that a tag must not have"))?;
    }
    let path = tag.map_or(name, |tag| &name[..name.len() - tag.len() - 1]);
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '/' | ':');
    if path.is_empty() || !path.chars().all(allowed) || path.split('/').any(str::is_empty) {
        return Err(fault("the name has characters that a name must not have"));
    }
    Ok(())
}

fn check_tag(text: &str) -> Result<(), ScalarError> {
    let good = (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        && !text.starts_with(['.', '-']);
    if good { Ok(()) } else { Err(ScalarError::new(format!("`{text}` is not a tag"))) }
}

fn check_extension(text: &str) -> Result<(), ScalarError> {
    let good = |text: &str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    if text.strip_prefix("siderolabs/").is_some_and(good) {
        return Ok(());
    }
    let fault = ScalarError::new(format!("`{text}` is not the name of an official extension"));
    let name = text.rsplit('/').next().unwrap_or(text).split([':', '@']).next().unwrap_or(text);
    Err(if good(name) {
        fault.label(format!("did you mean `siderolabs/{name}`?"))
    } else {
        fault.help("write a name such as `siderolabs/tailscale`")
    })
}

fn check_kernel_argument(text: &str) -> Result<(), ScalarError> {
    if text.is_empty() {
        return Err(ScalarError::new("a kernel argument is empty"));
    }
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => {
                let parts: Vec<String> = text.split_whitespace().map(|part| format!("- {part}")).collect();
                return Err(ScalarError::new(format!("`{}` is more than one kernel argument", text.escape_debug()))
                    .note("as one item it changes the ID of the schematic")
                    .help(format!("write one item each:\n{}", parts.join("\n"))));
            }
            c if c.is_control() => {
                return Err(ScalarError::new("a kernel argument contains a control character"));
            }
            _ => {}
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_have_a_tag_or_a_digest() {
        let digest = "a".repeat(64);
        for good in [
            "debian:bookworm",
            "localhost:5000/a/b:1",
            &format!("rocm/x@sha256:{digest}"),
            &format!("r/x:1@sha256:{digest}"),
        ] {
            assert!(good.parse::<Image>().is_ok(), "{good}");
        }
        for bad in [
            "debian",
            "localhost:5000/a",
            "a@sha256:1",
            "a@md5:x",
            "a b:1",
            ":1",
            "a//b:1",
            "a:",
            &format!("@sha256:{digest}"),
        ] {
            assert!(bad.parse::<Image>().is_err(), "{bad}");
        }
        let digest = format!("sha256:{digest}");
        for (text, parts) in [
            ("localhost:5000/a:v1".to_owned(), ("localhost:5000/a", Some("v1"), None)),
            (format!("r/x:1@{digest}"), ("r/x", Some("1"), Some(digest.as_str()))),
            (format!("localhost:5000/x@{digest}"), ("localhost:5000/x", None, Some(digest.as_str()))),
        ] {
            let image: Image = text.parse().expect("an image");
            assert_eq!((image.name(), image.tag(), image.digest()), parts, "{text}");
        }
    }

    #[test]
    fn a_space_splits_kernel_arguments_unless_it_is_quoted() {
        assert!("dyndbg=\"file a.c +p\"".parse::<KernelArgument>().is_ok());
        let fault = "quiet splash".parse::<KernelArgument>().expect_err("a space");
        assert_eq!(fault.help.as_deref(), Some("write one item each:\n- quiet\n- splash"));
    }

    #[test]
    fn extensions_carry_their_owner() {
        assert!("siderolabs/amd-ucode".parse::<Extension>().is_ok());
        let fault = "ghcr.io/siderolabs/tailscale:1.92.3".parse::<Extension>().expect_err("an image");
        assert_eq!(fault.label, "did you mean `siderolabs/tailscale`?");
    }
}
