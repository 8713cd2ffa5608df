//! Opening an image that does not run.

use std::time::Instant;

use super::Context;
use crate::exit::{Exit, Failure};
use crate::image::{self, Image, Place};

/// Opens what stands behind `image://`. Also says which kind of machine is to run it (`uname -m`).
///
/// # Errors
/// If there is no such image, or it cannot be read.
pub async fn open(context: &Context, name: &str) -> Result<(Image, &'static str), Failure> {
    let began = Instant::now();
    let here = std::env::consts::ARCH;
    let opened = match Place::typed(name) {
        Place::Path { path, name } => (image::open(&path, name.as_deref())?, here),
        Place::Engine(name) => {
            let engine = context.engine()?;
            let machine = engine.machine().await.unwrap_or(here);
            let archive = engine.image(&name).await?;
            tracing::debug!("the engine gave {} bytes within {:?}", archive.length(), began.elapsed());
            (image::of_archive(&archive, None)?, machine)
        }
    };
    tracing::debug!("{} files were found within {:?}", opened.0.tree.len(), began.elapsed());
    if opened.0.platform.0 == "windows" {
        return Err(Failure::new(
            Exit::Usage,
            format!("image://{name} is for Windows, and only those for Linux are read"),
        ));
    }
    Ok(opened)
}
