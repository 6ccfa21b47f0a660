//! Reads the sources: the types that are sent as JSON, and the routers with their handlers.

use std::collections::BTreeMap;
use std::path::PathBuf;
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, ExprLit, FnArg, GenericArgument, Item, Lit, PathArguments, Token, Type,
};

/// Where the types are defined.
const TYPES: &[&str] = &[
    "model/src/ids.rs",
    "model/src/time.rs",
    "model/src/mandate.rs",
    "model/src/proof.rs",
    "model/src/config.rs",
    "model/src/config/fence.rs",
    "model/src/observation.rs",
    "model/src/plan.rs",
    "model/src/refusal.rs",
    "model/src/run.rs",
    "model/src/readiness.rs",
    "model/src/rehearsal.rs",
    "model/src/integrity.rs",
    "model/src/incident.rs",
    "model/src/duty.rs",
    "model/src/notice.rs",
    "model/src/event.rs",
    "model/src/record.rs",
    "model/src/incident_api.rs",
    "model/src/why.rs",
    "model/src/note.rs",
    "model/src/evidence.rs",
    "model/src/api.rs",
    "model/src/api_problem.rs",
    "model/src/keys_api.rs",
    "model/src/seal.rs",
    "journal/src/row.rs",
    "journal/src/log_book.rs",
    "agent/src/pki/pins.rs",
    "agent/src/pki/join.rs",
    "agent/src/pki/renew.rs",
    "agent/src/pki/ca.rs",
    "agent/src/core/ca.rs",
    "agent/src/core/link.rs",
    "agent/src/core/check.rs",
    "agent/src/core/orders.rs",
    "agent/src/routes.rs",
    "agent/src/check_routes.rs",
    "agent/src/rehearsal_routes.rs",
    "agent/src/seal_routes.rs",
    "agent/src/notice_routes.rs",
    "model/src/notice_api.rs",
];
/// Files of which only this much goes over the wire.
const ONLY: &[(&str, &[&str])] = &[
    ("model/src/config.rs", &["Language", "Document"]),
    ("model/src/config/fence.rs", &["FenceKind"]),
    ("journal/src/row.rs", &["RawRow"]),
    ("agent/src/pki/ca.rs", &["CaMark", "CaCopy"]),
];
const ROUTERS: &[&str] = &[
    "agent/src/routes.rs",
    "agent/src/check_routes.rs",
    "agent/src/rehearsal_routes.rs",
    "agent/src/routes_incident.rs",
    "agent/src/seal_routes.rs",
    "agent/src/notice_routes.rs",
    "agent/src/key_routes.rs",
    "agent/src/transport/pki_routes.rs",
];

/// The text of a file under `crates/`.
pub fn text(path: &str) -> String {
    let file = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|e| panic!("{}: {e}", file.display()))
}

/// Every type that serde reads or writes, by name.
pub fn types() -> BTreeMap<String, Item> {
    let mut found = BTreeMap::new();
    for path in TYPES {
        for item in syn::parse_file(&text(path)).unwrap().items {
            let (name, item) = match item {
                Item::Struct(s) if is_json(&s.attrs) => (s.ident.to_string(), Item::Struct(s)),
                Item::Enum(e) if is_json(&e.attrs) => (e.ident.to_string(), Item::Enum(e)),
                // The names of `ids.rs`: each is a text.
                Item::Macro(m) if m.mac.path.is_ident("text_id") => {
                    let id: syn::ItemStruct = {
                        let tokens = &m.mac.tokens;
                        let source = format!("#[serde(transparent)] {tokens}(String);");
                        // `#[doc] Name(String);` lacks its keyword.
                        syn::parse_str(&with_struct(&source)).unwrap()
                    };
                    (id.ident.to_string(), Item::Struct(id))
                }
                _ => continue,
            };
            if ONLY
                .iter()
                .any(|(file, names)| file == path && !names.contains(&name.as_str()))
            {
                continue;
            }
            assert!(
                found.insert(name.clone(), item).is_none(),
                "two types have the name {name}: {path}"
            );
        }
    }
    found
}

fn with_struct(source: &str) -> String {
    let at = source.rfind(']').expect("an attribute is there") + 1;
    format!("{} struct {}", &source[..at], &source[at..])
}

fn is_json(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|a| {
        a.path().is_ident("derive")
            && a.parse_args_with(Punctuated::<syn::Path, Token![,]>::parse_terminated)
                .is_ok_and(|derived| {
                    derived
                        .iter()
                        .any(|d| d.is_ident("Serialize") || d.is_ident("Deserialize"))
                })
    })
}

/// The doc comment, as one text.
pub fn doc(attrs: &[Attribute]) -> Option<String> {
    let lines: Vec<String> = attrs
        .iter()
        .filter(|a| a.path().is_ident("doc"))
        .filter_map(|a| match &a.meta.require_name_value().ok()?.value {
            Expr::Lit(ExprLit {
                lit: Lit::Str(text),
                ..
            }) => Some(text.value().trim().to_owned()),
            _ => None,
        })
        .collect();
    let all = lines.join(" ").trim().to_owned();
    (!all.is_empty()).then_some(all)
}

