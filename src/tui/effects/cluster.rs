//! What a cluster tells: its pods, its namespaces; and which cluster is asked.

use std::sync::{Arc, PoisonError};

use tokio::sync::{OnceCell, mpsc};
use tokio::task::JoinSet;

use super::Shared;
use crate::engine::kube::{Cluster, Options};
use crate::exit::{Exit, Failure};
use crate::tui::app::pods::MOST;
use crate::tui::effect::Place;
use crate::tui::message::Msg;

/// The cluster that is chosen, and the connection to it once there is one.
#[derive(Default, Clone)]
pub(super) struct Chosen {
    context: Option<String>,
    namespace: Option<String>,
    connection: Arc<OnceCell<Cluster>>,
}

impl Shared {
    /// From now on pods are looked for there.
    pub(super) fn choose(&self, place: &Place) {
        let mut chosen = self.cluster.lock().unwrap_or_else(PoisonError::into_inner);
        if chosen.context != place.context {
            chosen.context.clone_from(&place.context);
            chosen.connection = Arc::default();
        }
        chosen.namespace.clone_from(&place.namespace);
    }

    /// The next question reads the configuration anew: who was refused may have logged in meanwhile.
    fn forget_cluster(&self) {
        self.cluster.lock().unwrap_or_else(PoisonError::into_inner).connection = Arc::default();
    }

    /// The cluster that is chosen.
    pub(super) async fn cluster(&self) -> Result<Cluster, Failure> {
        let chosen = self.cluster.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let options = &self.clusters.options;
        let context = chosen.context.or_else(|| options.context.clone());
        let options = Options { context, ..options.clone() };
        let cluster =
            chosen.connection.get_or_try_init(|| async { Cluster::connect(&options, &self.journal).await }).await?;
        Ok(match &chosen.namespace {
            Some(namespace) => cluster.within(namespace)?,
            None => cluster.clone(),
        })
    }
}

/// Says which clusters can be chosen.
pub(super) async fn contexts(shared: Arc<Shared>, out: mpsc::Sender<Msg>) {
    let options = shared.clusters.options.clone();
    let read = tokio::task::spawn_blocking(move || Cluster::contexts(&options).map_err(Failure::from)).await;
    let result = read.unwrap_or_else(|_| Err(Failure::new(Exit::No, "the configuration could not be read")));
    let _ = out.send(Msg::Contexts(result)).await;
}

/// Lists pods, once.
pub(super) async fn pods(shared: Arc<Shared>, out: mpsc::Sender<Msg>, number: u64, place: Place) {
    let for_task = Arc::clone(&shared);
    let result = whole(async move {
        let cluster = for_task.cluster().await?;
        let namespace = (!place.everywhere).then(|| cluster.namespace());
        Ok(Box::new(cluster.list_some(namespace, place.selector.as_deref(), MOST).await?))
    });
    let result = result.await.inspect_err(|failure| {
        if failure.exit == Exit::NotPermitted {
            shared.forget_cluster();
        }
    });
    let _ = out.send(Msg::Pods { number, result }).await;
}

/// Lists namespaces, once.
pub(super) async fn namespaces(shared: Arc<Shared>, out: mpsc::Sender<Msg>, number: u64) {
    let listed = whole(async move {
        let cluster = shared.cluster().await?;
        cluster.namespaces().await.map_err(|error| match error {
            // No Role gives this right, but a ClusterRole.
            error if error.is_forbidden() => Failure { hint: None, ..error.into() },
            error => error.into(),
        })
    });
    let result = listed.await;
    let _ = out.send(Msg::Namespaces { number, result }).await;
}

/// Waits for a task of its own, which ends with us. A panic in it is a failure like others.
async fn whole<T: Send + 'static>(
    future: impl Future<Output = Result<T, Failure>> + Send + 'static,
) -> Result<T, Failure> {
    let mut task = JoinSet::new();
    task.spawn(future);
    let failed = || Failure::new(Exit::No, "the reading failed in a way it should not").try_this("please report it");
    task.join_next().await.and_then(Result::ok).unwrap_or_else(|| Err(failed()))
}
