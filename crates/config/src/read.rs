//! Reads TOML values into typed fields and goes on after an error, so that every error is found in one pass.
//!
//! `serde` stops at the first error; this does not. The [`table!`] macro makes of one declaration the struct, its
//! reader, its list of known keys and its JSON Schema, so that the four can't drift apart.

use crate::cause::{Cause, ValueKind};
use crate::suggest::closest;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use std::borrow::Cow;
use std::ops::Range;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Bytes of the file.
pub type Place = Range<usize>;

/// A value with its place and its key (`node.fence.timeout`).
#[derive(Clone, Debug)]
pub struct Spot<T> {
    pub value: T,
    pub at: Place,
    pub key: String,
}

/// An error with its place.
#[derive(Clone, Debug)]
pub struct Found {
    pub at: Place,
    pub key: String,
    pub cause: Cause,
}

/// Collects every error.
#[derive(Default)]
pub struct Sink {
    pub found: Vec<Found>,
}

impl Sink {
    /// Notes an error at `at`.
    pub fn push(&mut self, at: &Place, key: &str, cause: Cause) {
        self.found.push(Found {
            at: at.clone(),
            key: key.to_owned(),
            cause,
        });
    }
    /// Notes an error at a value.
    pub fn at<T>(&mut self, spot: &Spot<T>, cause: Cause) {
        self.push(&spot.at, &spot.key, cause);
    }
}

/// A type that can be read from one TOML value. `None` means that an error was noted.
pub trait Read: Sized {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self>;
}

/// A field of a table.
pub trait Field: Sized {
    const REQUIRED: bool;
    fn take(entry: Option<&Spanned<DeValue<'_>>>, at: &Place, key: &str, sink: &mut Sink) -> Self;
}

/// A field that must be there. `None` where it is missing or wrong: the error is noted already.
#[derive(Clone, Debug)]
pub struct Req<T>(pub Option<Spot<T>>);

/// A field that may be left out.
#[derive(Clone, Debug)]
pub struct Opt<T> {
    /// `None` where it is left out or wrong.
    pub spot: Option<Spot<T>>,
    /// True where the key stands in the file, also with a wrong value.
    pub written: bool,
}

/// A list that may be left out.
#[derive(Clone, Debug)]
pub struct Many<T>(pub Vec<Spot<T>>);

macro_rules! field_common {
    ($($name:ident, $default:expr, $schema:ty);*) => {$(
        impl<T> Default for $name<T> {
            fn default() -> Self {
                $default
            }
        }
        impl<T: JsonSchema> JsonSchema for $name<T> {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                <$schema>::schema_name()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                generator.subschema_for::<$schema>()
            }
        }
    )*};
}
field_common!(Req, Self(None), T; Opt, Self { spot: None, written: false }, T; Many, Self(Vec::new()), Vec<T>);

impl<T: Read> Field for Req<T> {
    const REQUIRED: bool = true;
    fn take(entry: Option<&Spanned<DeValue<'_>>>, at: &Place, key: &str, sink: &mut Sink) -> Self {
        if entry.is_none() {
            sink.push(
                at,
                key,
                Cause::MissingKey {
                    name: last(key).to_owned(),
                },
            );
        }
        Self(entry.and_then(|e| spot(e, key, sink)))
    }
}

impl<T: Read> Field for Opt<T> {
    const REQUIRED: bool = false;
    fn take(entry: Option<&Spanned<DeValue<'_>>>, _: &Place, key: &str, sink: &mut Sink) -> Self {
        Self {
            spot: entry.and_then(|e| spot(e, key, sink)),
            written: entry.is_some(),
        }
    }
}

impl<T: Read> Field for Many<T> {
    const REQUIRED: bool = false;
    fn take(entry: Option<&Spanned<DeValue<'_>>>, _: &Place, key: &str, sink: &mut Sink) -> Self {
        let list: Option<List<T>> =
            entry.and_then(|e| Read::read(e.get_ref(), &e.span(), key, sink));
        Self(list.map(|l| l.0).unwrap_or_default())
    }
}

/// A list of values that must be there; it may be empty.
#[derive(Clone, Debug)]
pub struct List<T>(pub Vec<Spot<T>>);

impl<T: Read> Read for List<T> {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        match value {
            DeValue::Array(items) => Some(Self(
                items.iter().filter_map(|i| spot(i, key, sink)).collect(),
            )),
            other => wrong_type(ValueKind::List, other, at, key, sink),
        }
    }
}

impl<T: JsonSchema> JsonSchema for List<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        Vec::<T>::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<Vec<T>>()
    }
}

