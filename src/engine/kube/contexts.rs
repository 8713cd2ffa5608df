//! The clusters that can be chosen: what the configuration calls contexts.

/// What can be chosen.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contexts {
    /// All of them, by their names.
    pub all: Vec<Context>,
    /// Which of them is meant where none is named. Nothing, in a pod without a configuration: then it is its own cluster.
    pub current: Option<String>,
    /// The namespace that is meant where none is named.
    pub namespace: String,
}

/// One of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Context {
    /// Its name.
    pub name: String,
    /// The cluster, as the configuration calls it.
    pub cluster: String,
    /// As whom.
    pub user: String,
    /// Its namespace.
    pub namespace: String,
}

/// The namespace of a context that names none.
pub const DEFAULT: &str = "default";

impl Contexts {
    /// A context by its name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Context> {
        self.all.iter().find(|one| one.name == name)
    }
}
