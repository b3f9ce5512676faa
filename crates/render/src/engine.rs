//! Templates: minijinja, set up so that no value can change the structure of what is written.
//!
//! A template's name says its language (`hostname.patch.yaml.j2` is YAML), and every `{{ value }}` is written as that
//! language writes such a value. There is no way to write a value without its quotes. Names that are not there are
//! errors; templates see no environment, no file, and no clock.

mod filters;
mod fault;
mod language;
mod refusal;
mod shadow;
mod shell;
mod suggestion;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, Output, OutputSpan, State, UndefinedBehavior, Value};
use suggestion::Failure;

pub use fault::{FaultKind, TemplateFault};
pub(crate) use language::Language;
pub(crate) use shadow::Shadow;
pub(crate) use shell::unprotected_value;

/// The steps that one render may take: some thousand times what an honest template needs, and well below a second.
const FUEL: u64 = 1_000_000;

/// Names to texts.
type Templates = BTreeMap<Cow<'static, str>, Cow<'static, str>>;

/// All templates of a run. Each is parsed when it is first rendered; threads can share one engine.
pub struct Engine {
    templates: Arc<Templates>,
    environment: Arc<Environment<'static>>,
    /// The same, but every value is replaced by a stand-in.
    shadow: OnceLock<Environment<'static>>,
}

impl Engine {
    /// An engine over templates by name, such as `hostname.patch.yaml.j2`; of two with one name the last counts.
    #[must_use]
    pub fn new<N, T>(templates: impl IntoIterator<Item = (N, T)>) -> Self
    where
        N: Into<Cow<'static, str>>,
        T: Into<Cow<'static, str>>,
    {
        let templates = templates.into_iter().map(|(name, text)| (name.into(), text.into())).collect();
        let templates = Arc::new(templates);
        let environment = Arc::new(environment(&templates, None));
        Self { templates, environment, shadow: OnceLock::new() }
    }

    /// The text of a template.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.templates.get(name).map(AsRef::as_ref)
    }

    /// Renders a template.
    ///
    /// # Errors
    /// The fault of the template, or of one that it uses.
    pub fn render(&self, name: &str, context: &Value) -> Result<String, TemplateFault> {
        let rendered = self.environment.get_template(name).and_then(|template| template.render(context.clone()));
        rendered.map_err(|error| self.fault(&error, name, context))
    }

    /// Renders a template with a stand-in for every value, and says what each stands for.
    pub(crate) fn render_shadow(&self, name: &str, context: &Value) -> Result<(String, Shadow), TemplateFault> {
        let template = self.shadow_environment().get_template(name);
        let captured = template.and_then(|template| template.render_captured(context.clone()));
        let mut captured = captured.map_err(|error| self.fault(&error, name, context))?;
        let shadow = captured.with_state_mut(|state| state.get_extension_mut().map(std::mem::take));
        Ok((captured.into_output(), shadow.unwrap_or_default()))
    }

    /// Renders a template once as it is and once with stand-ins, each with the place in a template that every piece of
    /// the output comes from; none if it cannot be rendered.
    pub(crate) fn render_with_origins(&self, name: &str, context: &Value) -> Option<[(String, Vec<OutputSpan>); 2]> {
        let render = |environment: &Environment<'static>| {
            environment.get_template(name).and_then(|template| template.render_with_spans(context.clone())).ok()
        };
        Some([render(&self.environment)?, render(self.shadow_environment())?])
    }

    fn shadow_environment(&self) -> &Environment<'static> {
        self.shadow.get_or_init(|| environment(&self.templates, Some(Arc::clone(&self.environment))))
    }

    fn fault(&self, error: &Error, root: &str, context: &Value) -> TemplateFault {
        let mut fault = TemplateFault::from_error(error, root, |name| self.text(name));
        let (FaultKind::Undefined { name, suggestion }, Some(range)) = (&mut fault.kind, &mut fault.range) else {
            return fault;
        };
        let Some(text) = self.templates.get(fault.template.as_str()) else { return fault };
        let failure = Failure { root, context, template: &fault.template, text, at: range.start, name };
        *suggestion = suggestion::nearest_name(&self.environment, &failure);
        *range = suggestion::last_word(text, name, range.clone());
        fault
    }
}

// The environment's own would print every template, and an error's the values.
impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("templates", &self.templates.keys()).finish_non_exhaustive()
    }
}

/// What templates see of a value: its fields by name.
#[must_use]
pub fn context(value: &impl serde::Serialize) -> Value {
    Value::from(Serde(value))
}

/// The template engine's environment; a shadow's if it gets the one that it is the shadow of.
fn environment(templates: &Arc<Templates>, original: Option<Arc<Environment<'static>>>) -> Environment<'static> {
    let mut environment = Environment::new();
    let templates = Arc::clone(templates);
    environment.set_loader(move |name| Ok(templates.get(name).map(|text| text.as_ref().to_owned())));
    environment.set_auto_reload(false);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_fuel(Some(FUEL));
    // Errors then say which expression was undefined. The debug output, which holds values, is never shown.
    environment.set_debug(true);
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    environment.set_auto_escape_callback(|name| AutoEscape::Custom(Language::of(name).name().into()));

    let hides = original.is_some();
    environment.set_formatter(move |out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value| {
        filters::write(out, state, value, hides)
    });
    filters::install(&mut environment, original);
    environment
}

#[cfg(test)]
mod tests;
