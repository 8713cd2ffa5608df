//! The network, as tables.

use std::cmp::Ordering;

use crate::inspect::network::{Network, Socket};
use crate::inspect::process::Part;
use crate::text::Untrusted;
use crate::tui::app::cursor::Cursor;
use crate::tui::app::held::Held;
use crate::tui::app::pattern::Pattern;
use crate::tui::widgets::table::Column;
use crate::tui::words;

/// The sections, in the order of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Section {
    /// Sockets with their owners.
    #[default]
    Sockets,
    /// Interfaces.
    Interfaces,
    /// Routes.
    Routes,
    /// What resolves names.
    Resolver,
    /// `/etc/hosts`.
    Hosts,
}

impl Section {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sockets, Self::Interfaces, Self::Routes, Self::Resolver, Self::Hosts];

    /// Its name.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Sockets => "sockets",
            Self::Interfaces => "interfaces",
            Self::Routes => "routes",
            Self::Resolver => "resolver",
            Self::Hosts => "hosts",
        }
    }

    /// Its columns.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        const SOCKETS: [Column; 7] = [
            Column::text("PROTO", 5, 0),
            Column::text("STATE", 11, 0),
            Column::text("LOCAL", 21, 0),
            Column::text("REMOTE", 21, 76),
            Column::number("RECV", 6, 96),
            Column::number("SEND", 6, 96),
            Column::text("OWNER", 0, 0),
        ];
        const INTERFACES: [Column; 6] = [
            Column::text("NAME", 10, 0),
            Column::number("RECEIVED", 9, 0),
            Column::number("SENT", 9, 0),
            Column::number("ERRORS", 7, 70),
            Column::number("DROPS", 7, 70),
            Column::text("ADDRESSES", 0, 0),
        ];
        const ROUTES: [Column; 4] = [
            Column::text("DESTINATION", 20, 0),
            Column::text("GATEWAY", 16, 0),
            Column::text("INTERFACE", 10, 0),
            Column::text("METRIC", 0, 0),
        ];
        const RESOLVER: [Column; 2] = [Column::text("WHAT", 12, 0), Column::text("VALUE", 0, 0)];
        const HOSTS: [Column; 2] = [Column::text("ADDRESS", 20, 0), Column::text("NAMES", 0, 0)];
        match self {
            Self::Sockets => &SOCKETS,
            Self::Interfaces => &INTERFACES,
            Self::Routes => &ROUTES,
            Self::Resolver => &RESOLVER,
            Self::Hosts => &HOSTS,
        }
    }
}

/// One section as a table. All texts are safe to show.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    /// Its rows.
    pub rows: Vec<Vec<String>>,
    /// Which are shown, in order.
    pub order: Vec<usize>,
    /// Where one is.
    pub cursor: Cursor,
    /// The column it is sorted by; `None` leaves the order as it came.
    pub sort: Option<usize>,
    /// Whether the order is turned round.
    pub reverse: bool,
    /// What rows must match.
    pub filter: Option<Pattern>,
    /// Why it could not be read.
    pub missing: Option<String>,
}

/// The network.
#[derive(Debug, Clone, Default)]
pub struct Net {
    /// What was read.
    pub data: Held<Box<Network>>,
    /// Which section has the focus.
    pub section: Section,
    /// The sections.
    pub tables: [Table; 5],
    /// Columns scrolled to the right.
    pub shift: usize,
}

impl Net {
    /// The table of the section that has the focus.
    #[must_use]
    pub fn table(&self) -> &Table {
        let [sockets, interfaces, routes, resolver, hosts] = &self.tables;
        match self.section {
            Section::Sockets => sockets,
            Section::Interfaces => interfaces,
            Section::Routes => routes,
            Section::Resolver => resolver,
            Section::Hosts => hosts,
        }
    }

    /// The same, to change it.
    pub fn table_mut(&mut self) -> &mut Table {
        let [sockets, interfaces, routes, resolver, hosts] = &mut self.tables;
        match self.section {
            Section::Sockets => sockets,
            Section::Interfaces => interfaces,
            Section::Routes => routes,
            Section::Resolver => resolver,
            Section::Hosts => hosts,
        }
    }

    /// Goes to the next section, or the one before.
    pub fn step(&mut self, forward: bool) {
        let len = Section::ALL.len();
        let at = Section::ALL.iter().position(|section| *section == self.section).unwrap_or_default();
        let next = if forward { at + 1 } else { at + len - 1 } % len;
        self.section = Section::ALL.get(next).copied().unwrap_or_default();
        self.shift = 0;
    }

    /// Makes the tables anew, after data came.
    pub fn arrange(&mut self) {
        let Some(data) = &self.data.shown else { return };
        let parts = [
            rows(&data.sockets, socket),
            rows(&data.interfaces, |interface| {
                let addresses: Vec<String> =
                    interface.addresses.iter().map(|(address, prefix)| format!("{address}/{prefix}")).collect();
                vec![
                    interface.name.safe().into_string(),
                    words::bytes(interface.received.bytes),
                    words::bytes(interface.sent.bytes),
                    interface.received.errors.saturating_add(interface.sent.errors).to_string(),
                    interface.received.drops.saturating_add(interface.sent.drops).to_string(),
                    addresses.join(" "),
                ]
            }),
            rows(&data.routes, |route| {
                vec![
                    format!("{}/{}", route.destination, route.prefix),
                    route.gateway.map_or_else(|| "-".to_owned(), |gateway| gateway.to_string()),
                    route.interface.safe().into_string(),
                    route.metric.to_string(),
                ]
            }),
            Ok(resolver(data)),
            rows(&data.resolver.hosts, |(address, names)| vec![address.safe().into_string(), join(names)]),
        ];
        for (table, part) in self.tables.iter_mut().zip(parts) {
            match part {
                Ok(rows) => (table.rows, table.missing) = (rows, None),
                Err(why) => table.missing = Some(why),
            }
            table.arrange();
        }
    }
}

