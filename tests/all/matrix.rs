//! Every kind of container, through every door: what works is seen to work, and nothing is left behind.
//!
//! One line of the table is one kind of container, and one test a door.

mod bundle;
mod kind;
mod leftovers;
mod look;
mod rootless;

use kind::Kind;
use look::Door;

use crate::support::container::Run;
use crate::support::engine::{has_no_cgroups, is_docker, is_podman};
use crate::support::skip::not_to_be_had;
use crate::{require_engine, require_root};

/// A kind of container a line: its name, how one is made, and which engines have no such kind, by their own words.
macro_rules! matrix {
    ($($name:ident: $kind:expr $(, but $which:ident: $refused:expr)?;)*) => {
        /// From this host, as root.
        mod local {
            use super::*;
            $(#[test]
            fn $name() {
                require_engine!();
                require_root!();
                $(if $which() {
                    return not_to_be_had($refused);
                })?
                look::through(Door::Local, &$kind);
            })*
        }
        /// Through a container beside it, which needs the engine alone: as the user whose engine it is.
        mod sidecar {
            use super::*;
            $(#[test]
            fn $name() {
                require_engine!();
                $(if $which() {
                    return not_to_be_had($refused);
                })?
                look::through(Door::Sidecar, &$kind);
            })*
        }
    };
}

matrix! {
    plain: Kind::of(Run::toolbox(&["sleep"]));
    read_only: Kind::of(Run::toolbox(&["sleep"]).flag("--read-only"));
    user_without_a_name: Kind::of(Run::toolbox(&["sleep"]).flag("--user=65532"));
    user_and_group: Kind::of(Run::toolbox(&["sleep"]).flag("--user=1234:4321").flag("--group-add=77"));
    no_capabilities: Kind::of(Run::toolbox(&["sleep"]).flag("--cap-drop=ALL"));
    no_new_privileges: Kind::of(Run::toolbox(&["sleep"]).flag("--security-opt=no-new-privileges"));
    all_of_these: Kind::of(Run::toolbox(&["sleep"]).hardened());
    more_rights: Kind::of(
        Run::toolbox(&["sleep"]).flag("--cap-add=SYS_PTRACE").flag("--cap-add=SYS_ADMIN").flag("--security-opt=seccomp=unconfined")
    ).that_traces();
    network_none: Kind::of(Run::toolbox(&["sleep"]).flag("--network=none"));
    network_host: Kind::of(Run::toolbox(&["sleep"]).flag("--network=host"));
    network_of_another: Kind::beside(Run::shop(), "--network", Run::toolbox(&["sleep"]));
    pids_of_the_host: Kind::of(Run::toolbox(&["sleep"]).flag("--pid=host")).with_many_processes();
    // Its program is not the first process of the namespace it is in.
    pids_of_another: Kind::beside(Run::shop(), "--pid", Run::toolbox(&["sleep"])).with_many_processes();
    ipc_none: Kind::of(Run::toolbox(&["sleep"]).flag("--ipc=none"));
    with_an_init: Kind::of(Run::toolbox(&["sleep"]).flag("--init")).with_many_processes();
    one_process_and_little_memory: kind::of_one_process(),
        but has_no_cgroups: kind::that_is_not_limited("Resource limits are not supported and ignored on cgroups V1 rootless systems");
    paused: Kind::of(Run::toolbox(&["sleep"])).paused(),
        but has_no_cgroups: kind::that_is_not_paused("can not pause containers on rootless containers with cgroup V1");
    users_of_the_host: Kind::of(Run::toolbox(&["sleep"]).flag("--userns=host"));
    users_of_its_own: Kind::of(Run::toolbox(&["sleep"]).with_users_of_its_own()),
        but is_docker: kind::that_is_refused(Run::with_users_of_its_own, "unknown flag: --uidmap");
    a_user_of_its_own: Kind::of(Run::toolbox(&["sleep"]).with_users_of_its_own().hardened()),
        but is_docker: kind::that_is_refused(Run::with_users_of_its_own, "unknown flag: --uidmap");
    private_cgroups: Kind::of(Run::toolbox(&["sleep"]).flag("--cgroupns=private"));
    a_volume_and_a_tmpfs: Kind::of(Run::toolbox(&["sleep"]).flag("--volume=/data").flag("--tmpfs=/scratch"));
    a_c_library: Kind::of(Run::dynamic()).of_c();
    stripped: Kind::of(Run::stripped()).of_shop();
    a_shell: Kind::of(Run::shell()).of_busybox().with_many_processes();
}

#[test]
fn a_user_namespace() {
    require_engine!();
    require_root!();
    look::at_a_process(&bundle::start());
}

#[test]
fn exited() {
    require_engine!();
    let container = Run::toolbox(&["sleep"]).start();
    container.engine_does("kill");
    container.wait_for_state("exited");
    look::at_what_does_not_run(&container, "ended with status 137", "ready\n", "EXITED 137");
}

#[test]
fn restarting() {
    require_engine!();
    // After some runs the pauses between them are long enough to be looked at.
    let container = Run::toolbox(&["crash"]).flag("--restart=always").without_waiting().start();
    if is_podman() {
        // It makes no pauses: at any moment it runs or does not, and is never between.
        look::at_what_comes_and_goes(&container, "fatal: no database");
        return;
    }
    crate::support::wait::until("the pauses to be long", || {
        let restarts = crate::support::engine::inspect(container.id())["RestartCount"].as_u64()?;
        (restarts >= 4).then_some(())
    });
    container.wait_for_state("restarting");
    look::at_what_does_not_run(&container, "about to be restarted", "", "RESTARTING");
}
