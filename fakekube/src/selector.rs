//! Which objects of a list are meant.

use serde_json::Value;

use crate::query::Query;

/// Labels and fields that an object has to have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector {
    labels: Vec<Term>,
    fields: Vec<Term>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Term {
    Is(String, String),
    IsNot(String, String),
    Among(String, Vec<String>),
    NotAmong(String, Vec<String>),
    Exists(String),
    Absent(String),
}

impl Selector {
    /// Of `labelSelector` and `fieldSelector`.
    #[must_use]
    pub fn new(query: &Query) -> Self {
        let terms = |name| query.get(name).map(parse).unwrap_or_default();
        Self { labels: terms("labelSelector"), fields: terms("fieldSelector") }
    }

    /// Whether it leaves anything out.
    #[must_use]
    pub fn selects(&self) -> bool {
        !self.labels.is_empty() || !self.fields.is_empty()
    }

    /// Whether it means this object.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        let label = |name: &str| object["metadata"]["labels"][name].as_str().map(str::to_owned);
        let field = |path: &str| {
            let value = path.split('.').fold(object, |value, word| &value[word]);
            Some(value.as_str().unwrap_or_default().to_owned())
        };
        self.labels.iter().all(|term| term.holds(label)) && self.fields.iter().all(|term| term.holds(field))
    }
}

impl Term {
    fn holds(&self, get: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            Self::Is(name, value) => get(name).is_some_and(|found| found == *value),
            Self::IsNot(name, value) => get(name).is_none_or(|found| found != *value),
            Self::Among(name, values) => get(name).is_some_and(|found| values.contains(&found)),
            Self::NotAmong(name, values) => get(name).is_none_or(|found| !values.contains(&found)),
            Self::Exists(name) => get(name).is_some(),
            Self::Absent(name) => get(name).is_none(),
        }
    }
}

fn parse(text: &str) -> Vec<Term> {
    split(text).iter().map(|word| term(word.trim())).collect()
}

/// Splits at commas that are not in brackets.
fn split(text: &str) -> Vec<String> {
    let (mut words, mut depth) = (vec![String::new()], 0);
    for letter in text.chars() {
        match letter {
            '(' => depth += 1,
            ')' => depth -= 1,
            ',' if depth == 0 => {
                words.push(String::new());
                continue;
            }
            _ => {}
        }
        if let Some(last) = words.last_mut() {
            last.push(letter);
        }
    }
    words.retain(|word| !word.trim().is_empty());
    words
}

fn term(word: &str) -> Term {
    let own = |text: &str| text.trim().to_owned();
    let list = |text: &str| text.trim().trim_matches(['(', ')']).split(',').map(own).collect();
    if let Some((name, values)) = word.split_once(" notin ") {
        return Term::NotAmong(own(name), list(values));
    }
    if let Some((name, values)) = word.split_once(" in ") {
        return Term::Among(own(name), list(values));
    }
    if let Some((name, value)) = word.split_once("!=") {
        return Term::IsNot(own(name), own(value));
    }
    if let Some((name, value)) = word.split_once("==").or_else(|| word.split_once('=')) {
        return Term::Is(own(name), own(value));
    }
    word.strip_prefix('!').map_or_else(|| Term::Exists(own(word)), |name| Term::Absent(own(name)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn holds(selector: &str) -> bool {
        let pod = json!({ "metadata": { "name": "web", "labels": { "app": "shop", "tier": "front" } } });
        Selector { labels: parse(selector), fields: Vec::new() }.matches(&pod)
    }

    #[test]
    fn selectors_of_labels() {
        for yes in ["app=shop", "app==shop,tier=front", "app in (a, shop)", "app notin (a,b)", "tier", "!x", "x!=1"] {
            assert!(holds(yes), "{yes}");
        }
        for no in ["app=x", "app=shop,tier=back", "app in (a,b)", "app notin (shop)", "x", "!app", "app!=shop"] {
            assert!(!holds(no), "{no}");
        }
    }

    #[test]
    fn selectors_of_fields() {
        let pod = json!({ "metadata": { "name": "web" }, "status": { "phase": "Running" } });
        let means = |text: &str| Selector { labels: Vec::new(), fields: parse(text) }.matches(&pod);
        assert!(means("metadata.name=web,status.phase!=Failed"));
        assert!(!means("metadata.name=other"));
    }
}
