//! URLs as Go has them: their parts, and a URL of the parts of two.
//!
//! Source: Go's net/url, `Parse` and `String`; Talos merges the parts of two URLs one by one (pkg/machinery/config/merge).

/// The parts of a URL; empty where it has none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Parts<'t> {
    scheme: &'t str,
    /// What follows the scheme, if it does not start with a slash.
    opaque: &'t str,
    /// Before the `@`.
    user: &'t str,
    /// With its port.
    host: &'t str,
    path: &'t str,
    query: &'t str,
    fragment: &'t str,
}

impl<'t> Parts<'t> {
    fn of(text: &'t str) -> Self {
        let (text, fragment) = text.split_once('#').unwrap_or((text, ""));
        let (text, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = crate::format::scheme(text);
        let parts = Self { scheme, query, fragment, ..Self::default() };
        if !scheme.is_empty() && !rest.starts_with('/') {
            return Self { opaque: rest, ..parts };
        }
        let Some(rest) = rest.strip_prefix("//") else { return Self { path: rest, ..parts } };
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        Self { user, host, path, ..parts }
    }

    fn text(self) -> String {
        let mut text = String::new();
        if !self.scheme.is_empty() {
            text.push_str(&format!("{}:", self.scheme.to_lowercase()));
        }
        if self.opaque.is_empty() {
            if !(self.scheme.is_empty() && self.host.is_empty() && self.user.is_empty()) {
                text.push_str("//");
                text.push_str(self.user);
                text.push_str(if self.user.is_empty() { "" } else { "@" });
                text.push_str(self.host);
            }
            text.push_str(if !self.path.is_empty() && !self.path.starts_with('/') && !self.host.is_empty() {
                "/"
            } else {
                ""
            });
            text.push_str(self.path);
        } else {
            text.push_str(self.opaque);
        }
        for (mark, part) in [('?', self.query), ('#', self.fragment)] {
            if !part.is_empty() {
                text.push(mark);
                text.push_str(part);
            }
        }
        text
    }
}

/// Merges a URL into another one: each part that it has replaces the part before.
pub(crate) fn merged(old: &str, new: &str) -> String {
    let (old, new) = (Parts::of(old), Parts::of(new));
    Parts {
        scheme: later(old.scheme, new.scheme),
        opaque: later(old.opaque, new.opaque),
        user: later(old.user, new.user),
        host: later(old.host, new.host),
        path: later(old.path, new.path),
        query: later(old.query, new.query),
        fragment: later(old.fragment, new.fragment),
    }
    .text()
}

const fn later<'t>(old: &'t str, new: &'t str) -> &'t str {
    if new.is_empty() { old } else { new }
}

#[cfg(test)]
mod tests {
    use super::merged;

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
            assert_eq!(merged(old, new), expected, "{old} {new}");
        }
    }
}
