//! What `generate`, `check` and `diff` begin with: read, render, compare, and prove what is new.

use camino::{Utf8Path, Utf8PathBuf};

use crate::comparison::compare;
use crate::differences::Differences;
use crate::project::{LoadError, Project};
use crate::rendering::{Owner, prove};
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
    pub owners: Vec<Owner>,
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

/// Inspects what `paths` name, seen from the folder `below` the root.
///
/// # Errors
/// The world's, and an argument that names nothing.
pub fn inspect(tree: &dyn Tree, paths: &[Utf8PathBuf], below: &Utf8Path) -> Result<Inspection, InspectionError> {
    let mut project = Project::load(tree)?;
    let selection = Selection::resolve(paths, below, &project)?;
    let (owners, differences) = compare(tree, &mut project, &selection)?;
    prove(&mut project, &selection, &differences);
    Ok(Inspection { project, selection, owners, differences })
}
