//! What is wrong with a template, with its place, in both languages.

use crate::field::Field;
use crate::templates::moment_name;
use siaga_model::config::Language;
use siaga_model::notice::Moment;
use std::path::PathBuf;

/// A template that is not used. `line` and `column` count from 1; 0 where the whole file is meant.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("{}", self.render(Language::English))]
pub struct TemplateError {
    pub file: PathBuf,
    pub line: usize,
    pub column: usize,
    pub fault: TemplateFault,
}

/// The fault.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum TemplateFault {
    /// There is no such field.
    Unknown {
        found: String,
        moment: Moment,
    },
    /// The field does not belong into a text of that moment.
    NotHere {
        field: Field,
        moment: Moment,
    },
    /// A text of that moment must say it.
    Missing {
        field: Field,
    },
    /// A single brace.
    Brace,
    /// There is no subject, or nothing under it.
    NoBody,
    TooLong {
        most: usize,
    },
    /// The product's name is also the name of an emergency level.
    ProductName,
    /// The name is not `<moment>.<language>.txt`.
    FileName,
    Unreadable {
        why: String,
    },
}

impl TemplateFault {
    /// A stable code. It never changes its meaning.
    pub fn code(&self) -> &'static str {
        match self {
            TemplateFault::Unknown { .. } => "TEMPLATE_UNKNOWN_FIELD",
            TemplateFault::NotHere { .. } => "TEMPLATE_FIELD_NOT_HERE",
            TemplateFault::Missing { .. } => "TEMPLATE_FIELD_MISSING",
            TemplateFault::Brace => "TEMPLATE_BRACE",
            TemplateFault::NoBody => "TEMPLATE_NO_BODY",
            TemplateFault::TooLong { .. } => "TEMPLATE_TOO_LONG",
            TemplateFault::ProductName => "TEMPLATE_PRODUCT_NAME",
            TemplateFault::FileName => "TEMPLATE_FILE_NAME",
            TemplateFault::Unreadable { .. } => "TEMPLATE_UNREADABLE",
        }
    }
}

impl TemplateError {
    /// Place, code, cause and remedy.
    pub fn render(&self, language: Language) -> String {
        let place = match self.line {
            0 => self.file.display().to_string(),
            line => format!("{}:{line}:{}", self.file.display(), self.column),
        };
        let said = match language {
            Language::English => english(&self.fault),
            Language::Indonesian => indonesian(&self.fault),
        };
        format!("{place}: {}\n  {said}", self.fault.code())
    }
}

/// The fields that a text of that moment may have.
fn known(moment: Moment) -> String {
    let names: Vec<String> = Field::ALL
        .iter()
        .filter(|f| f.fits(moment))
        .map(|f| format!("{{{}}}", f.name()))
        .collect();
    names.join(" ")
}

fn names() -> String {
    let names: Vec<&str> = Moment::ALL.iter().map(|m| moment_name(*m)).collect();
    names.join(", ")
}

fn english(fault: &TemplateFault) -> String {
    match fault {
        TemplateFault::Unknown { found, moment } => format!(
            "There is no field {{{found}}}.\n  The fields are: {}",
            known(*moment)
        ),
        TemplateFault::NotHere { field, moment } => format!(
            "A text of the moment {} says no {{{}}}: nobody knows it yet.\n  Remove it.",
            moment_name(*moment),
            field.name()
        ),
        TemplateFault::Missing { field } => format!(
            "The field {{{}}} is missing, and people need it.\n  Add a line with it.",
            field.name()
        ),
        TemplateFault::Brace => {
            "A single brace.\n  Write a field as {field}, and a brace itself twice: {{ or }}."
                .to_owned()
        }
        TemplateFault::NoBody => {
            "The first line is the subject, and the text follows.\n  Write both.".to_owned()
        }
        TemplateFault::TooLong { most } => {
            format!("The text has more than {most} characters.\n  Shorten it.")
        }
        TemplateFault::ProductName => {
            "This word is also the name of an emergency level, and would alarm people.\n  Remove it."
                .to_owned()
        }
        TemplateFault::FileName => format!(
            "No text is read from this file.\n  Name it MOMENT.LANGUAGE.txt: the moment one of {}, the language en or id.",
            names()
        ),
        TemplateFault::Unreadable { why } => {
            format!("It cannot be read: {why}.\n  Check the file and who may read it.")
        }
    }
}

fn indonesian(fault: &TemplateFault) -> String {
    match fault {
        TemplateFault::Unknown { found, moment } => format!(
            "Tidak ada isian {{{found}}}.\n  Isian yang ada: {}",
            known(*moment)
        ),
        TemplateFault::NotHere { field, moment } => format!(
            "Teks untuk saat {} tidak memuat {{{}}}: belum ada yang tahu.\n  Hapus isian itu.",
            moment_name(*moment),
            field.name()
        ),
        TemplateFault::Missing { field } => format!(
            "Isian {{{}}} belum ada, padahal diperlukan penerima.\n  Tambahkan satu baris dengan isian itu.",
            field.name()
        ),
        TemplateFault::Brace => {
            "Kurung kurawal tunggal.\n  Tulis isian sebagai {isian}, dan kurung kurawal biasa dua kali: {{ atau }}."
                .to_owned()
        }
        TemplateFault::NoBody => {
            "Baris pertama adalah subjek, lalu menyusul teksnya.\n  Tulis keduanya.".to_owned()
        }
        TemplateFault::TooLong { most } => {
            format!("Teks lebih dari {most} karakter.\n  Persingkat.")
        }
        TemplateFault::ProductName => {
            "Kata ini juga nama tingkat keadaan darurat dan dapat membuat orang panik.\n  Hapus kata itu."
                .to_owned()
        }
        TemplateFault::FileName => format!(
            "Berkas ini tidak dibaca.\n  Beri nama SAAT.BAHASA.txt: saat salah satu dari {}, bahasa en atau id.",
            names()
        ),
        TemplateFault::Unreadable { why } => {
            format!("Tidak dapat dibaca: {why}.\n  Periksa berkas dan siapa yang boleh membacanya.")
        }
    }
}
