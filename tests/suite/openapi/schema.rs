//! The part of JSON Schema that our documents use. A keyword beyond it fails the test, so nothing is passed over.

use regex::Regex;
use serde_json::Value;

/// A document, in which references are followed.
#[derive(Clone, Copy)]
pub(crate) struct Document<'d>(pub(crate) &'d Value);

impl<'d> Document<'d> {
    /// What `value` refers to, or itself.
    pub(crate) fn resolve(self, value: &'d Value) -> &'d Value {
        match value.get("$ref").and_then(Value::as_str) {
            Some(reference) => self.find(reference).unwrap_or_else(|| panic!("`{reference}` is not there")),
            None => value,
        }
    }

    fn find(self, reference: &str) -> Option<&'d Value> {
        self.0.pointer(reference.strip_prefix('#')?)
    }

    /// Every reference leads somewhere, and every component is used.
    pub(crate) fn check_references(self) {
        let text = self.0.to_string();
        let used: Vec<_> =
            Regex::new(r#""\$ref":"(#[^"]*)""#).unwrap().captures_iter(&text).map(|found| found[1].to_owned()).collect();
        for reference in &used {
            assert!(self.find(reference).is_some(), "`{reference}` is not there");
        }
        for kind in ["schemas", "responses"] {
            for name in self.0["components"][kind].as_object().unwrap().keys() {
                let reference = format!("#/components/{kind}/{name}");
                assert!(used.contains(&reference), "nothing refers to `{reference}`");
            }
        }
    }
}

/// A schema within a document.
#[derive(Clone, Copy)]
pub(crate) struct Schema<'d> {
    pub(crate) document: Document<'d>,
    pub(crate) value: &'d Value,
}

impl<'d> Schema<'d> {
    fn at(self, value: &'d Value) -> Self {
        Self { value, ..self }
    }

    /// `Err` with the keyword that `instance` breaks.
    pub(crate) fn check(self, instance: &Value) -> Result<(), String> {
        let schema = self.value.as_object().unwrap_or_else(|| panic!("not a schema: {}", self.value));
        for (keyword, stated) in schema {
            self.keyword(keyword, stated, instance)?;
        }
        Ok(())
    }

    fn keyword(self, keyword: &str, stated: &'d Value, instance: &Value) -> Result<(), String> {
        let broken = |holds: bool| if holds { Ok(()) } else { Err(format!("{instance} breaks `{keyword}`: {stated}")) };
        let items = || stated.as_array().unwrap().iter().map(|item| self.at(item));
        match keyword {
            "description" | "format" => Ok(()),
            "$ref" => self.at(self.document.resolve(self.value)).check(instance),
            "type" => {
                let is = |name: &Value| is_of_type(instance, name.as_str().unwrap());
                broken(stated.as_array().map_or_else(|| is(stated), |any| any.iter().any(is)))
            }
            "const" => broken(instance == stated),
            "enum" => broken(stated.as_array().unwrap().contains(instance)),
            "pattern" => {
                broken(instance.as_str().is_none_or(|text| Regex::new(stated.as_str().unwrap()).unwrap().is_match(text)))
            }
            "minLength" => broken(length(instance).is_none_or(|length| length >= number(stated))),
            "maxLength" => broken(length(instance).is_none_or(|length| length <= number(stated))),
            "minimum" => broken(instance.as_u64().is_none_or(|value| value >= number(stated))),
            "maximum" => broken(instance.as_u64().is_none_or(|value| value <= number(stated))),
            "minItems" => broken(instance.as_array().is_none_or(|items| items.len() as u64 >= number(stated))),
            "maxItems" => broken(instance.as_array().is_none_or(|items| items.len() as u64 <= number(stated))),
            "maxProperties" => broken(instance.as_object().is_none_or(|members| members.len() as u64 <= number(stated))),
            "required" => {
                let has = |name: &Value| instance.get(name.as_str().unwrap()).is_some();
                broken(!instance.is_object() || stated.as_array().unwrap().iter().all(has))
            }
            "items" => instance.as_array().into_iter().flatten().try_for_each(|item| self.at(stated).check(item)),
            "properties" => {
                stated.as_object().unwrap().iter().try_for_each(|(name, schema)| {
                    instance.get(name).map_or(Ok(()), |member| self.at(schema).check(member))
                })
            }
            "propertyNames" => instance
                .as_object()
                .into_iter()
                .flatten()
                .try_for_each(|(name, _)| self.at(stated).check(&name.as_str().into())),
            "additionalProperties" => {
                let known = |name: &str| self.value.get("properties").is_some_and(|stated| stated.get(name).is_some());
                let mut more = instance.as_object().into_iter().flatten().filter(|(name, _)| !known(name));
                match stated {
                    Value::Bool(true) => Ok(()),
                    Value::Bool(false) => broken(more.next().is_none()),
                    schema => more.try_for_each(|(_, member)| self.at(schema).check(member)),
                }
            }
            "allOf" => items().try_for_each(|schema| schema.check(instance)),
            "anyOf" => broken(items().any(|schema| schema.check(instance).is_ok())),
            "oneOf" => broken(items().filter(|schema| schema.check(instance).is_ok()).count() == 1),
            other => panic!("a document uses the keyword `{other}`, which is not checked"),
        }
    }
}

fn is_of_type(instance: &Value, name: &str) -> bool {
    match name {
        "null" => instance.is_null(),
        "boolean" => instance.is_boolean(),
        "string" => instance.is_string(),
        "integer" => instance.is_i64() || instance.is_u64(),
        "number" => instance.is_number(),
        "array" => instance.is_array(),
        "object" => instance.is_object(),
        other => panic!("`{other}` is not a type"),
    }
}

fn length(instance: &Value) -> Option<u64> {
    instance.as_str().map(|text| text.chars().count() as u64)
}

fn number(stated: &Value) -> u64 {
    stated.as_u64().unwrap()
}
