//! Reads docs/openapi.yaml, and checks values against the schemas in it. What it does
//! not know it does not pass over: an unknown word of a schema fails the test.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::{Map, Value};

pub(crate) struct Document(Value);

impl Document {
    pub(crate) fn read() -> Document {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/openapi.yaml");
        let text = std::fs::read_to_string(file).unwrap();
        Document(serde_saphyr::from_str(&text).unwrap_or_else(|e| panic!("openapi.yaml: {e}")))
    }

    /// Methods and paths.
    pub(crate) fn operations(&self) -> BTreeSet<(String, String)> {
        self.all().into_iter().map(|(method, path, _)| (method, path)).collect()
    }

    /// Method and path of an operation.
    pub(crate) fn operation(&self, id: &str) -> (String, String) {
        let found = self.all().into_iter().find(|(_, _, operation)| operation["operationId"] == id);
        found.map(|(method, path, _)| (method, path)).unwrap_or_else(|| panic!("no {id}"))
    }

    /// Operations, each with a status that it answers.
    pub(crate) fn answers(&self) -> BTreeSet<(String, u16)> {
        let all = self.all().into_iter();
        all.flat_map(|(_, _, operation)| {
            let statuses = object(&operation["responses"]).keys();
            statuses.map(|status| (name(operation), status.parse().unwrap())).collect::<Vec<_>>()
        })
        .collect()
    }

    /// Operations, each with a parameter of its query.
    pub(crate) fn query_parameters(&self) -> BTreeSet<(String, String)> {
        let all = self.all().into_iter();
        all.flat_map(|(_, _, operation)| {
            let listed = operation["parameters"].as_array().into_iter().flatten();
            let listed = listed.map(|given| self.resolve(given)).filter(|it| it["in"] == "query");
            listed.map(|it| (name(operation), text(&it["name"]))).collect::<Vec<_>>()
        })
        .collect()
    }

    pub(crate) fn request_example(&self, id: &str, example: &str) -> Value {
        let media = self.request(self.get(id)).unwrap_or_else(|| panic!("{id} takes no body"));
        let value = &media["examples"][example]["value"];
        assert!(!value.is_null(), "{id} has no example {example}");
        value.clone()
    }

    /// All examples of answers.
    pub(crate) fn answer_examples(&self) -> Vec<(String, u16, Value)> {
        let answers = self.answers().into_iter();
        answers
            .flat_map(|(id, status)| {
                let media = self.response(&id, status)["content"].as_object().into_iter().flatten();
                let examples = media.flat_map(|(_, media)| object(&media["examples"]).values());
                examples.map(|it| (id.clone(), status, it["value"].clone())).collect::<Vec<_>>()
            })
            .collect()
    }

    /// Whether an answer is one that the document knows.
    #[track_caller]
    pub(crate) fn check_answer(&self, id: &str, status: u16, kind: &str, values: &[Value]) {
        let response = self.response(id, status);
        let Some(content) = response["content"].as_object() else {
            assert!(
                kind.is_empty(),
                "{id} {status} has no body in the document, but one of {kind}"
            );
            return;
        };
        let media = content.get(kind).unwrap_or_else(|| panic!("{id} {status}: unknown {kind}"));
        assert!(!values.is_empty(), "{id} {status}: no value");
        for value in values {
            let fault = self.fault(&media["schema"], value);
            assert_eq!(fault, None, "{id} {status}: {value}");
        }
    }

    /// Checks each example against its schema; how many there are.
    #[track_caller]
    pub(crate) fn check_examples(&self) -> usize {
        let mut media: Vec<&Value> = Vec::new();
        for (_, _, operation) in self.all() {
            media.extend(self.request(operation));
            for response in object(&operation["responses"]).values() {
                let content = self.resolve(response)["content"].as_object();
                media.extend(content.into_iter().flat_map(Map::values));
            }
        }
        let examples = media.iter().flat_map(|media| {
            object(&media["examples"]).iter().map(|(name, example)| (*media, name, example))
        });
        examples
            .map(|(media, name, example)| {
                let fault = self.fault(&media["schema"], &example["value"]);
                assert_eq!(fault, None, "example {name}");
            })
            .count()
    }

