//! The report for people.

use anstyle::AnsiColor;
use camino::Utf8Path;
use talosmith_document::Pointer;
use talosmith_model::grouped;
use talosmith_model::layout::manifests;
use talosmith_render::{DiskLayout, GeneratedFile, SizeUnit, VolumeLayout, yaml_flow};

use super::bar::{bar, parts};
use super::{DeviceReport, KeyLine, Line, Schematic, UserFile};
use crate::report::Style;
use crate::table::{Cell, Table, columns, lines};

impl DeviceReport<'_> {
    /// Formats the report: the device, the keys of its model, its disks, images and files.
    pub(crate) fn text(&self, style: Style) -> String {
        let device = &self.device;
        let role = serde_json::to_value(device.role).unwrap_or_default();
        let base = if device.base_config == device.talos_version {
            String::new()
        } else {
            format!(", on a base config of {}", device.base_config)
        };
        let about = format!(
            "{}: {} of {} at {}, Talos {}{base}",
            device.name,
            role.as_str().unwrap_or_default(),
            device.cluster,
            device.address,
            device.talos_version
        );
        let mut out = String::new();
        bold(&mut out, &about, style);
        section(&mut out, "facts", style);
        out.push_str(&facts(&device.facts, style));
        for disk in &self.disks {
            out.push('\n');
            out.push_str(&drawn(disk, style));
        }
        let applied = self.image.map(|image| ("image".to_owned(), &image.reference));
        let others =
            self.alternatives.iter().map(|image| (format!("image {}, not applied", image.name), &image.reference));
        for (title, reference) in applied.into_iter().chain(others) {
            section(&mut out, &title, style);
            for line in lines(&style.clean(reference), columns(style) - 2) {
                out.push_str(&format!("  {line}\n"));
            }
        }
        for schematic in &self.schematics {
            section(&mut out, &format!("schematic {}", schematic.name), style);
            out.push_str(&described(schematic, style));
        }
        let folder = manifests(device.name);
        section(&mut out, &format!("outputs, below {folder}"), style);
        out.push_str(&outputs(&self.outputs, &folder, style));
        if !self.artifacts.is_empty() {
            section(&mut out, "artifacts of talosmith.yaml", style);
            out.push_str(&artifacts(&self.artifacts, style));
        }
        out
    }
}

fn bold(out: &mut String, text: &str, style: Style) {
    for line in lines(text, columns(style)) {
        out.push_str(&style.paint(anstyle::Style::new().bold(), &line));
        out.push('\n');
    }
}

fn section(out: &mut String, title: &str, style: Style) {
    out.push('\n');
    out.push_str(&style.paint(anstyle::Style::new().bold(), &style.clean(title)));
    out.push('\n');
}

/// Formats the keys: keys of a mapping are indented below its key.
fn facts(facts: &[KeyLine], style: Style) -> String {
    let mut table = Table::default();
    let mut around = None;
    for fact in facts {
        let pointer = Pointer::from(fact.key.as_str());
        let names: Vec<String> = pointer.segments().collect();
        let (above, name) = match &names[..] {
            [above, name] => (Some(above.clone()), format!("  {name}")),
            _ => (None, names.concat()),
        };
        if above.is_some() && above != around {
            table.row(above.clone().map(Cell::from));
        }
        around = above;
        let mut location = place(&fact.from);
        for line in &fact.overrides {
            location.push_str(&format!(", over {}", place(line)));
        }
        table.row([name.into(), yaml_flow(&fact.value).into(), Cell::colored(location, AnsiColor::BrightBlack)]);
    }
    table.draw(&[0, 1, 2], 1, 2, style).unwrap_or_else(|| table.stack(2, style))
}

fn place(line: &Line) -> String {
    let group = line.group.as_ref().map(|group| format!(" (group {group})")).unwrap_or_default();
    format!("{}:{}{group}", line.file, line.line)
}

/// Formats a disk as a bar with a legend, all sizes in one unit.
fn drawn(disk: &DiskLayout, style: Style) -> String {
    let unit = SizeUnit::for_disk(disk.bytes);
    let parts = parts(disk, unit.bytes() / 10, style);
    let mut out = String::new();
    let system = if disk.system { ", system disk" } else { "" };
    let kept = disk.kept_for.as_ref().map(|purpose| format!(", kept for {purpose}")).unwrap_or_default();
    let title = format!("disk {}: {} ({} bytes){system}{kept}", disk.name, unit.text(disk.bytes), grouped(disk.bytes));
    bold(&mut out, &title, style);
    out.push_str(&format!("  {}\n", bar(&parts, columns(style) - 2)));
    let mut table = Table::default().right(2);
    for part in &parts {
        let volume = disk.volumes.iter().find(|volume| volume.name == part.name);
        let note = volume.map(|volume| bounds(volume, unit)).unwrap_or_default();
        table.row([part.glyph.to_string().into(), part.name.into(), unit.text(part.bytes).into(), note.into()]);
    }
    out.push_str(
        &table
            .draw(&[0, 1, 2, 3], 1, 2, style)
            .or_else(|| table.draw(&[0, 1, 2], 1, 2, style))
            .unwrap_or_else(|| table.stack(2, style)),
    );
    out
}

/// Formats the bounds of a volume; empty if they are equal.
fn bounds(volume: &VolumeLayout, unit: SizeUnit) -> String {
    match (volume.min_bytes, volume.max_bytes) {
        (Some(min), Some(max)) if min == max => String::new(),
        (Some(min), Some(max)) => format!("{} to {}", unit.text(min), unit.text(max)),
        (Some(min), None) => format!("at least {}", unit.text(min)),
        (None, Some(max)) => format!("at most {}", unit.text(max)),
        (None, None) => "all that is left".to_owned(),
    }
}

fn described(schematic: &Schematic<'_>, style: Style) -> String {
    let mut table = Table::default();
    table.row(["ID".into(), schematic.id.into()]);
    for (name, items) in [("extensions", schematic.extensions), ("kernel arguments", schematic.extra_kernel_args)] {
        if !items.is_empty() {
            table.row([name.into(), items.join(" ").into()]);
        }
    }
    table.draw(&[0, 1], 1, 2, style).unwrap_or_else(|| table.stack(2, style))
}

fn artifacts(artifacts: &[UserFile], style: Style) -> String {
    let mut table = Table::default();
    for UserFile { path, key } in artifacts {
        table.row([path.as_str().into(), key.as_str().into()]);
    }
    table.draw(&[0, 1], 0, 2, style).unwrap_or_else(|| table.stack(2, style))
}

fn outputs(outputs: &[GeneratedFile], folder: &Utf8Path, style: Style) -> String {
    let mut table = Table::default();
    for output in outputs {
        let state = match (output.secret, output.applied) {
            (true, _) => Cell::colored("secret, not tracked", AnsiColor::Yellow),
            (false, true) if !output.other_keys.is_empty() => {
                let others = output.other_keys.iter().map(|key| format!(", {key}"));
                format!("applied: {}{}", output.key, others.collect::<String>()).into()
            }
            (false, true) => "applied".into(),
            (false, false) if outputs.iter().any(|other| other.key == format!("{}.secret", output.key)) => {
                "template of the next one".into()
            }
            (false, false) => "not applied".into(),
        };
        let path = output.path.strip_prefix(folder).unwrap_or(&output.path);
        table.row([path.as_str().into(), <&str>::from(output.reader).into(), state]);
    }
    table.draw(&[0, 1, 2], 0, 2, style).unwrap_or_else(|| table.stack(2, style))
}
