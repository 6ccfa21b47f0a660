//! JSON Schemas of types, as serde writes them.

use super::source::{Serde, arguments, doc, name_of, serde_of};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use syn::{Fields, Item, ItemEnum, ItemStruct, Type, Variant};

/// The types, and the schemas made so far.
pub struct Schemas {
    types: BTreeMap<String, Item>,
    pub made: BTreeMap<String, Value>,
}

impl Schemas {
    /// Of these types.
    pub fn new(types: BTreeMap<String, Item>) -> Self {
        Self {
            types,
            made: BTreeMap::new(),
        }
    }

    /// The schema of a type by its name: `Vec<Pin>`, `Status`.
    pub fn of_name(&mut self, name: &str) -> Value {
        let ty: Type = syn::parse_str(name).unwrap();
        self.of(&ty)
    }

    /// The fields of a query as parameters.
    pub fn parameters(&mut self, name: &str) -> Vec<Value> {
        let Some(Item::Struct(item)) = self.types.get(name).cloned() else {
            panic!("there is no query {name}")
        };
        item.fields
            .iter()
            .map(|field| {
                let optional = serde_of(&field.attrs).optional || option(&field.ty).is_some();
                let ty = option(&field.ty).unwrap_or_else(|| field.ty.clone());
                let mut parameter = json!({
                    "name": field.ident.as_ref().map(ToString::to_string),
                    "in": "query",
                    "required": !optional,
                    "schema": self.of(&ty),
                });
                if let Some(text) = doc(&field.attrs) {
                    parameter["description"] = text.into();
                }
                parameter
            })
            .collect()
    }

    fn of(&mut self, ty: &Type) -> Value {
        let path = match ty {
            Type::Path(path) => &path.path,
            Type::Tuple(tuple) => {
                let items: Vec<Value> = tuple.elems.iter().map(|t| self.of(t)).collect();
                let count = items.len();
                return json!({"type": "array", "prefixItems": items, "minItems": count, "maxItems": count});
            }
            _ => panic!("the schema does not know this kind of type"),
        };
        let last = path.segments.last().expect("a path has a segment");
        let inner = arguments(&last.arguments);
        match (last.ident.to_string().as_str(), inner.as_slice()) {
            ("Box", [t]) => self.of(t),
            ("Vec", [t]) => json!({"type": "array", "items": self.of(t)}),
            ("Option", [t]) => json!({"anyOf": [self.of(t), {"type": "null"}]}),
            ("BTreeMap", [_, t]) => {
                json!({"type": "object", "additionalProperties": self.of(t)})
            }
            ("String" | "PathBuf" | "SocketAddr", []) => json!({"type": "string"}),
            ("IpAddr", []) => json!({"type": "string", "description": "IPv4 or IPv6"}),
            ("Spki", []) => json!({"type": "string", "pattern": "^[0-9a-f]{64}$"}),
            ("bool", []) => json!({"type": "boolean"}),
            ("u8" | "u16" | "u32" | "u64" | "usize", []) => {
                json!({"type": "integer", "minimum": 0})
            }
            ("i32" | "i64", []) => json!({"type": "integer"}),
            (name, inner) => self.named(name, inner),
        }
    }

    /// A reference to the schema of one of the API's own types; made where it is not there yet.
    fn named(&mut self, name: &str, inner: &[Type]) -> Value {
        let mut key = name.to_owned();
        for ty in inner {
            key = format!("{key}_{}", name_of(ty));
        }
        if !self.made.contains_key(&key) {
            // Taken before it is made: a type may contain itself.
            self.made.insert(key.clone(), Value::Null);
            let item =
                self.types.get(name).cloned().unwrap_or_else(|| {
                    panic!("the type {name} is not in the sources that are read")
                });
            let item = with_arguments(item, inner);
            let mut schema = match &item {
                Item::Struct(item) => self.of_struct(item),
                Item::Enum(item) => self.of_enum(item),
                _ => unreachable!("only structs and enums are kept"),
            };
            let attrs = match &item {
                Item::Struct(item) => &item.attrs,
                Item::Enum(item) => &item.attrs,
                _ => unreachable!("only structs and enums are kept"),
            };
            describe(&mut schema, doc(attrs));
            self.made.insert(key.clone(), schema);
        }
        json!({"$ref": format!("#/components/schemas/{key}")})
    }

    fn of_struct(&mut self, item: &ItemStruct) -> Value {
        let serde = serde_of(&item.attrs);
        match &item.fields {
            Fields::Unnamed(fields) if fields.unnamed.len() == 1 => self.of(&fields.unnamed[0].ty),
            fields => self.object(fields, &serde),
        }
    }

    fn object(&mut self, fields: &Fields, serde: &Serde) -> Value {
        let mut properties = Map::new();
        let mut required = Vec::new();
        for field in fields {
            let name = field.ident.as_ref().expect("a named field").to_string();
            let rules = serde_of(&field.attrs);
            let name = rules.rename.unwrap_or(name);
            let mut schema = self.of(&field.ty);
            describe(&mut schema, doc(&field.attrs));
            properties.insert(name.clone(), schema);
            if option(&field.ty).is_none() && !rules.optional {
                required.push(name);
            }
        }
        let mut schema = json!({"type": "object", "properties": properties});
        if !required.is_empty() {
            schema["required"] = required.into();
        }
        if serde.closed {
            schema["additionalProperties"] = false.into();
        }
        schema
    }

