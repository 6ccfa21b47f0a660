//! A site's first `siaga.toml`, written from answers. Every line knows the question that it comes from, so that what the
//! checks of this crate say of a line is said of the answer.

mod answers;
mod comments;

pub use answers::{Answers, AnswersError};

use crate::{ConfigError, HostChecks, parse};
use comments::{Remark, remark};
use siaga_model::config::{Config, Language};
use siaga_model::question::Question;

/// The text, line by line.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Draft {
    lines: Vec<(String, Option<Question>)>,
}

/// The agent for a server's management processor.
const IPMI: &str = "/usr/sbin/fence_ipmilan";

impl Draft {
    /// What these answers make. A question without an answer has no line.
    pub fn of(answers: &Answers) -> Self {
        let mut draft = Self::default();
        let language = answers.language();
        draft.say(language, Remark::Top);
        draft.site(answers);
        draft.people(answers);
        draft.gap();
        draft.say(language, Remark::Nodes);
        draft.node(answers, &THIS);
        draft.node(answers, &OTHER);
        draft.service(answers);
        draft
    }

    /// The file.
    pub fn text(&self) -> String {
        let lines: Vec<&str> = self.lines.iter().map(|(line, _)| line.as_str()).collect();
        lines.join("\n") + "\n"
    }

    /// The configuration that it is, or everything that is wrong with it, each with the question that it is about.
    ///
    /// # Errors
    /// Never an empty list.
    pub fn check(&self, host: &HostChecks) -> Result<Config, Vec<(Option<Question>, ConfigError)>> {
        let of = |error: ConfigError| {
            let at = error.line.checked_sub(1);
            let line = at.and_then(|line| self.lines.get(line));
            (line.and_then(|(_, question)| *question), error)
        };
        parse(&self.text(), host)
            .map(|(config, _)| config)
            .map_err(|errors| errors.errors.into_iter().map(of).collect())
    }

    fn push(&mut self, line: impl Into<String>) {
        self.lines.push((line.into(), None));
    }

    fn gap(&mut self) {
        self.push("");
    }

    fn say(&mut self, language: Language, what: Remark) {
        for line in remark(language, what).lines() {
            self.push(format!("# {line}"));
        }
    }

    /// `key = "answer"`
    fn text_of(&mut self, answers: &Answers, question: Question, key: &str) {
        if let Some(answer) = answers.get(question) {
            let line = format!("{key} = {}", quoted(answer));
            self.lines.push((line, Some(question)));
        }
    }

    /// `key = 5432`, and what is no number as it was given: the checks say so.
    fn number_of(&mut self, answers: &Answers, question: Question, key: &str) {
        if let Some(answer) = answers.get(question) {
            let value = match answer.parse::<u16>() {
                Ok(number) => number.to_string(),
                Err(_) => quoted(answer),
            };
            self.lines
                .push((format!("{key} = {value}"), Some(question)));
        }
    }

    /// `key = ["one", "two"]`
    fn list_of(&mut self, answers: &Answers, question: Question, key: &str) {
        if answers.get(question).is_some() {
            let all: Vec<String> = answers.list(question).iter().map(|a| quoted(a)).collect();
            let line = format!("{key} = [{}]", all.join(", "));
            self.lines.push((line, Some(question)));
        }
    }

    fn site(&mut self, answers: &Answers) {
        self.push("[site]");
        self.text_of(answers, Question::SiteName, "name");
        self.text_of(answers, Question::Language, "language");
        self.text_of(answers, Question::TimeZone, "time_zone");
    }

    fn people(&mut self, answers: &Answers) {
        let of = Some(Question::Operators);
        let all = answers.list(Question::Operators);
        self.gap();
        self.say(answers.language(), Remark::People);
        if all.is_empty() {
            self.say(answers.language(), Remark::NoPeople);
        }
        for (at, account) in all.iter().map(|a| quoted(a)).enumerate() {
            if at > 0 {
                self.gap();
            }
            let name = format!("name = {account}");
            let login = format!("login = {account}");
            let role = "role = \"operator\"".to_owned();
            let lines = ["[[person]]".to_owned(), name, role, login];
            self.lines.extend(lines.map(|line| (line, of)));
        }
    }

    fn node(&mut self, answers: &Answers, of: &Of) {
        self.gap();
        self.push("[[node]]");
        self.text_of(answers, of.node, "name");
        self.list_of(answers, of.addresses, "addresses");
        self.list_of(answers, of.hardware, "hardware_addresses");
        self.gap();
        if answers.get(of.fence).is_none() {
            self.say(answers.language(), Remark::NoFence);
            return;
        }
        self.push("[[node.fence]]");
        self.push("name = \"ipmi\"");
        self.push("kind = \"power\"");
        self.push(format!("agent = {}", quoted(IPMI)));
        self.push("[node.fence.options]");
        self.text_of(answers, of.fence, "ip");
        self.text_of(answers, of.fence_user, "username");
        self.push("lanplus = \"1\"");
        self.push("[node.fence.secret_files]");
        self.text_of(answers, of.fence_secret, "password");
    }

