//! Users' templates with errors.

use std::collections::BTreeMap;

use talosmith_document::{Code, Sources};
use talosmith_render::TemplateOrigin;
use talosmith_render::{ArtifactError, Reader, built_in_templates};

use crate::fleet::{BASES, check, plan, render};

/// The base, the template and its text; and the location and the message of each error.
type Case = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

/// The locations and the messages of the errors that a broken template causes; of a finding about the model, no location.
fn errors(base: &str, template: &str, text: &str) -> Vec<(String, String)> {
    let overrides = BTreeMap::from([(template.to_owned(), text.to_owned())]);
    let errors = check(&plan(base, true), &overrides).expect_err("errors");
    let mut errors: Vec<_> = errors
        .into_iter()
        .map(|error| match error {
            ArtifactError::Invalid(invalid) => (invalid.location, invalid.message),
            ArtifactError::Finding(finding) => (String::new(), finding.message),
            ArtifactError::Template(error) => (String::new(), error.message),
        })
        .collect();
    // One template can render several artifacts.
    errors.dedup();
    errors
}

#[test]
fn a_document_that_its_reader_refuses_is_found() {
    let broken: [Case; 9] = [
        (
            "v1.12.1",
            "device/installer-image.v1alpha1.yaml.j2",
            "machine: { install: { imgae: x } }",
            &[("/machine/install/imgae of document 1", "`imgae` is not a key of `machine.install`")],
        ),
        (
            "v1.12.1",
            "device/labels.v1alpha1.yaml.j2",
            "machine: []",
            &[("/machine of document 1", "`machine` is a list, but must be a mapping")],
        ),
        (
            "v1.12.1",
            "device/hostname.yaml.j2",
            "{ apiVersion: v1alpha1, kind: HostnameConfig, hostname: ryzen, auto: stable }",
            &[("", "HostnameConfig has the hostname `ryzen` and does not turn `auto` off")],
        ),
        (
            "v1.12.1",
            "device/hostname.yaml.j2",
            "{ apiVersion: v1alpha1, kind: HostnameConfg }",
            &[("/kind of document 1", "Talos has no document `HostnameConfg`")],
        ),
        (
            "v1.12.1",
            "device/hostname.yaml.j2",
            "{ apiVersion: v1, kind: HostnameConfig, auto: \"off\" }",
            &[("/apiVersion of document 1", "no document has the `apiVersion` `v1`")],
        ),
        (
            "v1.14.0",
            "device/labels.documents.yaml.j2",
            "{ apiVersion: v1alpha1, kind: KubeNodeConfig, labels: { a: [true] } }",
            &[("/labels/a of document 1", "`labels` of KubeNodeConfig is a list, but must be a string")],
        ),
        (
            "v1.14.0",
            "device/nameservers.documents.yaml.j2",
            "{ apiVersion: v1alpha1, kind: ResolverConfig, nameservers: [{ address: 192.0.2.1 }] }\n---\n\
             { apiVersion: v1alpha1, kind: ResolverConfig, nameservers: [{}] }\n",
            &[("", "an item of `nameservers` has no `address`")],
        ),
        (
            "v1.14.0",
            "device/kata.documents.yaml.j2",
            "{ apiVersion: v1alpha1, kind: CRICustomizationConfig, name: kata-fc, content: a = b }",
            &[("/content of document 1", "string values must be quoted, expected literal string")],
        ),
        ("v1.12.1", "device/tailscale.yaml.j2", "", &[("", "the patch is empty")]),
    ];
    for (base, template, text, expected) in broken {
        let errors = errors(base, template, text);
        let found: Vec<_> = errors.iter().map(|(at, message)| (at.as_str(), message.as_str())).collect();
        assert_eq!(found, expected, "{template}\n{text}");
    }
}

/// A template with a key that is misspelt.
fn misspelt(text: &str) -> impl Iterator<Item = (&str, String)> {
    text.lines().filter_map(move |line| {
        let start = line.find(|c: char| c.is_ascii_alphabetic())?;
        let (key, _) = line[start..].split_once(':')?;
        let is_key = line[..start].chars().all(|c| " -".contains(c)) && key.chars().all(|c| c.is_ascii_alphanumeric());
        let at = line.as_ptr().addr() - text.as_ptr().addr() + start + key.len();
        is_key.then(|| (key, [&text[..at], "x", &text[at..]].concat()))
    })
}

#[test]
fn every_key_of_a_talos_template_is_checked() {
    let mut unnoticed = Vec::new();
    for base in BASES {
        let plan = plan(base, true);
        let rendered = check(&plan, &BTreeMap::new()).expect("artifacts");
        let is_used = |name: &str| {
            rendered
                .iter()
                .any(|artifact| artifact.reader == Reader::Talos && artifact.template.as_deref() == Some(name))
        };
        for (name, text) in built_in_templates().into_iter().filter(|(name, _)| is_used(name)) {
            for (key, broken) in misspelt(text) {
                let overrides = BTreeMap::from([(name.to_owned(), broken)]);
                let artifacts = check(&plan, &overrides);
                if artifacts.is_ok_and(|artifacts| artifacts != rendered) {
                    unnoticed.push(format!("{base} {name}: {key}"));
                }
            }
        }
    }
    assert_eq!(unnoticed, Vec::<String>::new());
}

#[test]
fn a_template_that_cannot_be_rendered_is_found() {
    let broken = [
        (
            "hostname: {{ device.hostnme }}\n",
            Code::TemplateUndefined,
            "`device.hostnme` is not defined in this template",
            "hostnme",
        ),
        (
            "hostname: {{ device.hostname\n",
            Code::TemplateSyntax,
            "unexpected end of input, expected end of variable block",
            "hostname",
        ),
        (
            "hostname: \"{{ device.labels[\"kubevirt.io/schedulable\"] }}\"\n",
            Code::TemplateShape,
            "a value would change the structure of the document around it",
            "device.labels[\"kubevirt.io/schedulable\"]",
        ),
    ];
    for (text, code, message, location) in broken {
        let overrides = BTreeMap::from([("device/hostname.yaml.j2".to_owned(), text.to_owned())]);
        let faults = render(&plan("v1.12.1", true), &overrides).expect_err("faults");
        let found: Vec<_> = faults
            .into_iter()
            .map(|fault| {
                let ArtifactError::Template(fault) = fault else { panic!("{fault:?} is not in a template") };
                let range = fault.range.clone().expect("a place");
                let finding =
                    fault.diagnostic(Sources::default().add(fault.template.as_str(), text), TemplateOrigin::Override);
                (finding.code, finding.message, text[range].to_owned())
            })
            .collect();
        assert_eq!(found, [(code, message.to_owned(), location.to_owned())], "{text}");
    }
}
