//! `siaga.toml` becomes the model's `Config`, or a list of everything that is wrong with it: each error with its
//! line and column, its cause and its remedy, in the site's language.
//!
//! The file is read by a reader that goes on after an error (`read`), into typed fields (`raw`, `scalars`), which
//! are then checked against each other and, where that is asked for, against this host (`check`, `host`).

mod amounts;
pub mod cause;
mod check;
mod choices;
pub mod draft;
mod error;
mod host;
mod network;
mod raw;
mod read;
mod scalars;
mod suggest;
mod text;

pub use cause::Cause;
pub use error::{ConfigError, ConfigErrors};
pub use host::{HostChecks, HostInterface};
pub use network::Net;
pub use scalars::AGENT_PORT;

use check::Context;
use read::{Read, Sink};
use siaga_model::config::{Config, Language};
use std::io::Read as _;
use std::path::Path;

/// Where the file is, where nobody says otherwise.
pub const DEFAULT_PATH: &str = "/etc/siaga/siaga.toml";

/// The largest file that is read, in bytes.
pub const LARGEST: usize = 1024 * 1024;

/// Reads the file as an agent does when it starts (see [`HostChecks::start`]).
///
/// # Errors
/// Everything that is wrong with the file.
pub fn load(path: &Path) -> Result<Config, ConfigErrors> {
    load_checked(path, &HostChecks::start()).map(|(config, _)| config)
}

/// Reads the file with the checks that are asked for; with the configuration comes its [`hash`].
///
/// # Errors
/// Everything that is wrong with the file.
pub fn load_checked(path: &Path, checks: &HostChecks) -> Result<(Config, String), ConfigErrors> {
    let text = read_file(path).map_err(|cause| ConfigErrors::whole_file(path, cause))?;
    parse(&text, checks).map_err(|errors| ConfigErrors {
        file: path.to_owned(),
        ..errors
    })
}

fn read_file(path: &Path) -> Result<String, Cause> {
    let unreadable = |e: std::io::Error| Cause::Unreadable { why: e.to_string() };
    let file = std::fs::File::open(path).map_err(unreadable)?;
    let mut bytes = Vec::new();
    // One byte more than allowed tells a file that is too large from one that just fits.
    file.take(LARGEST as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if bytes.len() > LARGEST {
        return Err(Cause::TooLarge { limit: LARGEST });
    }
    String::from_utf8(bytes).map_err(|_| Cause::NotText)
}

/// Parses and checks a text; with the configuration comes its [`hash`].
///
/// # Errors
/// Everything that is wrong with the text. A syntax error hides the rest.
pub fn parse(text: &str, checks: &HostChecks) -> Result<(Config, String), ConfigErrors> {
    if text.len() > LARGEST {
        return Err(ConfigErrors::whole_file(
            Path::new("siaga.toml"),
            Cause::TooLarge { limit: LARGEST },
        ));
    }
    let mut sink = Sink::default();
    let document = match toml::de::DeTable::parse(text) {
        Ok(document) => document,
        Err(e) => {
            let at = e.span().unwrap_or(0..0);
            sink.push(
                &at,
                "",
                Cause::Syntax {
                    message: e.message().to_owned(),
                },
            );
            return Err(ConfigErrors::located(text, Language::default(), sink.found));
        }
    };
    let value = toml::de::DeValue::Table(document.into_inner());
    let file = raw::File::read(&value, &(0..0), "", &mut sink);
    let language = file.as_ref().and_then(language).unwrap_or_default();
    let mut context = Context {
        text,
        host: checks,
        sink: &mut sink,
        nodes: Vec::new(),
    };
    let config = file.and_then(|file| check::config(&file, &mut context));
    match config {
        Some(config) if sink.found.is_empty() => {
            let hash = hash(&config);
            Ok((config, hash))
        }
        _ => Err(ConfigErrors::located(text, language, sink.found)),
    }
}

/// The site's language, whatever else may be wrong with the file. `None`: it can't be read.
pub fn language_in(path: &Path) -> Option<Language> {
    let text = read_file(path).ok()?;
    let document = toml::de::DeTable::parse(&text).ok()?;
    let value = toml::de::DeValue::Table(document.into_inner());
    let file = raw::File::read(&value, &(0..0), "", &mut Sink::default());
    Some(file.as_ref().and_then(language).unwrap_or_default())
}

fn language(file: &raw::File) -> Option<Language> {
    Some(file.site.value()?.language.value()?.0)
}

/// SHA-256 of what the configuration says, as hexadecimal text: two nodes with one meaning have one hash, whatever
/// their comments and spaces.
pub fn hash(config: &Config) -> String {
    let json = serde_json::to_vec(config).expect("a configuration has only text keys");
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &json);
    digest
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// The JSON Schema of `siaga.toml`, for editors.
pub fn json_schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(raw::File);
    schema.insert("title".to_owned(), "siaga.toml".into());
    schema.to_value()
}
