//! What a call ran into, with what to do about it.

use siaga_model::ServiceName;
use siaga_model::api_problem::ApiProblem;
use siaga_model::config::Language;

/// The problem in the site's language.
pub fn api_problem(language: Language, problem: &ApiProblem) -> String {
    match language {
        Language::English => english(problem),
        Language::Indonesian => indonesian(problem),
    }
}

fn listed(services: &[ServiceName]) -> String {
    let names: Vec<&str> = services.iter().map(ServiceName::as_str).collect();
    names.join(", ")
}

fn english(problem: &ApiProblem) -> String {
    use ApiProblem as P;
    match problem {
        P::NoSuchService { service, known } => format!(
            "There is no service {service}. The services are: {}.",
            listed(known)
        ),
        P::SeveralServices { known } => format!(
            "There are several services: {}. Say which one: --service NAME.",
            listed(known)
        ),
        P::NoSuchRun { run } => format!(
            "No run {run} is known here. `siaga log` and `siaga events` show the runs that are."
        ),
        P::CoordinatorSilent { node, run } => {
            format!("{node} carries out the run {run}, and does not answer.")
        }
        P::LogUnreadable { why } => format!(
            "The event log can't be read: {why}. Look at it with `siaga events verify`; moves go on being recorded where they can."
        ),
        P::NotTold { why } => format!("It could not be told: {why}. Ask again."),
    }
}

fn indonesian(problem: &ApiProblem) -> String {
    use ApiProblem as P;
    match problem {
        P::NoSuchService { service, known } => format!(
            "Tidak ada layanan {service}. Layanan yang ada: {}.",
            listed(known)
        ),
        P::SeveralServices { known } => format!(
            "Ada beberapa layanan: {}. Sebutkan satu: --service NAMA.",
            listed(known)
        ),
        P::NoSuchRun { run } => format!(
            "Proses {run} tidak dikenal di sini. `siaga log` dan `siaga events` menampilkan yang dikenal."
        ),
        P::CoordinatorSilent { node, run } => {
            format!("{node} sedang menjalankan proses {run}, dan tidak menjawab.")
        }
        P::LogUnreadable { why } => format!(
            "Log kejadian tidak dapat dibaca: {why}. Periksa dengan `siaga events verify`; pemindahan tetap dicatat sejauh bisa."
        ),
        P::NotTold { why } => format!("Belum dapat dipastikan: {why}. Tanyakan sekali lagi."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_names_what_there_is_in_both_languages() {
        let problem = ApiProblem::NoSuchService {
            service: ServiceName::from("lab"),
            known: vec![ServiceName::from("simrs"), ServiceName::from("pacs")],
        };
        for (language, said) in [
            (Language::English, "The services are: simrs, pacs."),
            (Language::Indonesian, "Layanan yang ada: simrs, pacs."),
        ] {
            assert!(api_problem(language, &problem).ends_with(said));
        }
    }
}
