//! Templates: minijinja, set up so that no value can change the structure of the document around it.
//!
//! The name of a template specifies its language (`hostname.patch.yaml.j2` is YAML), and every `{{ value }}` is written in the
//! notation of that language. There is no way to write a value without its quotes. Undefined names are errors; templates have no
//! access to the environment, files or the clock.

mod filter_error;
mod error;
mod bounds;
mod shell;
mod language;
mod shadow;
mod filters;
mod suggestion;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use bounds::BoundedOutput;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, Output, OutputSpan, State, UndefinedBehavior, Value};
use suggestion::Failure;

pub use bounds::template_fault;
pub use error::{TemplateError, TemplateErrorKind, TemplateOrigin};
pub(crate) use language::Language;
pub(crate) use shadow::Shadow;
pub(crate) use shell::unprotected_value;

/// The steps of minijinja that one render may take: about a thousand times what a built-in template needs, and well below a second.
const FUEL: u64 = 1_000_000;

type Templates = BTreeMap<Cow<'static, str>, Cow<'static, str>>;

/// All templates of a run. A template is parsed when it is first rendered. Threads can share an engine.
pub(crate) struct Engine {
    templates: Arc<Templates>,
    environment: Arc<Environment<'static>>,
    /// The same, but with a stand-in for every value.
    shadow: OnceLock<Environment<'static>>,
}

impl Engine {
    pub(crate) fn new<N: Into<Cow<'static, str>>, T: Into<Cow<'static, str>>>(
        templates: impl IntoIterator<Item = (N, T)>,
    ) -> Self {
        let templates = templates.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
        let templates = Arc::new(templates);
        let environment = Arc::new(environment(&templates, None));
        Self { templates, environment, shadow: OnceLock::new() }
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.templates.get(name).map(AsRef::as_ref)
    }

    pub(crate) fn render(&self, name: &str, context: &Value) -> Result<String, TemplateError> {
        let mut output = BoundedOutput::default();
        let template = self.environment.get_template(name);
        match template.and_then(|template| template.render_captured_to(context.clone(), &mut output).map(drop)) {
            Ok(()) => Ok(output.into_string()),
            Err(error) => Err(self.error(&error, name, context)),
        }
    }

    /// Renders a template with a stand-in for every value.
    pub(crate) fn render_shadow(&self, name: &str, context: &Value) -> Result<(String, Shadow), TemplateError> {
        let template = self.shadow_environment().get_template(name);
        let captured = template.and_then(|template| template.render_captured(context.clone()));
        let mut captured = captured.map_err(|error| self.error(&error, name, context))?;
        let shadow = captured.with_state_mut(|state| state.get_extension_mut().map(std::mem::take));
        Ok((captured.into_output(), shadow.unwrap_or_default()))
    }

    /// Renders a template with its values and with stand-ins. The spans map each piece of the output to the template that wrote it.
    /// None if it cannot be rendered.
    pub(crate) fn render_with_origins(&self, name: &str, context: &Value) -> Option<[(String, Vec<OutputSpan>); 2]> {
        let render = |environment: &Environment<'static>| {
            environment.get_template(name).and_then(|template| template.render_with_spans(context.clone())).ok()
        };
        Some([render(&self.environment)?, render(self.shadow_environment())?])
    }

    fn shadow_environment(&self) -> &Environment<'static> {
        self.shadow.get_or_init(|| environment(&self.templates, Some(Arc::clone(&self.environment))))
    }

    fn error(&self, error: &Error, root: &str, context: &Value) -> TemplateError {
        let mut error = TemplateError::from_error(error, root, |name| self.text(name));
        let TemplateError { template, range, kind, .. } = &mut error;
        if let (TemplateErrorKind::Undefined { name, suggestion }, Some(range)) = (kind, range)
            && let Some(text) = self.templates.get(template.as_str())
        {
            let failure = Failure { root, context, template, text, at: range.start, name };
            *suggestion = suggestion::nearest_name(&self.environment, &failure);
            *range = suggestion::last_word(text, name, range.clone());
        }
        error
    }
}

// The `Debug` of minijinja's environment prints every template.
impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("templates", &self.templates.keys()).finish_non_exhaustive()
    }
}

/// Converts a value to one of the template engine, which serializes it only where a template uses it.
pub(crate) fn template_value(value: &impl serde::Serialize) -> Value {
    Value::from(Serde(value))
}

/// Creates an environment of the template engine; with `original`, the one that writes stand-ins for it.
fn environment(templates: &Arc<Templates>, original: Option<Arc<Environment<'static>>>) -> Environment<'static> {
    let mut environment = Environment::new();
    let templates = Arc::clone(templates);
    environment.set_loader(move |name| Ok(templates.get(name).map(|text| text.clone().into_owned())));
    environment.set_auto_reload(false);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // Errors then contain the undefined expression. The debug output, which contains values, is never shown.
    environment.set_debug(true);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    environment.set_auto_escape_callback(|name| AutoEscape::Custom(Language::of(name).name().into()));

    let hides = original.is_some();
    environment.set_formatter(move |out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value| {
        filters::write(out, state, value, hides)
    });
    filters::install(&mut environment, original);
    bounds::install(&mut environment);
    environment
}

#[cfg(test)]
mod tests;