impl Table {
    /// Filters and sorts.
    pub fn arrange(&mut self) {
        let mut order: Vec<usize> = (0..self.rows.len()).filter(|at| self.passes(*at)).collect();
        if let Some(column) = self.sort {
            let cell = |at: &usize| self.rows.get(*at).and_then(|row| row.get(column)).map_or("", String::as_str);
            order.sort_by(|a, b| compare(cell(a), cell(b)));
        }
        if self.reverse {
            order.reverse();
        }
        self.order = order;
    }

    fn passes(&self, at: usize) -> bool {
        let Some(filter) = &self.filter else { return true };
        self.rows.get(at).is_some_and(|row| filter.hits(row.join(" ").as_bytes()))
    }

    /// The cells in a row.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&[String]> {
        self.rows.get(*self.order.get(row)?).map(Vec::as_slice)
    }
}

/// Numbers by their value, all else by its letters.
fn compare(a: &str, b: &str) -> Ordering {
    match (a.parse::<u64>(), b.parse::<u64>()) {
        (Ok(a), Ok(b)) => a.cmp(&b),
        _ => a.cmp(b),
    }
}

fn rows<T>(part: &Part<Vec<T>>, row: impl Fn(&T) -> Vec<String>) -> Result<Vec<Vec<String>>, String> {
    match part {
        Part::Ok(items) => Ok(items.iter().map(row).collect()),
        Part::Unavailable(why) => Err(Untrusted::from(why.as_str()).safe().into_string()),
    }
}

fn join(words: &[Untrusted]) -> String {
    let words: Vec<String> = words.iter().map(|word| word.safe().into_string()).collect();
    words.join(" ")
}

fn socket(socket: &Socket) -> Vec<String> {
    let end = |address: Option<std::net::SocketAddr>| address.map_or_else(|| "-".to_owned(), |end| end.to_string());
    let local = match &socket.path {
        Some(path) => path.safe().into_string(),
        None => end(socket.local),
    };
    let owners: Vec<String> =
        socket.owners.iter().map(|owner| format!("{} {} fd {}", owner.pid, owner.name.safe(), owner.fd)).collect();
    let owner = match (owners.is_empty(), socket.uid) {
        (true, Some(uid)) => format!("uid {uid}"),
        _ => owners.join(", "),
    };
    vec![
        Untrusted::from(socket.protocol.as_str()).safe().into_string(),
        Untrusted::from(socket.state.as_str()).safe().into_string(),
        local,
        end(socket.remote),
        socket.receive_queue.to_string(),
        socket.send_queue.to_string(),
        owner,
    ]
}

fn resolver(data: &Network) -> Vec<Vec<String>> {
    let resolver = &data.resolver;
    let line = |what: &str, value: String| vec![what.to_owned(), value];
    let mut out = match &resolver.nameservers {
        Part::Ok(servers) => servers.iter().map(|server| line("nameserver", server.safe().into_string())).collect(),
        Part::Unavailable(why) => {
            vec![line("nameserver", format!("unknown: {}", Untrusted::from(why.as_str()).safe()))]
        }
    };
    for (what, words) in [("search", &resolver.search), ("options", &resolver.options)] {
        if !words.is_empty() {
            out.push(line(what, join(words)));
        }
    }
    match &resolver.nsswitch {
        Some(hosts) => out.push(line("nsswitch", hosts.safe().into_string())),
        None => out.push(line("nsswitch", "none: Go asks files, then DNS".to_owned())),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fake;

    #[test]
    fn sockets_are_filtered_and_sorted() {
        let mut net = Net::default();
        net.data.shown = Some(Box::new(fake::network()));
        net.arrange();
        assert_eq!(net.table().order.len(), 3);
        let table = net.table_mut();
        table.filter = Pattern::new("listen");
        table.arrange();
        assert_eq!(table.order.len(), 1);
        table.filter = None;
        table.sort = Some(4);
        table.reverse = true;
        table.arrange();
        assert_eq!(table.row(0).and_then(|row| row.get(4)).map(String::as_str), Some("128"));
        net.step(false);
        assert_eq!(net.section, Section::Hosts);
        assert_eq!(net.table().row(0).map(|row| row.join(" ")).as_deref(), Some("127.0.0.1 localhost"));
    }

    #[test]
    fn what_cannot_be_read_says_why_and_keeps_its_rows() {
        let mut net = Net::default();
        net.data.shown = Some(Box::new(fake::network()));
        net.arrange();
        let mut broken = fake::network();
        broken.sockets = Part::Unavailable("not \x1bpermitted".to_owned());
        net.data.shown = Some(Box::new(broken));
        net.arrange();
        assert_eq!(net.table().missing.as_deref(), Some("not \\x1bpermitted"));
        assert_eq!(net.table().rows.len(), 3);
    }
}
