//! What a target's ports are reached with: a helper inside, or, for a pod, its cluster.

use super::kube::Ports;
use super::{Access, Broker, Door, Entered, Error, enter, of_cluster};
use crate::activity::Journal;
use crate::engine::Owner;
use crate::target::Target;

/// What connections into a target's network are made with.
pub enum Reach {
    /// A helper that is inside.
    Helper(Box<Entered>),
    /// The cluster of a pod. Nobody goes in.
    Ports(Box<Ports>),
}

/// Finds out with what a target's ports can be reached, and enters it where that takes somebody inside.
///
/// # Errors
/// As [`enter`]; or if the cluster does not allow it.
pub async fn reach(
    broker: Result<&Broker, Error>,
    owner: Option<&Owner>,
    target: &Target,
    access: &Access,
    journal: &Journal,
) -> Result<Reach, Error> {
    if let Some((cluster, pod)) = of_cluster(owner, target) {
        let ports = Ports::of(cluster, pod, access).await.map_err(|error| Error::Pod(Box::new(error)));
        return ports.map(|ports| Reach::Ports(Box::new(ports)));
    }
    enter(broker, owner, target, access, journal).await.map(|entered| Reach::Helper(Box::new(entered)))
}

impl Reach {
    /// Through which door.
    #[must_use]
    pub fn door(&self) -> Door {
        match self {
            Self::Helper(entered) => entered.door,
            Self::Ports(_) => Door::Kube,
        }
    }
}
