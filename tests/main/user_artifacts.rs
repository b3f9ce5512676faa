//! Artifacts of the user's own templates, with the fleet `rack` as the example.

use crate::sandbox::{Ran, Sandbox};

const HOSTS: &str = "rack.hosts";
const JSON: &str = "monitoring/cp-1.json";

/// Returns the code of each finding and where it is.
fn places(ran: &Ran) -> Vec<&str> {
    let lines: Vec<&str> = ran.stdout.lines().collect();
    let is_head = |line: &str| line.starts_with("error[") || line.starts_with("warning[");
    let heads = lines.iter().enumerate().filter(|(_, line)| is_head(line));
    heads
        .flat_map(|(at, head)| {
            let place = lines[at..].iter().find_map(|line| line.trim_start().strip_prefix("--> "));
            [head.split_once(']').map_or("", |(code, _)| code), place.unwrap_or_default()]
        })
        .collect()
}

#[test]
fn what_is_generated_is_up_to_date_and_the_rest_of_a_file_is_the_users() {
    let rack = Sandbox::committed_fleet("rack");
    let up_to_date = Ran::success("", "up to date: 5 devices and 59 files checked in [time]\n");
    assert_eq!(rack.run(&["check"]), up_to_date);
    let text = rack.read("README.md").replace("# The rack", "# Another title").replace("same order.\n", "same order.");
    rack.write("README.md", &text.replace('\n', "\r\n"));
    assert_eq!(rack.run(&["generate"]).status, 0);
    assert_eq!(rack.read("README.md"), text.replace('\n', "\r\n"));
    assert_eq!(rack.run(&["check"]), up_to_date);
}

#[test]
fn a_fact_of_the_model_reaches_every_file_that_has_it() {
    let rack = Sandbox::committed_fleet("rack");
    rack.replace("devices/cp-2/device.yaml", "10.20.0.12", "10.20.0.99");
    let ran = rack.run(&["check"]);
    assert_eq!(ran.status, 1);
    // The target of the hand-written file too is no address any more.
    let hand_written = ["warning[unknown-reference", "monitoring/scrape.yaml:4:36"];
    assert_eq!(places(&ran)[6..], [&hand_written[..], &["error[stale", "talosmith.yaml"]].concat());
    assert!(ran.stdout.contains("error[stale]: 4 files of `artifacts` are older than the model"), "{ran:?}");
    assert_eq!(rack.run(&["generate"]).status, 0);
    let changed = rack.git(&["diff", "--name-only"]);
    let of_user: Vec<&str> = changed.lines().filter(|path| !path.starts_with("devices/")).collect();
    assert_eq!(of_user, ["README.md", "loadbalancer/rack.cfg", "monitoring/cp-2.json", HOSTS]);
    assert!(rack.read("loadbalancer/rack.cfg").contains("server cp-2 10.20.0.99:6443"));
}

#[test]
fn an_edit_by_hand_leads_to_the_template() {
    let rack = Sandbox::committed_fleet("rack");
    rack.replace("README.md", "| store-1 | worker", "| store-1 | spare");
    rack.replace(JSON, "\"cp-1\"", "\"cp-one\"");
    rack.replace(HOSTS, "store-2", "store-two");
    let ran = rack.run(&["check"]);
    assert_eq!(ran.status, 1);
    insta::assert_snapshot!("edited-by-hand", ran.stdout);
    let ran = rack.run(&["generate"]);
    assert!(ran.stdout.contains("-10.20.0.22 store-two\n+10.20.0.22 store-2\n"), "{ran:?}");
    assert_eq!(rack.git(&["status", "--short"]), "");
}

#[cfg(unix)]
#[test]
fn a_link_in_the_place_of_a_file_with_a_region_is_not_followed() {
    let rack = Sandbox::committed_fleet("rack");
    std::fs::rename(rack.path("README.md"), rack.path("elsewhere.md")).expect("the file can be renamed");
    std::os::unix::fs::symlink("elsewhere.md", rack.path("README.md")).expect("a link");
    rack.replace("devices/cp-2/device.yaml", "10.20.0.12", "10.20.0.99");
    let before = rack.state();
    assert_eq!(rack.run(&["generate"]).status, 1);
    assert_eq!(rack.state(), before);
    assert_eq!(places(&rack.run(&["check"])).first(), Some(&"error[symlink"));
}

#[test]
fn wrong_markers_are_named_and_nothing_is_written() {
    let rack = Sandbox::committed_fleet("rack");
    rack.replace(HOSTS, "store-2", "stale");
    let region = "<!-- talosmith:begin inventory -->\n<!-- talosmith:end inventory -->\n";
    let texts = [
        ("no-region", "# The rack\n".to_owned()),
        ("no-end", "<!-- talosmith:begin inventory -->\n".to_owned()),
        ("twice", region.repeat(2)),
        ("unknown", format!("{region}<!-- talosmith:begin old -->\n<!-- talosmith:end old -->\n")),
    ];
    let mut reports = String::new();
    for (name, text) in texts {
        rack.write("README.md", &text);
        let before = rack.state();
        let ran = rack.run(&["generate"]);
        assert_eq!((ran.status, rack.state()), (1, before), "{name}");
        reports.push_str(&format!("## {name}\n\n{}", ran.stderr));
    }
    insta::assert_snapshot!("wrong-markers", reports);
}

