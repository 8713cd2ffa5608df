//! A process whose goroutines are read, once or again and again.

use std::time::Duration;

use tokio::sync::oneshot;

use super::locate::{self, Found};
use super::{Dump, Error, read};
use crate::golang::image::Image;
use crate::golang::layout::{self, Layout, dwarf};
use crate::golang::window::{Fetch, Window};
use crate::golang::{self, BuildInfo};
use crate::inspect::fetch;
use crate::inspect::processes::stat::{self, Stat};
use crate::inspect::processes::{self, MAX_STATUS, TICKS_PER_SECOND};
use crate::shim::{self, Parts, Shim};
use crate::target::ContainerPid;
use crate::wire::Part;

/// How long one reading may take before it counts as stuck.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How much of `/proc/PID/maps` is read, in bytes: a program comes before the many mappings that it makes itself.
const MOST_MAPS: u64 = 1 << 20;
/// The largest program that is read, in bytes.
const LARGEST: u64 = 16 << 30;

/// A process that was looked into. Its goroutines can be read any number of times.
#[derive(Debug)]
pub struct Session {
    shim: Shim,
    pid: ContainerPid,
    /// Both are away while they are read with; after a reading that got stuck they stay so.
    reading: Option<(Found, Parts)>,
}

impl Session {
    /// Opens the memory of a process and finds what is read of it. `go`: what its program says of itself.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn open(shim: &Shim, pid: ContainerPid, go: &BuildInfo) -> Result<Self, Error> {
        let version = go.go_version.safe();
        let failed = |what| move |error| Error::of(pid, what, error);
        let memory = shim.memory(pid).await.map_err(failed("the memory"))?;
        let path = shim.readlink(&fetch::proc_path(pid, "exe")).await.map_err(failed("the program"))?;
        let maps = fetch::prefix(shim, &fetch::proc_path(pid, "maps"), MOST_MAPS).await;
        let (maps, _) = maps.map_err(failed("where it was put (maps)"))?;
        let start = locate::start(&maps, &path).ok_or(Error::Ended { pid })?;
        let size = shim.stat(&path, true).await.map_err(failed("the program"))?.size.min(LARGEST);
        let file = shim.parts(&path).await.map_err(failed("the program"))?;
        let mut memory = memory;
        let found = on_a_thread(pid, move || {
            let window = Window::new(usize::try_from(size).unwrap_or_default(), Box::new(Inside(file)));
            let mut image = Image::new(window).map_err(|cause| Error::NotGo { pid, cause })?;
            let layout = layout(&mut image, version.as_str()).ok_or(Error::UnknownGo { pid, version })?;
            let found = locate::locate(pid, image, &mut memory, start, layout)?;
            Ok((found, memory))
        });
        Ok(Self { shim: shim.clone(), pid, reading: Some(found.await?) })
    }

    /// Reads all goroutines.
    ///
    /// # Errors
    /// See [`Error`].
    pub async fn read(&mut self) -> Result<Dump, Error> {
        let pid = self.pid;
        let (uptime, stat) = tokio::join!(uptime(&self.shim), stat(&self.shim, pid));
        let now = uptime.and_then(|uptime| u64::try_from(uptime.as_nanos()).ok());
        let (mut found, mut memory) = self.reading.take().ok_or(Error::Stuck { pid, within: PATIENCE })?;
        let (dump, reading) = on_a_thread(pid, move || {
            let dump = read::read(&mut found, &mut memory, now);
            Ok((dump, (found, memory)))
        })
        .await?;
        self.reading = Some(reading);
        let mut dump = dump.map_err(|error| Error::of(pid, "the memory", error))?.ok_or(Error::Ended { pid })?;
        let stat = stat.ok_or(Error::Ended { pid })?;
        dump.figures.threads = Some(stat.threads);
        let began = Duration::from_millis(stat.start_ticks.saturating_mul(1000 / TICKS_PER_SECOND));
        dump.figures.uptime = uptime.map(|uptime| uptime.saturating_sub(began));
        Ok(dump)
    }
}

/// Of a release that the table knows, or else from the program's own debug information.
fn layout(image: &mut Image, version: &str) -> Option<&'static Layout> {
    let minor = layout::minor(version)?;
    // Some hundred bytes for each program of a release that is not known: they stay, as the table does.
    Layout::of(minor).or_else(|| dwarf::read(image, minor).map(|layout| &*Box::leak(Box::new(layout))))
}

/// Does what blocks where it may. What gets stuck there is left behind.
async fn on_a_thread<T: Send + 'static>(
    pid: ContainerPid,
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let (to, done) = oneshot::channel();
    std::thread::spawn(move || drop(to.send(work())));
    match tokio::time::timeout(PATIENCE, done).await {
        Ok(Ok(result)) => result,
        _ => Err(Error::Stuck { pid, within: PATIENCE }),
    }
}

/// Since the start of the machine. The runtime's clock counts from there, too (`CLOCK_MONOTONIC`), but for the time that the
/// machine was asleep.
async fn uptime(shim: &Shim) -> Option<Duration> {
    processes::parse_uptime(&fetch::whole(shim, b"/proc/uptime", 4096).await.ok()?)
}

async fn stat(shim: &Shim, pid: ContainerPid) -> Option<Stat> {
    stat::parse(&fetch::whole(shim, &fetch::proc_path(pid, "stat"), MAX_STATUS).await.ok()?)
}

/// A file inside.
struct Inside(Parts);

impl Fetch for Inside {
    fn fetch(&mut self, offset: u64, into: &mut Vec<u8>, length: usize) -> Result<(), golang::Error> {
        let part = Part { offset, len: u32::try_from(length).unwrap_or(u32::MAX) };
        let got = self.0.read(&[part], into).map_err(|error: shim::Error| golang::Error::Shim(error))?;
        into.truncate(got.first().copied().unwrap_or_default() as usize);
        Ok(())
    }
}
