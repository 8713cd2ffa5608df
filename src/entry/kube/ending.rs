//! The end of a container that was added for this process alone.

use std::time::Duration;

use tokio::time::Instant;

use super::error::advice;
use crate::activity::{Journal, Made};
use crate::door::Door;
use crate::engine::kube::holding::Promise;
use crate::engine::kube::pod::Standing;
use crate::engine::kube::{self, Cluster, Pod};
use crate::toolkit::{SHIM_PROGRAM, STOP};

/// How long the program may take that ends it: it ends with what it ends, so that no word of it may ever come.
const STOPPING: Duration = Duration::from_secs(2);
/// How long one that has not started yet is waited for: what does not run cannot be told to end. If it starts later, it ends by
/// itself. Shorter than `holding::settle` waits.
const STARTING: Duration = Duration::from_secs(4);
/// How often it is looked at meanwhile.
const PAUSE: Duration = Duration::from_millis(200);

/// What is to be ended.
pub struct Ending {
    pub cluster: Cluster,
    pub pod: Pod,
    pub name: String,
    pub image: String,
    /// What is told of its end.
    pub made: Made,
    pub journal: Journal,
    /// The process does not end before.
    pub _holding: Option<Promise>,
}

impl Ending {
    /// Does it.
    pub async fn end(self) {
        let what = format!("end {} in pod {}/{}", self.name, self.pod.namespace, self.pod.pod);
        let step = self.journal.begin(Some(Door::Kube), &what, None);
        let ended = self.stop().await;
        step.end(&ended);
        if let Ok(true) = ended {
            self.made.undone();
        }
    }

    /// Whether it has ended for sure.
    async fn stop(&self) -> Result<bool, kube::Error> {
        let begun = Instant::now();
        loop {
            let message = match self.cluster.exec(&self.pod, &self.name, &[SHIM_PROGRAM, STOP]).await {
                Ok(exec) => {
                    // What is ended may take with it who would tell.
                    let told = tokio::time::timeout(STOPPING, exec.end).await;
                    return Ok(!matches!(told, Ok(Some(_))) || !self.may_run().await);
                }
                // It has ended by itself, with its target for one; or has not begun.
                Err(kube::Error::Refused { status: 400 | 404 | 500, message, .. }) => message,
                Err(error) => return Err(error),
            };
            tracing::debug!("{message}");
            if !self.may_run().await {
                return Ok(true);
            }
            if begun.elapsed() >= STARTING {
                return Ok(false);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether it runs, or may do so at any moment. Its node may have refused for a reason of its own.
    async fn may_run(&self) -> bool {
        match self.cluster.again(&self.pod).await.as_ref().map(|pod| pod.added(&self.name).map(|one| &one.state)) {
            Ok(Some(Standing::Untold | Standing::Running)) => true,
            Ok(Some(Standing::Waiting(waiting))) => advice(&waiting.reason, &self.image).is_none(),
            _ => false,
        }
    }
}
