//! What is wrong with a command line.

use siaga_model::config::Language;

/// An error of the command line.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UsageError {
    /// Not together with these; with none: given more than once.
    Conflict {
        argument: String,
        with: Vec<String>,
    },
    NoEquals {
        argument: String,
    },
    NoValue {
        argument: String,
        values: Vec<String>,
    },
    /// One of `values` is wanted.
    InvalidValue {
        value: String,
        argument: String,
        values: Vec<String>,
    },
    /// In the words of what reads the value.
    BadValue {
        value: String,
        argument: String,
        why: String,
    },
    TooManyValues {
        value: String,
        argument: String,
    },
    WrongNumber {
        argument: String,
    },
    UnknownArgument {
        argument: String,
    },
    UnknownVerb {
        verb: String,
    },
    MissingArguments {
        arguments: Vec<String>,
    },
    MissingVerb {
        command: String,
        verbs: Vec<String>,
    },
    NotText,
    /// In the words of the system.
    Other {
        said: String,
    },
}

/// An error of the command line, without the word "error".
pub fn usage_error(language: Language, error: &UsageError) -> String {
    match language {
        Language::English => english(error),
        Language::Indonesian => indonesian(error),
    }
}

fn list(values: &[String]) -> String {
    values.join(", ")
}

fn lines(values: &[String]) -> String {
    values.iter().map(|v| format!("\n  {v}")).collect()
}

#[rustfmt::skip] // a table of words
fn english(error: &UsageError) -> String {
    use UsageError as E;
    match error {
        E::Conflict { argument, with } if with.is_empty() => format!("'{argument}' can be given only once"),
        E::Conflict { argument, with } => format!("'{argument}' does not go together with {}", list(with)),
        E::NoEquals { argument } => format!("'{argument}' needs an equal sign before its value"),
        E::NoValue { argument, values } => format!("'{argument}' needs a value{}", offered("possible values", values)),
        E::InvalidValue { value, argument, values } => {
            format!("'{value}' is no value of '{argument}'{}", offered("possible values", values))
        }
        E::BadValue { value, argument, why } => format!("'{value}' is no value of '{argument}': {why}"),
        E::TooManyValues { value, argument } => format!("'{argument}' takes no further value: '{value}'"),
        E::WrongNumber { argument } => format!("'{argument}' was given with a wrong number of values"),
        E::UnknownArgument { argument } => format!("there is no argument '{argument}'"),
        E::UnknownVerb { verb } => format!("there is no command '{verb}'"),
        E::MissingArguments { arguments } => format!("these arguments are missing:{}", lines(arguments)),
        E::MissingVerb { command, verbs } => format!("'{command}' needs a command{}", offered("commands", verbs)),
        E::NotText => "an argument is no UTF-8 text".into(),
        E::Other { said } => said.clone(),
    }
}

#[rustfmt::skip] // a table of words
fn indonesian(error: &UsageError) -> String {
    use UsageError as E;
    match error {
        E::Conflict { argument, with } if with.is_empty() => format!("'{argument}' hanya boleh diberikan satu kali"),
        E::Conflict { argument, with } => format!("'{argument}' tidak dapat dipakai bersama {}", list(with)),
        E::NoEquals { argument } => format!("'{argument}' memerlukan tanda sama dengan sebelum nilainya"),
        E::NoValue { argument, values } => format!("'{argument}' memerlukan nilai{}", offered("pilihan", values)),
        E::InvalidValue { value, argument, values } => {
            format!("'{value}' bukan nilai untuk '{argument}'{}", offered("pilihan", values))
        }
        E::BadValue { value, argument, why } => format!("'{value}' bukan nilai untuk '{argument}': {why}"),
        E::TooManyValues { value, argument } => format!("'{argument}' tidak menerima nilai lagi: '{value}'"),
        E::WrongNumber { argument } => format!("jumlah nilai untuk '{argument}' salah"),
        E::UnknownArgument { argument } => format!("tidak ada argumen '{argument}'"),
        E::UnknownVerb { verb } => format!("tidak ada perintah '{verb}'"),
        E::MissingArguments { arguments } => format!("argumen ini belum diberikan:{}", lines(arguments)),
        E::MissingVerb { command, verbs } => format!("'{command}' memerlukan sebuah perintah{}", offered("pilihan", verbs)),
        E::NotText => "sebuah argumen bukan teks UTF-8".into(),
        E::Other { said } => said.clone(),
    }
}

fn offered(what: &str, values: &[String]) -> String {
    match values {
        [] => String::new(),
        values => format!("\n  [{what}: {}]", list(values)),
    }
}

/// What else belongs to an error: the word before it, what may have been meant, and where more is to be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UsageNote {
    Error,
    Meant { names: Vec<String> },
    More { flag: String },
}

/// One note.
pub fn usage_note(language: Language, note: &UsageNote) -> String {
    match (language, note) {
        (Language::English, UsageNote::Error) => "error:".into(),
        (Language::Indonesian, UsageNote::Error) => "kesalahan:".into(),
        (Language::English, UsageNote::Meant { names }) => {
            format!("Did you mean: {}", list(names))
        }
        (Language::Indonesian, UsageNote::Meant { names }) => {
            format!("Mungkin maksud Anda: {}", list(names))
        }
        (Language::English, UsageNote::More { flag }) => {
            format!("For more information, try '{flag}'.")
        }
        (Language::Indonesian, UsageNote::More { flag }) => {
            format!("Selengkapnya: tambahkan '{flag}'.")
        }
    }
}
