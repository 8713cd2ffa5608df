//! As whom all of this runs, and as whom the other commands do: doctor itself stays what it was started as, to ask the kernel.

use super::Check;
use crate::commands::Context;
use crate::engine::docker::Docker;
use crate::invoker::{Invoker, Kept};

/// Tries it, and comes back. To be called while there is one thread.
pub fn check(context: &Context) -> Check {
    let invoker = Invoker::of_this_process();
    let socket = context.engine().ok().and_then(Docker::socket);
    let going = invoker.map(|invoker| (invoker.uid.as_raw(), invoker.by, invoker.rehearse(socket)));
    judge(nix::unistd::geteuid().as_raw(), going)
}

fn judge(uid: u32, invoker: Option<(u32, &str, Result<(), Kept>)>) -> Check {
    const NAME: &str = "runs as";
    match (uid, invoker) {
        (_, Some((user, by, Ok(())))) => {
            Check::ok(NAME, format!("by {by}: only the part that enters is root, the rest goes on as user {user}"))
        }
        (_, Some((user, by, Err(kept)))) => {
            Check::info(NAME, format!("by {by}: all of it stays root, and is not user {user}: {kept}"))
        }
        (0, None) => Check::info(
            NAME,
            "root itself: what containers say is parsed as root, too; by sudo that would be done as you",
        ),
        (uid, None) => Check::info(NAME, format!("user {uid}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::Verdict;

    #[test]
    fn as_whom_it_goes_on_is_told() {
        let kept = || Err(Kept::Socket("/run/podman/podman.sock".into()));
        for (uid, invoker, verdict, words) in [
            (0, Some((1000, "sudo", Ok(()))), Verdict::Ok, "the rest goes on as user 1000"),
            (0, Some((1000, "doas", kept())), Verdict::Info, "only root may use the engine's socket /run/podman"),
            (0, None, Verdict::Info, "root itself"),
            (1000, None, Verdict::Info, "user 1000"),
        ] {
            let check = judge(uid, invoker);
            assert!(check.verdict == verdict && check.seen.contains(words), "{check:?}");
        }
    }
}
