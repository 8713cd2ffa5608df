//! Delve: which one the debugger would take, and what it is good for.

use super::Check;
use crate::delve::find::{self, Error, Found};
use crate::delve::version::{INSTALL, newest_go};
use crate::exit::Explain as _;

const NAME: &str = "dlv";

/// Looks for it as the debugger does.
pub async fn check() -> Check {
    said(find::find(None).await)
}

fn said(found: Result<Found, Error>) -> Check {
    match found {
        Ok(Found { path, version }) => {
            let seen = format!("the debugger takes {}: version {version}", path.display());
            match newest_go(version) {
                Some(go) => Check::ok(NAME, format!("{seen}, good for programs of Go 1.19 to 1.{go}")),
                None => Check::warn(NAME, format!("{seen}, which is too old"), format!("install a new one: {INSTALL}")),
            }
        }
        Err(Error::None) => {
            let seen = format!("none in {}; only the debugger needs it", find::PLACES);
            Check { fix: Some(format!("install it: {INSTALL}")), ..Check::info(NAME, seen) }
        }
        Err(error) => Check::warn(NAME, error.to_string(), error.hint().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::delve::version::Version;

    #[test]
    fn it_says_where_and_what_for() {
        let of = |version: &str| {
            let found = Found { path: "/go/bin/dlv".into(), version: Version::parse(version).unwrap() };
            said(Ok(found)).seen
        };
        for (version, seen) in [
            ("1.20.2", "the debugger takes /go/bin/dlv: version 1.20.2, which is too old"),
            ("1.22.1", "the debugger takes /go/bin/dlv: version 1.22.1, good for programs of Go 1.19 to 1.23"),
            ("1.27.1", "the debugger takes /go/bin/dlv: version 1.27.1, good for programs of Go 1.19 to 1.27"),
        ] {
            assert_eq!(of(version), seen);
        }
        assert!(said(Err(Error::None)).fix.unwrap().contains("go install"));
    }
}
