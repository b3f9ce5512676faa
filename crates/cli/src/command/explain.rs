//! `talosmith explain`

use clap::Args;
use serde_json::{Value, json};
use talosmith_document::{Code, closest};

use super::{Context, Exit};
use crate::report::json_document;

/// Explain the code of a finding
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith explain volume-overcommit\n  \
    talosmith explain --list")]
pub(crate) struct Arguments {
    /// The code, which is in brackets after `error` or `warning`
    #[arg(value_name = "CODE", required_unless_present = "list")]
    code: Option<String>,
    /// List all codes
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    if arguments.list && !context.is_text() {
        let codes: Vec<Value> = Code::ALL.iter().map(|code| described(*code)).collect();
        context.console.result(&json_document(&codes))?;
        return Ok(Exit::Success);
    }
    let Some(name) = arguments.code.as_ref().filter(|_| !arguments.list) else {
        let width = Code::ALL.iter().map(|code| code.name().len()).max().unwrap_or_default();
        let lines: Vec<String> = Code::ALL
            .iter()
            .map(|code| format!("{:width$}  {:7}  {}\n", code.name(), code.level().as_str(), code.summary()))
            .collect();
        context.console.result(&lines.concat())?;
        return Ok(Exit::Success);
    };
    let Ok(code) = name.parse::<Code>() else {
        let near = closest(name, Code::ALL.iter().map(|code| code.name()));
        let near = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        anyhow::bail!("there is no code `{name}`{near} (`talosmith explain --list` lists them)");
    };
    let page = code.page_without_comments();
    if context.is_text() {
        context.console.result(&page)?;
    } else {
        let mut described = described(code);
        described["page"] = page.into();
        context.console.result(&json_document(&described))?;
    }
    Ok(Exit::Success)
}

fn described(code: Code) -> Value {
    json!({ "code": code.name(), "level": code.level().as_str(), "summary": code.summary() })
}
