//! Where hand-written files have values that are those of devices.

use super::path::check_relative_path;
use super::{ScalarError, string_scalars};

string_scalars! {
    /// A path below the root of the repository in which `*` and `?` match a part of a name, and one `**` any folders.
    pub FileGlob: check_file_glob;
    /// The keys that lead to values, separated by `/`; `*` matches every item or value.
    pub ValuePath: check_value_path;
}

fn check_file_glob(text: &str) -> Result<(), ScalarError> {
    let example = text.replace(['*', '?'], "x");
    check_relative_path(&example)
        .map_err(|fault| ScalarError { message: fault.message.replace(&example, text), ..fault })?;
    let wide = text.split('/').filter(|part| part.contains("**"));
    if wide.clone().any(|part| part != "**") {
        return Err(ScalarError::new(format!("`{text}` has `**` next to other characters"))
            .help("write `**` between two `/`, as in `apps/**/*.yaml`"));
    }
    if wide.count() > 1 {
        return Err(
            ScalarError::new(format!("`{text}` has `**` more than once")).help("write the folders between them")
        );
    }
    Ok(())
}

fn check_value_path(text: &str) -> Result<(), ScalarError> {
    if text.split('/').any(str::is_empty) {
        let parts: Vec<&str> = text.split('/').filter(|part| !part.is_empty()).collect();
        let fault = ScalarError::new(format!("`{}` has an empty key", text.escape_debug()));
        return Err(match parts[..] {
            [] => fault.help("write keys such as `storage/nodes/*/name`"),
            _ => fault.help(format!("write `{}`", parts.join("/").escape_debug())),
        });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_stay_in_the_repository() {
        for good in ["a.yaml", "*/a.yaml", "**/*.yaml", "a/**", "a?.y*l"] {
            assert!(good.parse::<FileGlob>().is_ok(), "{good}");
        }
        for bad in ["", "/a", "../*", "a/../*", "**/**", "a**", "a//b", ".git/*", "a:b"] {
            assert!(bad.parse::<FileGlob>().is_err(), "{bad}");
        }
    }
}
