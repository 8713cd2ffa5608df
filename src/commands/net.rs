//! `net`: sockets with their owners, interfaces, routes, resolver.

use std::io::Write as _;

use super::table::{Align, Table, section, width};
use super::{Context, output};
use crate::exit::Failure;
use crate::inspect::files::human_size;
use crate::inspect::network::{self, Interface, Network, Resolver, Route, Socket};
use crate::inspect::process::Part;
use crate::target::TargetName;
use crate::text::Untrusted;

/// How many owners of one socket are shown; `--json` has them all.
const MAX_OWNERS: usize = 3;

/// Runs the command.
///
/// # Errors
/// If the target cannot be entered.
pub async fn run(context: &Context, name: &TargetName) -> Result<(), Failure> {
    let (_, entered) = context.enter(name).await?;
    let network = network::read(&entered.shim, entered.init).await;
    let mut out = Vec::new();
    if context.global.json {
        output::document(&mut out, &network)?;
    } else {
        out.extend_from_slice(text(&network, width()).as_bytes());
    }
    std::io::stdout().lock().write_all(&out).map_err(|error| output::failure(&error))?;
    if !context.global.quiet && !context.global.json {
        for note in &network.notes {
            eprintln!("note: {}", Untrusted::from(note.as_str()).safe());
        }
    }
    Ok(())
}

fn text(network: &Network, width: Option<usize>) -> String {
    let mut out = String::new();
    section(&mut out, "SOCKETS", &network.sockets, |sockets| socket_table(sockets), width);
    section(&mut out, "\nINTERFACES", &network.interfaces, |interfaces| interface_table(interfaces), width);
    section(&mut out, "\nROUTES", &network.routes, |routes| route_table(routes), width);
    out.push_str("\nRESOLVER\n");
    out.push_str(&resolver_table(&network.resolver).text(width));
    out
}

fn socket_table(sockets: &[Socket]) -> Table {
    let mut table = Table::new(&[
        ("PROTO", Align::Left),
        ("STATE", Align::Left),
        ("RECV-Q", Align::Right),
        ("SEND-Q", Align::Right),
        ("LOCAL", Align::Left),
        ("REMOTE", Align::Left),
        ("OWNER", Align::Left),
    ]);
    for socket in sockets {
        let dash = || "-".to_owned();
        let path = || socket.path.as_ref().map(|path| path.safe().into_string());
        table.row([
            socket.protocol.clone(),
            socket.state.clone(),
            socket.receive_queue.to_string(),
            socket.send_queue.to_string(),
            socket.local.map(|local| local.to_string()).or_else(path).unwrap_or_else(dash),
            socket.remote.map_or_else(dash, |remote| remote.to_string()),
            owners(socket),
        ]);
    }
    table
}

fn owners(socket: &Socket) -> String {
    let shown = socket.owners.iter().take(MAX_OWNERS);
    let mut words: Vec<_> = shown.map(|owner| format!("{}/{} fd {}", owner.pid, owner.name.safe(), owner.fd)).collect();
    if socket.owners.len() > MAX_OWNERS {
        words.push(format!("and {} more", socket.owners.len() - MAX_OWNERS));
    }
    if words.is_empty() { "-".to_owned() } else { words.join(", ") }
}

fn interface_table(interfaces: &[Interface]) -> Table {
    let mut table = Table::new(&[
        ("NAME", Align::Left),
        ("ADDRESSES", Align::Left),
        ("RECEIVED", Align::Right),
        ("SENT", Align::Right),
        ("ERRORS", Align::Right),
        ("DROPS", Align::Right),
    ]);
    for interface in interfaces {
        let addresses: Vec<_> =
            interface.addresses.iter().map(|(address, prefix)| format!("{address}/{prefix}")).collect();
        let (received, sent) = (interface.received, interface.sent);
        table.row([
            interface.name.safe().into_string(),
            if addresses.is_empty() { "-".to_owned() } else { addresses.join(" ") },
            human_size(received.bytes),
            human_size(sent.bytes),
            received.errors.saturating_add(sent.errors).to_string(),
            received.drops.saturating_add(sent.drops).to_string(),
        ]);
    }
    table
}

fn route_table(routes: &[Route]) -> Table {
    let mut table = Table::new(&[
        ("DESTINATION", Align::Left),
        ("GATEWAY", Align::Left),
        ("INTERFACE", Align::Left),
        ("METRIC", Align::Right),
    ]);
    for route in routes {
        let destination = match route.prefix {
            0 => "default".to_owned(),
            prefix => format!("{}/{prefix}", route.destination),
        };
        table.row([
            destination,
            route.gateway.map_or_else(|| "-".to_owned(), |gateway| gateway.to_string()),
            route.interface.safe().into_string(),
            route.metric.to_string(),
        ]);
    }
    table
}

fn resolver_table(resolver: &Resolver) -> Table {
    let mut table = Table::new(&[("", Align::Left), ("", Align::Left)]);
    let join = |words: &[Untrusted]| words.iter().map(|word| word.safe().into_string()).collect::<Vec<_>>().join(" ");
    match &resolver.nameservers {
        Part::Ok(servers) if servers.is_empty() => {
            table.row(["nameservers", "none named: Go asks 127.0.0.1:53 and [::1]:53"]);
        }
        Part::Ok(servers) => table.row(["nameservers", &join(servers)]),
        Part::Unavailable(why) => table.row(["nameservers", &format!("({why})")]),
    }
    for (name, words) in [("search", &resolver.search), ("options", &resolver.options)] {
        if !words.is_empty() {
            table.row([name, &join(words)]);
        }
    }
    match &resolver.nsswitch {
        Some(line) => table.row(["nsswitch hosts", line.safe().as_str()]),
        None => table.row(["nsswitch hosts", "(not said: Go takes files, then dns)"]),
    }
    match &resolver.hosts {
        Part::Ok(hosts) => {
            for (address, names) in hosts {
                table.row(["host", &format!("{} {}", address.safe(), join(names))]);
            }
        }
        Part::Unavailable(why) => table.row(["hosts", &format!("({why})")]),
    }
    table
}
