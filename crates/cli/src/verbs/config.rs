//! `siaga config`: the site's configuration file, without an agent.

use crate::args::Global;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::language;
use crate::show;
use crate::term::out;
use siaga_comms::TemplateError;
use siaga_config::{DEFAULT_PATH, HostChecks};
use siaga_model::config::Config;
use siaga_words::{Ui, ui};
use std::path::PathBuf;

/// Check the configuration file, or print its JSON Schema
#[derive(clap::Args, Debug, Clone)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    #[command(subcommand)]
    pub verb: ConfigVerb,
}

const EXAMPLES: &str = "Examples:
  siaga config check
  siaga config check --config /root/siaga.toml.new
  siaga config schema > siaga.schema.json";

const CHECK_EXAMPLES: &str = "Examples:
  siaga config check
  siaga config check --config /root/siaga.toml.new --json";

const SCHEMA_EXAMPLES: &str = "Examples:
  siaga config schema > siaga.schema.json";

#[derive(clap::Subcommand, Debug, Clone)]
pub enum ConfigVerb {
    /// Say everything that is wrong with the file: place, cause and remedy
    #[command(after_help = CHECK_EXAMPLES)]
    Check {
        /// The file.
        #[arg(long, value_name = "FILE", default_value = DEFAULT_PATH)]
        config: PathBuf,
        /// Print JSON.
        #[arg(long)]
        json: bool,
    },
    /// Print the JSON Schema of the file, for editors
    #[command(after_help = SCHEMA_EXAMPLES)]
    Schema,
}

/// Carries the verb out.
pub fn run(global: &Global, args: &Args) -> Result<Exit, Fault> {
    match &args.verb {
        ConfigVerb::Schema => {
            show::json(&siaga_config::json_schema())?;
            Ok(Exit::Done)
        }
        ConfigVerb::Check { config, json } => check(global, config, *json),
    }
}

/// What is wrong with the site's own texts. A file that is not yet in its place may name a directory that is not there.
fn templates(config: &Config, in_place: bool) -> Vec<TemplateError> {
    let dir = config.downtime.rules.template_dir.as_ref();
    match dir.is_some_and(|dir| in_place || dir.exists()) {
        true => siaga_comms::Templates::load(config).1,
        false => Vec::new(),
    }
}

fn check(global: &Global, file: &std::path::Path, json: bool) -> Result<Exit, Fault> {
    // A file that is not yet in its place may name secrets that are not yet there either.
    let in_place = file == std::path::Path::new(DEFAULT_PATH);
    let checks = HostChecks {
        secrets_missing: in_place,
        ..HostChecks::this_host(None)
    };
    match siaga_config::load_checked(file, &checks) {
        Ok((config, _)) if !templates(&config, in_place).is_empty() => {
            let language = language::asked(global).unwrap_or(config.site.language);
            let faults = templates(&config, in_place);
            if json {
                let one = |f: &TemplateError| {
                    serde_json::json!({
                        "code": f.fault.code(), "line": f.line, "column": f.column,
                        "file": f.file.to_string_lossy(), "cause": f.render(language),
                    })
                };
                let errors: Vec<_> = faults.iter().map(one).collect();
                show::json(&serde_json::json!({ "file": file, "errors": errors }))?;
            } else {
                let faults: Vec<String> = faults.iter().map(|f| f.render(language)).collect();
                eprintln!(
                    "{}\n\n{}",
                    faults.join("\n\n"),
                    ui(language, Ui::CodesExplained)
                );
            }
            Ok(Exit::Usage)
        }
        Ok((config, hash)) if json => {
            let name = &config.site.name;
            show::json(
                &serde_json::json!({ "file": file, "errors": [], "site": name, "hash": hash,
                    "somebody_may_attest": config.somebody_may_attest() }),
            )?;
            Ok(Exit::Done)
        }
        Ok((config, _)) => {
            let language = language::asked(global).unwrap_or(config.site.language);
            out(&ui(language, Ui::ConfigGood));
            if !config.somebody_may_attest() {
                out(&ui(language, Ui::NobodyMayAttest));
            }
            Ok(Exit::Done)
        }
        Err(errors) => {
            let language = language::asked(global).unwrap_or(errors.language);
            if json {
                show::json(&errors.to_json(language))?;
            } else {
                let more = ui(language, Ui::CodesExplained);
                eprintln!("{}\n\n{more}", errors.render(language));
            }
            Ok(Exit::Usage)
        }
    }
}
