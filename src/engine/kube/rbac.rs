//! The Role to ask for.

/// What every command needs that looks into pods of one namespace, and nothing more, with a remark on each.
#[must_use]
pub fn role(namespace: &str) -> String {
    format!(
        "\
# What scratchdbg needs to look into pods of namespace {namespace}.
# The built-in roles edit and admin lack pods/ephemeralcontainers, on purpose: whoever may add a container to a pod
# may read what its containers read. Bind it to whom you trust with that:
#   kubectl create rolebinding scratchdbg -n {namespace} --role=scratchdbg --user=NAME
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: scratchdbg
  namespace: {namespace}
rules:
  # To find a pod, and to see what became of a container that was added.
  - apiGroups: [\"\"]
    resources: [\"pods\"]
    verbs: [\"get\", \"list\"]
  # To read its log.
  - apiGroups: [\"\"]
    resources: [\"pods/log\"]
    verbs: [\"get\"]
  # To add the container that looks.
  - apiGroups: [\"\"]
    resources: [\"pods/ephemeralcontainers\"]
    verbs: [\"patch\"]
  # To speak with it: get for the connection, create as well from Kubernetes 1.35 on.
  - apiGroups: [\"\"]
    resources: [\"pods/exec\"]
    verbs: [\"get\", \"create\"]
  # For deploy/NAME and the like; not needed for pod/NAME.
  - apiGroups: [\"apps\"]
    resources: [\"deployments\", \"statefulsets\", \"daemonsets\"]
    verbs: [\"get\"]
  - apiGroups: [\"batch\"]
    resources: [\"jobs\"]
    verbs: [\"get\"]
  - apiGroups: [\"\"]
    resources: [\"services\"]
    verbs: [\"get\"]
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::kube::Right;

    /// What is asked for at runtime and what is told to administrators are the same.
    #[test]
    fn every_right_is_in_it() {
        let role = role("shop");
        for right in [Right::ADD, Right::EXEC_GET, Right::EXEC_CREATE] {
            let at = role.find(&format!("\"pods/{}\"", right.subresource)).unwrap();
            let verbs = role[at..].lines().nth(1).unwrap();
            assert!(verbs.contains(&format!("\"{}\"", right.verb)), "{right}");
        }
        assert!(role.contains("namespace: shop\n"));
    }
}
