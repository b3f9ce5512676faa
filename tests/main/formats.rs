//! The findings of `check` and `validate` as annotations of GitHub and as a SARIF log.

use serde_json::{Value, json};

use crate::sandbox::Sandbox;

/// A folder whose name needs every kind of escape.
const FOLDER: &str = "a, b: 5%ß";

/// A git repository with this repository's model in a folder, in which values are wrong that need escapes too.
fn broken() -> Sandbox {
    let sandbox = Sandbox::generated();
    let device = "devices/ryzen/device.yaml";
    sandbox.replace(device, "  kata-deploy: enabled\n", "  \"kata-deploy\": \"ä,\\r\\n50%: x\"\n");
    sandbox.replace(device, "    - amd_iommu=off\n", "    - amd_iommu=off\n      - ß=1 2\n");
    sandbox.replace(device, "  hostname: ryzen\n", "  hostname: { ä: ryzen }\n");
    sandbox.replace(device, "kata: true\n", "kata: true\nsysctls: { vm.max_map_count: \"9\", ä.ß: 日本 }\n");
    let keys = "encryption: { keys: [{ slot: 0, tpm: {} }, { slot: 0, nodeID: {} }] }";
    sandbox.replace(device, "size: 100GiB }", &format!("size: 100GiB, {keys} }}"));
    assert!(sandbox.shell(&format!("mkdir '{FOLDER}' && mv devices talosmith.yaml argocd '{FOLDER}'")));
    sandbox.git(&["init", "--quiet"]);
    sandbox
}

#[test]
fn annotations_are_commands_with_the_paths_of_the_git_repository() {
    let sandbox = broken();
    let ran = sandbox.run(&["-C", FOLDER, "validate", "--format", "github"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("annotations", ran.stdout);
    // A path of the user leads to the same repository, and without git the paths are talosmith's own.
    let absolute = sandbox.path(FOLDER);
    let by_path = sandbox.run(&["validate", "--format", "github", absolute.to_str().expect("UTF-8")]);
    assert_eq!(by_path.stdout, ran.stdout);
    std::fs::remove_dir_all(sandbox.path(".git")).expect("the repository can be removed");
    let alone = sandbox.run(&["-C", FOLDER, "validate", "--format", "github"]).stdout;
    assert_eq!(alone, ran.stdout.replace("file=a%2C b%3A 5%25ß/", "file="));
}

#[test]
fn every_file_that_differs_has_an_annotation() {
    let sandbox = Sandbox::committed();
    sandbox.replace("devices/ryzen/device.yaml", "1405GB", "1390GB");
    sandbox.replace("devices/ryzen/manifests/hostname.patch.yaml", "ryzen", "rizen");
    std::fs::remove_file(sandbox.path("devices/ryzen/manifests/tailscale-dns.patch.yaml"))
        .expect("the file can be removed");
    let ran = sandbox.run(&["check", "--format", "github"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("annotations-check", ran.stdout);
}

#[test]
fn a_log_has_the_findings_their_rules_and_related_lines() {
    let sandbox = broken();
    let log = |arguments: &[&str]| -> Value {
        serde_json::from_str(&sandbox.run(&[&["-C", FOLDER], arguments].concat()).stdout).expect("JSON")
    };
    let report = log(&["validate", "--format", "json"]);
    let mut run = log(&["validate", "--format", "sarif"])["runs"][0].take();
    let rules = run["tool"]["driver"]["rules"].take();
    let results = run["results"].as_array().expect("results");
    let findings = report["findings"].as_array().expect("findings");
    assert_eq!(results.len(), findings.len());
    for (result, finding) in results.iter().zip(findings) {
        let rule = &rules[result["ruleIndex"].as_u64().expect("an index") as usize];
        assert_eq!((&rule["id"], &result["ruleId"]), (&finding["code"], &finding["code"]));
        let page = sandbox.run(&["explain", finding["code"].as_str().expect("a code")]).stdout;
        assert_eq!(rule["help"], json!({ "text": page, "markdown": page }));
        let physical = &result["locations"][0]["physicalLocation"];
        assert_eq!(physical["artifactLocation"]["uri"], "a%2C%20b%3A%205%25%C3%9F/devices/ryzen/device.yaml");
        let (region, range) = (&physical["region"], &finding["range"]);
        assert_eq!(
            json!([region["startLine"], region["startColumn"], region["endLine"], region["endColumn"]]),
            json!([range["start"]["line"], range["start"]["column"], range["end"]["line"], range["end"]["column"]])
        );
        let related: Vec<&Value> = finding["also"].as_array().into_iter().flatten().map(|at| &at["label"]).collect();
        let shown = result["relatedLocations"].as_array().into_iter().flatten();
        assert_eq!(shown.map(|at| &at["message"]["text"]).collect::<Vec<_>>(), related);
    }
    insta::assert_snapshot!("sarif", serde_json::to_string_pretty(&run).expect("JSON"));
}

#[test]
fn other_commands_refuse_the_formats() {
    let sandbox = Sandbox::generated();
    for (arguments, others) in [
        (["generate", "--format", "github"], "`talosmith check` and `talosmith validate` write"),
        (["review", "--format", "sarif"], "`talosmith check` and `talosmith validate` write"),
        (["check", "--format", "markdown"], "`talosmith review` writes"),
    ] {
        let ran = sandbox.run(&arguments);
        let expected = format!("error: only {others} `--format {}`: leave it out\n", arguments[2]);
        assert_eq!((ran.status, ran.stderr), (2, expected));
    }
}
