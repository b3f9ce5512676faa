//! What a user's template may contain, so that it ends soon and takes little memory whoever wrote it. Steps are counted while it is
//! rendered, but one step can double a string or a list.

use std::io;
use std::ops::Range;

use minijinja::{Environment, Error, State, Value};

use crate::engine::error::{TemplateError, TemplateErrorKind};
use crate::engine::filter_error::FilterError;

/// The greatest size of a template, in bytes: ten times that of the longest built-in one.
const MAX_TEMPLATE: usize = 64 << 10;

/// The greatest length of what is in `{{ }}` or `{% %}`, in bytes. The engine calls itself for each operator.
const MAX_TAG: usize = 1 << 10;

/// The most `~` and `+` in one tag.
const MAX_JOINS: usize = 32;

/// The greatest size of what one template renders, in bytes.
const MAX_OUTPUT: usize = 4 << 20;

/// The greatest size of the result of a filter, in bytes.
const MAX_RESULT: usize = 256 << 10;

/// The greatest number of a range.
const MAX_RANGE: isize = 1_000;

const STATEMENTS: [&str; 9] = ["if", "elif", "else", "endif", "for", "endfor", "include", "set", "with"];

/// Returns why a user's template is refused.
pub fn template_fault(name: &str, text: &str) -> Option<TemplateError> {
    let fault = |range: Range<usize>, message: String| TemplateError {
        template: name.to_owned(),
        range: Some(range),
        kind: TemplateErrorKind::Other,
        message,
    };
    if text.len() > MAX_TEMPLATE {
        return Some(fault(0..0, format!("the template has {} bytes, more than 64 KiB", text.len())));
    }
    let mut at = 0;
    while let Some(tag) = next_tag(text, at) {
        if let Some(message) = tag_fault(text, &tag) {
            return Some(fault(tag, message));
        }
        at = tag.end;
        let statement = statement(&text[tag]);
        if matches!(statement, "raw") {
            // Everything up to the end is text.
            at = text[at..].find("endraw").map_or(text.len(), |length| at + length + "endraw".len());
        }
    }
    None
}

/// The bytes of the next expression or statement, without its delimiters.
fn next_tag(text: &str, from: usize) -> Option<Range<usize>> {
    let mut at = from;
    loop {
        at += text[at..].find('{')?;
        match text.as_bytes().get(at + 1) {
            Some(b'#') => at += text[at..].find("#}")?,
            Some(b'{' | b'%') => break,
            _ => at += 1,
        }
    }
    let start = at + 2;
    let end = if text.as_bytes()[at + 1] == b'{' { "}}" } else { "%}" };
    let mut quote = None;
    let mut is_escaped = false;
    for (offset, c) in text[start..].char_indices() {
        match (quote, c) {
            (None, _) if text[start + offset..].starts_with(end) => return Some(start..start + offset),
            (None, '"' | '\'') => quote = Some(c),
            (Some(_), '\\') if !is_escaped => {
                is_escaped = true;
                continue;
            }
            (Some(open), _) if c == open && !is_escaped => quote = None,
            _ => {}
        }
        is_escaped = false;
    }
    Some(start..text.len())
}

/// The keyword of a statement; empty for an expression.
fn statement(tag: &str) -> &str {
    let tag = tag.trim_start_matches(['-', '+']).trim_start();
    &tag[..tag.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(tag.len())]
}

fn tag_fault(text: &str, range: &Range<usize>) -> Option<String> {
    let tag = &text[range.clone()];
    if tag.len() > MAX_TAG {
        return Some(format!("this has {} bytes, more than {MAX_TAG}", tag.len()));
    }
    let code = without_strings(tag);
    if code.contains('*') {
        return Some("`*` is not possible in a template".to_owned());
    }
    if code.matches(['~', '+']).count() > MAX_JOINS {
        return Some(format!("this joins more than {MAX_JOINS} values"));
    }
    if !text[..range.start].ends_with("{%") {
        return None;
    }
    let keyword = statement(tag);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '|' | '=' | ' ' | '-' | '\n');
    match keyword {
        "raw" | "endraw" | "endwith" => None,
        "set" | "with" if !code.contains('=') || !code.chars().all(is_plain) => {
            Some(format!("only `{keyword} name = value.of.the.plan` is possible here"))
        }
        "for" if code.split_whitespace().any(|word| word == "recursive") => {
            Some("`recursive` is not possible in a template".to_owned())
        }
        keyword if STATEMENTS.contains(&keyword) || keyword.is_empty() => None,
        keyword => Some(format!("`{keyword}` is not possible in a template")),
    }
}

