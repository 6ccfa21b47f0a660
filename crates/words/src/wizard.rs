//! What `siaga init` asks and says while it sets a site up.

use crate::{wizard_en, wizard_id};
use siaga_model::config::Language;
use siaga_model::question::Question;
use std::path::PathBuf;

/// A text of the questions and of what was found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Wizard {
    /// Above the first question.
    Welcome,
    FoundServer {
        version: String,
        pid: i32,
        data_dir: PathBuf,
        port: u16,
        unit: Option<String>,
    },
    FoundNoServer,
    /// Others than root could change its program.
    NotRoots {
        program: PathBuf,
    },
    /// A cluster that does not run.
    FoundStopped {
        version: String,
        name: String,
        data_dir: PathBuf,
        port: u16,
    },
    /// A disk that nothing uses.
    FoundFree {
        device: PathBuf,
        /// In words.
        size: String,
        file_system: Option<String>,
        on: Option<FreeOn>,
        waits_at: Option<PathBuf>,
    },
    /// A group none of whose volumes is told otherwise.
    FoundGroup {
        name: String,
    },
    FoundReplica {
        resource: String,
    },
    NoFreeDisk,
    SeveralFree,
    /// Its data lies on a disk that can't be another server's tomorrow.
    NotShared {
        data_dir: PathBuf,
        mount_point: Option<PathBuf>,
    },
    OtherOptions {
        options: Vec<String>,
    },
    DataOutside {
        link: PathBuf,
        to: PathBuf,
        /// The device and the mount point of its file system, where it is one that could move.
        on: Option<(PathBuf, PathBuf)>,
    },
    /// It is written as a file system of its own.
    DataFurther {
        link: PathBuf,
        mount_point: PathBuf,
        device: PathBuf,
    },
    StartsAtBoot {
        units: Vec<String>,
    },
    MustBeAnswered,
    /// An answer can't be right.
    NotRight {
        cause: String,
        remedy: String,
    },
    /// What no question is about.
    Wrong {
        said: String,
    },
    Missing {
        keys: Vec<String>,
    },
    NoFence {
        node: String,
    },
    /// Nobody may attest.
    NoPeople,
    /// Shown before it is written.
    AskWrite {
        file: PathBuf,
    },
    NothingWritten,
    Exists {
        file: PathBuf,
    },
    NoTerminal {
        file: PathBuf,
    },
    CanNotWrite {
        file: PathBuf,
        said: String,
    },
    AnswersUnreadable {
        file: PathBuf,
        said: String,
    },
    NoSuchQuestion {
        key: String,
        suggestion: Option<String>,
    },
    NotAText {
        key: String,
    },
    // --- what runs
    Adopted {
        service: String,
        postmaster: i32,
    },
    NothingRuns {
        service: String,
    },
    NotAdopted {
        service: String,
        why: String,
    },
    AddressNotYet {
        address: String,
        service: String,
    },
    OwnAddress {
        address: String,
    },
    Next {
        other: String,
    },
}

/// What makes a disk that nothing uses exclusive.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FreeOn {
    Group { name: String },
    Replica { resource: String },
    Reservations,
}

/// A text in words.
pub fn wizard(language: Language, text: &Wizard) -> String {
    match language {
        Language::English => wizard_en::said(text),
        Language::Indonesian => wizard_id::said(text),
    }
}

/// A question.
pub fn question(language: Language, question: Question) -> &'static str {
    match language {
        Language::English => wizard_en::question(question).0,
        Language::Indonesian => wizard_id::question(question).0,
    }
}

/// What helps to answer it.
pub fn question_help(language: Language, question: Question) -> &'static str {
    match language {
        Language::English => wizard_en::question(question).1,
        Language::Indonesian => wizard_id::question(question).1,
    }
}
