//! What LVM's reports tell of a group.

use super::{WITHIN, succeeded};
use crate::command;
use serde::Deserialize;
use siaga_model::Why;

/// What LVM reports of a group.
#[derive(PartialEq, Debug, Deserialize)]
pub(super) struct Group {
    pub vg_systemid: String,
    pub vg_missing_pv_count: String,
}

/// All that a take must know of a group, by one program: each of LVM's reads disks of the host first, which takes seconds
/// where there are many, and a mount wants proofs that are fresh.
#[derive(PartialEq, Debug)]
pub(super) struct Look {
    pub group: Group,
    /// `None`: this LVM does not know the setting.
    pub activates_itself: Option<bool>,
    /// Every disk that carries the group, where that was asked: also one that LVM does not use, since it takes it for a
    /// second way to another one.
    pub disks: Vec<String>,
}

const GROUP: &str = "vg_systemid,vg_missing_pv_count";
const DISK: &str = "pv_name,pv_duplicate";
const ACTIVATION: &str = "vg_autoactivation";

impl Look {
    /// The group `name`. LVM reads the disks that it remembers of the group.
    pub fn of(name: &str) -> Result<Self, Why> {
        look_at(report("vgs", GROUP, &[name])?)
    }

    /// The same, and its disks: LVM reads every disk of the host.
    pub fn with_disks(name: &str) -> Result<Self, Why> {
        let of_it = format!("vg_name=\"{name}\"");
        let fields = format!("{DISK},{GROUP}");
        look_at(report("pvs", &fields, &["--all", "-S", &of_it])?)
    }
}

/// One line of such a report.
#[derive(Deserialize)]
struct Line {
    #[serde(flatten)]
    group: Group,
    vg_autoactivation: Option<String>,
    pv_name: Option<String>,
    /// Set for a disk that LVM does not use. Of the group it tells nothing then.
    pv_duplicate: Option<String>,
}

#[derive(Deserialize)]
struct Output {
    report: Vec<Report>,
}

#[derive(Deserialize)]
struct Report {
    #[serde(default)]
    vg: Vec<serde_json::Value>,
    #[serde(default)]
    pv: Vec<serde_json::Value>,
}

/// `fields` of groups, by one of LVM's programs, and their activation where it can tell it.
fn report(program: &str, fields: &str, of: &[&str]) -> Result<Report, Why> {
    let ask = |fields: &str| {
        let options = [program, "--reportformat", "json", "--foreign", "-o", fields];
        let argv: Vec<String> = options.iter().chain(of).map(|a| (*a).to_owned()).collect();
        command::run(&argv, None, WITHIN)
    };
    let mut result = ask(&format!("{fields},{ACTIVATION}"));
    // LVM before 2.03.12 refuses a field that it does not know. One that was waited for in vain is not asked again.
    if result.exit.is_some_and(|code| code != 0) {
        result = ask(fields);
    }
    succeeded(program, &result)?;
    parse(&result.stdout, program)
}

fn parse(text: &str, program: &str) -> Result<Report, Why> {
    let output: Output =
        serde_json::from_str(text).map_err(|e| Why::system(e).of(program.to_owned()))?;
    let first = output.report.into_iter().next();
    first.ok_or_else(|| Why::system("no report").of(program.to_owned()))
}

/// The lines of a report, about one group.
fn look_at(report: Report) -> Result<Look, Why> {
    let wrong = |e: serde_json::Error| Why::system(e).of("LVM");
    let lines: Vec<Line> = [report.vg, report.pv]
        .into_iter()
        .flatten()
        .map(|line| serde_json::from_value(line).map_err(wrong))
        .collect::<Result<_, _>>()?;
    let (mut told, mut disks) = (None, Vec::new());
    for line in lines {
        disks.extend(line.pv_name);
        // Of a disk that it does not use, LVM tells nothing of the group.
        if line.pv_duplicate.is_none_or(|d| d.is_empty()) {
            told.get_or_insert((line.group, line.vg_autoactivation));
        }
    }
    let (group, activation) = told.ok_or_else(|| Why::system("no such volume group").of("LVM"))?;
    Ok(Look {
        group,
        activates_itself: activation.map(|a| a == "enabled"),
        disks,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(text: &str) -> Result<Look, Why> {
        look_at(parse(text, "pvs")?)
    }

    #[test]
    fn the_report_of_a_group() {
        let text = r#"{"report":[{"vg":[{"vg_systemid":"serverdb","vg_missing_pv_count":"0",
            "vg_autoactivation":"enabled"}]}]}"#;
        let group = look(text).unwrap();
        assert_eq!(group.group.vg_systemid, "serverdb");
        assert_eq!(group.activates_itself, Some(true));
        // Not told is no word for "no": an old LVM does not know the setting.
        let old = r#"{"report":[{"vg":[{"vg_systemid":"serverdb","vg_missing_pv_count":"0"}]}]}"#;
        assert_eq!(look(old).unwrap().activates_itself, None);
        // A group that is not there is no free one.
        assert!(look(r#"{"report":[{"vg":[]}]}"#).is_err());
        // A field that is missing is not an answer.
        assert!(look(r#"{"report":[{"vg":[{"vg_systemid":""}]}]}"#).is_err());
        assert!(look("").is_err() && look("{\"report\":[]}").is_err());
    }

    #[test]
    fn a_group_is_told_by_the_disks_that_are_in_use_and_lies_on_the_others_too() {
        // As LVM 2.03.16 tells it: of the disk that it does not use it knows neither the owner nor what is missing.
        let text = r#"{"report":[{"pv":[
            {"pv_name":"/dev/vdb","pv_duplicate":"duplicate","vg_systemid":"","vg_missing_pv_count":"0",
             "vg_autoactivation":"enabled"},
            {"pv_name":"/dev/drbd0","pv_duplicate":"","vg_systemid":"serverdb","vg_missing_pv_count":"1",
             "vg_autoactivation":""},
            {"pv_name":"[unknown]","pv_duplicate":"","vg_systemid":"serverdb","vg_missing_pv_count":"1",
             "vg_autoactivation":""}]}]}"#;
        let told = look(text).unwrap();
        assert_eq!(told.disks, ["/dev/vdb", "/dev/drbd0", "[unknown]"]);
        assert_eq!(told.group.vg_systemid, "serverdb");
        assert_eq!(told.group.vg_missing_pv_count, "1");
        assert_eq!(told.activates_itself, Some(false));
        // Nothing but such disks tells nothing.
        let none = r#"{"report":[{"pv":[{"pv_name":"/dev/vdb","pv_duplicate":"duplicate","vg_systemid":"",
            "vg_missing_pv_count":"0"}]}]}"#;
        assert!(look(none).is_err());
    }
}
