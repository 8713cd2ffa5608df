//! What a person types for a forward.

use std::fmt;
use std::str::FromStr;

/// `PORT`, `LOCAL:PORT`, or `:PORT` for any local port that is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// The port of this host; 0 is any that is free.
    pub local: u16,
    /// The port inside.
    pub port: u16,
}

impl FromStr for Wanted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (local, inside) = match text.split_once(':') {
            Some((local, inside)) => (local, inside),
            None => (text, text),
        };
        let number =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse::<u16>().ok()).flatten();
        let wrong = || "write it as PORT, LOCAL:PORT or :PORT, each a number up to 65535".to_owned();
        let port = number(inside).filter(|&port| port != 0).ok_or_else(wrong)?;
        let local = if local.is_empty() { 0 } else { number(local).ok_or_else(wrong)? };
        Ok(Self { local, port })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.local, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_typed() {
        let wanted = |local, port| Ok(Wanted { local, port });
        for (text, meant) in [
            ("8080", wanted(8080, 8080)),
            ("9000:8080", wanted(9000, 8080)),
            (":8080", wanted(0, 8080)),
            ("0:8080", wanted(0, 8080)),
            ("65535", wanted(65535, 65535)),
        ] {
            assert_eq!(text.parse(), meant, "{text}");
        }
        for text in
            ["", ":", "0", "80:", "80:0", "65536", "a", "80:db:5432", "-1", "+80", "80:+1", " 80", "127.0.0.1:80"]
        {
            assert!(text.parse::<Wanted>().is_err(), "{text:?}");
        }
    }
}
