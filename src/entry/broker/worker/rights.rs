//! Dropping rights, in three moves: what is not needed on the way in, then the user, then the rest.

use nix::errno::Errno;
use rustix::process::{Gid, Uid};
use rustix::thread::{
    CapabilitiesSecureBits, CapabilitySet, CapabilitySets, clear_ambient_capability_set,
    configure_capability_in_ambient_set, remove_capability_from_bounding_set, set_capabilities,
    set_capabilities_secure_bits, set_no_new_privs, set_thread_groups, set_thread_res_gid, set_thread_res_uid,
};

use super::errno;
use crate::entry::plan::{Capability, Ids, Plan};

/// Keeps only what the way in takes, for good, and the way in only.
pub fn lower(plan: &Plan) -> Result<(), Errno> {
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).map_err(errno)?;
    // A file that is copied in has the permissions it is given, of which this would take away.
    let umask = if plan.write { 0 } else { 0o077 };
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(umask));
    if plan.become_them {
        // Before the user namespace is joined: there it may be forbidden, and ours must not come along.
        set_thread_groups(&[]).map_err(errno)?;
    }
    bound(plan, plan.need)?;
    set(plan.need, 0)?;
    set_no_new_privs(true).map_err(errno)
}

/// Keeps these alone, for good, and stays who it is.
pub fn only(keep: u64) -> Result<(), Errno> {
    bound_to(keep)?;
    reduce(keep)
}

/// The same, and gives them on to what is executed, for whatever user.
pub fn only_and_on(keep: u64) -> Result<(), Errno> {
    bound_to(keep)?;
    reduce_and_on(keep)
}

/// As [`only`], where nothing else can be had anyway: an engine has bounded it.
pub fn reduce(keep: u64) -> Result<(), Errno> {
    set(keep, 0)?;
    set_no_new_privs(true).map_err(errno)
}

/// As [`only_and_on`], where nothing else can be had anyway.
pub fn reduce_and_on(keep: u64) -> Result<(), Errno> {
    set(keep, keep)?;
    ambient(keep)?;
    set_no_new_privs(true).map_err(errno)
}

/// Those of them that this process has.
pub fn had(of: u64) -> Result<u64, Errno> {
    let sets = rustix::thread::capabilities(None).map_err(errno)?;
    Ok(sets.permitted.bits() & of)
}

/// Becomes somebody else, and keeps what it may (prctl(2), `PR_SET_KEEPCAPS`). It takes `CAP_SETUID` and `CAP_SETGID`.
pub fn become_another(ids: &Ids) -> Result<(), Errno> {
    rustix::thread::set_keep_capabilities(true).map_err(errno)?;
    let groups: Vec<_> = ids.groups.iter().map(|&group| Gid::from_raw(group)).collect();
    set_thread_groups(&groups).map_err(errno)?;
    let (uid, gid) = (Uid::from_raw(ids.uid), Gid::from_raw(ids.gid));
    set_thread_res_gid(gid, gid, gid).map_err(errno)?;
    set_thread_res_uid(uid, uid, uid).map_err(errno)
}

/// Becomes the user who looks.
pub fn take_ids(plan: &Plan) -> Result<(), Errno> {
    if !plan.become_them {
        return Ok(());
    }
    // Capabilities are dropped below, by name; changing the user must not do it (capabilities(7)).
    set_capabilities_secure_bits(CapabilitiesSecureBits::NO_SETUID_FIXUP).map_err(errno)?;
    if !plan.ids.groups.is_empty() {
        let groups: Vec<_> = plan.ids.groups.iter().map(|&group| Gid::from_raw(group)).collect();
        set_thread_groups(&groups).map_err(errno)?;
    }
    let (uid, gid) = (Uid::from_raw(plan.ids.uid), Gid::from_raw(plan.ids.gid));
    set_thread_res_gid(gid, gid, gid).map_err(errno)?;
    set_thread_res_uid(uid, uid, uid).map_err(errno)
}

/// Keeps only what is needed inside, through exec, for whatever user.
pub fn drop_rest(plan: &Plan) -> Result<(), Errno> {
    if may_bound(plan) {
        // Root is no more than any other user from here on, and cannot become so again.
        let bits = CapabilitiesSecureBits::NO_ROOT
            | CapabilitiesSecureBits::NO_ROOT_LOCKED
            | CapabilitiesSecureBits::NO_SETUID_FIXUP
            | CapabilitiesSecureBits::NO_SETUID_FIXUP_LOCKED
            | CapabilitiesSecureBits::KEEP_CAPS_LOCKED;
        set_capabilities_secure_bits(bits).map_err(errno)?;
    }
    bound(plan, plan.keep)?;
    set(plan.keep, plan.keep)?;
    ambient(plan.keep)
}

fn ambient(keep: u64) -> Result<(), Errno> {
    clear_ambient_capability_set().map_err(errno)?;
    for capability in Capability::ALL.into_iter().filter(|capability| keep & capability.bit() != 0) {
        configure_capability_in_ambient_set(CapabilitySet::from_bits_retain(capability.bit()), true).map_err(errno)?;
    }
    Ok(())
}

fn may_bound(plan: &Plan) -> bool {
    plan.need & Capability::SetPcap.bit() != 0
}

/// Drops everything but `keep` from the bounding set, so that no exec can give it back.
fn bound(plan: &Plan, keep: u64) -> Result<(), Errno> {
    if !may_bound(plan) {
        // Without CAP_SETPCAP it cannot be dropped; there is nothing to gain either: no_new_privs is set.
        return Ok(());
    }
    bound_to(keep)
}

fn bound_to(keep: u64) -> Result<(), Errno> {
    for bit in (0..64).map(|number| 1_u64 << number).filter(|bit| keep & bit == 0) {
        match remove_capability_from_bounding_set(CapabilitySet::from_bits_retain(bit)) {
            Ok(()) => {}
            // Past the last one that this kernel knows.
            Err(rustix::io::Errno::INVAL) => break,
            Err(error) => return Err(errno(error)),
        }
    }
    Ok(())
}

fn set(effective: u64, inheritable: u64) -> Result<(), Errno> {
    let effective = CapabilitySet::from_bits_retain(effective);
    let inheritable = CapabilitySet::from_bits_retain(inheritable);
    set_capabilities(None, CapabilitySets { effective, permitted: effective, inheritable }).map_err(errno)
}
