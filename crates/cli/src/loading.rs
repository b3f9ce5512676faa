//! The devices of a fleet, read and planned.

use talosmith_document::{Diagnostic, SourceId};
use talosmith_model::layout::device_file;
use talosmith_model::plan::{Caches, ControlPlanes, Files, PlannedDevice, wanted_files};
use talosmith_model::{DeviceFile, FleetFile, PartialDevice};

use crate::source_cache::{SourceCache, SourceText};
use crate::tree::ReadError;

pub(crate) struct ReadDevice {
    pub source: SourceId,
    /// What is wrong with the file on its own.
    pub findings: Vec<Diagnostic>,
    /// The device, or what can be checked of one whose file has errors; none if that is nothing.
    pub device: Option<Box<DeviceFile>>,
    /// What is known of a device whose file has errors.
    pub partial: Option<PartialDevice>,
}

impl ReadDevice {
    fn unreadable(source: SourceId, findings: Vec<Diagnostic>) -> Self {
        Self { source, findings, device: None, partial: Some(PartialDevice::default()) }
    }
}

/// Reads and plans devices. Without a fleet, only what is wrong with a file on its own is found.
pub(crate) struct Loader<'a> {
    sources: &'a SourceCache<'a>,
    fleet: Option<&'a FleetFile>,
    caches: Caches,
}

impl<'a> Loader<'a> {
    pub(crate) fn new(sources: &'a SourceCache<'a>, fleet: Option<&'a FleetFile>) -> Self {
        Self { sources, fleet, caches: Caches::default() }
    }

    /// Reads the file of the device in a folder; none if there is no such file.
    pub(crate) fn read(&self, folder: &str) -> Result<Option<Result<SourceText, Diagnostic>>, ReadError> {
        self.sources.read(&device_file(folder))
    }

    pub(crate) fn parse(&self, folder: &str, text: Result<SourceText, Diagnostic>) -> ReadDevice {
        let (source, text) = match text {
            Ok(text) => text,
            Err(finding) => {
                let source = finding.at.location.source;
                return ReadDevice::unreadable(source, vec![finding]);
            }
        };
        let Some(fleet) = self.fleet else {
            return ReadDevice::unreadable(source, DeviceFile::findings(source, &text));
        };
        let (device, wrong) = DeviceFile::read(fleet, source, folder, &text);
        let is_whole = device.as_ref().is_some_and(|device| device.is_whole);
        let findings = wrong.into_iter().map(|finding| finding.device(folder)).collect();
        let partial = (!is_whole).then(|| PartialDevice::of(source, &text));
        ReadDevice { source, findings, device: device.map(Box::new), partial }
    }

    pub(crate) fn plan(
        &self,
        fleet: &FleetFile,
        file: &DeviceFile,
        control_planes: &ControlPlanes,
    ) -> Result<PlannedDevice, ReadError> {
        let mut files = Files::new();
        for path in wanted_files(fleet, file) {
            let text = self.sources.read_shared(&path)?;
            files.insert(path, text);
        }
        Ok(PlannedDevice::new(fleet, file, &files, control_planes, &self.caches))
    }
}
