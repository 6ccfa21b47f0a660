//! The `siaga` binary: the command line, and by its verbs the agent, the client probe and the lab.

mod args;
mod client;
mod context;
mod exit;
mod fault;
mod follow;
mod guided;
mod help;
mod language;
mod order;
mod paper_args;
mod place;
mod records;
mod show;
mod term;
mod trace;
mod verbs;
mod when;

use args::{Cli, Verb};
use clap::FromArgMatches;
use fault::Fault;
use std::process::ExitCode;

fn main() -> ExitCode {
    // The lab's fence devices are this program under another name; their own command line is key=value on stdin.
    if let Some(code) = siaga_lab::fence_main() {
        return code;
    }
    // So are the processes of a rehearsal, which an agent starts.
    if let Some(code) = siaga_agent::rehearsal_main() {
        return code;
    }
    let args: Vec<_> = std::env::args_os().collect();
    let language = language::of_command_line(&args);
    let parsed = help::command(language)
        .try_get_matches_from(args)
        .and_then(|matches| Cli::from_arg_matches(&matches));
    match parsed {
        Ok(cli) => run(cli),
        Err(error) => help::report(&error, language).into(),
    }
}

fn run(cli: Cli) -> ExitCode {
    let language = language::first(&cli.global);
    let global = cli.global;
    let ended = match cli.verb {
        // These speak for themselves and have exit codes of their own.
        Some(Verb::Agent(args)) => return verbs::agent::run(&global, args),
        Some(Verb::Probe(args)) => return verbs::probe::run(&global, &args),
        Some(Verb::Lab(args)) => return verbs::lab::run(args),
        None => guided::run(&global),
        Some(Verb::Status(args)) => verbs::status::run(&global, &args),
        Some(Verb::Diagnose(args)) => verbs::diagnose::run(&global, &args),
        Some(Verb::Check(args)) => verbs::check::run(&global, &args),
        Some(Verb::Witness(args)) => verbs::witness::run(&global, &args),
        Some(Verb::Explain(args)) => verbs::explain::run(&global, &args),
        Some(Verb::Takeover(args)) => verbs::takeover::run(&global, &args),
        Some(Verb::Switchover(args)) => verbs::switchover::run(&global, &args),
        Some(Verb::Failback(args)) => verbs::failback::run(&global, &args),
        Some(Verb::Drill(args)) => verbs::drill::run(&global, &args),
        Some(Verb::Rehearse(args)) => verbs::rehearse::run(&global, &args),
        Some(Verb::Restart(args)) => verbs::restart::run(&global, &args),
        Some(Verb::Stop(args)) => verbs::stop::run(&global, &args),
        Some(Verb::Start(args)) => verbs::start::run(&global, &args),
        Some(Verb::Power(args)) => verbs::power::run(&global, &args),
        Some(Verb::Resume(args)) => verbs::resume::run(&global, &args),
        Some(Verb::Abort(args)) => verbs::abort::run(&global, &args),
        Some(Verb::Incident(args)) => verbs::incident::run(&global, &args),
        Some(Verb::Estimate(args)) => verbs::estimate::run(&global, &args),
        Some(Verb::Log(args)) => verbs::log::run(&global, &args),
        Some(Verb::Sop(args)) => verbs::sop::run(&global, &args),
        Some(Verb::Sheet(args)) => verbs::sheet::run(&global, &args),
        Some(Verb::Report(args)) => verbs::report::run(&global, &args),
        Some(Verb::Notice(args)) => verbs::notice::run(&global, &args),
        Some(Verb::Pause(args)) => verbs::pause::pause(&global, &args),
        Some(Verb::ResumeAlerts(args)) => verbs::pause::resume(&global, &args),
        Some(Verb::Support(args)) => verbs::support::run(&global, &args),
        Some(Verb::Events(args)) => verbs::events::run(&global, &args),
        Some(Verb::Config(args)) => verbs::config::run(&global, &args),
        Some(Verb::Init(args)) => verbs::init::run(&global, &args),
        Some(Verb::Token(args)) => verbs::token::run(&global, &args),
        Some(Verb::Ca(args)) => verbs::ca::run(&global, &args),
        Some(Verb::Node(args)) => verbs::node::run(&global, &args),
        Some(Verb::State(args)) => verbs::state::run(&global, &args),
        Some(Verb::Join(args)) => verbs::join::run(&global, &args),
        Some(Verb::Completions(args)) => verbs::completions::run(&global, &args),
        Some(Verb::Man(args)) => verbs::man::run(&args),
        Some(Verb::Version(_)) => verbs::version::run(),
    };
    match ended {
        Ok(exit) => exit.into(),
        Err(fault) => report(&fault, language),
    }
}

fn report(fault: &Fault, language: siaga_model::config::Language) -> ExitCode {
    eprintln!("{}", fault.render(language));
    fault.exit().into()
}
