//! What can be typed about forwarding ports.

use std::net::{IpAddr, Ipv4Addr};

use clap::Args;

use crate::forward::Wanted;
use crate::target::TargetName;

/// `forward`
#[derive(Debug, Args)]
pub struct Forward {
    /// Container, pod, or `pid://N`.
    pub target: TargetName,
    /// A port inside, with the local one before it if that is another: 9000:8080; :8080 takes any that is free.
    #[arg(value_name = "[LOCAL:]PORT")]
    pub ports: Vec<Wanted>,
    /// The address of this host to listen at. Any but a loopback one lets other hosts in.
    #[arg(long, value_name = "ADDR", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST), value_parser = address)]
    pub address: IpAddr,
}

fn address(text: &str) -> Result<IpAddr, String> {
    match text {
        "localhost" => Ok(Ipv4Addr::LOCALHOST.into()),
        text => text.parse().map_err(|_| "write an address: 127.0.0.1, ::1, 0.0.0.0".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::{Cli, Command};

    fn typed(line: &str) -> Result<Forward, String> {
        match Cli::try_parse_from(line.split(' ')).map_err(|error| error.to_string())?.command {
            Some(Command::Forward(forward)) => Ok(forward),
            other => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn ports_and_addresses() {
        let one = typed("scratchdbg forward web 8080 :6060 9000:80 -v").unwrap();
        let ports: Vec<_> = one.ports.iter().map(ToString::to_string).collect();
        assert_eq!(
            (ports, one.address),
            (vec!["8080:8080".into(), "0:6060".into(), "9000:80".into()], [127, 0, 0, 1].into())
        );
        assert_eq!(typed("scratchdbg forward --address localhost web 80").unwrap().address, one.address);
        assert!(typed("scratchdbg forward web --address ::1 80").unwrap().address.is_loopback());
        assert!(typed("scratchdbg forward web --address example.com 80").is_err());
        assert!(typed("scratchdbg forward web http").is_err());
        assert!(typed("scratchdbg forward web").unwrap().ports.is_empty());
    }
}
