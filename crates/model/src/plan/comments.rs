//! The comments of the user's files.

use camino::Utf8Path;

use crate::fleet::ArtifactFormat;

/// How a comment begins and ends.
pub type Comment = (&'static str, &'static str);

/// The comments that a file can have; the schema of `comment` lists them without the spaces.
pub const COMMENTS: [Comment; 9] = [
    ("# ", ""),
    ("// ", ""),
    ("; ", ""),
    ("-- ", ""),
    ("% ", ""),
    ("! ", ""),
    ("\" ", ""),
    ("<!-- ", " -->"),
    ("/* ", " */"),
];

/// Returns the comment that the model names by its signs.
pub(super) fn of_signs(signs: &str) -> Option<Comment> {
    COMMENTS
        .into_iter()
        .find(|(start, end)| signs.strip_prefix(start.trim_end()).is_some_and(|rest| rest.trim() == end.trim()))
}

/// Returns the comment that files of a format and a name have; none if that is not known.
pub(super) fn of_file(format: ArtifactFormat, path: &Utf8Path) -> Option<Comment> {
    let signs = match (format, path.extension()) {
        (ArtifactFormat::Json, _) => return None,
        (ArtifactFormat::Yaml | ArtifactFormat::Toml, _) => "#",
        (ArtifactFormat::Hujson, _) => "//",
        (ArtifactFormat::Markdown, _) => "<!-- -->",
        // Such as Makefile, Corefile, or crontab.
        (ArtifactFormat::Text, None) => "#",
        (ArtifactFormat::Text, Some(extension)) => of_extension(extension)?,
    };
    of_signs(signs)
}

/// Returns the signs of the comments of files with an extension.
fn of_extension(extension: &str) -> Option<&'static str> {
    Some(match extension {
        "bash" | "cfg" | "cmake" | "cnf" | "conf" | "config" | "env" | "fish" | "graphql" | "hcl" | "hosts"
        | "http" | "list" | "nft" | "nix" | "nomad" | "pl" | "preseed" | "properties" | "ps1" | "py" | "rb"
        | "repo" | "rules" | "service" | "sh" | "socket" | "tf" | "tfvars" | "timer" | "toml" | "txt" | "yaml"
        | "yml" | "zsh" => "#",
        "c" | "cc" | "cpp" | "cs" | "cue" | "dot" | "go" | "h" | "java" | "js" | "jsonc" | "jsonnet" | "kdl" | "kt"
        | "libsonnet" | "proto" | "rs" | "scss" | "swift" | "ts" => "//",
        "asm" | "db" | "el" | "ini" | "zone" => ";",
        "dhall" | "hs" | "lua" | "sql" => "--",
        "erl" | "tex" => "%",
        "vim" => "\"",
        "htm" | "html" | "md" | "plist" | "svg" | "xml" => "<!-- -->",
        "css" => "/* */",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_comment_is_known_by_its_signs() {
        for (start, end) in COMMENTS {
            assert_eq!(of_signs(&format!("{start}{end}").trim().replace("  ", " ")), Some((start, end)));
        }
        assert_eq!(of_signs("#!"), None);
    }

    #[test]
    fn the_comment_follows_from_the_format_and_the_extension() {
        let of = |format, path: &str| of_file(format, path.into()).map(|(start, _)| start);
        assert_eq!(of(ArtifactFormat::Json, "a.js"), None);
        assert_eq!(of(ArtifactFormat::Yaml, "a.js"), Some("# "));
        assert_eq!(of(ArtifactFormat::Text, "a.js"), Some("// "));
        assert_eq!(of(ArtifactFormat::Text, "Makefile"), Some("# "));
        assert_eq!(of(ArtifactFormat::Text, "a.strange"), None);
    }
}
