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

    /// Connects a program in container `id` to this process's stdin and to the two outlets for its stdout and
    /// stderr; the result is its exit status.
    pub async fn exec_attached(
        &self,
        id: &str,
        command: Vec<String>,
        window: Window,
        (mut stdout, mut stderr): (impl AsyncWrite + Unpin, impl AsyncWrite + Unpin),
    ) -> Result<i64, Error> {
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
        while let Some(part) = output.next().await {
            let written = match part.map_err(|e| failed(&doing, &e))? {
                LogOutput::StdErr { message } => stderr.write_all(&message).await,
                other => stdout.write_all(&other.into_bytes()).await,
            };
            if written.is_err() {
                break;
            }
            let _ = stdout.flush().await;
        }
        typing.abort();
        self.exec_status(&exec, &doing).await
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
