//! Just enough of JSON Schema to hold a value against the schemas that this test makes.

use serde_json::Value;

/// `Err` says where and why the value does not fit.
pub fn check(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    let Some(rules) = schema.as_object() else {
        return Err("a schema is an object".into());
    };
    for (rule, says) in rules {
        match rule.as_str() {
            "description" | "properties" | "additionalProperties" => {}
            "$ref" => {
                let at = says.as_str().unwrap_or_default().trim_start_matches('#');
                let target = document.pointer(at).ok_or(format!("no {at}"))?;
                check(document, target, value)?;
            }
            "type" => has_type(says, value)?,
            "const" if value != says => return Err(format!("{value} is not {says}")),
            "const" => {}
            "enum" if !list(says).contains(value) => return Err(format!("{value} is not listed")),
            "enum" => {}
            "pattern" => {
                let text = value.as_str().unwrap_or_default();
                if text.len() != 64 || !text.bytes().all(|b| b.is_ascii_hexdigit()) {
                    return Err(format!("{text} is no fingerprint"));
                }
            }
            "minimum" if value.as_i64().is_some_and(|v| v < 0) => {
                return Err(format!("{value} is below 0"));
            }
            "minimum" => {}
            "required" => {
                for name in list(says) {
                    if value.get(name.as_str().unwrap_or_default()).is_none() {
                        return Err(format!("{name} is missing"));
                    }
                }
            }
            "items" => {
                for one in value.as_array().into_iter().flatten() {
                    check(document, says, one)?;
                }
            }
            "prefixItems" => {
                for (says, one) in list(says)
                    .iter()
                    .zip(value.as_array().into_iter().flatten())
                {
                    check(document, says, one)?;
                }
            }
            "minItems" | "maxItems" => {
                if value.as_array().map(Vec::len) != says.as_u64().map(|n| n as usize) {
                    return Err(format!("{value} has not {says} items"));
                }
            }
            "allOf" => {
                for says in list(says) {
                    check(document, says, value)?;
                }
            }
            "anyOf" | "oneOf" => {
                let fits: Vec<_> = list(says)
                    .iter()
                    .map(|s| check(document, s, value))
                    .collect();
                let count = fits.iter().filter(|f| f.is_ok()).count();
                if count == 0 || (rule == "oneOf" && count > 1) {
                    return Err(format!("{count} of the variants fit {value}: {fits:?}"));
                }
            }
            other => return Err(format!("the rule {other} is not known here")),
        }
    }
    fields(document, schema, value)
}

fn fields(document: &Value, schema: &Value, value: &Value) -> Result<(), String> {
    for (name, field) in value.as_object().into_iter().flatten() {
        let known = schema.get("properties").and_then(|p| p.get(name));
        match (known, schema.get("additionalProperties")) {
            (Some(says), _) => check(document, says, field).map_err(|e| format!("{name}: {e}"))?,
            (None, Some(Value::Bool(false))) => return Err(format!("{name} is not known")),
            (None, Some(says @ Value::Object(_))) => {
                check(document, says, field).map_err(|e| format!("{name}: {e}"))?;
            }
            (None, _) => {}
        }
    }
    Ok(())
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn has_type(says: &Value, value: &Value) -> Result<(), String> {
    let is = match says.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("null") => value.is_null(),
        _ => return Err(format!("the type {says} is not known here")),
    };
    if is {
        Ok(())
    } else {
        Err(format!("{value} is no {says}"))
    }
}
