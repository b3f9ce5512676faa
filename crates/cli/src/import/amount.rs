//! The most that one import takes: the values of a device are compared with each other, and all files are kept in memory.

use std::collections::BTreeMap;

use anyhow::ensure;
use talosmith_machinery::Role;

use super::reading::FoundFiles;
use super::source_file::FileScope;

/// The most bytes of all files.
pub(super) const MAX_BYTES: usize = 16 << 20;

/// The most documents of one device. The model has no more patches of one either.
const MAX_OF_DEVICE: usize = 1_000;

/// The most documents of all devices, where a document counts once for each device that it applies to.
const MAX_APPLIED: usize = 5_000;

/// Fails if the files are too many or too large to import at once.
pub(crate) fn check_amount(found: &FoundFiles) -> anyhow::Result<()> {
    const MEGABYTES: usize = MAX_BYTES >> 20;
    ensure!(found.bytes <= MAX_BYTES, "the files have more than {MEGABYTES} MiB: name fewer of them");
    let mut all = 0;
    let mut by_role = [(Role::ControlPlane, 0), (Role::Worker, 0)];
    let mut by_device: BTreeMap<&str, usize> = BTreeMap::new();
    for source in found.sources.iter().filter(|source| source.kind().configures_nodes()) {
        let count = source.documents.len();
        match &source.scope {
            FileScope::All => all += count,
            FileScope::Role(role) => {
                by_role.iter_mut().filter(|(own, _)| own == role).for_each(|(_, sum)| *sum += count)
            }
            FileScope::Device(name) => *by_device.entry(name).or_default() += count,
        }
    }
    let shared = all + by_role.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let most = shared + by_device.values().max().copied().unwrap_or(0);
    ensure!(
        most <= MAX_OF_DEVICE,
        "{most} documents apply to one device, more than {MAX_OF_DEVICE}: name fewer files, or merge them"
    );
    let applied = shared * by_device.len().max(found.roles.len()) + by_device.values().sum::<usize>();
    ensure!(
        applied <= MAX_APPLIED,
        "{applied} documents apply to all devices together, more than {MAX_APPLIED}: import some devices first, and then the others, which \
         are added to the model"
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use talosmith_document::{Document, Sources};

    use super::super::source_file::SourceFile;
    use super::*;

    fn file(scope: FileScope, documents: usize) -> SourceFile {
        let text = "apiVersion: v1alpha1\nkind: UserVolumeConfig\n---\n".repeat(documents);
        let id = Sources::default().add("a.yaml", text.as_str());
        let documents = Document::parse_stream(id, &text).expect("YAML");
        SourceFile::new("a.yaml".into(), "a.yaml", scope, id, text, documents[..documents.len() - 1].to_vec())
    }

    fn outcome(sources: Vec<SourceFile>) -> String {
        let found = FoundFiles { sources, ..FoundFiles::default() };
        check_amount(&found).err().map(|error| error.to_string()).unwrap_or_default()
    }

    #[test]
    fn the_documents_of_one_device_and_of_all_have_a_most() {
        let device = |at: usize| FileScope::Device(format!("n{at}"));
        assert_eq!(outcome(vec![file(FileScope::All, 500), file(device(0), 500)]), "");
        assert_eq!(
            outcome(vec![file(FileScope::All, 500), file(FileScope::Role(Role::Worker), 1), file(device(0), 500)]),
            "1001 documents apply to one device, more than 1000: name fewer files, or merge them"
        );
        assert_eq!(outcome((0..5).map(|at| file(device(at), 1_000)).collect()), "");
        assert_eq!(
            outcome((0..11).map(|at| file(device(at), 1)).chain([file(FileScope::All, 500)]).collect()),
            "5511 documents apply to all devices together, more than 5000: import some devices first, and then the others, which are added \
             to the model"
        );
    }
}