/// A table whose keys are free: what was read, in the order in which it is written, and every name that is written,
/// also with a wrong value.
#[derive(Clone, Debug)]
pub struct Entries<T>(pub Vec<(Spot<String>, Spot<T>)>, pub Vec<String>);

impl<T: Read> Read for Entries<T> {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        let DeValue::Table(table) = value else {
            return wrong_type(ValueKind::Table, value, at, key, sink);
        };
        let mut entries: Vec<_> = table.iter().collect();
        entries.sort_by_key(|(k, _)| k.span().start);
        let names = entries
            .iter()
            .map(|(k, _)| k.get_ref().to_string())
            .collect();
        Some(Self(
            entries
                .into_iter()
                .filter_map(|(k, v)| read_entry(k, v, key, sink))
                .collect(),
            names,
        ))
    }
}

fn read_entry<T: Read>(
    name: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    key: &str,
    sink: &mut Sink,
) -> Option<(Spot<String>, Spot<T>)> {
    let full = join(key, name.get_ref());
    let value = spot(value, &full, sink)?;
    Some((
        Spot {
            value: name.get_ref().to_string(),
            at: name.span(),
            key: full,
        },
        value,
    ))
}

impl<T: JsonSchema> JsonSchema for Entries<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        std::collections::BTreeMap::<String, T>::schema_name()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        generator.subschema_for::<std::collections::BTreeMap<String, T>>()
    }
}

/// Reads one value where it stands.
pub fn spot<T: Read>(entry: &Spanned<DeValue<'_>>, key: &str, sink: &mut Sink) -> Option<Spot<T>> {
    let at = entry.span();
    let value = T::read(entry.get_ref(), &at, key, sink)?;
    Some(Spot {
        value,
        at,
        key: key.to_owned(),
    })
}

/// Notes that the value has the wrong type.
pub fn wrong_type<T>(
    expected: ValueKind,
    value: &DeValue<'_>,
    at: &Place,
    key: &str,
    sink: &mut Sink,
) -> Option<T> {
    sink.push(
        at,
        key,
        Cause::WrongType {
            expected,
            found: ValueKind::of(value),
        },
    );
    None
}

/// `node` and `fence` make `node.fence`.
pub fn join(key: &str, name: &str) -> String {
    if key.is_empty() {
        name.to_owned()
    } else {
        format!("{key}.{name}")
    }
}

fn last(key: &str) -> &str {
    key.rsplit('.').next().unwrap_or(key)
}

/// Notes every key that is not one of `known`.
pub fn refuse_unknown(
    table: &DeTable<'_>,
    known: &'static [&'static str],
    key: &str,
    sink: &mut Sink,
) {
    for name in table
        .keys()
        .filter(|k| !known.contains(&k.get_ref().as_ref()))
    {
        let cause = Cause::UnknownKey {
            name: name.get_ref().to_string(),
            suggestion: closest(name.get_ref(), known),
            known: known.iter().map(|k| (*k).to_owned()).collect(),
        };
        sink.push(&name.span(), &join(key, name.get_ref()), cause);
    }
}

/// Adds the names of the required fields to a table's schema.
pub fn require(schema: &mut Schema, fields: &[(&str, bool)]) {
    let names: Vec<&str> = fields
        .iter()
        .filter(|(_, required)| *required)
        .map(|(name, _)| *name)
        .collect();
    if !names.is_empty() {
        schema.insert("required".to_owned(), names.into());
    }
}

/// Declares a table of the file: struct, reader, known keys and schema at once.
macro_rules! table {
    ($(#[$doc:meta])* pub struct $name:ident { $($(#[$field_doc:meta])* $field:ident : $type:ty,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields, transform = $name::require)]
        pub struct $name { $($(#[$field_doc])* #[schemars(default)] pub $field: $type,)* }

        impl $name {
            fn require(schema: &mut schemars::Schema) {
                use $crate::read::Field;
                $crate::read::require(schema, &[$((stringify!($field), <$type as Field>::REQUIRED)),*]);
            }
        }

        impl $crate::read::Read for $name {
            fn read(
                value: &toml::de::DeValue<'_>,
                at: &$crate::read::Place,
                key: &str,
                sink: &mut $crate::read::Sink,
            ) -> Option<Self> {
                use $crate::read::{Field, join, refuse_unknown, wrong_type};
                let toml::de::DeValue::Table(table) = value else {
                    return wrong_type($crate::cause::ValueKind::Table, value, at, key, sink);
                };
                refuse_unknown(table, &[$(stringify!($field)),*], key, sink);
                Some(Self {
                    $($field: <$type as Field>::take(
                        table.get(stringify!($field)), at, &join(key, stringify!($field)), sink,
                    ),)*
                })
            }
        }
    };
}
pub(crate) use table;
