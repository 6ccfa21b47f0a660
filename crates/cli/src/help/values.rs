//! The values that an argument may have.

use crate::order::How;
use crate::verbs::node::Off;
use clap::builder::{EnumValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, Command, Error};
use siaga_lab::machine::Machine;
use siaga_model::config::Language;
use siaga_words::{HelpWord, help, help_word};
use std::ffi::OsStr;

/// The argument with its values' own texts translated. Only these have any: a test knows.
pub fn translated(arg: Arg, language: Language) -> Arg {
    match arg.get_id().as_str() {
        "how" => arg.value_parser(Said {
            values: EnumValueParser::<How>::new(),
            language,
        }),
        "off_how" => arg.value_parser(Said {
            values: EnumValueParser::<Off>::new(),
            language,
        }),
        "machine" => arg.value_parser(Said {
            values: EnumValueParser::<Machine>::new(),
            language,
        }),
        _ => arg,
    }
}

/// What stands behind the text of an argument: ` [bawaan: x] [pilihan: a, b]`.
pub fn inline(arg: &Arg, language: Language) -> String {
    tags(arg, language)
        .iter()
        .map(|tag| format!(" {tag}"))
        .collect()
}

/// The same below it, with what each value means where that is said.
pub fn below(arg: &Arg, language: Language) -> String {
    let values = shown(arg);
    if values.iter().all(|v| v.get_help().is_none()) {
        let tags = tags(arg, language).join("\n");
        return match tags.is_empty() {
            true => tags,
            false => format!("\n\n{tags}"),
        };
    }
    let lines: String = values
        .iter()
        .map(|v| match v.get_help() {
            Some(text) => format!("\n- {}: {text}", v.get_name()),
            None => format!("\n- {}", v.get_name()),
        })
        .collect();
    let heading = help_word(language, HelpWord::Values);
    format!("\n\n{heading}:{lines}")
}

fn tags(arg: &Arg, language: Language) -> Vec<String> {
    if !arg.get_action().takes_values() {
        return Vec::new();
    }
    let defaults: Vec<_> = arg
        .get_default_values()
        .iter()
        .map(|v| v.to_string_lossy())
        .collect();
    let values: Vec<_> = shown(arg).iter().map(|v| v.get_name().to_owned()).collect();
    let tag = |word, text: String| {
        (!text.is_empty()).then(|| format!("[{}: {text}]", help_word(language, word)))
    };
    [
        tag(HelpWord::Default, defaults.join(" ")),
        tag(HelpWord::Values, values.join(", ")),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn shown(arg: &Arg) -> Vec<PossibleValue> {
    let mut values = arg.get_possible_values();
    values.retain(|v| !v.is_hide_set());
    values
}

/// Values whose texts are said in a language.
#[derive(Clone)]
struct Said<P> {
    values: P,
    language: Language,
}

impl<P: TypedValueParser> TypedValueParser for Said<P> {
    type Value = P::Value;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<Self::Value, Error> {
        self.values.parse_ref(command, arg, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let values = self.values.possible_values()?;
        Some(Box::new(values.map(|value| {
            let english = value.get_help().map(ToString::to_string);
            match english
                .as_deref()
                .and_then(|text| help(self.language, text))
            {
                Some(text) => value.help(text.to_owned()),
                None => value,
            }
        })))
    }
}
