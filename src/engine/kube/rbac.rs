//! The Role to ask for.

/// What making copies takes beside that.
const COPIES: &str = "\
  # To make copies of pods (--copy), and to delete them again. Whoever may make pods in a namespace may have them use any of its
  # Secrets and service accounts.
  - apiGroups: [\"\"]
    resources: [\"pods\"]
    verbs: [\"create\", \"delete\"]
";

/// What every command needs that looks into pods of one namespace, and nothing more, with a remark on each; with `copies`, what looking
/// into copies of them takes as well.
#[must_use]
pub fn role(namespace: &str, copies: bool) -> String {
    let role = looking(namespace);
    if copies { role + COPIES } else { role }
}

fn looking(namespace: &str) -> String {
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
  # To forward ports, for which nothing is added to a pod.
  - apiGroups: [\"\"]
    resources: [\"pods/portforward\"]
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
        let role = role("shop", false);
        let forward = [Right::FORWARD_GET, Right::FORWARD_CREATE];
        for right in [Right::ADD, Right::EXEC_GET, Right::EXEC_CREATE].into_iter().chain(forward) {
            let at = role.find(&format!("\"pods/{}\"", right.subresource)).unwrap();
            let verbs = role[at..].lines().nth(1).unwrap();
            assert!(verbs.contains(&format!("\"{}\"", right.verb)), "{right}");
        }
        assert!(role.contains("namespace: shop\n"));
        assert!(!role.contains("\"delete\""), "more than looking takes");
        let more = super::role("shop", true);
        assert!(more.starts_with(&role));
        for right in [Right::MAKE, Right::DELETE] {
            assert!(more[role.len()..].contains(&format!("\"{}\"", right.verb)), "{right}");
        }
    }
}
