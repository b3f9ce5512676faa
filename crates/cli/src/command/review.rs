//! `talosmith review`

use std::str::FromStr;

use camino::Utf8PathBuf;
use clap::Args;
use serde_json::json;
use talosmith_document::Level;
use talosmith_machinery::class_codes;

use super::{Context, Exit, Format, exit_of, open};
use crate::console::Channel;
use crate::git::Git;
use crate::review::{self, markdown, read_before, review, steps, text};
use crate::tree::{CommittedTree, GitTree, WorkTree};

/// Show what a change does to running nodes: reboots, restarts, upgrades, lost data
///
/// The files as a commit has them are compared with what would be generated now.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  \
    talosmith review --base main --steps\n  \
    talosmith review node-1 --fail-on wipe,reboot")]
pub(crate) struct Arguments {
    /// Devices to review, by name, folder or cluster, with their clusters' applications [default: all]
    #[arg(value_name = "PATH")]
    paths: Vec<Utf8PathBuf>,
    /// The commit to compare with [default: where the branch left its upstream; without one, HEAD]
    #[arg(long, value_name = "REV")]
    base: Option<String>,
    /// Print the commands that make the change, in the order that keeps the nodes safe
    #[arg(long, conflicts_with = "format")]
    steps: bool,
    /// Exit with 1 if a change has one of these classes, such as `wipe,reboot`
    #[arg(long, value_name = "CLASS", value_delimiter = ',')]
    fail_on: Vec<ClassName>,
}

/// The code of a class, with or without the name of what restarts.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ClassName(String);

impl FromStr for ClassName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let code = text.split(':').next().unwrap_or_default();
        if class_codes().any(|known| known == code) || text == "cut" {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("a class is one of {}, cut", class_codes().collect::<Vec<_>>().join(", ")))
    }
}

pub(crate) fn run(context: &mut Context<'_>, arguments: &Arguments) -> anyhow::Result<Exit> {
    let root = context.root(&arguments.paths)?;
    let git = Git::open(context.processes, &root.path)?;
    let base = git.base(arguments.base.as_deref())?;
    let tree = WorkTree::new(root.path.clone());
    let revision = GitTree::revision(&git, &base.id, &[])?;
    let committed = CommittedTree::new(revision, &tree, git.changed_since(&base.id)?);
    let (project, selection) = open(&root, &tree, &arguments.paths)?;
    let mut review = review(read_before(&committed), project, &selection)?;
    let exit = exit_of(&review.after.findings);
    if exit != Exit::Success && context.is_text() {
        review.after.findings.retain(|finding| finding.level == Level::Error);
        context.report(Channel::Status, &mut review.after.findings, &mut review.after.sources, json!({}))?;
    }
    let groups = review.groups();
    let style = context.console.style(Channel::Result);
    let result = match context.global.format {
        _ if arguments.steps => steps(&review),
        Format::Json => review::json(&review.reviewed, &groups, &base.title),
        Format::Markdown => markdown(&review, &groups, &base.title),
        _ => text(&review, &groups, &base.title, style),
    };
    context.console.result(&result)?;
    let is_refused = groups.iter().any(|group| {
        let asked = |class: &ClassName| match class.0.as_str() {
            "cut" => group.row.may_cut,
            name => group.row.classes.iter().any(|class| class.code() == name || class.to_string() == name),
        };
        arguments.fail_on.iter().any(asked)
    });
    Ok(if is_refused { Exit::Findings } else { exit })
}
