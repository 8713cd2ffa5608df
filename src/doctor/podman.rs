//! Whether Podman is here: its command line, and the sockets that its API service listens on. None of them is connected
//! to: that would start the service.

use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

use super::Check;
use crate::engine::docker::connect::{DOCKER_SOCKET, PODMAN_SOCKET};
use crate::programs;

/// A socket, as far as it can be told without using it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Socket {
    /// There is none.
    Missing,
    /// It is there, and not for this user.
    Forbidden,
    /// It is there.
    There,
}

/// Looks for both.
pub async fn check(engine_answers: bool) -> Check {
    let version = match programs::find("podman") {
        Some(program) => Some(programs::output(&program, &["--version"], &[]).await),
        None => None,
    };
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(|dir| PathBuf::from(dir).join("podman/podman.sock"));
    let other = engine_answers || Path::new(DOCKER_SOCKET).exists();
    judge(version.as_ref(), look(Path::new(PODMAN_SOCKET)), own.as_deref().map(look), other)
}

fn look(path: &Path) -> Socket {
    match std::fs::metadata(path) {
        Ok(found) if !found.file_type().is_socket() => Socket::Missing,
        Ok(_) if access(path, Access::READ_OK | Access::WRITE_OK).is_ok() => Socket::There,
        Ok(_) => Socket::Forbidden,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Socket::Forbidden,
        Err(_) => Socket::Missing,
    }
}

fn judge(version: Option<&Result<String, String>>, rootful: Socket, rootless: Option<Socket>, other: bool) -> Check {
    const NAME: &str = "podman";
    let command = match version {
        None => "not on PATH".to_owned(),
        Some(Ok(text)) => text.lines().next().unwrap_or_default().to_owned(),
        Some(Err(error)) => format!("on PATH, but does not tell its version: {error}"),
    };
    let word = |socket| match socket {
        Socket::Missing => "no socket",
        Socket::Forbidden => "a socket that this user may not use",
        Socket::There => "a socket",
    };
    let rootless_too = rootless.map(|socket| format!("; of this user: {}", word(socket))).unwrap_or_default();
    let seen = format!("{command}; of root: {}{rootless_too}", word(rootful));
    let listens = rootful != Socket::Missing || rootless.is_some_and(|socket| socket != Socket::Missing);
    let check = Check::info(NAME, seen);
    // Where there is another engine, nobody misses this one.
    if version.is_none() || listens || other {
        return check;
    }
    let fix = "sudo systemctl start podman.socket, or for your own containers: systemctl --user start podman.socket";
    Check { fix: Some(fix.to_owned()), ..check }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_told() {
        use Socket::{Forbidden, Missing, There};
        let version = Ok("podman version 4.3.1".to_owned());
        for (version, rootful, rootless, other, seen, fix) in [
            (None, Missing, None, false, "not on PATH; of root: no socket", false),
            (
                Some(&version),
                Missing,
                Some(Missing),
                true,
                "podman version 4.3.1; of root: no socket; of this user: no socket",
                false,
            ),
            (Some(&version), Missing, None, false, "podman version 4.3.1; of root: no socket", true),
            (
                Some(&version),
                Forbidden,
                Some(There),
                false,
                "podman version 4.3.1; of root: a socket that this user may not use; of this user: a socket",
                false,
            ),
            (
                Some(&Err("no answer".to_owned())),
                There,
                None,
                false,
                "on PATH, but does not tell its version: no answer; of root: a socket",
                false,
            ),
        ] {
            let check = judge(version, rootful, rootless, other);
            assert_eq!((check.seen.as_str(), check.fix.is_some()), (seen, fix));
        }
    }

    #[test]
    fn a_socket_is_seen_without_a_word_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        assert_eq!(look(&path), Socket::Missing);
        let listener = std::os::unix::net::UnixListener::bind(&path).unwrap();
        listener.set_nonblocking(true).unwrap();
        assert_eq!(look(&path), Socket::There);
        assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        std::fs::write(folder.path().join("f"), "").unwrap();
        assert_eq!(look(&folder.path().join("f")), Socket::Missing);
    }
}