    /// The words of `error`.
    pub(crate) fn error_words(&self) -> BTreeSet<String> {
        let words = &self.0["components"]["schemas"]["Error"]["properties"]["error"]["enum"];
        words.as_array().unwrap().iter().map(text).collect()
    }

    fn all(&self) -> Vec<(String, String, &Value)> {
        let paths = object(&self.0["paths"]).iter();
        paths
            .flat_map(|(path, item)| {
                let methods = object(item).iter().filter(|(method, _)| *method != "parameters");
                methods.map(move |(method, it)| (method.to_uppercase(), path.clone(), it))
            })
            .collect()
    }

    fn get(&self, id: &str) -> &Value {
        let found = self.all().into_iter().find(|(_, _, operation)| operation["operationId"] == id);
        found.unwrap_or_else(|| panic!("no operation {id}")).2
    }

    fn request<'a>(&'a self, operation: &'a Value) -> Option<&'a Value> {
        operation["requestBody"]["content"].get("application/json")
    }

    fn response(&self, id: &str, status: u16) -> &Value {
        let response = &self.get(id)["responses"][status.to_string()];
        assert!(!response.is_null(), "{id} does not tell of {status}");
        self.resolve(response)
    }

    fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        let Some(reference) = value.get("$ref") else { return value };
        let pointer = text(reference);
        let found = self.0.pointer(pointer.strip_prefix('#').unwrap());
        found.unwrap_or_else(|| panic!("nothing at {pointer}"))
    }

    /// What is wrong with a value.
    fn fault(&self, schema: &Value, value: &Value) -> Option<String> {
        let schema = self.resolve(schema);
        object(schema).iter().find_map(|(word, wanted)| {
            let holds = match word.as_str() {
                "description" | "default" => true,
                "type" => match wanted {
                    Value::Array(types) => types.iter().any(|one| is(value, one)),
                    one => is(value, one),
                },
                "enum" => wanted.as_array().unwrap().contains(value),
                "minLength" => value.as_str().is_none_or(|it| it.len() as u64 >= number(wanted)),
                "maxLength" => value.as_str().is_none_or(|it| it.len() as u64 <= number(wanted)),
                "minimum" => value.as_u64().is_none_or(|it| it >= number(wanted)),
                "maximum" => value.as_u64().is_none_or(|it| it <= number(wanted)),
                "format" => value.as_str().is_none_or(is_moment),
                "required" => {
                    let names = wanted.as_array().unwrap().iter();
                    value.is_object() && names.map(text).all(|name| value.get(name).is_some())
                }
                "additionalProperties" => {
                    assert_eq!(wanted, false);
                    value.as_object().is_none_or(|it| {
                        it.keys().all(|name| schema["properties"].get(name).is_some())
                    })
                }
                "properties" => {
                    return object(wanted).iter().find_map(|(name, schema)| {
                        let fault = self.fault(schema, value.get(name)?)?;
                        Some(format!("{name}: {fault}"))
                    });
                }
                "items" => {
                    let mut entries = value.as_array().into_iter().flatten();
                    return entries.find_map(|entry| self.fault(wanted, entry));
                }
                "oneOf" => {
                    let fits = wanted.as_array().unwrap().iter();
                    fits.filter(|one| self.fault(one, value).is_none()).count() == 1
                }
                unknown => panic!("the schemas use {unknown}, which is not checked here"),
            };
            (!holds).then(|| format!("{value} is not {word}: {wanted}"))
        })
    }
}

fn is(value: &Value, kind: &Value) -> bool {
    match kind.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("no such type: {other}"),
    }
}

/// `2026-11-22T15:00:00Z`
fn is_moment(text: &str) -> bool {
    let form = "0000-00-00T00:00:00Z";
    let fits = |(given, wanted): (char, char)| match wanted {
        '0' => given.is_ascii_digit(),
        wanted => given == wanted,
    };
    text.len() == form.len() && text.chars().zip(form.chars()).all(fits)
}

fn object(value: &Value) -> &Map<String, Value> {
    value.as_object().unwrap_or_else(|| panic!("{value} is no object"))
}

fn name(operation: &Value) -> String {
    text(&operation["operationId"])
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text")).to_owned()
}
