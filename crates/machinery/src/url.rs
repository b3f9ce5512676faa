//! URLs as Go's `net/url` parses, formats and Talos merges them.
//!
//! Source: Go's net/url, `Parse` and `String`; github.com/siderolabs/talos, pkg/machinery/config/merge, which merges structs field by field.

/// A URL by its parts; empty where it has none.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Url<'a> {
    /// Before the first colon, in lower case.
    pub scheme: String,
    /// What follows the scheme if it does not start with a slash.
    opaque: &'a str,
    /// The user and the password before the `@`.
    user: &'a str,
    /// The host with its port, as it is written.
    authority: &'a str,
    /// The name or address, without brackets.
    pub host: &'a str,
    /// After the host's colon.
    pub port: &'a str,
    pub path: &'a str,
    query: &'a str,
    fragment: &'a str,
}

/// The scheme of a URL, empty if there is none, and what follows.
pub(crate) fn scheme(text: &str) -> (&str, &str) {
    let is_scheme = |scheme: &str| {
        scheme.starts_with(|first: char| first.is_ascii_alphabetic())
            && scheme.chars().all(|each| each.is_ascii_alphanumeric() || "+-.".contains(each))
    };
    text.split_once(':').filter(|(scheme, _)| is_scheme(scheme)).unwrap_or(("", text))
}

impl<'a> Url<'a> {
    /// Splits a URL.
    pub(crate) fn parse(text: &'a str) -> Self {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (scheme, rest) = scheme(text);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let url = Self { scheme: scheme.to_lowercase(), query, fragment, ..Self::default() };
        if !scheme.is_empty() && !rest.starts_with('/') {
            return Self { opaque: rest, ..url };
        }
        let Some(rest) = rest.strip_prefix("//") else { return Self { path: rest, ..url } };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, authority) = authority.rsplit_once('@').unwrap_or(("", authority));
        Self { user, path, ..url }.with_authority(authority)
    }

    fn with_authority(self, authority: &'a str) -> Self {
        let (host, port) = match authority.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
            Some((host, port)) => (host, port.strip_prefix(':').unwrap_or_default()),
            None => authority.split_once(':').unwrap_or((authority, "")),
        };
        Self { authority, host, port, ..self }
    }

    /// Merges another URL into this one: each part of it replaces the part here.
    pub(crate) fn merge(self, other: Self) -> Self {
        const fn later<'t>(old: &'t str, new: &'t str) -> &'t str {
            if new.is_empty() { old } else { new }
        }
        let merged = Self {
            scheme: if other.scheme.is_empty() { self.scheme } else { other.scheme },
            opaque: later(self.opaque, other.opaque),
            user: later(self.user, other.user),
            path: later(self.path, other.path),
            query: later(self.query, other.query),
            fragment: later(self.fragment, other.fragment),
            ..Self::default()
        };
        merged.with_authority(later(self.authority, other.authority))
    }
}

impl std::fmt::Display for Url<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if !self.opaque.is_empty() {
            f.write_str(self.opaque)?;
        } else {
            if !(self.scheme.is_empty() && self.authority.is_empty() && self.user.is_empty()) {
                let at = if self.user.is_empty() { "" } else { "@" };
                write!(f, "//{}{at}{}", self.user, self.authority)?;
            }
            let needs_slash = !self.authority.is_empty() && !self.path.is_empty() && !self.path.starts_with('/');
            write!(f, "{}{}", if needs_slash { "/" } else { "" }, self.path)?;
        }
        for (mark, part) in [('?', self.query), ('#', self.fragment)].iter().filter(|(_, part)| !part.is_empty()) {
            write!(f, "{mark}{part}")?;
        }
        Ok(())
    }
}

/// Whether a string is an endpoint: a URL with a host, and a port from 1 to 65535 if it has one.
///
/// Source: github.com/siderolabs/net, `ValidateEndpointURI`.
pub(crate) fn is_endpoint(text: &str) -> bool {
    let url = Url::parse(text);
    let port = |port: &str| port.parse::<u16>().is_ok_and(|port| port > 0);
    !url.host.is_empty() && (url.port.is_empty() || port(url.port))
}

#[cfg(test)]
mod tests {
    use super::Url;

    #[test]
    fn each_part_replaces_the_one_before() {
        let cases = [
            ("https://a:6443", "https://b:6443", "https://b:6443"),
            ("https://discovery.talos.dev/", "https://b.example", "https://b.example/"),
            ("https://[2001:db8::1]:6443", "6443", "https://[2001:db8::1]:6443/6443"),
            ("https://a/x?q#f", "HTTP://u@b/y", "http://u@b/y?q#f"),
            ("https://a/x", "?q=1", "https://a/x?q=1"),
            ("", "https://a:1", "https://a:1"),
            ("https://a", "b:c", "b:c"),
        ];
        for (old, new, expected) in cases {
            assert_eq!(Url::parse(old).merge(Url::parse(new)).to_string(), expected, "{old} {new}");
        }
    }
}
