//! The OpenAPI document, from the table and the sources.

use super::schema::Schemas;
use super::source;
use super::table::{ROUTES, Route, Who};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

const ABOUT: &str = "The API of the Siaga agent, version 1: HTTP/1.1 and JSON, on the unix socket \
/run/siaga/siaga.sock for people at the node, and on port 7443 with mutual TLS for nodes and client probes.\n\n\
This document is generated. The schemas, their descriptions and the query parameters are read from the Rust types that \
serde sends; the paths, bodies and answers are compared with the routers' source; the summaries, who may call, and the \
codes of errors beyond the common ones are kept by hand. A field is listed as required where it may not be left out of \
a request; an answer carries the others too, as null where there is nothing to say. Ignore fields that you don't know.\n\n\
A refusal of a move is not an error: it is answered with 200 and `\"answer\": \"refused\"`.";

/// All of it.
pub fn document() -> Value {
    let mut schemas = Schemas::new(source::types());
    let mut paths: BTreeMap<&str, Map<String, Value>> = BTreeMap::new();
    for route in ROUTES {
        let operation = operation(route, &mut schemas);
        paths
            .entry(route.path)
            .or_default()
            .insert(route.method.to_owned(), operation);
    }
    schemas.of_name("ApiError");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Siaga agent",
            "version": "1",
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{
            "url": "https://{node}:7443",
            "description": "A node's agent. A person's tools use the unix socket instead.",
            "variables": {"node": {"default": "192.0.2.1", "description": "an address of the node"}},
        }],
        "paths": paths,
        "components": {
            "schemas": schemas.made,
            "securitySchemes": {"mutualTLS": {
                "type": "mutualTLS",
                "description": "A certificate whose key is pinned by the site. On the socket the kernel names the caller.",
            }},
        },
    })
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let mut operation = json!({
        "operationId": id(route),
        "summary": route.summary,
        "description": format!("Who may call: {}", route.who.text()),
        "security": if route.who == Who::Anybody { json!([]) } else { json!([{"mutualTLS": []}]) },
        "responses": responses(route, schemas),
    });
    let mut parameters = Vec::new();
    if route.path.contains("{id}") {
        parameters.push(json!({"name": "id", "in": "path", "required": true, "schema": schemas.of_name("RunId")}));
    }
    if let Some(query) = route.query {
        parameters.extend(schemas.parameters(query));
    }
    if !parameters.is_empty() {
        operation["parameters"] = parameters.into();
    }
    if let Some(body) = route.body {
        let schema = schemas.of_name(body);
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let mut responses = Map::new();
    match route.answer {
        Some(answer) => {
            let schema = schemas.of_name(answer);
            responses.insert(
                "200".into(),
                json!({"description": "Answered.", "content": {"application/json": {"schema": schema}}}),
            );
        }
        None => {
            responses.insert("204".into(), json!({"description": "Taken."}));
        }
    }
    let mut codes: BTreeMap<u16, Vec<&str>> = BTreeMap::new();
    if route.body.is_some() {
        codes.entry(400).or_default().push("MALFORMED_BODY");
    }
    if route.who != Who::Anybody {
        codes.entry(401).or_default().push("IDENTITY_REQUIRED");
    }
    match route.who {
        Who::PersonOrNode | Who::Node => {
            codes
                .entry(403)
                .or_default()
                .extend(["PROBE_NOT_ALLOWED", "NOT_ALLOWED"]);
        }
        Who::PersonOrProbe => codes.entry(403).or_default().push("NOT_ALLOWED"),
        Who::Anybody | Who::Site | Who::Machine => {}
    }
    for (status, code) in route.errors {
        codes.entry(*status).or_default().push(code);
    }
    for (status, codes) in codes {
        responses.insert(status.to_string(), error(&codes.join(", ")));
    }
    responses.insert("default".into(), error("Any other error."));
    Value::Object(responses)
}

fn error(description: &str) -> Value {
    json!({
        "description": description,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ApiError"}}},
    })
}

/// `get_events_verify`
fn id(route: &Route) -> String {
    let words: Vec<&str> = route
        .path
        .trim_start_matches("/v1/")
        .split(['/', '-'])
        .filter(|w| !w.starts_with('{'))
        .collect();
    format!("{}_{}", route.method, words.join("_"))
}
