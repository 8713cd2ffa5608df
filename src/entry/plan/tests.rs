use super::*;

const ALL: u64 = (1 << 41) - 1;
const DOCKER_DEFAULT: u64 = 0xa804_25fb;

fn container() -> Facts {
    Facts {
        differing: vec![Namespace::Mnt, Namespace::Pid, Namespace::Net, Namespace::Uts, Namespace::Ipc],
        other_root: true,
        root_is_mount: true,
        target: Ids { uid: 65532, gid: 65532, groups: vec![] },
        target_permitted: 0,
        target_dumpable: true,
        uid_map: IdMap::default(),
        gid_map: IdMap::default(),
        setgroups: true,
        ours: Ids::default(),
        our_effective: ALL,
        restricted: false,
    }
}

fn plan(facts: &Facts, identity: Identity) -> Plan {
    Plan::new(facts, &Access { identity, ..Access::default() }).unwrap()
}

#[test]
fn who_looks_and_with_what() {
    let ptrace = Capability::SysPtrace.bit();
    let root_target = Facts { target: Ids::default(), target_permitted: DOCKER_DEFAULT, ..container() };
    let capless_root = Facts { target: Ids::default(), ..container() };
    let with_caps = Facts { target_permitted: 1 << 10, ..container() };
    let sealed = Facts { target_dumpable: false, ..container() };
    for (name, facts, identity, shown, keep) in [
        ("non-root", container(), Identity::Target, "65532:65532, no capabilities", 0),
        ("root", root_target.clone(), Identity::Target, "0:0, CAP_SYS_PTRACE", ptrace),
        ("root without capabilities", capless_root, Identity::Target, "0:0, no capabilities", 0),
        ("non-root with capabilities", with_caps, Identity::Target, "65532:65532, CAP_SYS_PTRACE", ptrace),
        ("not dumpable", sealed, Identity::Target, "65532:65532, CAP_SYS_PTRACE", ptrace),
        (
            "as root",
            container(),
            Identity::Root,
            "0:0, CAP_DAC_READ_SEARCH, CAP_SYS_PTRACE",
            ptrace | Capability::DacReadSearch.bit(),
        ),
        ("as another", root_target, Identity::User { uid: 7, gid: 8 }, "7:8, no capabilities", 0),
    ] {
        let plan = plan(&facts, identity);
        assert_eq!((plan.identity().as_str(), plan.keep), (shown, keep), "{name}");
    }
}

#[test]
fn who_reads_memory_keeps_the_right_to_look_only_where_it_takes_one() {
    let reads = Access { memory: true, ..Access::default() };
    let kept = |facts: &Facts, access| Plan::new(facts, &access).unwrap().keep;
    assert_eq!(kept(&container(), reads), 0);
    let restricted = Facts { restricted: true, ..container() };
    assert_eq!(kept(&restricted, reads), Capability::SysPtrace.bit());
    assert_eq!(kept(&restricted, Access::default()), 0);
    // A process of one's own can be read without any right.
    let own =
        Facts { differing: vec![], other_root: false, target: Ids::default(), our_effective: 0, ..restricted.clone() };
    assert_eq!(kept(&own, reads), 0);
    assert_eq!(kept(&restricted, Access { identity: Identity::User { uid: 7, gid: 8 }, ..reads }), 0);
}

#[test]
fn only_namespaces_that_differ_are_joined() {
    let host_network = Facts { differing: vec![Namespace::Mnt, Namespace::Pid], ..container() };
    assert_eq!(plan(&host_network, Identity::Target).namespaces(), ["mnt", "pid"]);
}

#[test]
fn the_view_is_locked_unless_there_is_a_reason() {
    assert_eq!(plan(&container(), Identity::Target).view, View::Locked);
    let plain = Facts { root_is_mount: false, ..container() };
    assert_eq!(plan(&plain, Identity::Target).view, View::PlainRoot);
    let write = Plan::new(&container(), &Access { write: true, ..Access::default() }).unwrap();
    assert_eq!((write.view, write.write), (View::Writable, true));
}

#[test]
fn a_user_namespace_changes_the_numbers() {
    let mut facts = container();
    facts.differing.insert(0, Namespace::User);
    facts.target = Ids { uid: 165_532, gid: 165_532, groups: vec![100_001, 5] };
    facts.uid_map = IdMap::parse(b"0 100000 65536");
    facts.gid_map = IdMap::parse(b"0 100000 65536");
    // Group 5 has no number inside.
    assert_eq!(plan(&facts, Identity::Target).ids, Ids { uid: 65_532, gid: 65_532, groups: vec![1] });
    facts.setgroups = false;
    assert_eq!(plan(&facts, Identity::Target).ids, Ids { uid: 65_532, gid: 65_532, groups: vec![] });
    // Root inside is another user than root outside.
    let root = plan(&facts, Identity::Root);
    assert_eq!((root.ids, root.become_them), (Ids::default(), true));
    facts.target.uid = 1;
    assert_eq!(Plan::new(&facts, &Access::default()), Err(NoPlan::Unmapped(1)));
}

#[test]
fn all_that_is_missing_is_told_at_once() {
    let user = Facts { ours: Ids { uid: 1000, gid: 1000, groups: vec![] }, our_effective: 0, ..container() };
    let Err(NoPlan::Missing(missing)) = Plan::new(&user, &Access::default()) else { panic!("a plan without rights") };
    let names: Vec<_> = missing.iter().map(|missing| missing.capability).collect();
    use Capability::{SetGid, SetUid, SysAdmin, SysChroot, SysPtrace};
    assert_eq!(names, [SysAdmin, SysPtrace, SysChroot, SetUid, SetGid]);

    let almost = Facts { our_effective: ALL & !Capability::SysChroot.bit(), ..container() };
    let missing = vec![Missing { capability: SysChroot, purpose: Purpose::Root }];
    assert_eq!(Plan::new(&almost, &Access::default()), Err(NoPlan::Missing(missing)));
}

#[test]
fn ones_own_process_needs_no_rights() {
    let me = Ids { uid: 1000, gid: 1000, groups: vec![4] };
    let own = Facts {
        differing: vec![],
        other_root: false,
        target: me.clone(),
        ours: me,
        our_effective: 0,
        target_permitted: 0,
        ..container()
    };
    let plan = plan(&own, Identity::Target);
    assert_eq!((plan.need, plan.keep, plan.become_them, plan.view), (0, 0, false, View::Unprivileged));
}

#[test]
fn nothing_unneeded_is_carried_in() {
    let plan = plan(&container(), Identity::Target);
    use Capability::{SetGid, SetPcap, SetUid, SysAdmin, SysChroot, SysPtrace};
    let needed = [SysAdmin, SysPtrace, SysChroot, SetUid, SetGid, SetPcap];
    assert_eq!(plan.need, needed.iter().fold(0, |bits, cap| bits | cap.bit()));
}
