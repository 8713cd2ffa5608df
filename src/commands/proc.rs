//! `proc`: one process in full.

use std::io::Write as _;

use super::table::{Align, Table, section, width};
use super::{Context, output, words};
use crate::engine;
use crate::exit::Failure;
use crate::inspect::files::human_size;
use crate::inspect::process::{self, Detail, Field, Limit, Part};
use crate::inspect::users;
use crate::target::{ContainerPid, TargetName};
use crate::text::Untrusted;

/// Runs the command.
///
/// # Errors
/// If the target cannot be entered, or has no such process.
pub async fn run(context: &Context, name: &TargetName, pid: Option<ContainerPid>) -> Result<(), Failure> {
    let (target, entered) = context.enter(name).await?;
    let users = users::read(&entered.shim).await;
    let pid = pid.unwrap_or(entered.init);
    let mut detail = process::detail(&entered.shim, pid, &users).await?;
    detail.process.host_pid = target.init().and_then(|init| engine::process::host_pids(init).get(&pid).copied());
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &detail)?;
    } else {
        out.extend_from_slice(text(&detail, width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))
}

/// All of it for a person.
fn text(detail: &Detail, width: Option<usize>) -> String {
    let process = &detail.process;
    let mut out = String::new();
    let mut head = plain();
    let mut fact = |name: &str, value: String| head.row([name, &value]);
    fact("pid", process.pid.to_string());
    fact("pid on the host", process.host_pid.map_or_else(|| "not known".to_owned(), |pid| pid.to_string()));
    fact("parent", process.ppid.to_string());
    fact("command", process.command_line());
    fact("age", words::age(process.age));
    fact("cpu", format!("{:.1}% ({:.2}s)", process.cpu_percent, process.cpu.as_secs_f64()));
    fact("rss", human_size(process.rss));
    for (name, link) in [("exe", &detail.exe), ("cwd", &detail.cwd), ("root", &detail.root)] {
        fact(
            name,
            match link {
                Part::Ok(link) => link.safe().into_string(),
                Part::Unavailable(why) => format!("({why})"),
            },
        );
    }
    out.push_str(&head.text(width));
    section(&mut out, "\nSTATUS", &detail.status, |fields| fields_table(fields), width);
    section(&mut out, "\nSECURITY", &detail.security, |fields| fields_table(fields), width);
    section(
        &mut out,
        "\nCAPABILITIES",
        &detail.capabilities,
        |sets| {
            let mut table = plain();
            for set in sets {
                table.row([&set.set, &if set.names.is_empty() { "none".to_owned() } else { set.names.join(" ") }]);
            }
            table
        },
        width,
    );
    section(
        &mut out,
        "\nENVIRONMENT",
        &detail.env,
        |variables| {
            let mut table = Table::new(&[("", Align::Left)]);
            for variable in variables {
                table.row([format!("{}={}", variable.name.safe(), variable.value.safe())]);
            }
            table
        },
        width,
    );
    section(&mut out, "\nDESCRIPTORS", &detail.fds, |fds| fds_table(fds), width);
    section(&mut out, "\nLIMITS", &detail.limits, |limits| limits_table(limits), width);
    section(&mut out, "\nMEMORY", &detail.maps, |maps| maps_table(maps), width);
    section(&mut out, "\nMOUNTS", &detail.mounts, |mounts| mounts_table(mounts), width);
    section(&mut out, "\nCGROUPS", &detail.cgroups, |paths| list(paths), width);
    section(
        &mut out,
        "\nNAMESPACES",
        &detail.namespaces,
        |namespaces| {
            let mut table = plain();
            for (kind, inode) in namespaces {
                table.row([kind, &inode.to_string()]);
            }
            table
        },
        width,
    );
    out
}

/// Two columns without titles.
fn plain() -> Table {
    Table::new(&[("", Align::Left), ("", Align::Left)])
}

fn list(lines: &[Untrusted]) -> Table {
    let mut table = Table::new(&[("", Align::Left)]);
    for line in lines {
        table.row([line.safe().as_str()]);
    }
    table
}

fn fields_table(fields: &[Field]) -> Table {
    let mut table = plain();
    for field in fields {
        table.row([&field.name, field.value.safe().as_str()]);
    }
    table
}

fn fds_table(fds: &[process::Fd]) -> Table {
    let mut table = Table::new(&[
        ("FD", Align::Right),
        ("MODE", Align::Left),
        ("WHAT", Align::Left),
        ("POSITION", Align::Right),
        ("TARGET", Align::Left),
    ]);
    for fd in fds {
        table.row([
            fd.number.to_string(),
            fd.mode.clone().unwrap_or_else(|| "-".to_owned()),
            fd.what.clone(),
            fd.position.map_or_else(|| "-".to_owned(), |position| position.to_string()),
            fd.target.safe().into_string(),
        ]);
    }
    table
}

fn limits_table(limits: &[Limit]) -> Table {
    let mut table = Table::new(&[
        ("LIMIT", Align::Left),
        ("USED", Align::Right),
        ("SOFT", Align::Right),
        ("HARD", Align::Right),
        ("UNIT", Align::Left),
    ]);
    let value = |value: Option<u64>| value.map_or_else(|| "unlimited".to_owned(), |value| value.to_string());
    for limit in limits {
        let used = limit.used.map_or_else(|| "-".to_owned(), |used| used.to_string());
        table.row([&limit.name, &used, &value(limit.soft), &value(limit.hard), &limit.unit]);
    }
    table
}

fn maps_table(maps: &[process::Mapping]) -> Table {
    let mut table = Table::new(&[
        ("SIZE", Align::Right),
        ("WRITABLE", Align::Right),
        ("EXECUTABLE", Align::Right),
        ("REGIONS", Align::Right),
        ("WHAT", Align::Left),
    ]);
    for map in maps {
        table.row([
            human_size(map.size),
            human_size(map.writable),
            human_size(map.executable),
            map.regions.to_string(),
            map.what.safe().into_string(),
        ]);
    }
    table
}

fn mounts_table(mounts: &[process::MountPoint]) -> Table {
    let mut table =
        Table::new(&[("POINT", Align::Left), ("KIND", Align::Left), ("SOURCE", Align::Left), ("OPTIONS", Align::Left)]);
    for mount in mounts {
        table.row([&mount.point, &mount.kind, &mount.source, &mount.options].map(|text| text.safe().into_string()));
    }
    table
}
