//! What `generate`, `check` and `diff` begin with: read, render, compare, and prove what is new.

use std::sync::Arc;

use camino::{Utf8Path, Utf8PathBuf};
use talosmith_model::plan::Device;
use talosmith_render::Renderer;

use crate::comparison::{Tally, compare, compare_devices, is_done};
use crate::differences::Differences;
use crate::project::{LoadError, Project};
use crate::rendering::prove;
use crate::selection::{NoSuchDevice, Selection};
use crate::tree::{ReadError, Tree};

/// A repository against what would be generated from it.
#[derive(Debug)]
pub struct Inspection {
    /// The repository, with everything that was found so far.
    pub project: Project,
    /// What the arguments name.
    pub selection: Selection,
    /// The owners among that, without those that have errors.
    pub owners: Vec<Tally>,
    /// How their files differ.
    pub differences: Differences,
}

/// Why a repository cannot be inspected.
#[derive(Debug, thiserror::Error)]
pub enum InspectionError {
    /// It cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An argument names nothing.
    #[error(transparent)]
    Selection(#[from] NoSuchDevice),
    /// A generated file cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

/// Which devices the plan of an inspection has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All.
    All,
    /// At least those whose files are not what they should be: a big fleet need not be kept to be checked.
    Changed,
}

/// Inspects what `paths` name, seen from the folder `below` the root.
///
/// # Errors
/// A file cannot be read, or an argument names nothing.
pub fn inspect(
    tree: &dyn Tree,
    paths: &[Utf8PathBuf],
    below: &Utf8Path,
    keep: Keep,
) -> Result<Inspection, InspectionError> {
    let early = |renderer: &Renderer, devices: &[&Arc<Device>]| {
        let devices = if paths.is_empty() { devices } else { &[] };
        let compared = compare_devices(tree, renderer, devices).into_iter();
        compared
            .map(|early| (keep == Keep::All || !is_done(&early), early))
            .map(|(kept, early)| (early, kept))
            .collect()
    };
    let (mut project, early) = Project::load_with(tree, early)?;
    let selection = Selection::resolve(paths, below, &project)?;
    let whole = keep == Keep::All || early.is_empty();
    let Some((owners, differences)) = compare(tree, &mut project, &selection, early, whole)? else {
        return inspect(tree, paths, below, Keep::All);
    };
    prove(&mut project, &selection, &differences);
    Ok(Inspection { project, selection, owners, differences })
}
