//! The node of a pod, for whoever may read nodes. That is another right, and asked for only where it helps.

use super::ask::Question;
use super::{Cluster, wire};
use crate::target::plausible;

impl Cluster {
    /// What kind of machine it is, as Go names it. `None` if that is not told.
    pub async fn machine(&self, node: &str) -> Option<String> {
        let machine = self.node(node).await?.status.node_info.architecture;
        Some(machine).filter(|machine| !machine.is_empty())
    }

    /// It. `None` if it may not be read.
    pub(super) async fn node(&self, name: &str) -> Option<wire::Node> {
        let name = plausible(name).ok()?;
        self.json(&Question::get(format!("/api/v1/nodes/{name}"), "tell of a node")).await.ok()
    }
}