    fn of_enum(&mut self, item: &ItemEnum) -> Value {
        let serde = serde_of(&item.attrs);
        let rule = serde.rename_all.as_deref();
        let units = item.variants.iter().all(|v| v.fields.is_empty());
        if units && serde.tag.is_none() {
            let names: Vec<String> = item
                .variants
                .iter()
                .map(|v| name_in_json(v, rule))
                .collect();
            return json!({"type": "string", "enum": names});
        }
        // The variant for kinds that are not known yet fits every other one too: then any may match.
        let open = item.variants.iter().any(|v| serde_of(&v.attrs).untagged);
        let variants: Vec<Value> = item
            .variants
            .iter()
            .map(|variant| {
                let name = name_in_json(variant, rule);
                let mut schema = if serde_of(&variant.attrs).untagged {
                    self.of(&only(variant))
                } else if let Some(tag) = &serde.tag {
                    self.tagged_inside(variant, tag, &name)
                } else {
                    self.tagged_outside(variant, &name)
                };
                describe(&mut schema, doc(&variant.attrs));
                schema
            })
            .collect();
        json!({ if open { "anyOf" } else { "oneOf" }: variants })
    }

    /// `{"tag": "name", ...fields}`
    fn tagged_inside(&mut self, variant: &Variant, tag: &str, name: &str) -> Value {
        if matches!(variant.fields, Fields::Unnamed(_)) {
            let inner = self.of(&only(variant));
            let tagged =
                json!({"type": "object", "properties": {tag: {"const": name}}, "required": [tag]});
            return json!({"allOf": [tagged, inner]});
        }
        let mut schema = self.object(&variant.fields, &Serde::default());
        let mut properties = Map::new();
        properties.insert(tag.to_owned(), json!({"const": name}));
        if let Some(Value::Object(fields)) = schema.get("properties") {
            properties.extend(fields.clone());
        }
        let mut required = vec![json!(tag)];
        if let Some(Value::Array(fields)) = schema.get("required") {
            required.extend(fields.clone());
        }
        schema["properties"] = Value::Object(properties);
        schema["required"] = Value::Array(required);
        schema
    }

    /// `"name"`, `{"name": value}` or `{"name": {...fields}}`
    fn tagged_outside(&mut self, variant: &Variant, name: &str) -> Value {
        let content = match &variant.fields {
            Fields::Unit => return json!({"const": name}),
            Fields::Unnamed(_) => self.of(&only(variant)),
            fields => self.object(fields, &Serde::default()),
        };
        json!({
            "type": "object",
            "properties": {name: content},
            "required": [name],
            "additionalProperties": false,
        })
    }
}

/// The one type in a variant's parentheses.
fn only(variant: &Variant) -> Type {
    match &variant.fields {
        Fields::Unnamed(fields) if fields.unnamed.len() == 1 => fields.unnamed[0].ty.clone(),
        _ => panic!("{}: one type in parentheses is known", variant.ident),
    }
}

/// `T` of `Option<T>`.
fn option(ty: &Type) -> Option<Type> {
    super::source::inner(ty, "Option")
}

/// Adds a description, beside a reference where it is one.
fn describe(schema: &mut Value, text: Option<String>) {
    if let Some(text) = text {
        schema["description"] = text.into();
    }
}

/// Puts the type in the place of an enum's one parameter: `Known<bool>`.
fn with_arguments(item: Item, inner: &[Type]) -> Item {
    match (item, inner) {
        (item, []) => item,
        (Item::Enum(mut item), [ty]) => {
            let parameter = item
                .generics
                .type_params()
                .next()
                .expect("a parameter")
                .ident
                .clone();
            for field in item.variants.iter_mut().flat_map(|v| v.fields.iter_mut()) {
                if matches!(&field.ty, Type::Path(p) if p.path.is_ident(&parameter)) {
                    field.ty = ty.clone();
                }
            }
            Item::Enum(item)
        }
        _ => panic!("only an enum of one parameter is known"),
    }
}

/// A variant's name as serde writes it.
fn name_in_json(variant: &Variant, rule: Option<&str>) -> String {
    let own = serde_of(&variant.attrs).rename;
    own.unwrap_or_else(|| cased(&variant.ident.to_string(), rule))
}

/// serde's `rename_all`.
fn cased(name: &str, rule: Option<&str>) -> String {
    let mut words = String::new();
    for (at, c) in name.char_indices() {
        if at > 0 && c.is_uppercase() {
            words.push('_');
        }
        words.push(c.to_ascii_lowercase());
    }
    match rule {
        None => name.to_owned(),
        Some("snake_case") => words,
        Some("kebab-case") => words.replace('_', "-"),
        Some("SCREAMING_SNAKE_CASE") => words.to_uppercase(),
        Some("lowercase") => name.to_lowercase(),
        Some(other) => panic!("the schema does not know {other}"),
    }
}
