//! Other programs of this host: where they are, and what they print. They may be broken: they are asked with a
//! deadline, and not for long answers.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt as _;
use tokio::process::Command;

/// How long a program may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Bytes of its answer that are read.
const MOST: u64 = 4096;

/// What a program prints. It is killed when its time is over.
///
/// # Errors
/// In words: it cannot be started, fails without a word, or does not answer.
pub async fn output(program: &Path, args: &[&str], environment: &[(&str, &str)]) -> Result<String, String> {
    let asking = async {
        let mut command = Command::new(program);
        command.args(args).envs(environment.iter().copied()).kill_on_drop(true).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn()?;
        let mut bytes = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            stdout.take(MOST).read_to_end(&mut bytes).await?;
        }
        // Its pipe is closed, so one that has more to say ends too.
        let status = child.wait().await?;
        if bytes.is_empty() && !status.success() {
            return Err(io::Error::other(format!("it ended with {status}")));
        }
        Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
    };
    match tokio::time::timeout(PATIENCE, asking).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

/// Where a program is, by `PATH`.
#[must_use]
pub fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join(name)).find(|file| is_executable(file))
}

/// Whether a file is there and may be executed.
#[must_use]
pub fn is_executable(file: &Path) -> bool {
    file.is_file() && rustix::fs::access(file, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_program_that_hangs_or_floods_is_given_up() {
        let shell = Path::new("/bin/sh");
        assert_eq!(output(shell, &["-c", "echo $HERE"], &[("HERE", "hello")]).await, Ok("hello".to_owned()));
        assert!(output(shell, &["-c", "exit 3"], &[]).await.unwrap_err().contains("exit status: 3"));
        assert!(output(Path::new("/nonexistent"), &[], &[]).await.is_err());
        let flood = output(shell, &["-c", "while echo yes; do :; done"], &[]).await;
        assert!(flood.is_ok_and(|text| text.len() <= 4096));
        // Nobody waits for real: the clock is the test's.
        tokio::time::pause();
        assert_eq!(output(shell, &["-c", "exec tail -f /dev/null"], &[]).await.unwrap_err(), "no answer within 2 s");
    }
}
