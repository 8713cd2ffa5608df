//! Who may do what: a table of rules by user, and a token for each user.

use serde_json::{Value, json};

/// What is asked of the rules.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// `get`, `patch`, …
    pub verb: &'a str,
    /// The API group; empty for the core.
    pub group: &'a str,
    /// `pods` or `pods/exec`
    pub resource: &'a str,
    /// In which namespace; `None` means in all, or in none.
    pub namespace: Option<&'a str>,
}

/// A user of the cluster.
#[derive(Clone, Debug)]
pub struct User {
    /// `jane`
    pub name: String,
    rules: Vec<Rule>,
    without: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
struct Rule {
    namespace: Option<String>,
    verbs: Vec<String>,
    resources: Vec<String>,
}

fn own(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl User {
    /// A user who may do nothing but ask what they may.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), rules: Vec::new(), without: Vec::new() }
    }

    /// A user who may do everything.
    #[must_use]
    pub fn admin(name: &str) -> Self {
        Self::new(name).may(&["*"], &["*"])
    }

    /// A user who has what looking into pods takes, and no more.
    #[must_use]
    pub fn debugger(name: &str) -> Self {
        Self::new(name)
            .may(&["get", "list", "watch"], &["pods"])
            .may(&["get"], &["pods/log"])
            .may(&["patch"], &["pods/ephemeralcontainers"])
            .may(&["get", "create"], &["pods/exec", "pods/attach", "pods/portforward"])
    }

    /// A user with what the built-in role `edit` says of pods: all but ephemeral containers.
    #[must_use]
    pub fn editor(name: &str) -> Self {
        let all = ["get", "list", "watch", "create", "delete", "deletecollection", "patch", "update"];
        Self::new(name)
            .may(&all, &["pods", "pods/attach", "pods/exec", "pods/portforward", "services", "deployments"])
            .may(&all, &["statefulsets", "daemonsets", "replicasets", "jobs"])
            .may(&["get", "list", "watch"], &["pods/log", "pods/status", "namespaces", "events"])
    }

    /// And may do these, in every namespace. `*` is every verb or every resource.
    #[must_use]
    pub fn may(mut self, verbs: &[&str], resources: &[&str]) -> Self {
        self.rules.push(Rule { namespace: None, verbs: own(verbs), resources: own(resources) });
        self
    }

    /// And may do these in one namespace.
    #[must_use]
    pub fn may_in(mut self, namespace: &str, verbs: &[&str], resources: &[&str]) -> Self {
        let namespace = Some(namespace.to_owned());
        self.rules.push(Rule { namespace, verbs: own(verbs), resources: own(resources) });
        self
    }

    /// But not this one thing. No cluster has rules that forbid; here it saves the writing of all the others.
    #[must_use]
    pub fn but_not(mut self, verb: &str, resource: &str) -> Self {
        self.without.push((verb.to_owned(), resource.to_owned()));
        self
    }

    /// Whether the rules allow it.
    #[must_use]
    pub fn is_allowed(&self, attempt: &Attempt<'_>) -> bool {
        let means = |known: &str, asked: &str| known == "*" || known == asked;
        let allowed = self.rules.iter().any(|rule| {
            rule.namespace.as_deref().is_none_or(|only| attempt.namespace == Some(only))
                && rule.verbs.iter().any(|verb| means(verb, attempt.verb))
                && rule.resources.iter().any(|resource| means(resource, attempt.resource))
        });
        let denied = self.without.iter().any(|(verb, resource)| verb == attempt.verb && resource == attempt.resource);
        allowed && !denied
    }

    /// Why not, in the API server's words.
    #[must_use]
    pub fn words(&self, attempt: &Attempt<'_>) -> String {
        let scope = match attempt.namespace {
            Some(namespace) => format!("in the namespace \"{namespace}\""),
            None => "at the cluster scope".to_owned(),
        };
        let Attempt { verb, group, resource, .. } = attempt;
        format!("User \"{}\" cannot {verb} resource \"{resource}\" in API group \"{group}\" {scope}", self.name)
    }

    /// Answers a `SelfSubjectAccessReview`.
    #[must_use]
    pub fn review(&self, mut review: Value) -> Value {
        let word = |name: &str| review["spec"]["resourceAttributes"][name].as_str().unwrap_or_default().to_owned();
        let (verb, group, namespace, below) = (word("verb"), word("group"), word("namespace"), word("subresource"));
        let resource = if below.is_empty() { word("resource") } else { format!("{}/{below}", word("resource")) };
        let namespace = Some(namespace.as_str()).filter(|name| !name.is_empty());
        let allowed = self.is_allowed(&Attempt { verb: &verb, group: &group, resource: &resource, namespace });
        (review["kind"], review["apiVersion"]) = (json!("SelfSubjectAccessReview"), json!("authorization.k8s.io/v1"));
        review["status"] = json!({ "allowed": allowed });
        if allowed {
            review["status"]["reason"] = json!("RBAC: allowed by the rules of this test");
        }
        review
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn may(user: &User, verb: &str, resource: &str, namespace: Option<&str>) -> bool {
        user.is_allowed(&Attempt { verb, group: "", resource, namespace })
    }

    #[test]
    fn the_built_in_role_edit_adds_no_ephemeral_container() {
        let editor = User::editor("jane");
        assert!(may(&editor, "create", "pods/exec", Some("default")));
        assert!(!may(&editor, "patch", "pods/ephemeralcontainers", Some("default")));
    }

    #[test]
    fn a_rule_of_a_namespace_is_not_of_all() {
        let user = User::new("jane").may_in("shop", &["get"], &["pods"]);
        assert!(may(&user, "get", "pods", Some("shop")));
        assert!(!may(&user, "get", "pods", Some("other")));
        assert!(!may(&user, "get", "pods", None));
    }

    #[test]
    fn a_review_says_what_the_rules_say() {
        let user = User::debugger("jane").but_not("create", "pods/exec");
        let asks = |verb: &str, below: &str| {
            let spec = json!({ "resourceAttributes": {
                "verb": verb, "resource": "pods", "subresource": below, "namespace": "default" } });
            user.review(json!({ "spec": spec }))["status"]["allowed"].clone()
        };
        assert_eq!(
            (asks("get", "exec"), asks("create", "exec"), asks("get", "")),
            (json!(true), json!(false), json!(true))
        );
    }
}
