//! What scratchdbg itself made on an engine: finding it, and taking it away.

use std::collections::{HashMap, HashSet};

use bollard::query_parameters::{
    ListContainersOptionsBuilder, ListImagesOptionsBuilder, RemoveContainerOptionsBuilder, RemoveImageOptionsBuilder,
};
use serde::Serialize;

use super::{Docker, Error};
use crate::engine::labels;

/// A container or an image that scratchdbg made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// Full id.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Of a container, how it is (`Up 2 hours`).
    pub status: Option<String>,
    /// When it was made, in seconds since the epoch of the engine's clock.
    #[serde(skip)]
    pub created: Option<i64>,
    /// Of a container, whether it was never started. Of an image, whether no container is known that was made of it.
    #[serde(skip)]
    pub unused: bool,
}

impl std::fmt::Display for LeftoverKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(match self {
            Self::Container => "container",
            Self::Image => "image",
        })
    }
}

/// What scratchdbg can leave on an engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum LeftoverKind {
    /// A container.
    Container,
    /// An image.
    Image,
}

/// An image's id without what says how it was made: not every engine says it everywhere.
fn digits(id: &str) -> &str {
    id.strip_prefix("sha256:").unwrap_or(id)
}

impl Docker {
    /// Everything that carries scratchdbg's label, containers first: an image in use cannot be removed.
    ///
    /// # Errors
    /// If the engine does not answer.
    pub async fn leftovers(&self) -> Result<Vec<Leftover>, Error> {
        let label = format!("{}={}", labels::OWNER, labels::OWNER_VALUE);
        let filters = HashMap::from([("label".to_owned(), vec![label])]);
        let options = ListContainersOptionsBuilder::default().all(true).filters(&filters).build();
        let what = "list containers";
        let containers = self.bollard.list_containers(Some(options)).await.map_err(|error| self.failed(what, error))?;
        let options = ListImagesOptionsBuilder::default().all(true).filters(&filters).build();
        let images =
            self.bollard.list_images(Some(options)).await.map_err(|error| self.failed("list images", error))?;
        // The engine has filtered already. An engine that ignores the filter must not cost anybody a container.
        let containers = containers.into_iter().filter(|one| one.labels.as_ref().is_some_and(labels::is_ours));
        let mut used = HashSet::new();
        let containers = containers.filter_map(|one| {
            used.extend(one.image_id.as_deref().map(digits).map(str::to_owned));
            let name = one.names.unwrap_or_default().into_iter().next();
            Some(Leftover {
                kind: LeftoverKind::Container,
                id: one.id.filter(|id| !id.is_empty())?,
                name: name.map(|name| name.trim_start_matches('/').to_owned()),
                status: one.status,
                created: one.created,
                unused: one.state.is_some_and(|state| state == bollard::models::ContainerSummaryStateEnum::CREATED),
            })
        });
        let mut all: Vec<_> = containers.collect();
        let images = images.into_iter().filter(|one| !one.id.is_empty() && labels::is_ours(&one.labels));
        let images = images.map(|one| Leftover {
            kind: LeftoverKind::Image,
            unused: !used.contains(digits(&one.id)),
            id: one.id,
            name: one.repo_tags.into_iter().find(|tag| tag != "<none>:<none>"),
            status: None,
            created: Some(one.created),
        });
        all.extend(images);
        Ok(all)
    }

    /// Removes one of [`Docker::leftovers`], even if it is in use. One that is gone already counts as removed.
    ///
    /// # Errors
    /// If the engine refuses, or does not answer.
    pub async fn remove(&self, kind: LeftoverKind, id: &str) -> Result<(), Error> {
        self.take_away(kind, id, true).await
    }

    /// The same of what is not in use. Anything else is refused.
    pub(super) async fn remove_unforced(&self, kind: LeftoverKind, id: &str) -> Result<(), Error> {
        self.take_away(kind, id, false).await
    }

    async fn take_away(&self, kind: LeftoverKind, id: &str, force: bool) -> Result<(), Error> {
        let step = self.begin(&format!("remove {kind} {id}"), None);
        let result = self.try_remove(kind, id, force).await;
        step.end(&result);
        result
    }

    async fn try_remove(&self, kind: LeftoverKind, id: &str, force: bool) -> Result<(), Error> {
        let result = match kind {
            LeftoverKind::Container => {
                let options = RemoveContainerOptionsBuilder::default().force(force).v(true).build();
                self.bollard.remove_container(id, Some(options)).await
            }
            LeftoverKind::Image => {
                let options = RemoveImageOptionsBuilder::default().force(force).build();
                self.bollard.remove_image(id, Some(options), None).await.map(drop)
            }
        };
        match result.map_err(|error| self.failed(&format!("remove {id}"), error)) {
            Err(Error::Refused { status: 404, .. }) | Ok(()) => Ok(()),
            // Being removed already (`--rm`).
            Err(Error::Refused { status: 409, message, .. }) if message.contains("already in progress") => Ok(()),
            Err(error) => Err(error),
        }
    }
}
