//! From the folders of devices to their drafts, some at a time.

use std::sync::Arc;

use camino::Utf8PathBuf;
use talosmith_document::{Diagnostic, Level};
use talosmith_model::plan::{Caches, Device, Draft, Files, wanted_files};
use talosmith_model::{DeviceFile, FleetFile, PartialDevice};
use talosmith_render::Renderer;

use crate::shelf::{Shelf, Text};
use crate::tree::{Entry, ReadError};

/// The folder with a folder for each device.
pub const DEVICES: &str = "devices";

/// So many devices a thread takes through one step before it goes on to the next: the code and the data of a step stay in the
/// processor's caches, which is worth a seventh of the time at 1,000 devices, and few devices are whole at once.
pub const BATCH: usize = 16;

/// A device that was read.
struct Read {
    folder: String,
    findings: Vec<Diagnostic>,
    device: Result<Box<DeviceFile>, PartialDevice>,
}

/// A device that was planned.
pub struct Loaded {
    /// The name of its folder.
    pub folder: String,
    /// What is wrong with its text.
    pub findings: Vec<Diagnostic>,
    /// The device, or what could be made out of one that cannot be read.
    pub draft: Result<Draft, PartialDevice>,
}

/// What devices are loaded with. Without a fleet, what is wrong with a text on its own is all there is to say of it.
pub struct Loading<'a> {
    shelf: &'a Shelf<'a>,
    fleet: Option<&'a FleetFile>,
    renderer: &'a Renderer,
    caches: Caches,
}

impl<'a> Loading<'a> {
    /// Loads nothing yet.
    #[must_use]
    pub fn new(shelf: &'a Shelf<'a>, fleet: Option<&'a FleetFile>, renderer: &'a Renderer) -> Self {
        Self { shelf, fleet, renderer, caches: Caches::default() }
    }

    /// Reads and plans the devices of some folders, those that hold one, and gives `early` those that are settled: one step for all of
    /// them, then the next. `early` says of each what was done and whether it is kept, or nothing of all.
    ///
    /// # Errors
    /// The tree's.
    pub fn batch<E>(
        &self,
        folders: &[Entry],
        early: &impl Fn(&Renderer, &[&Arc<Device>]) -> Vec<(E, bool)>,
    ) -> Result<(Vec<Loaded>, Vec<E>), ReadError> {
        let mut texts = Vec::with_capacity(folders.len());
        for folder in folders {
            let path = Utf8PathBuf::from([DEVICES, "/", &folder.name, "/device.yaml"].concat());
            texts.extend(self.shelf.read(&path)?.map(|text| (folder.name.as_str(), text)));
        }
        let read: Vec<Read> = texts.into_iter().map(|(folder, text)| self.read(folder, text)).collect();
        let mut loaded = read.into_iter().map(|read| self.plan(read)).collect::<Result<Vec<_>, _>>()?;
        let mut drafts: Vec<&mut Draft> = loaded.iter_mut().filter_map(|loaded| loaded.draft.as_mut().ok()).collect();
        drafts.retain(|draft| draft.settled().is_some());
        let settled: Vec<&Arc<Device>> = drafts.iter().filter_map(|draft| draft.settled()).collect();
        let (done, kept): (Vec<E>, Vec<bool>) = early(self.renderer, &settled).into_iter().unzip();
        let gone = drafts.into_iter().zip(kept).filter(|(_, is_kept)| !is_kept);
        gone.for_each(|(draft, _)| draft.let_go());
        Ok((loaded, done))
    }

    fn read(&self, folder: &str, text: Result<Text, Diagnostic>) -> Read {
        let read = |findings, device| Read { folder: folder.to_owned(), findings, device };
        let (source, text) = match text {
            Ok(text) => text,
            Err(finding) => return read(vec![finding], Err(PartialDevice::default())),
        };
        let Some(fleet) = self.fleet else {
            return read(DeviceFile::findings(source, &text), Err(PartialDevice::default()));
        };
        let (device, wrong) = DeviceFile::read(fleet, source, folder, &text);
        let failed = wrong.iter().any(|finding| finding.level == Level::Error);
        let findings = wrong.into_iter().map(|finding| finding.device(folder)).collect();
        let device = device.filter(|_| !failed).map(Box::new);
        read(findings, device.ok_or_else(|| PartialDevice::of(source, &text)))
    }

    fn plan(&self, read: Read) -> Result<Loaded, ReadError> {
        let Read { folder, findings, device } = read;
        let (device, fleet) = match (device, self.fleet) {
            (Ok(device), Some(fleet)) => (device, fleet),
            (Ok(_), None) => return Ok(Loaded { folder, findings, draft: Err(PartialDevice::default()) }),
            (Err(sketch), _) => return Ok(Loaded { folder, findings, draft: Err(sketch) }),
        };
        let mut files = Files::new();
        for path in wanted_files(fleet, &device) {
            let text = self.shelf.shared(&path)?;
            files.insert(path, text);
        }
        let draft = Ok(Draft::new(fleet, &device, &files, &self.caches));
        Ok(Loaded { folder, findings, draft })
    }
}
