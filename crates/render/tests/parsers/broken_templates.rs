//! Users' templates with errors.

use std::collections::BTreeMap;

use talosmith_document::{Code, Sources};
use talosmith_render::TemplateOrigin;
use talosmith_render::schema_check::{Fault, verify};

use crate::fleet::{plan, render};

/// The base, the template and its text; and the location and the message of each error.
type Case = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

#[test]
fn a_document_that_its_reader_refuses_is_found() {
    let broken: [Case; 10] = [
        (
            "v1.12.1",
            "device/installer-image.v1alpha1.yaml.j2",
            "machine: { install: { imgae: x } }",
            &[("/machine/install/imgae of document 1", "`machine.install` has no key `imgae`")],
        ),
        (
            "v1.12.1",
            "device/labels.v1alpha1.yaml.j2",
            "machine: []",
            &[("/machine of document 1", "`machine` cannot be a list")],
        ),
        (
            "v1.12.1",
            "device/hostname.yaml.j2",
            "{ apiVersion: v1alpha1, kind: HostnameConfig, hostname: ryzen, auto: stable }",
            &[("/auto of document 1", "`auto` must be `off`")],
        ),
        (
            "v1.12.1",
            "device/hostname.yaml.j2",
            "{ apiVersion: v1alpha1, kind: HostnameConfg }",
            &[
                ("/apiVersion of document 1", "the document has no key `apiVersion`"),
                ("/kind of document 1", "the document has no key `kind`"),
            ],
        ),
        (
            "v1.12.1",
            "device/hostname.yaml.j2",
            "{ apiVersion: v1, kind: HostnameConfig, auto: \"off\" }",
            &[
                ("document 1", "the document needs the key `hostname`"),
                ("/apiVersion of document 1", "`apiVersion` must be `v1alpha1`"),
            ],
        ),
        (
            "v1.14.0",
            "device/labels.documents.yaml.j2",
            "{ apiVersion: v1alpha1, kind: KubeNodeConfig, labels: { a: true } }",
            &[("/labels/a of document 1", "`labels.a` cannot be `true` or `false`")],
        ),
        (
            "v1.14.0",
            "device/nameservers.documents.yaml.j2",
            "{ apiVersion: v1alpha1, kind: ResolverConfig, nameservers: [{ address: a }] }\n---\n\
             { apiVersion: v1alpha1, kind: ResolverConfig, nameservers: [{}] }\n",
            &[("/nameservers/0 of document 2", "`nameservers.0` needs the key `address`")],
        ),
        (
            "v1.14.0",
            "device/kata.documents.yaml.j2",
            "{ apiVersion: v1alpha1, kind: CRICustomizationConfig, name: kata-fc, content: a = b }",
            &[("/content of document 1", "string values must be quoted, expected literal string")],
        ),
        ("v1.12.1", "device/tailscale.yaml.j2", "", &[("document 1", "the document cannot be empty")]),
        (
            "v1.12.1",
            "cluster/local-path-config.yaml.j2",
            "{ apiVersion: v1, kind: ConfigMap, metadata: { name: x }, data: { config.json: '{' } }",
            &[("/data/config.json of document 1", "EOF while parsing an object at line 1 column 1")],
        ),
    ];
    for (base, template, text, expected) in broken {
        let overrides = BTreeMap::from([(template.to_owned(), text.to_owned())]);
        let artifacts = render(&plan(base, true), &overrides).expect("artifacts");
        let mut faults: Vec<_> = artifacts.iter().flat_map(verify).collect();
        // One template can make several files.
        faults.dedup();
        let fault = |(location, message): &(&str, &str)| Fault {
            location: (*location).to_owned(),
            message: (*message).to_owned(),
        };
        assert_eq!(faults, expected.iter().map(fault).collect::<Vec<_>>(), "{template}\n{text}");
    }
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
                let talosmith_render::ArtifactError::Template(fault) = fault else {
                    panic!("{fault:?} is not in a template")
                };
                let range = fault.range.clone().expect("a place");
                let finding =
                    fault.diagnostic(Sources::default().add(fault.template.as_str(), text), TemplateOrigin::Override);
                (finding.code, finding.message, text[range].to_owned())
            })
            .collect();
        assert_eq!(found, [(code, message.to_owned(), location.to_owned())], "{text}");
    }
}