/// What `#[serde(...)]` says.
#[derive(Default, Debug)]
pub struct Serde {
    pub rename: Option<String>,
    pub rename_all: Option<String>,
    pub tag: Option<String>,
    pub transparent: bool,
    pub untagged: bool,
    /// May be left out.
    pub optional: bool,
    pub closed: bool,
}

/// Reads it. An attribute that is not known here fails the test: the schema would be wrong.
pub fn serde_of(attrs: &[Attribute]) -> Serde {
    let mut out = Serde::default();
    for attr in attrs.iter().filter(|a| a.path().is_ident("serde")) {
        attr.parse_nested_meta(|meta| {
            let name = meta
                .path
                .get_ident()
                .map(ToString::to_string)
                .unwrap_or_default();
            let value = |meta: &syn::meta::ParseNestedMeta| {
                Ok::<_, syn::Error>(meta.value()?.parse::<syn::LitStr>()?.value())
            };
            match name.as_str() {
                "rename" => out.rename = Some(value(&meta)?),
                "rename_all" => out.rename_all = Some(value(&meta)?),
                "tag" => out.tag = Some(value(&meta)?),
                "transparent" => out.transparent = true,
                "untagged" => out.untagged = true,
                "default" => {
                    out.optional = true;
                    // With a function of its own, or without.
                    if meta.input.peek(syn::Token![=]) {
                        value(&meta)?;
                    }
                }
                "skip_serializing_if" => {
                    value(&meta)?;
                    out.optional = true;
                }
                "deny_unknown_fields" => out.closed = true,
                other => panic!("the schema does not know serde's {other}"),
            }
            Ok(())
        })
        .unwrap();
    }
    out
}

/// A route as the router has it.
#[derive(PartialEq, Eq, Debug)]
pub struct Found {
    pub method: String,
    pub path: String,
    pub handler: String,
    pub query: Option<String>,
    pub body: Option<String>,
    /// `None`: the handler answers with something that its signature does not name.
    pub answer: Option<String>,
    /// The handler's source.
    pub source: String,
}

/// Every `.route("path", method(handler))` of the routers.
pub fn routes() -> Vec<Found> {
    let mut found = Vec::new();
    for path in ROUTERS {
        let text = text(path);
        let file = syn::parse_file(&text).unwrap();
        for part in text.split(".route(").skip(1) {
            let path = part.split('"').nth(1).expect("a route has a path");
            let call = part
                .split(',')
                .nth(1)
                .expect("a route has a handler")
                .trim();
            let (method, rest) = call.split_once('(').expect("a method around the handler");
            let handler = rest.split(')').next().unwrap_or_default();
            found.push(found_route(&file, &text, method, path, handler));
        }
    }
    found
}

fn found_route(file: &syn::File, text: &str, method: &str, path: &str, handler: &str) -> Found {
    let function = file
        .items
        .iter()
        .find_map(|item| match item {
            Item::Fn(f) if f.sig.ident == handler => Some(f),
            _ => None,
        })
        .unwrap_or_else(|| panic!("{path}: there is no handler {handler}"));
    let argument = |wrapper: &str| {
        function.sig.inputs.iter().find_map(|arg| match arg {
            FnArg::Typed(arg) => inner(&arg.ty, wrapper).map(|t| name_of(&t)),
            FnArg::Receiver(_) => None,
        })
    };
    let answer = match &function.sig.output {
        syn::ReturnType::Type(_, ty) => {
            let ok = inner(ty, "Result").unwrap_or((**ty).clone());
            inner(&ok, "Json").map(|t| name_of(&t))
        }
        syn::ReturnType::Default => None,
    };
    let from = text.find(&format!("async fn {handler}(")).unwrap_or(0);
    let until = text[from + 1..]
        .find("\nasync fn ")
        .map_or(text.len(), |n| from + 1 + n);
    Found {
        method: method.to_owned(),
        path: path.to_owned(),
        handler: handler.to_owned(),
        query: argument("Query"),
        body: argument("ApiJson"),
        answer,
        source: text[from..until].to_owned(),
    }
}

/// `T` of `wrapper<T, ...>`.
pub fn inner(ty: &Type, wrapper: &str) -> Option<Type> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last()?;
    if last.ident != wrapper {
        return None;
    }
    arguments(&last.arguments).into_iter().next()
}

/// The types between `<` and `>`.
pub fn arguments(arguments: &PathArguments) -> Vec<Type> {
    match arguments {
        PathArguments::AngleBracketed(list) => list
            .args
            .iter()
            .filter_map(|a| match a {
                GenericArgument::Type(ty) => Some(ty.clone()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The name of a type, without its path: `Vec<Pin>`, `RenewRequest`.
pub fn name_of(ty: &Type) -> String {
    let Type::Path(path) = ty else {
        panic!("only named types are bodies")
    };
    let last = path.path.segments.last().expect("a path has a segment");
    let inner: Vec<String> = arguments(&last.arguments).iter().map(name_of).collect();
    if inner.is_empty() {
        last.ident.to_string()
    } else {
        format!("{}<{}>", last.ident, inner.join(", "))
    }
}
