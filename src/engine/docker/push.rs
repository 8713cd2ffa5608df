//! Giving the engine an image, and having it push that: who may push where is between it and the registry.

use std::time::Duration;

use bollard::query_parameters::{ImportImageOptionsBuilder, PushImageOptionsBuilder};
use futures_util::StreamExt as _;

use super::{Docker, Error, connect, credentials};
use crate::image::Reference;

/// How long the engine may be silent: it takes in the whole image first, and sends all of it then.
const SILENCE: Duration = Duration::from_secs(600);
/// What a push says last: `1.0: digest: sha256:… size: 527`.
const DIGEST: &str = "digest: ";

impl Docker {
    /// Loads an archive as `docker save` writes them. It has the name in it.
    ///
    /// # Errors
    /// If the engine refuses, or does not answer.
    pub async fn load(&self, archive: Vec<u8>, reference: &Reference) -> Result<(), Error> {
        let what = format!("load image {reference}, {} bytes", archive.len());
        let step = self.begin(&what, Some(&format!("docker rmi {reference}")));
        let options = ImportImageOptionsBuilder::default().quiet(true).build();
        let engine = self.bollard.clone().with_timeout(SILENCE);
        let mut progress = engine.import_image(options, bollard::body_full(archive.into()), None);
        let mut result = Ok(());
        while let Some(said) = progress.next().await {
            if let Err(error) = said {
                result = Err(self.would_not(&format!("load image {reference}"), error));
                break;
            }
        }
        step.end(&result);
        result
    }

    /// Has the engine push an image that it has, as whoever `docker login` has made one there. The digest by which the registry
    /// knows it, if the engine tells.
    ///
    /// # Errors
    /// If it, or the registry, refuses, or does not answer.
    pub async fn push(&self, reference: &Reference) -> Result<Option<String>, Error> {
        let step = self.begin(&format!("push image {reference}"), None);
        let result = self.try_push(reference).await;
        step.end(&result);
        result
    }

    async fn try_push(&self, reference: &Reference) -> Result<Option<String>, Error> {
        let who = match connect::configuration_folder(&|name| std::env::var(name).ok()) {
            Some(folder) => credentials::of(&folder, reference.registry()).await?,
            None => None,
        };
        let options = PushImageOptionsBuilder::default().tag(&reference.tag).build();
        let engine = self.bollard.clone().with_timeout(SILENCE);
        let mut progress = engine.push_image(&reference.name, Some(options), who);
        let mut digest = None;
        while let Some(said) = progress.next().await {
            let said = said.map_err(|error| self.would_not(&format!("push image {reference}"), error))?;
            let told = said.status.as_deref().and_then(digest_in);
            digest = told.or(digest);
        }
        Ok(digest)
    }

    /// What it says in the midst of its progress is a refusal, too.
    fn would_not(&self, what: &str, error: bollard::errors::Error) -> Error {
        match error {
            bollard::errors::Error::DockerStreamError { error } => {
                Error::Refused { what: what.to_owned(), status: 500, message: error }
            }
            error => self.failed(what, error),
        }
    }
}

fn digest_in(said: &str) -> Option<String> {
    let digest = said.split_once(DIGEST)?.1.split_ascii_whitespace().next()?;
    let digits = digest.strip_prefix("sha256:")?;
    let is = digits.len() == 64 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    is.then(|| digest.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_push_says_last() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        assert_eq!(digest_in(&format!("1.0: digest: {digest} size: 527")), Some(digest));
        for other in ["Pushed", "1.0: digest: ", "digest: sha256:0a size: 1", "digest: md5:00 size: 1"] {
            assert_eq!(digest_in(other), None, "{other}");
        }
    }
}
