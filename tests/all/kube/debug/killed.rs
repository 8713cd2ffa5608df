//! Whoever is killed or cut off, the process goes on as it was.

use fakekube::Fault;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid as Number;

use super::{HIT, PATIENCE, Pod, runs_into_it};
use crate::guarded::session::{self, Session};
use crate::guarded::{changed_text, is_as_before};
use crate::support::client::asked_for;
use crate::support::process::{all_pids, command_line, has_ended, namespace, parent, state, status};
use crate::support::residue::Residue;
use crate::support::wait;
use crate::{require_delve, require_engine, require_root};

/// Who goes, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goes {
    /// The command itself.
    Us,
    /// The connection to the cluster.
    Connection,
    Guard,
    Delve,
    /// Who carries in the pod: a runtime may kill it when the connection ends.
    Carrier,
    /// What keeps the place in the pod is told to end, as when the pod is deleted.
    Holder,
}

fn kill_it(pid: i32, signal: Signal) {
    kill(Number::from_raw(pid), signal).unwrap();
}

impl Goes {
    const ALL: [Self; 6] = [Self::Us, Self::Connection, Self::Guard, Self::Delve, Self::Carrier, Self::Holder];

    fn go(self, pod: &Pod, session: &Session) {
        let delve = session::delve_of(pod.app.pid()).unwrap();
        let guard = parent(delve).unwrap();
        match self {
            Self::Us => kill_it(session.pid(), Signal::SIGKILL),
            Self::Connection => pod.kube.breaks("shop/web", Fault::Cut),
            Self::Guard => kill_it(guard, Signal::SIGKILL),
            Self::Delve => kill_it(delve, Signal::SIGKILL),
            Self::Carrier => kill_it(parent(guard).unwrap(), Signal::SIGKILL),
            Self::Holder => kill_it(pod.holder(), Signal::SIGTERM),
        }
    }
}

/// Who debugs in the pod, and lives.
fn ours(pod: &Pod) -> Vec<i32> {
    let within = |&pid: &i32| namespace(pid, "pid") == namespace(pod.app.pid(), "pid");
    let debugs = |&pid: &i32| ["/scratchdbg\0", "dlv\0"].iter().any(|start| command_line(pid).starts_with(start));
    all_pids().filter(within).filter(debugs).filter(|&pid| !has_ended(pid)).collect()
}

#[test]
fn the_process_goes_on_whoever_is_killed() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::kept();
    let before = Residue::of(&pod.app).but_for_memory();
    for goes in Goes::ALL {
        // A breakpoint that is hit again and again, by requests of which each one must be answered.
        let requests = asked_for("/buy", PATIENCE, &pod.app, std::time::Duration::from_millis(1), || {
            for stands in [true, false] {
                let mut session = pod.session(&["--keep=10m"]);
                let mut debugger = session.connect();
                runs_into_it(&mut debugger);
                assert_eq!(state(pod.app.pid()), Some('t'));
                assert!(!changed_text(pod.app.pid()).is_empty());
                let (mut still, mut driver) = (None, None);
                if stands {
                    still = Some(debugger);
                } else {
                    driver = Some(debugger.drive(HIT, 1));
                }
                println!("{goes:?}, while it stands still: {stands}");
                let holder = pod.holder();
                goes.go(&pod, &session);
                is_as_before(&pod.app);
                drop(still.take());
                if let Some(driver) = driver.take() {
                    driver.hang_up();
                }
                pod.kube.mend("shop/web");
                let said = session.end();
                if goes == Goes::Holder {
                    wait::until("it to end", || has_ended(holder).then_some(()));
                    assert!(!said.contains("has ended with"), "{said}");
                    return;
                }
            }
        });
        assert_eq!(requests.failed, 0, "{goes:?}");
        match goes {
            Goes::Holder => break,
            // Whose child has lost it is adopted by the target, which may never look after it: it stays, dead.
            Goes::Carrier => wait::until("nobody of ours to live", || ours(&pod).is_empty().then_some(())),
            _ => pod.has_nothing_of_ours(&before),
        }
    }
    assert_eq!(status(pod.app.pid(), "TracerPid"), ["0"]);
}

/// Nobody uses the helper meanwhile, and whoever keeps the place would have gone long ago.
#[test]
fn a_session_is_not_idle() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::strict();
    let mut session = pod.session(&["--keep=2s"]);
    let mut debugger = session.connect();
    debugger.asks("State", "{}");
    let carrier = parent(parent(session::delve_of(pod.app.pid()).unwrap()).unwrap()).unwrap();
    // The command is cut off from the helper alone: what looks ends, and what debugs goes on.
    let within = |&pid: &i32| namespace(pid, "pid") == namespace(pod.app.pid(), "pid");
    let helper = all_pids().filter(within).find(|&pid| command_line(pid) == "/scratchdbg-shim\0");
    kill_it(helper.expect("a helper"), Signal::SIGKILL);
    let holder = pod.holder();
    wait::exactly(std::time::Duration::from_secs(4));
    assert!(!has_ended(holder), "it ended under a session");
    assert!(!has_ended(carrier));
    drop(debugger);
    session.end();
    is_as_before(&pod.app);
    wait::until("it to end", || has_ended(holder).then_some(()));
}

/// The connection stays open, and carries nothing: as when a machine on the way is switched off.
#[test]
fn nobody_holds_the_process_who_is_not_heard_of() {
    require_engine!();
    require_root!();
    require_delve!();
    let pod = Pod::kept();
    let before = Residue::of(&pod.app).but_for_memory();
    let requests = asked_for("/buy", wait::PATIENCE * 3, &pod.app, std::time::Duration::from_millis(1), || {
        let mut session = pod.session(&["--no-limit", "--keep=10m"]);
        let mut debugger = session.connect();
        runs_into_it(&mut debugger);
        pod.kube.breaks("shop/web", Fault::Silent);
        wait::until_within(wait::PATIENCE * 2, "it to be let go", || {
            (status(pod.app.pid(), "TracerPid") == ["0"]).then_some(())
        });
        is_as_before(&pod.app);
        kill_it(session.pid(), Signal::SIGKILL);
        pod.kube.mend("shop/web");
    });
    assert_eq!(requests.failed, 0);
    pod.has_nothing_of_ours(&before);
}
