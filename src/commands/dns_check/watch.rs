//! `--watch`: looks again and again until everything is right.

use super::{Args, Look, Task, look, outcome, report, style};
use crate::{
    error::{Error, codes},
    ui::Ui,
    world::dns::Dns,
};
use std::{sync::Arc, time::Duration};
use tokio::signal::unix::{SignalKind, signal};

/// Every round asks everything anew: an answer that was kept would show yesterday. Ends when nothing is wrong or
/// unanswered any more; Ctrl-C ends with the last state.
pub async fn run(args: &Args, task: &Arc<Task>, dns: &Dns, ui: &mut Ui) -> Result<(), Error> {
    // One listener for the whole watch: a key pressed between two waits must count.
    let interrupted = signal(SignalKind::interrupt());
    let mut interrupted =
        interrupted.map_err(|cause| Error::new(codes::IO, "cannot listen for Ctrl-C").cause(cause))?;
    let mut last: Option<Look> = None;
    let mut shown = String::new();
    loop {
        let now = tokio::select! {
            now = look_once(task, dns, ui) => now?,
            _ = interrupted.recv() => return last.map_or(Ok(()), |last| outcome(&last)),
        };
        let done = outcome(&now).is_ok();
        if ui.manner().json {
            ui.json(&serde_json::json!({
                "time": super::time(), "verdict": now.verdict(), "counts": now.counts, "sections": now.sections,
            }));
        } else {
            let text = report::text(&now.sections, style(args, ui.page()));
            // Off a terminal only what is new is worth a line.
            if ui.page().terminal {
                ui.wipe();
            }
            if ui.page().terminal || text != shown {
                ui.write(&text);
            }
            shown = text;
        }
        if done || ui.closed() {
            return outcome(&now);
        }
        ui.say(format!("looking again every {} s; Ctrl-C ends", args.interval));
        last = Some(now);
        tokio::select! {
            () = tokio::time::sleep(Duration::from_secs(args.interval)) => {}
            _ = interrupted.recv() => return last.map_or(Ok(()), |last| outcome(&last)),
        }
    }
}

async fn look_once(task: &Arc<Task>, dns: &Dns, ui: &Ui) -> Result<Look, Error> {
    look(task, &dns.fresh(), ui).await
}