    fn service(&mut self, answers: &Answers) {
        let language = answers.language();
        self.gap();
        self.say(language, Remark::Service);
        self.push("[[service]]");
        self.text_of(answers, Question::Service, "name");
        let preferred = match answers.get(Question::PreferredNode) {
            Some(_) => Question::PreferredNode,
            None => Question::ThisNode,
        };
        self.text_of(answers, preferred, "preferred_node");
        self.disk_set(answers);
        self.gap();
        self.push("[[service.file_system]]");
        self.text_of(answers, Question::FileSystem, "kind");
        self.text_of(answers, Question::MountPoint, "mount_point");
        self.list_of(answers, Question::MountOptions, "options");
        for one in answers.list(Question::FurtherFileSystems) {
            self.further(one);
        }
        self.gap();
        self.say(language, Remark::VirtualIp);
        self.push("[[service.virtual_ip]]");
        self.text_of(answers, Question::VirtualIp, "address");
        let names = (Question::Interface, Question::OtherInterface);
        self.per_node(answers, names, "interface", "service.virtual_ip.interface");
        self.database(answers);
        self.gap();
        self.say(language, Remark::ClientTest);
        self.push("[[service.client_test]]");
        self.push("name = \"rows\"");
        self.push("kind = \"probe\"");
    }

    /// In the order of `fstab`: device, mount point, kind, options. What is missing has no line, and the checks say so.
    fn further(&mut self, one: &str) {
        let of = Some(Question::FurtherFileSystems);
        let words: Vec<String> = one.split_whitespace().map(quoted).collect();
        let (first, options) = words.split_at(words.len().min(3));
        self.gap();
        self.lines.push(("[[service.file_system]]".to_owned(), of));
        for (key, value) in ["device", "mount_point", "kind"].iter().zip(first) {
            self.lines.push((format!("{key} = {value}"), of));
        }
        if !options.is_empty() {
            let line = format!("options = [{}]", options.join(", "));
            self.lines.push((line, of));
        }
    }

    fn disk_set(&mut self, answers: &Answers) {
        self.gap();
        self.say(answers.language(), Remark::DiskSet);
        self.push("[service.disk_set]");
        self.text_of(answers, Question::Driver, "driver");
        match answers.get(Question::Driver) {
            Some("lvm") => {
                self.text_of(answers, Question::VolumeGroup, "volume_group");
                if let Some(disk) = answers.get(Question::ReservedDisk) {
                    let disk = quoted(disk);
                    self.push(format!("on = {{ driver = \"scsi\", device = {disk} }}"));
                } else if let Some(resource) = answers.get(Question::ReplicaBelow) {
                    let resource = quoted(resource);
                    self.push(format!(
                        "on = {{ driver = \"drbd\", resource = {resource} }}"
                    ));
                }
            }
            Some("drbd") => self.text_of(answers, Question::Resource, "resource"),
            _ => {}
        }
        let names = (Question::Device, Question::OtherDevice);
        self.per_node(answers, names, "device", "service.disk_set.device");
    }

    /// One value for both, or one for each.
    fn per_node(
        &mut self,
        answers: &Answers,
        (this, other): (Question, Question),
        key: &str,
        table: &str,
    ) {
        // Two servers of one name are said to be that, and not to be one key twice.
        let differs = answers.get(THIS.node) != answers.get(OTHER.node)
            && answers
                .get(other)
                .is_some_and(|o| answers.get(this) != Some(o));
        if !differs {
            return self.text_of(answers, this, key);
        }
        self.push(format!("[{table}]"));
        for (node, value) in [(THIS.node, this), (OTHER.node, other)] {
            let name = quoted(answers.get(node).unwrap_or_default());
            self.text_of(answers, value, &name);
        }
    }

    fn database(&mut self, answers: &Answers) {
        self.gap();
        self.say(answers.language(), Remark::Database);
        self.push("[service.database]");
        self.text_of(answers, Question::BinDir, "bin_dir");
        self.text_of(answers, Question::DataDir, "data_dir");
        self.text_of(answers, Question::ConfigFile, "config_file");
        self.text_of(answers, Question::Unit, "unit");
        self.number_of(answers, Question::Port, "port");
        self.text_of(answers, Question::OsUser, "os_user");
        self.text_of(answers, Question::SocketDir, "socket_dir");
        self.text_of(answers, Question::CheckUser, "check_user");
    }
}

/// The questions about one node.
struct Of {
    node: Question,
    addresses: Question,
    hardware: Question,
    fence: Question,
    fence_user: Question,
    fence_secret: Question,
}

const THIS: Of = Of {
    node: Question::ThisNode,
    addresses: Question::ThisAddresses,
    hardware: Question::ThisHardware,
    fence: Question::ThisFence,
    fence_user: Question::ThisFenceUser,
    fence_secret: Question::ThisFenceSecret,
};

const OTHER: Of = Of {
    node: Question::OtherNode,
    addresses: Question::OtherAddresses,
    hardware: Question::OtherHardware,
    fence: Question::OtherFence,
    fence_user: Question::OtherFenceUser,
    fence_secret: Question::OtherFenceSecret,
};

/// A TOML string on one line, whatever is in it.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests;
