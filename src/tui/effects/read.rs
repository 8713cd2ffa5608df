//! Reading inside.

use std::sync::LazyLock;
use std::time::Instant;

use super::session::{Inside, Session};
use crate::check::{self, Status, gather};
use crate::debuggee;
use crate::engine::Owner;
use crate::exit::Failure;
use crate::golang;
use crate::inspect::files::{self, Kind};
use crate::inspect::{kind, network, process};
use crate::target::Target;
use crate::text::Untrusted;
use crate::tui::app::viewer::WINDOW;
use crate::tui::message::{Answer, Checked, Place, Program, Request, Window};

/// How many findings are shown. The command shows all.
const MOST_FINDINGS: usize = 5;

/// What readings are timed by: any moment before all of them.
static START: LazyLock<Instant> = LazyLock::new(Instant::now);

/// Answers one request.
pub(super) async fn answer(session: Session, request: Request) -> Result<Answer, Failure> {
    read(&session, &*session.inside()?, request).await
}

async fn read(session: &Session, inside: &Inside, request: Request) -> Result<Answer, Failure> {
    let shim = &inside.shim;
    match request {
        Request::Processes => {
            let list = inside.processes().await?;
            // Rates are of the time between two readings: any clock will do that does not jump.
            Ok(Answer::Processes(list, START.elapsed()))
        }
        Request::Detail(pid) | Request::Init(pid) => {
            let mut detail = process::detail(shim, pid, inside.users().await).await?;
            detail.process.host_pid = inside.host_pids(&[pid]).await.get(&pid).copied();
            Ok(Answer::Detail(Box::new(detail)))
        }
        Request::Network => Ok(Answer::Network(Box::new(network::read(shim, inside.init).await))),
        Request::Program => Ok(Answer::Program(program(&session.target, inside).await)),
        Request::Goroutines(pid) => Ok(Answer::Goroutines(super::golang::read(&session.target, inside, pid).await?)),
        Request::Check => Ok(Answer::Check(checked(session, inside).await?)),
        Request::List(path) => Ok(Answer::Files(files::list(shim, &path, files::list::Want::ALL).await?)),
        Request::Open(path) => match files::list::kind_of(shim, &path).await? {
            Kind::Directory => Ok(Answer::Files(files::list(shim, &path, files::list::Want::ALL).await?)),
            _ => view(inside, &path, 0).await,
        },
        Request::View { path, from: Place::Byte(byte) } => view(inside, &path, byte).await,
        Request::View { path, from: Place::End } => {
            let stat = shim.stat(&path, true).await;
            let size = stat.map_or(0, |stat| stat.size);
            view(inside, &path, size.saturating_sub(WINDOW) / 16 * 16).await
        }
    }
}

/// What `check` finds of the same process that it takes.
async fn checked(session: &Session, inside: &Inside) -> Result<Checked, Failure> {
    let pid = match &session.target {
        Target::Pod(pod) if pod.copy.is_some() => inside.init,
        target => {
            let (pid, _) = debuggee::choose(&inside.shim, target, inside.init, None).await?;
            gather::behind_init(&inside.shim, pid).await
        }
    };
    let facts =
        gather::of_target(&inside.shim, &session.target, inside.owner.as_ref().and_then(Owner::engine), pid).await?;
    let findings = check::findings(&facts);
    let count = |status| findings.iter().filter(|finding| finding.status == status).count();
    let mut worst: Vec<_> = findings.iter().filter(|finding| finding.status >= Status::Warning).collect();
    worst.sort_by_key(|finding| std::cmp::Reverse(finding.status));
    Ok(Checked {
        failures: count(Status::Failure),
        warnings: count(Status::Warning),
        worst: worst
            .into_iter()
            .take(MOST_FINDINGS)
            .map(|finding| (finding.status == Status::Failure, finding.group.name(), finding.message.clone()))
            .collect(),
    })
}

async fn view(inside: &Inside, path: &[u8], offset: u64) -> Result<Answer, Failure> {
    let view = files::view(&inside.shim, path, offset, WINDOW).await?;
    let end = view.offset.saturating_add(view.bytes.len() as u64);
    // Files of /proc tell a size of 0 whatever they hold.
    let size = Some(view.meta.size).filter(|size| *size >= end);
    Ok(Answer::Window(Window { offset: view.offset, end: view.end || size == Some(end), size, data: view.bytes }))
}

async fn program(target: &Target, inside: &Inside) -> Program {
    let kind = kind::of(&inside.shim).await.ok().map(|kind| match kind {
        kind::ImageKind::Scratch => "scratch: no shell, no libc".to_owned(),
        kind::ImageKind::Distroless => "distroless: no shell".to_owned(),
        kind::ImageKind::Shell => "has a shell".to_owned(),
    });
    let text = |text: &Untrusted| text.safe().into_string();
    if let Target::Pod(pod) = target
        && let Some(copy) = &pod.copy
    {
        let of = Untrusted::from(copy.of.as_str()).safe().into_string();
        return Program {
            kind,
            go: Some(format!("it does not run: this is a copy of pod {of}")),
            ..Program::default()
        };
    }
    match golang::of_process(&inside.shim, inside.init).await {
        Ok(info) => {
            let module = info.main.as_ref().map(|module| format!("{} {}", text(&module.path), text(&module.version)));
            let facts = ["-trimpath", "CGO_ENABLED", "vcs.revision", "vcs.time", "vcs.modified"]
                .into_iter()
                .filter_map(|name| Some((name.to_owned(), text(info.setting(name)?))))
                .collect();
            Program { kind, go: Some(text(&info.go_version)), module, facts }
        }
        Err(golang::Error::NotGo) => Program { kind, go: Some("not a Go program".to_owned()), ..Program::default() },
        Err(error) => Program { kind, go: Some(format!("unknown: {error}")), ..Program::default() },
    }
}
