//! Patches: JSON merge, and the strategic merge as far as pods need it: lists of named things are merged by name.

use serde_json::{Map, Value};

/// Which way of patching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `application/strategic-merge-patch+json`
    Strategic,
    /// `application/merge-patch+json`
    Merge,
}

impl Way {
    /// The way that a content type names.
    #[must_use]
    pub fn of(content_type: &str) -> Option<Self> {
        match content_type.split(';').next().unwrap_or_default().trim() {
            "application/strategic-merge-patch+json" => Some(Self::Strategic),
            "application/merge-patch+json" => Some(Self::Merge),
            _ => None,
        }
    }

    /// The object with the patch on it.
    #[must_use]
    pub fn apply(self, object: &Value, patch: &Value) -> Value {
        match (object, patch) {
            (_, Value::Object(changes)) => {
                let mut merged = object.as_object().cloned().unwrap_or_default();
                self.fields(&mut merged, changes);
                Value::Object(merged)
            }
            (Value::Array(old), Value::Array(new)) if self == Self::Strategic && (all_named(old) && all_named(new)) => {
                Value::Array(self.by_name(old, new))
            }
            _ => patch.clone(),
        }
    }

    fn fields(self, object: &mut Map<String, Value>, changes: &Map<String, Value>) {
        for (name, change) in changes {
            // The order of a list, which comes with a list of its own.
            if self == Self::Strategic && name.starts_with('$') {
                continue;
            }
            if change.is_null() {
                object.remove(name);
            } else {
                let merged = self.apply(object.get(name).unwrap_or(&Value::Null), change);
                object.insert(name.clone(), self.ordered(name, merged, changes));
            }
        }
    }

    /// In the order that the patch asks for, if it does.
    fn ordered(self, name: &str, list: Value, changes: &Map<String, Value>) -> Value {
        let order = changes.get(&format!("$setElementOrder/{name}")).and_then(Value::as_array);
        let (Some(order), Value::Array(mut list), Self::Strategic) = (order, list.clone(), self) else { return list };
        let place = |item: &Value| order.iter().position(|wanted| wanted["name"] == item["name"]);
        list.sort_by_key(|item| place(item).unwrap_or(usize::MAX));
        Value::Array(list)
    }

    /// New ones come first, as the API server has it when no order is asked for.
    fn by_name(self, old: &[Value], new: &[Value]) -> Vec<Value> {
        let mut merged: Vec<Value> = old.to_vec();
        let mut first = Vec::new();
        for item in new {
            let known = merged.iter_mut().find(|known| known["name"] == item["name"]);
            match known {
                Some(_) if item["$patch"] == "delete" => merged.retain(|known| known["name"] != item["name"]),
                Some(known) => *known = self.apply(known, item),
                None => first.push(item.clone()),
            }
        }
        first.extend(merged);
        first
    }
}

fn all_named(list: &[Value]) -> bool {
    list.iter().all(|item| item["name"].is_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_new_container_comes_first_unless_an_order_is_asked_for() {
        let pod = json!({ "spec": { "ephemeralContainers": [{ "name": "a", "image": "x" }] } });
        let patch = json!({ "spec": { "ephemeralContainers": [{ "name": "b", "image": "y" }] } });
        let names = |pod: &Value| -> Vec<String> {
            let list = pod["spec"]["ephemeralContainers"].as_array().cloned().unwrap_or_default();
            list.iter().map(|item| item["name"].as_str().unwrap_or_default().to_owned()).collect()
        };
        assert_eq!(names(&Way::Strategic.apply(&pod, &patch)), ["b", "a"]);
        let mut ordered = patch.clone();
        ordered["spec"]["$setElementOrder/ephemeralContainers"] = json!([{ "name": "a" }, { "name": "b" }]);
        assert_eq!(names(&Way::Strategic.apply(&pod, &ordered)), ["a", "b"]);
        assert_eq!(names(&Way::Merge.apply(&pod, &patch)), ["b"]);
    }

    #[test]
    fn fields_are_merged_and_null_removes() {
        let object = json!({ "a": { "b": 1, "c": 2 }, "l": [1, 2] });
        let patched = Way::Strategic.apply(&object, &json!({ "a": { "b": null, "d": 3 }, "l": [3] }));
        assert_eq!(patched, json!({ "a": { "c": 2, "d": 3 }, "l": [3] }));
    }
}
