//! The site's configuration for the lab: one `siaga.toml`, the same on both nodes.

use crate::args::{FsKind, SiteLanguage};
use crate::enrol::PROBE_NAME;
use crate::fence::FenceDevice;
use crate::layout::{
    AGENT_PORT, DATA_DIR, DATABASE, Layout, METRICS_PORT, SECRET_FILE, SERVICE, SERVICE_MOUNT,
};
use crate::machine::{Interface, Machine, NODES};
use crate::state::LabState;
use std::fmt::Write as _;
use std::path::Path;

/// The whole file.
pub fn siaga_toml(layout: &Layout, state: &LabState) -> String {
    let mut text = site(state);
    for node in NODES {
        text.push_str(&node_table(layout, state, node));
    }
    text.push_str(&service(layout, state));
    // The lab's fences answer in milliseconds.
    text.push_str("\n[policy]\nfence_delay = \"200ms\"\n");
    text
}

fn site(state: &LabState) -> String {
    let language = match state.options.language {
        SiteLanguage::En => "en",
        SiteLanguage::Id => "id",
    };
    format!(
        r#"# The lab {name}. Written by `siaga lab up`; the hospital is fictitious.

[site]
name = "RSUD Contoh (lab {name})"
language = "{language}"
time_zone = "Asia/Jakarta"

[document]
title = "Downtime System Data"
number = "445/000/SOP/2025"
revision = "01"
related_units = ["SIMRS", "IGD", "Farmasi", "Kasir"]

[[person]]
name = "budi"
role = "operator"

[[person]]
name = "dewi"
role = "decider"

[[person]]
name = "sari"
role = "approver"
"#,
        name = state.name
    )
}

fn node_table(layout: &Layout, state: &LabState, node: Machine) -> String {
    let net = state.net;
    let mut text = format!(
        "\n[[node]]\nname = {}\naddresses = [{}, {}]\nhardware_addresses = [{}, {}]\nmetrics = \"{}:{METRICS_PORT}\"\n",
        quoted(node.name()),
        quoted(&net.public(node).to_string()),
        quoted(&net.cross(node).to_string()),
        quoted(&net.hardware_address(node, Interface::Public)),
        quoted(&net.hardware_address(node, Interface::Cross)),
        net.public(node),
    );
    for device in FenceDevice::ALL
        .into_iter()
        .filter(|device| state.options.fence.has(*device))
    {
        let _ = write!(
            text,
            "\n[[node.fence]]\nname = {}\nkind = {}\nagent = {}\ntimeout = \"20s\"\n\
             options = {{ ip = {}, plug = {} }}\nsecret_files = {{ password = {} }}\n",
            quoted(&format!("lab-{}", device.name())),
            quoted(device.name()),
            path(&layout.fence_dir().join(device.program())),
            path(&layout.control_socket()),
            quoted(node.name()),
            quoted(SECRET_FILE),
        );
    }
    text
}

fn service(layout: &Layout, state: &LabState) -> String {
    let net = state.net;
    // One kernel carries both nodes: without `nouuid` it would refuse a second mount, and hide the very fault.
    let options = match state.options.fs {
        FsKind::Ext4 => "",
        FsKind::Xfs => "options = [\"nouuid\"]\n",
    };
    let mut text = format!(
        "\n[[service]]\nname = {}\npreferred_node = \"serverdb\"\n",
        quoted(SERVICE)
    );
    let devices: Vec<String> = NODES
        .iter()
        .map(|node| format!("{} = {}", node.name(), path(&layout.lun_link(*node))))
        .collect();
    let _ = write!(
        text,
        "\n[service.disk_set]\ndriver = \"block\"\ndevice = {{ {} }}\n",
        devices.join(", ")
    );
    let _ = write!(
        text,
        "\n[[service.file_system]]\nkind = \"{}\"\nmount_point = {}\n{options}",
        state.options.fs.as_str(),
        quoted(SERVICE_MOUNT),
    );
    for (address, network) in [
        (net.vip().to_string(), net.network()),
        (net.vip6().to_string(), net.network6()),
    ] {
        let _ = write!(
            text,
            "\n[[service.virtual_ip]]\naddress = {}\nnetwork = {}\ninterface = \"eth0\"\n",
            quoted(&address),
            quoted(&network)
        );
    }
    let _ = write!(
        text,
        "\n[service.database]\nbin_dir = {}\ndata_dir = {}\n",
        path(&state.pg_bin),
        quoted(DATA_DIR)
    );
    // The nodes' own disks are small; this place is each node's own, in memory.
    text.push_str(
        "\n[service.rehearsal]\nmax_rate = 1024\nfolder = \"/srv/rehearsal\"\namcheck = \"10s\"\n",
    );
    text.push_str("\n[[service.client_test]]\nname = \"rows\"\nkind = \"probe\"\n");
    let _ = write!(
        text,
        "\n[[service.client_test]]\nname = \"port\"\nkind = \"tcp\"\naddress = \"{}:5432\"\ntimeout = \"5s\"\n",
        net.vip()
    );
    text
}

/// The client's `probe.toml`.
pub fn probe_toml(state: &LabState) -> String {
    let mut text = format!(
        "name = {}\nservice = {}\ninterval = \"20ms\"\n\n[sql]\nhost = {}\nuser = {}\ndbname = {}\n",
        quoted(PROBE_NAME),
        quoted(SERVICE),
        quoted(&state.net.vip().to_string()),
        quoted(DATABASE),
        quoted(DATABASE),
    );
    for node in NODES {
        // The client is on the public network only.
        let _ = write!(
            text,
            "\n[[agent]]\nnode = {}\naddresses = [\"{}:{AGENT_PORT}\"]\n",
            quoted(node.name()),
            state.net.public(node)
        );
    }
    text
}

/// A text as TOML's basic string. JSON's strings are among them.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn path(path: &Path) -> String {
    quoted(&path.to_string_lossy())
}
