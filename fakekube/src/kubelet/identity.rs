//! As whom a container runs, by the kubelet's rules.

use serde_json::{Value, json};

use super::life::Trouble;

/// A container's identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Its user, if it is a number.
    pub uid: Option<i64>,
    /// Its group.
    pub gid: i64,
    /// Its further groups.
    pub groups: Vec<i64>,
    /// The user's name, where it is none.
    name: String,
}

/// A setting of the container, or else of its pod.
fn setting<'a>(pod: &'a Value, container: &'a Value, name: &str) -> &'a Value {
    let own = &container["securityContext"][name];
    if own.is_null() { &pod["spec"]["securityContext"][name] } else { own }
}

impl Identity {
    /// As whom a container of an image with this `USER` runs.
    ///
    /// # Errors
    /// If it would be root and must not.
    pub fn of(pod: &Value, container: &Value, image_user: &str) -> Result<Self, Trouble> {
        // The group of an image's USER gets lost on the way through the kubelet.
        let image_user = image_user.split(':').next().unwrap_or_default();
        let asked = setting(pod, container, "runAsUser").as_i64();
        let of_image = if image_user.is_empty() { Some(0) } else { image_user.parse().ok() };
        let uid = asked.or(of_image);
        let gid = setting(pod, container, "runAsGroup").as_i64().unwrap_or(0);
        let whole = &pod["spec"]["securityContext"];
        let further = whole["supplementalGroups"].as_array().into_iter().flatten().filter_map(Value::as_i64);
        let groups = further.chain(whole["fsGroup"].as_i64()).collect();
        if setting(pod, container, "runAsNonRoot") == true {
            let problem = match (asked, uid) {
                (Some(0), _) => Some("container's runAsUser breaks non-root policy".to_owned()),
                (None, Some(0)) => Some("container has runAsNonRoot and image will run as root".to_owned()),
                (None, None) => Some(format!(
                    "container has runAsNonRoot and image has non-numeric user ({image_user}), cannot verify user is \
                     non-root"
                )),
                _ => None,
            };
            if let Some(problem) = problem {
                let word = |name: &str| pod["metadata"][name].as_str().unwrap_or_default().to_owned();
                let pod = format!("{}_{}({})", word("name"), word("namespace"), word("uid"));
                let name = container["name"].as_str().unwrap_or_default();
                let message = format!("{problem} (pod: \"{pod}\", container: {name})");
                return Err(Trouble::new("CreateContainerConfigError", message));
            }
        }
        Ok(Self { uid, gid, groups, name: image_user.to_owned() })
    }

    /// As the engine takes it.
    #[must_use]
    pub fn user(&self) -> String {
        match self.uid {
            Some(uid) => format!("{uid}:{}", self.gid),
            None => format!("{}:{}", self.name, self.gid),
        }
    }

    /// As a status tells it.
    #[must_use]
    pub fn told(&self) -> Value {
        let mut groups = vec![self.gid];
        groups.extend(self.groups.iter().filter(|&&group| group != self.gid));
        match self.uid {
            Some(uid) => json!({ "linux": { "uid": uid, "gid": self.gid, "supplementalGroups": groups } }),
            None => json!({}),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pod: &Value, container: &Value, image: &str) -> Result<String, String> {
        let pod = json!({ "metadata": { "name": "web", "namespace": "default", "uid": "u" },
            "spec": { "securityContext": pod } });
        let container = json!({ "name": "app", "securityContext": container });
        Identity::of(&pod, &container, image).map(|found| found.user()).map_err(|trouble| trouble.message)
    }

    #[test]
    fn the_group_of_an_images_user_is_dropped() {
        assert_eq!(of(&json!({}), &json!({}), "65532:65532").as_deref(), Ok("65532:0"));
        assert_eq!(of(&json!({ "runAsGroup": 7 }), &json!({}), "65532").as_deref(), Ok("65532:7"));
        assert_eq!(of(&json!({ "runAsUser": 1 }), &json!({ "runAsUser": 2 }), "65532").as_deref(), Ok("2:0"));
    }

    #[test]
    fn who_must_not_be_root_is_not() {
        let strict = json!({ "runAsNonRoot": true });
        let words = of(&strict, &json!({}), "").unwrap_err();
        assert_eq!(
            words,
            "container has runAsNonRoot and image will run as root (pod: \"web_default(u)\", container: app)"
        );
        assert!(of(&strict, &json!({ "runAsUser": 0 }), "65532").unwrap_err().starts_with("container's runAsUser"));
        assert!(of(&strict, &json!({}), "nobody").unwrap_err().contains("non-numeric user (nobody)"));
        assert_eq!(of(&strict, &json!({ "runAsNonRoot": false }), "").as_deref(), Ok("0:0"));
    }
}
