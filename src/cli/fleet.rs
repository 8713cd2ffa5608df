//! What can be typed to mean many pods.

use clap::Args;

/// All pods with certain labels, in the place of one target.
#[derive(Debug, Clone, Args)]
pub struct Fleet {
    /// All pods with these labels, in the place of TARGET, as kubectl takes them: app=web,tier!=cache.
    #[arg(short = 'l', long, value_name = "LABELS", conflicts_with = "target")]
    pub selector: Option<String>,
    /// Pods of all namespaces.
    #[arg(short = 'A', long, requires = "selector", conflicts_with = "target")]
    pub all_namespaces: bool,
    /// How many pods are looked into at once.
    #[arg(long, value_name = "N", requires = "selector", conflicts_with = "target", default_value = "8", value_parser = at_once)]
    pub at_once: usize,
}

fn at_once(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count) if (1..=64).contains(&count) => Ok(count),
        _ => Err("a number from 1 to 64".to_owned()),
    }
}
