//! Which builds of a program pods run: after a roll-out that hangs, there are two.

use serde::Serialize;

use crate::engine::Container;
use crate::golang::BuildInfo;
use crate::text::Untrusted;

/// Pods of a build that are named.
const NAMED: usize = 4;
/// Characters of a revision that are shown.
const REVISION: usize = 12;

/// A build, by what it says of itself and by its image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Build {
    go: Untrusted,
    module: Option<Untrusted>,
    version: Option<Untrusted>,
    revision: Option<Untrusted>,
    /// As it was named.
    image: String,
    /// What it truly is.
    image_id: String,
}

/// A build and who runs it.
#[derive(Debug, Serialize)]
pub struct RunBy<'a> {
    #[serde(flatten)]
    build: &'a Build,
    pods: Vec<&'a str>,
}

impl Build {
    /// Of a program, and of the container that it is the program of.
    pub fn of(info: &BuildInfo, container: Option<&Container>) -> Self {
        let revision = info.settings.iter().find(|(key, _)| key.bytes() == b"vcs.revision");
        let (module, version) = info.main.as_ref().map(|main| (main.path.clone(), main.version.clone())).unzip();
        let (image, image_id) = container.map(|one| (one.image.clone(), one.image_id.clone())).unwrap_or_default();
        Self {
            go: info.go_version.clone(),
            module,
            version,
            revision: revision.map(|(_, value)| value.clone()),
            image,
            image_id,
        }
    }

    /// In words, safe to show. `exactly`: with what its image truly is.
    fn words(&self, exactly: bool) -> String {
        let safe = |text: &Untrusted| text.safe().into_string();
        let revision = self.revision.as_ref().map(|text| safe(text).chars().take(REVISION).collect::<String>());
        let version = self.version.as_ref().map(safe).filter(|version| version != "(devel)");
        let id = Some(Untrusted::from(self.image_id.as_str()).safe().into_string()).filter(|_| exactly);
        let parts = [self.module.as_ref().map(safe), version, revision, Some(safe(&self.go))];
        let image = Untrusted::from(self.image.as_str()).safe().into_string();
        let of = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
        match id.filter(|id| !id.is_empty()) {
            Some(id) => format!("{of} of {image} ({id})"),
            None => format!("{of} of {image}"),
        }
    }
}

/// Each build with those who run it, the one that most run first.
pub fn run_by<'a>(pods: &[(&'a str, &'a Build)]) -> Vec<RunBy<'a>> {
    let mut all: Vec<RunBy<'a>> = Vec::new();
    for &(name, build) in pods {
        match all.iter_mut().find(|one| one.build == build) {
            Some(one) => one.pods.push(name),
            None => all.push(RunBy { build, pods: vec![name] }),
        }
    }
    all.sort_by_key(|one| std::cmp::Reverse(one.pods.len()));
    all
}

/// The same in words: one in a line, several in a line each.
pub fn words(pods: &[(&str, &Build)]) -> String {
    let all = run_by(pods);
    if let [only] = all.as_slice() {
        return only.build.words(false);
    }
    // The same name may be two images.
    let exactly = all.windows(2).all(|two| two[0].build.image == two[1].build.image);
    let each = all.iter().map(|one| {
        let names = one.pods.iter().take(NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if one.pods.len() > NAMED { ", …" } else { "" };
        format!("    {} in {} ({names}{more})", one.build.words(exactly), one.pods.len())
    });
    format!("{} builds:\n{}", all.len(), each.collect::<Vec<_>>().join("\n"))
}
