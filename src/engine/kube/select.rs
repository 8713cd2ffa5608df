//! All pods with certain labels, and of each the container that is meant.

use super::{Cluster, Error, Pod, wire};

/// The longest selector that is sent, in bytes: it is part of an address.
const LONGEST: usize = 4096;

/// Which pods are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// Their labels, as they were typed.
    pub selector: String,
    /// Whether those of all namespaces are meant.
    pub everywhere: bool,
    /// Which container of each; otherwise its default one, or its only one.
    pub container: Option<String>,
}

/// A pod with such labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Where it is.
    pub namespace: String,
    /// Its name.
    pub pod: String,
    /// Where it runs.
    pub node: Option<String>,
    /// Whether it has done what it was for, has failed, or is being deleted: nobody looks into it any more.
    pub over: bool,
    /// The container that is meant, or why there is none.
    pub container: Result<Pod, Error>,
}

impl Cluster {
    /// The pods that are meant, sorted by namespace and name; at most so many.
    ///
    /// # Errors
    /// If they may not be listed, if there are none, or more.
    pub async fn select(&self, selection: &Selection, most: usize) -> Result<Vec<Selected>, Error> {
        let all = self.selected(selection, most).await?;
        if all.is_empty() {
            return Err(Error::NoneSelected { selector: selection.selector.clone(), place: self.place(selection) });
        }
        Ok(all)
    }

    /// The same, where it is no failure that there are none: there may be some the next time.
    ///
    /// # Errors
    /// If they may not be listed, or there are more.
    pub async fn selected(&self, selection: &Selection, most: usize) -> Result<Vec<Selected>, Error> {
        let Selection { selector, everywhere, container } = selection;
        let wrong = |why: String| Error::Selector { selector: selector.chars().take(80).collect(), why };
        if selector.trim().is_empty() {
            return Err(wrong("without a label it would be all of them".to_owned()));
        }
        if selector.len() > LONGEST {
            return Err(wrong(format!("it has {} bytes, and {LONGEST} are sent at most", selector.len())));
        }
        let namespace = (!everywhere).then(|| self.namespace());
        let pods = self.pods(namespace, Some(selector), Some(most.saturating_add(1))).await;
        let pods = pods.map_err(|error| match error {
            Error::Refused { status: 400, message, .. } => wrong(message),
            other => other,
        })?;
        if pods.len() > most {
            return Err(Error::TooManySelected { selector: selector.clone(), place: self.place(selection), most });
        }
        let mut all: Vec<Selected> = pods.iter().map(|pod| Selected::of(pod, container.as_deref())).collect();
        all.sort_by(|a, b| (&a.namespace, &a.pod).cmp(&(&b.namespace, &b.pod)));
        Ok(all)
    }

    /// Where such pods are looked for, for messages.
    #[must_use]
    pub fn place(&self, selection: &Selection) -> String {
        if selection.everywhere { "in any namespace".to_owned() } else { format!("in namespace {}", self.namespace()) }
    }
}

impl Selected {
    fn of(pod: &wire::Pod, container: Option<&str>) -> Self {
        let over = matches!(pod.status.phase.as_str(), "Succeeded" | "Failed");
        Self {
            namespace: pod.metadata.namespace.clone(),
            pod: pod.metadata.name.clone(),
            node: pod.spec.node_name.clone(),
            over: over || pod.metadata.deletion_timestamp.is_some(),
            container: Pod::of(pod, container),
        }
    }
}

#[cfg(feature = "kube")]
#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::kube::tests::{cluster, pod};
    use crate::exit::{Exit, Explain as _};

    fn named(name: &str, change: impl FnOnce(&mut Value)) -> Value {
        let mut pod = pod();
        pod["metadata"]["name"] = name.into();
        change(&mut pod);
        pod
    }

    fn selection(selector: &str, everywhere: bool) -> Selection {
        Selection { selector: selector.to_owned(), everywhere, container: None }
    }

    #[tokio::test]
    async fn pods_by_their_labels() {
        let items = json!([
            named("web-2", |_| {}),
            named("web-1", |pod| pod["status"]["phase"] = "Failed".into()),
            named("web-3", |pod| pod["metadata"]["deletionTimestamp"] = "2026-11-23T08:00:00Z".into()),
            named("web-4", |pod| {
                pod["spec"]["containers"] = json!([{"name": "app"}, {"name": "proxy"}]);
            }),
            named("../../secrets", |_| {}),
        ]);
        let (cluster, record) = cluster(move |_| (200, json!({"items": items})));
        let all = cluster.select(&selection("app in (web),!old", false), 5).await.unwrap();
        let told: Vec<_> = all.iter().map(|one| (one.pod.as_str(), one.over, one.container.is_ok())).collect();
        assert_eq!(
            told,
            [("web-1", true, true), ("web-2", false, true), ("web-3", true, true), ("web-4", false, false)]
        );
        cluster.select(&selection("a=b;c", true), 9).await.unwrap();
        let paths: Vec<_> = record.lock().unwrap().iter().map(|asked| asked.path.clone()).collect();
        assert_eq!(
            paths,
            [
                "/api/v1/namespaces/shop/pods?labelSelector=app%20in%20%28web%29%2C%21old&limit=6",
                "/api/v1/pods?labelSelector=a%3Db%3Bc&limit=10",
            ]
        );
        let more = cluster.select(&selection("a=b", false), 3).await.unwrap_err();
        assert!(more.to_string().contains("more than 3 pods have the labels a=b in namespace shop"), "{more}");
        assert_eq!(more.exit(), Exit::Usage);
    }

    #[tokio::test]
    async fn what_selects_nothing_says_so() {
        let (nobody, record) = cluster(|_| (200, json!({"items": []})));
        let none = nobody.select(&selection("app=web", true), 4).await.unwrap_err();
        assert_eq!(
            (none.to_string().as_str(), none.exit()),
            ("no pod has the labels app=web in any namespace", Exit::NoTarget)
        );
        let mistaken = nobody.select(&selection("deploy/web", false), 4).await.unwrap_err();
        assert!(mistaken.hint().unwrap().contains("deploy/web is a TARGET"), "{mistaken}");
        assert_eq!(nobody.selected(&selection("app=web", false), 4).await, Ok(Vec::new()));
        let asked = record.lock().unwrap().len();
        for selector in ["", " ", &"a".repeat(LONGEST + 1)] {
            assert_eq!(nobody.select(&selection(selector, false), 4).await.unwrap_err().exit(), Exit::Usage);
        }
        assert_eq!(record.lock().unwrap().len(), asked, "it was sent all the same");
        let (refuses, _) = cluster(|_| (400, json!({"message": "unable to parse requirement"})));
        let wrong = refuses.select(&selection("a==b=", false), 4).await.unwrap_err();
        assert_eq!((wrong.exit(), wrong.to_string().contains("unable to parse requirement")), (Exit::Usage, true));
    }
}