/// The code of a tag, with nothing in its quotes.
fn without_strings(tag: &str) -> String {
    let mut code = String::with_capacity(tag.len());
    let mut chars = tag.chars();
    while let Some(c) = chars.next() {
        code.push(c);
        if matches!(c, '"' | '\'') {
            while let Some(inner) = chars.next() {
                match inner {
                    '\\' => drop(chars.next()),
                    inner if inner == c => break,
                    _ => {}
                }
            }
        }
    }
    code
}

/// Removes what can make a short value long, or puts what has a bound in its place.
pub(super) fn install(environment: &mut Environment<'static>) {
    for filter in ["indent", "center", "batch", "slice", "format", "urlencode", "tojson"] {
        environment.remove_filter(filter);
    }
    environment.remove_global("namespace");
    environment.add_filter("join", join);
    environment.add_filter("replace", replace);
    environment.add_function("range", range);
}

fn join(_: &State<'_, '_>, items: &Value, separator: Option<&str>) -> Result<Value, Error> {
    let separator = separator.unwrap_or_default();
    let mut joined = String::new();
    for (index, item) in items.try_iter()?.enumerate() {
        if index > 0 {
            joined.push_str(separator);
        }
        match item.as_str() {
            Some(text) => joined.push_str(text),
            None => joined.push_str(&item.to_string()),
        }
        if joined.len() > MAX_RESULT {
            return Err(TOO_LONG.into());
        }
    }
    Ok(Value::from(joined))
}

fn replace(_: &State<'_, '_>, text: &str, from: &str, to: &str) -> Result<Value, Error> {
    let more = text.matches(from).count().saturating_mul(to.len());
    if text.len().saturating_add(more) > MAX_RESULT { Err(TOO_LONG.into()) } else { Ok(text.replace(from, to).into()) }
}

fn range(first: isize, end: Option<isize>, step: Option<isize>) -> Result<Value, Error> {
    let (start, end) = end.map_or((0, first), |end| (first, end));
    let step = step.unwrap_or(1);
    if step < 1 || start.saturating_abs().max(end.saturating_abs()) > MAX_RANGE {
        return Err(FilterError("a range has numbers up to 1000, and counts up").into());
    }
    Ok((start..end).step_by(step.unsigned_abs()).map(|number| Value::from(number as i64)).collect())
}

const TOO_LONG: FilterError = FilterError("the result has more than 256 KiB");

/// The output of a template, which fails when it gets too long.
#[derive(Default)]
pub(super) struct BoundedOutput(Vec<u8>);

impl BoundedOutput {
    pub(super) fn into_string(self) -> String {
        String::from_utf8(self.0).unwrap_or_default()
    }
}

impl io::Write for BoundedOutput {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > MAX_OUTPUT {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Option<String> {
        template_fault("t.yaml.j2", text).map(|error| error.message)
    }

    #[test]
    fn templates_of_users_have_conditions_loops_and_names() {
        for good in [
            "a: {{ \"x*y\" ~ b | upper }}\n{% for c in d if c.e %}{% if c %}{{ c }}{% else %}*{% endif %}{% endfor %}\n",
            "{# {% macro m() %} * #}{% set x = device.name %}{%- include 'part/kata.toml.j2' -%}\n",
            "{% raw %}{% macro m() %}{{ a * b }}{% endraw %}{% with x = a.b | lower %}{{ x }}{% endwith %}",
            "{ { {% if a == '%} }}' %}{% endif %}",
        ] {
            assert_eq!(fault(good), None, "{good}");
        }
    }

    #[test]
    fn what_can_grow_without_bound_is_refused() {
        let nested = format!("a: {{{{ {}1{} }}}}", "[".repeat(100_000), "]".repeat(100_000));
        for bad in [
            "{% set ns = namespace(x=['a']) %}",
            "{% set x = x ~ x %}",
            "{% set x = [x, x] %}",
            "{% set x %}{{ x }}{{ x }}{% endset %}",
            "{% macro m(x) %}{{ m(x) }}{% endmacro %}",
            "{%- call m() %}{% endcall %}",
            "{% filter upper %}{% endfilter %}",
            "{% for a in b recursive %}{{ loop(a) }}{% endfor %}",
            "{{ \"a\" * 10000000 }}",
            "{{ '\\'' * 10000000 }}",
            "{% block a %}{% endblock %}",
            "{% raw %}{% endraw %}{{ 2 * 2 }}",
            nested.as_str(),
            &format!("{{{{ {}true }}}}", "not ".repeat(100_000)),
            &format!("{{{{ a{} }}}}", "~a".repeat(33)),
            &"a".repeat(MAX_TEMPLATE + 1),
        ] {
            assert!(fault(bad).is_some(), "{}", &bad[..bad.len().min(60)]);
        }
    }
}
