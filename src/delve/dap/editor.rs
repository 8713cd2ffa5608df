//! What to write into an editor's configuration.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use serde_json::{Value, json};

use super::proxy::PathRule;
use crate::delve::listen::Address;

/// The folder that VS Code has open.
const WORKSPACE: &str = "${workspaceFolder}";

/// Where an editor connects, and what it has to know.
#[derive(Debug, Clone)]
pub struct Place<'a> {
    /// What the configuration is called.
    pub name: &'a str,
    /// Where the proxy listens.
    pub address: &'a Address,
    /// Where sources are, as far as it was said.
    pub rules: &'a [PathRule],
    /// The module's path, if the program knows its sources by it: then the editor's folder is it.
    pub module: Option<&'a str>,
}

impl Place<'_> {
    /// An entry of VS Code's `launch.json`. Its Go extension connects by TCP only.
    #[must_use]
    pub fn launch_json(&self) -> Option<Value> {
        let Address::Tcp(address) = self.address else { return None };
        Some(json!({
            "name": self.name,
            "type": "go",
            "request": "attach",
            "mode": "remote",
            "debugAdapter": "dlv-dap",
            "host": reachable(address.ip()).to_string(),
            "port": address.port(),
            "substitutePath": self.rules(WORKSPACE),
        }))
    }

    /// A configuration of nvim-dap, as lines of Lua.
    #[must_use]
    pub fn nvim(&self) -> Vec<String> {
        let adapter = match self.address {
            Address::Tcp(address) => {
                let host = reachable(address.ip()).to_string();
                format!("type = 'server', host = {}, port = {}", lua(&host), address.port())
            }
            Address::Unix(path) => format!("type = 'pipe', pipe = {}", lua(&path.display().to_string())),
        };
        let rules = self.rules("${workspaceFolder}");
        let text = |rule: &Value, name: &str| lua(rule[name].as_str().unwrap_or_default());
        let rules: Vec<_> = rules
            .iter()
            .map(|rule| format!("{{ from = {}, to = {} }}", text(rule, "from"), text(rule, "to")))
            .collect();
        vec![
            format!("require('dap').adapters.scratchdbg = {{ {adapter} }}"),
            format!(
                "require('dap').run({{ type = 'scratchdbg', request = 'attach', mode = 'remote', name = {}, substitutePath = {{ {} }} }})",
                lua(self.name),
                rules.join(", "),
            ),
        ]
    }

    /// What was said, and where nothing was, what can be known: that the editor has the module open.
    fn rules(&self, workspace: &str) -> Vec<Value> {
        if let (true, Some(module)) = (self.rules.is_empty(), self.module) {
            return vec![json!({ "from": workspace, "to": module })];
        }
        self.rules.iter().map(PathRule::to_json).collect()
    }
}

/// Where to connect for what listens at every address.
fn reachable(ip: IpAddr) -> IpAddr {
    match ip {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    }
}

/// A string of Lua's.
fn lua(text: &str) -> String {
    let mut out = String::from("'");
    for c in text.chars() {
        match c {
            '\\' | '\'' => out.extend(['\\', c]),
            c if c.is_control() => drop(write!(out, "\\{:03}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('\'');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn editors_are_told_where_to_connect() {
        let rules = [PathRule { local: "/home/me/it's".to_owned(), binary: "example.com/shop".to_owned() }];
        let tcp = "127.0.0.1:4711".parse().unwrap();
        let place = Place { name: "shop", address: &tcp, rules: &rules, module: Some("example.com/other") };
        let json = place.launch_json().unwrap();
        let rule = json!([{ "from": "/home/me/it's", "to": "example.com/shop" }]);
        assert_eq!(
            (&json["request"], &json["mode"], &json["port"]),
            (&json!("attach"), &json!("remote"), &json!(4711))
        );
        assert_eq!((&json["host"], &json["substitutePath"]), (&json!("127.0.0.1"), &rule));
        let lines = place.nvim().join("\n");
        assert!(
            lines.contains(r"host = '127.0.0.1', port = 4711") && lines.contains(r"from = '/home/me/it\'s'"),
            "{lines}"
        );

        let guessed = Place { rules: &[], ..place.clone() }.launch_json().unwrap();
        assert_eq!(guessed["substitutePath"], json!([{ "from": WORKSPACE, "to": "example.com/other" }]));
        let unknown = Place { rules: &[], module: None, ..place.clone() }.launch_json().unwrap();
        assert_eq!(unknown["substitutePath"], json!([]));
        for (bound, host) in [("0.0.0.0:1", "127.0.0.1"), ("[::]:1", "::1"), ("192.0.2.7:1", "192.0.2.7")] {
            let address = bound.parse().unwrap();
            assert_eq!(Place { address: &address, ..place.clone() }.launch_json().unwrap()["host"], host);
        }
        let unix = "unix:/run/a\n".parse().unwrap();
        let place = Place { address: &unix, ..place };
        assert!(
            place.launch_json().is_none() && place.nvim()[0].contains(r"pipe = '/run/a\010'"),
            "{:?}",
            place.nvim()
        );
    }
}
