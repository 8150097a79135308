//! Running a program in a container that runs.

use super::{Engine, call, call_within, failed};
use crate::error::{Error, codes};
use bollard::{
    container::LogOutput,
    exec::{CreateExecOptions, ResizeExecOptions, StartExecOptions, StartExecResults},
};
use futures_util::StreamExt;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// What a program said and how it ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Its exit status.
    pub status: i64,
    /// stdout and stderr, in the order of arrival.
    pub output: String,
}

/// How an interactive program is connected.
pub struct Window {
    /// Whether it gets a terminal of its own.
    pub tty: bool,
    /// Columns and rows of ours.
    pub size: Option<(u16, u16)>,
}

/// How an interactive program ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// With this exit status; 128 and the signal's number where it was killed.
    With(u8),
    /// There is no such program.
    NotFound,
    /// It is there and cannot be executed; the engine's words.
    NotExecutable(String),
}

/// How the engine's words begin where it could not even start the program. They come as the program's output.
const REFUSED: &[u8] = b"OCI runtime exec failed";

impl Engine {
    /// Runs `command` in container `id` and collects what it says (at most 64 KiB).
    pub async fn exec(&self, id: &str, command: &[&str], limit: Duration) -> Result<Outcome, Error> {
        let doing = format!("run {} in a container", command.first().copied().unwrap_or_default());
        let options = CreateExecOptions {
            cmd: Some(command.to_vec()),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let exec = call(&doing, self.docker.create_exec(id, options)).await?.id;
        let collected = call_within(limit, &doing, async {
            let mut text = Vec::new();
            if let StartExecResults::Attached { mut output, .. } =
                self.docker.start_exec(&exec, None::<StartExecOptions>).await?
            {
                while let Some(part) = output.next().await {
                    let part = part?.into_bytes();
                    let room = (64 * 1024_usize).saturating_sub(text.len());
                    text.extend_from_slice(&part[..part.len().min(room)]);
                }
            }
            Ok(String::from_utf8_lossy(&text).into_owned())
        })
        .await;
        let output = collected?;
        Ok(Outcome { status: self.exec_status(&exec, &doing).await?, output })
    }

    /// Runs `command` in container `id` with `input` on its standard input, and collects what it says.
    pub async fn exec_fed(
        &self,
        id: &str,
        command: &[&str],
        input: &[u8],
        limit: Duration,
    ) -> Result<Outcome, Error> {
        let doing = format!("run {} in a container", command.first().copied().unwrap_or_default());
        let options = CreateExecOptions {
            cmd: Some(command.to_vec()),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            ..Default::default()
        };
        let exec = call(&doing, self.docker.create_exec(id, options)).await?.id;
        let output = call_within(limit, &doing, async {
            let mut text = Vec::new();
            if let StartExecResults::Attached { mut output, input: mut stdin } =
                self.docker.start_exec(&exec, None::<StartExecOptions>).await?
            {
                // A program that ends early says why on its output.
                let _ = stdin.write_all(input).await;
                let _ = stdin.shutdown().await;
                while let Some(part) = output.next().await {
                    text.extend_from_slice(&part?.into_bytes());
                }
            }
            Ok(String::from_utf8_lossy(&text).into_owned())
        })
        .await?;
        Ok(Outcome { status: self.exec_status(&exec, &doing).await?, output })
    }

    /// Connects a program in container `id` to this process's stdin and to the two outlets for its stdout and
    /// stderr.
    pub async fn exec_attached(
        &self,
        id: &str,
        command: Vec<String>,
        window: Window,
        (mut stdout, mut stderr): (impl AsyncWrite + Unpin, impl AsyncWrite + Unpin),
    ) -> Result<Ended, Error> {
        let doing = format!("run {}", command.first().map_or("", String::as_str));
        let options = CreateExecOptions {
            cmd: Some(command),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(window.tty),
            env: Some(vec!["TERM=xterm-256color".to_owned()]),
            ..Default::default()
        };
        let exec = call(&doing, self.docker.create_exec(id, options)).await?.id;
        let start = StartExecOptions { detach: false, tty: window.tty, output_capacity: None };
        let StartExecResults::Attached { mut output, mut input } =
            call(&doing, self.docker.start_exec(&exec, Some(start))).await?
        else {
            return Err(Error::new(codes::BUG, "the engine detached an attached program"));
        };
        if let Some((width, height)) = window.size {
            let size = ResizeExecOptions { width, height };
            // Only cosmetic: a program that has ended already cannot be resized.
            let _ = self.docker.resize_exec(&exec, size).await;
        }
        let typing = tokio::spawn(async move {
            let mut stdin = tokio::io::stdin();
            let mut buffer = vec![0; 8192];
            while let Ok(count @ 1..) = stdin.read(&mut buffer).await {
                if input.write_all(&buffer[..count]).await.is_err() {
                    return;
                }
                let _ = input.flush().await;
            }
            let _ = input.shutdown().await;
        });
        // Perhaps the engine's and not the program's: only the status tells.
        let mut refusal = Vec::new();
        let mut fresh = true;
        while let Some(part) = output.next().await {
            let part = part.map_err(|e| failed(&doing, &e))?;
            if std::mem::take(&mut fresh) && part.as_ref().starts_with(REFUSED) {
                refusal = part.into_bytes().to_vec();
                continue;
            }
            let written = match part {
                LogOutput::StdErr { message } => stderr.write_all(&message).await,
                other => stdout.write_all(&other.into_bytes()).await,
            };
            if written.is_err() {
                // Nobody reads any more: what SIGPIPE would have ended it with, had it run here.
                typing.abort();
                return Ok(Ended::With(128 + 13));
            }
            let _ = stdout.flush().await;
        }
        typing.abort();
        let status = self.exec_status(&exec, &doing).await?;
        let ended = ended(status, &refusal);
        if matches!(ended, Ended::With(_)) && !refusal.is_empty() {
            let _ = stdout.write_all(&refusal).await;
        }
        let _ = (stdout.flush().await, stderr.flush().await);
        Ok(ended)
    }

    /// Only inspecting tells; and the engine may know it a moment after the output has ended.
    async fn exec_status(&self, exec: &str, doing: &str) -> Result<i64, Error> {
        for _ in 0..100 {
            let found = call(doing, self.docker.inspect_exec(exec)).await?;
            if let (Some(status), false) = (found.exit_code, found.running == Some(true)) {
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Err(Error::new(codes::ENGINE_HANGS, format!("cannot {doing}"))
            .cause("the engine does not say how it ended"))
    }
}

/// `refusal` holds the engine's words, if it said any. Engine 20.10 ends with 126 where the program is missing,
/// 28 with 127 as shells do.
fn ended(status: i64, refusal: &[u8]) -> Ended {
    let words = String::from_utf8_lossy(refusal);
    let missing = ["executable file not found", "no such file or directory"];
    match status {
        126 | 127 if missing.iter().any(|sign| words.contains(sign)) => Ended::NotFound,
        126 | 127 if !words.is_empty() => Ended::NotExecutable(words.trim().to_owned()),
        status => Ended::With(u8::try_from(status).unwrap_or(u8::MAX)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_engines_refusal_is_told_from_a_programs_own_status() {
        let missing =
            b"OCI runtime exec failed: exec failed: unable to start container process: exec: \"x\": \
                        executable file not found in $PATH: unknown\r\n";
        let denied = b"OCI runtime exec failed: exec failed: unable to start container process: exec: \
                       \"/etc/passwd\": permission denied: unknown\r\n";
        assert_eq!(ended(126, missing), Ended::NotFound);
        assert_eq!(ended(127, missing), Ended::NotFound);
        assert!(matches!(ended(126, denied), Ended::NotExecutable(words) if words.ends_with("unknown")));
        for status in [0, 1, 7, 126, 127, 137, 255] {
            assert_eq!(ended(status, b""), Ended::With(u8::try_from(status).unwrap()));
        }
        assert_eq!(ended(7, missing), Ended::With(7), "a program may print that sentence too");
    }
}