#[test]
fn a_file_that_was_there_before_is_not_replaced_unasked() {
    let rack = Sandbox::committed_fleet("rack");
    let more = "  more: { for: fleet, template: more.j2, path: more.json, format: json }\n  notes:";
    rack.replace(
        "talosmith.yaml",
        "  monitoring:",
        &format!("{more} {{ for: fleet, template: notes.j2, path: notes.md, format: markdown }}\n  monitoring:"),
    );
    rack.write("templates/more.j2", "[]\n");
    rack.write("templates/notes.j2", "generated\n");
    rack.write("more.json", "[1]\n");
    rack.write("notes.md", "by hand\n");
    let before = rack.state();
    let ran = rack.run(&["generate"]);
    assert_eq!((ran.status, rack.state()), (1, before));
    let ran = rack.run(&["check"]);
    assert_eq!(places(&ran), ["error[foreign-file", "more.json", "error[foreign-file", "notes.md"]);
    assert_eq!(rack.run(&["generate", "--force"]).status, 0);
    assert_eq!(rack.read("more.json"), "[]\n");
    // Now HEAD has the artifact, and its file is known by the path.
    rack.commit_all();
    rack.write("templates/more.j2", "[2]\n");
    assert_eq!(rack.run(&["generate"]).status, 0);
    assert_eq!(rack.read("more.json"), "[2]\n");
}

#[test]
fn a_file_that_no_artifact_has_any_more_is_an_orphan() {
    let rack = Sandbox::committed_fleet("rack");
    rack.replace("talosmith.yaml", "loadbalancer/$<name>.cfg", "loadbalancer/api-$<name>.cfg");
    let ran = rack.run(&["check"]);
    assert_eq!(places(&ran), ["error[missing", "loadbalancer/api-rack.cfg", "error[orphan", "loadbalancer/rack.cfg"]);
    assert_eq!(rack.run(&["generate"]).status, 0);
    assert!(!rack.path("loadbalancer/rack.cfg").exists());
    assert_eq!(rack.run(&["check"]).status, 0);
}

#[test]
fn a_file_of_an_artifact_that_is_gone_is_found_wherever_it_is() {
    let rack = Sandbox::committed_fleet("rack");
    rack.replace("talosmith.yaml", "  haproxy: { for: cluster, template: haproxy.cfg.j2,", "  # haproxy: { ");
    rack.replace(
        "talosmith.yaml",
        "format: text }\n  hosts: { for: cluster,",
        "format: text }\n  # hosts: { for: cluster,",
    );
    // Another fleet below, a copy in a folder of packages, and the file of a user.
    rack.write("other/talosmith.yaml", "clusters: {}\n");
    rack.write("other/rack.hosts", &rack.read(HOSTS));
    rack.write("node_modules/rack.hosts", &rack.read(HOSTS));
    rack.write("loadbalancer/by-hand.cfg", "# Not generated by talosmith from talosmith.yaml.\n");
    for arguments in [&["check"][..], &["check", "--staged"]] {
        rack.git(&["add", "-A"]);
        let ran = rack.run(arguments);
        assert_eq!(places(&ran), ["error[orphan", "talosmith.yaml"], "{ran:?}");
        assert!(ran.stdout.contains("generated them: loadbalancer/rack.cfg, rack.hosts\n"), "{ran:?}");
    }
    assert_eq!(rack.run(&["generate"]).stdout, "D loadbalancer/rack.cfg\nD rack.hosts\n");
    assert_eq!(rack.run(&["check"]).status, 0);
    // A device that cannot be read may have such a file.
    let rack = Sandbox::committed_fleet("rack");
    rack.replace("devices/cp-2/device.yaml", "role: controlplane", "role: control");
    rack.replace("talosmith.yaml", "template: acl.hujson.j2", "template: gone.j2");
    assert!(places(&rack.run(&["check"])).iter().all(|place| *place != "error[orphan"));
}

#[test]
fn show_lists_the_files_that_tell_of_a_device() {
    let rack = Sandbox::committed_fleet("rack");
    let text = rack.run(&["show", "cp-1"]).stdout;
    let (_, listed) = text.split_once("\nartifacts of talosmith.yaml\n").expect("a list");
    let expected = "  tailscale/acl.hujson   artifacts.acl
  loadbalancer/rack.cfg  artifacts.haproxy
  rack.hosts             artifacts.hosts
  monitoring/cp-1.json   artifacts.monitoring
  README.md              artifacts.inventory
  rook/rack.yaml         artifacts.ceph-nodes
";
    assert_eq!(listed, expected);
    let json: serde_json::Value =
        serde_json::from_str(&rack.run(&["show", "cp-1", "--format", "json"]).stdout).expect("JSON");
    assert_eq!(json["artifacts"][3]["path"], "monitoring/cp-1.json");
    rack.replace("talosmith.yaml", "\nartifacts:", "\nlints-of-nothing:");
    let text = rack.run(&["show", "cp-1"]).stdout;
    assert!(!text.contains("artifacts of talosmith.yaml"), "{text}");
}

#[test]
fn a_broken_device_keeps_back_only_what_lists_it() {
    let rack = Sandbox::committed_fleet("rack");
    rack.replace("devices/cp-2/device.yaml", "role: controlplane", "role: control");
    rack.replace("devices/cp-1/device.yaml", "10.20.0.11", "10.20.0.98");
    let ran = rack.run(&["generate", "cp-1"]);
    assert_eq!(ran.status, 0, "{ran:?}");
    assert!(rack.read(JSON).contains("10.20.0.98"));
    assert!(rack.read("README.md").contains("10.20.0.11"), "the list of all devices is not known");
}
