//! Words out of a few, and values that may differ from node to node.

use crate::cause::{Cause, ValueKind};
use crate::read::{Entries, Place, Read, Sink, Spot, wrong_type};
use crate::suggest::closest;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use siaga_model::config::{FenceKind, FileSystemKind, Language, Role};
use siaga_model::downtime::{MailTls, Release};
use std::borrow::Cow;
use toml::de::DeValue;

/// A word out of a few.
macro_rules! choice {
    ($(#[$doc:meta])* $name:ident { $($word:literal => $value:path),+ $(,)? } of $type:ty) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        pub struct $name(pub $type);
        impl Read for $name {
            fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
                let DeValue::String(text) = value else { return wrong_type(ValueKind::Text, value, at, key, sink) };
                match text.as_ref() {
                    $($word => Some(Self($value)),)+
                    other => {
                        let choices = [$($word),+];
                        sink.push(at, key, Cause::BadChoice {
                            found: other.to_owned(),
                            suggestion: closest(other, &choices),
                            choices: choices.iter().map(|c| (*c).to_owned()).collect(),
                        });
                        None
                    }
                }
            }
        }
        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({"enum": [$($word),+]})
            }
        }
    };
}

choice! {
    /// The language of what people read.
    LanguageWord { "en" => Language::English, "id" => Language::Indonesian } of Language
}
choice! {
    /// What a person may do.
    RoleWord {
        "operator" => Role::Operator,
        "decider" => Role::Decider,
        "approver" => Role::Approver,
        "communicator" => Role::Communicator,
        "viewer" => Role::Viewer,
    } of Role
}
choice! {
    /// What a fence cuts.
    FenceWord { "power" => FenceKind::Power, "fabric" => FenceKind::Fabric } of FenceKind
}
/// The driver of a disk set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DriverKind {
    Block,
    Command,
    Lvm,
    Scsi,
    Drbd,
}
choice! {
    /// What makes the disk set exclusive.
    DriverWord {
        "block" => DriverKind::Block,
        "command" => DriverKind::Command,
        "lvm" => DriverKind::Lvm,
        "scsi" => DriverKind::Scsi,
        "drbd" => DriverKind::Drbd,
    } of DriverKind
}
/// What a volume group may lie on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BelowKind {
    Scsi,
    Drbd,
}
choice! {
    /// What makes the disk of a volume group exclusive.
    BelowWord { "scsi" => BelowKind::Scsi, "drbd" => BelowKind::Drbd } of BelowKind
}
choice! {
    /// The file system on the disk set.
    FileSystemWord { "ext4" => FileSystemKind::Ext4, "xfs" => FileSystemKind::Xfs } of FileSystemKind
}

/// How a client test looks at the service.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TestKind {
    Probe,
    Tcp,
    Http,
    Program,
}
choice! {
    /// The word for a [`TestKind`].
    TestWord {
        "probe" => TestKind::Probe,
        "tcp" => TestKind::Tcp,
        "http" => TestKind::Http,
        "program" => TestKind::Program,
    } of TestKind
}
/// What sort of channel it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ChannelSort {
    Mail,
    Webhook,
    Program,
    Telegram,
    ByHand,
}
choice! {
    /// The word for a [`ChannelSort`].
    ChannelWord {
        "mail" => ChannelSort::Mail,
        "webhook" => ChannelSort::Webhook,
        "program" => ChannelSort::Program,
        "telegram" => ChannelSort::Telegram,
        "by-hand" => ChannelSort::ByHand,
    } of ChannelSort
}
choice! {
    /// How a mail server is spoken to.
    MailTlsWord {
        "starttls" => MailTls::Starttls,
        "tls" => MailTls::Tls,
        "none" => MailTls::None,
    } of MailTls
}
choice! {
    /// Who releases a notice.
    ReleaseWord {
        "anyone" => Release::Anyone,
        "communicator" => Release::Communicator,
        "decider" => Release::Decider,
    } of Release
}
choice! {
    /// The only word that `credentials` may have.
    CredentialsWord { "none" => NoCredentials::None } of NoCredentials
}
/// A fence device that really asks for none.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoCredentials {
    None,
}

/// One value for every node, or one for each.
#[derive(Clone, Debug)]
pub enum PerNode<T> {
    Same(Spot<T>),
    Each(Entries<T>),
}

impl<T: Read> Read for PerNode<T> {
    fn read(value: &DeValue<'_>, at: &Place, key: &str, sink: &mut Sink) -> Option<Self> {
        match value {
            DeValue::Table(_) => Entries::read(value, at, key, sink).map(Self::Each),
            _ => T::read(value, at, key, sink).map(|v| {
                Self::Same(Spot {
                    value: v,
                    at: at.clone(),
                    key: key.to_owned(),
                })
            }),
        }
    }
}

impl<T: JsonSchema> JsonSchema for PerNode<T> {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        format!("PerNode_{}", T::schema_name()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = generator.subschema_for::<T>();
        json_schema!({"anyOf": [one, {"type": "object", "additionalProperties": one}]})
    }
}
