//! Which images of ours a node has already, as it says itself. A node tells of fifty at most, the largest first.

use super::{Cluster, wire};
use crate::toolkit;

/// How many are told.
const MOST: usize = 3;

impl Cluster {
    /// Images of a node that are the toolkit by their name, but not the one that was asked for. None if nodes may not be read: that is
    /// another right, and asked for only where it helps.
    pub async fn toolkits_on(&self, node: &str) -> Vec<String> {
        let told = self.node(node).await.unwrap_or_default();
        toolkits(&told, &self.terms().image)
    }
}

fn toolkits(node: &wire::Node, wanted: &str) -> Vec<String> {
    let ours = [repository(toolkit::NAME), repository(wanted)];
    let names = node.status.images.iter().filter_map(|image| {
        // A name with a tag is easier to type than one with a digest.
        image.names.iter().min_by_key(|name| name.contains('@'))
    });
    let plain = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./:@_-".contains(&byte));
    let mut found: Vec<String> = names
        .filter(|name| plain(name) && ours.contains(&repository(name)) && !image_is(name, wanted))
        .cloned()
        .collect();
    found.truncate(MOST);
    found
}

/// The last part of an image's name, without its tag and digest.
fn repository(name: &str) -> &str {
    let name = name.split('@').next().unwrap_or_default();
    let last = name.rsplit('/').next().unwrap_or_default();
    last.split(':').next().unwrap_or_default()
}

/// Whether they are the same name. A runtime writes out what a short one stands for.
fn image_is(name: &str, wanted: &str) -> bool {
    let short = |name: &str| {
        let name = name.strip_prefix("docker.io/").unwrap_or(name);
        name.strip_prefix("library/").unwrap_or(name).to_owned()
    };
    short(name) == short(wanted)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ours_by_their_name_and_not_the_one_that_was_wanted() {
        let images = json!([
            {"names": ["r.example/a/scratchdbg-toolkit@sha256:0", "r.example/a/scratchdbg-toolkit:0.1"]},
            {"names": ["docker.io/library/scratchdbg-toolkit:9"]},
            {"names": ["docker.io/library/nginx:1"]},
            {"names": ["r.example/tools:7"]},
            {"names": ["r.example/$(reboot)/scratchdbg-toolkit:1"]},
            {"names": []},
        ]);
        let node: wire::Node = serde_json::from_value(json!({"status": {"images": images}})).unwrap();
        assert_eq!(toolkits(&node, "scratchdbg-toolkit:9"), ["r.example/a/scratchdbg-toolkit:0.1"]);
        let found = toolkits(&node, "other.example/tools:8");
        let expected =
            ["r.example/a/scratchdbg-toolkit:0.1", "docker.io/library/scratchdbg-toolkit:9", "r.example/tools:7"];
        assert_eq!(found, expected);
    }
}
