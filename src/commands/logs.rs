//! `mailctl logs [SERVICE]`.

use crate::{
    error::{Error, codes},
    plan::{Service, observed::Container},
    ui::Ui,
    world::{
        World,
        docker::{Engine, Line},
    },
};
use futures_util::{Stream, StreamExt};
use std::{
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use tokio::sync::mpsc;

/// Show what the services wrote, all of them in the order of time
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only this one: mailctld, opendkim, dovecot or postfix
    service: Option<Service>,
    /// Wait for new lines
    #[arg(long, short)]
    follow: bool,
    /// Only what is younger: 90s, 15m, 2h, 3d
    #[arg(long, value_name = "TIME", value_parser = seconds)]
    since: Option<u64>,
    /// Only so many last lines of each service
    #[arg(long, value_name = "LINES")]
    tail: Option<u32>,
}

/// Prints them.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let engine = world.engine().await?;
    let containers: Vec<Container> =
        engine.containers().await?.into_iter().filter(|found| chosen(&args, &found.service)).collect();
    if containers.is_empty() {
        return Err(
            Error::new(codes::STACK_DOWN, "there are no logs: the stack does not run").hint("mailctl up")
        );
    }
    let since = args.since.map(|seconds| unix_time().saturating_sub(seconds));
    let seen = past(&engine, &containers, since, args.tail, ui).await?;
    if args.follow && !ui.closed() {
        follow(&engine, &args, seen, ui).await?;
    }
    Ok(())
}

/// What is there already, in the order of time; the result is the time of the last line.
async fn past(
    engine: &Engine,
    containers: &[Container],
    since: Option<u64>,
    tail: Option<u32>,
    ui: &mut Ui,
) -> Result<String, Error> {
    type Lines<'a> = Pin<Box<dyn Stream<Item = Result<Line, Error>> + 'a>>;
    let mut sources: Vec<(&str, Lines<'_>, Option<Line>)> = Vec::new();
    for found in containers {
        let mut lines: Lines<'_> = Box::pin(engine.logs(&found.id, false, since.map(small), tail));
        let first = lines.next().await.transpose()?;
        sources.push((&found.service, lines, first));
    }
    let mut seen = String::new();
    // Each log is in order; always the earliest of the heads, and no more than a line of each in memory.
    loop {
        let earliest = sources
            .iter_mut()
            .filter(|(_, _, head)| head.is_some())
            .min_by(|a, b| a.2.as_ref().map(|line| &line.at).cmp(&b.2.as_ref().map(|line| &line.at)));
        let Some((service, lines, head)) = earliest else { return Ok(seen) };
        let next = lines.next().await.transpose()?;
        if let Some(line) = std::mem::replace(head, next) {
            print(service, &line, ui);
            seen = line.at;
        }
        if ui.closed() {
            return Ok(seen);
        }
    }
}

/// What comes, in the order of coming. A container that ends ends its log; its successor is found again.
async fn follow(engine: &Engine, args: &Args, seen: String, ui: &mut Ui) -> Result<(), Error> {
    let (sender, mut receiver) = mpsc::channel(256);
    for service in Service::ALL.into_iter().filter(|service| chosen(args, service.name())) {
        let (engine, sender, mut seen) = (engine.clone(), sender.clone(), seen.clone());
        tokio::spawn(async move {
            loop {
                if let Err(error) = follow_one(&engine, service, &mut seen, &sender).await {
                    let _ = sender.send(Err(error)).await;
                    return;
                }
                if sender.is_closed() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
        });
    }
    drop(sender);
    while let Some(line) = receiver.recv().await {
        let (service, line): (Service, Line) = line?;
        print(service.name(), &line, ui);
        if ui.closed() {
            break;
        }
    }
    Ok(())
}

async fn follow_one(
    engine: &Engine,
    service: Service,
    seen: &mut String,
    sender: &mpsc::Sender<Result<(Service, Line), Error>>,
) -> Result<(), Error> {
    let containers = engine.containers().await?;
    let Some(found) = containers.iter().find(|found| found.service == service.name()) else { return Ok(()) };
    // The engine counts in whole seconds; what was seen already is left out by its exact time.
    let since = small(resume(seen, unix_time()));
    let mut lines = std::pin::pin!(engine.logs(&found.id, true, Some(since), None));
    while let Some(line) = lines.next().await {
        let line = line?;
        if line.at > *seen {
            seen.clone_from(&line.at);
            if sender.send(Ok((service, line))).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}

fn chosen(args: &Args, service: &str) -> bool {
    args.service.is_none_or(|one| one.name() == service)
}

fn unix_time() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// From when on lines may be new: the last one that was seen, however long showing those before it took.
fn resume(seen: &str, now: u64) -> u64 {
    let last = OffsetDateTime::parse(seen, &Rfc3339).ok().and_then(|at| at.unix_timestamp().try_into().ok());
    last.unwrap_or(now.saturating_sub(5))
}

/// The engine takes 32 bits.
fn small(seconds: u64) -> i32 {
    i32::try_from(seconds).unwrap_or(i32::MAX)
}

fn print(service: &str, line: &Line, ui: &mut Ui) {
    if ui.manner().json {
        ui.json(&serde_json::json!({"service": service, "at": line.at, "line": line.text}));
    } else {
        ui.data(format!("{service:<9} | {}", line.text));
    }
}

/// `90s`, `15m`, `2h`, `3d`, `90`.
fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = match text.find(|c: char| !c.is_ascii_digit()) {
        Some(at) => text.split_at(at),
        None => (text, "s"),
    };
    let factor = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86400,
        _ => return Err("write it like 90s, 15m, 2h or 3d".to_owned()),
    };
    number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .ok_or_else(|| "write it like 90s, 15m, 2h or 3d".to_owned())
}

#[cfg(test)]
mod tests {
    /// Proves: a line that came while a long log was shown is not left out.
    #[test]
    fn following_goes_on_where_looking_ended() {
        assert_eq!(super::resume("2026-01-24T12:34:56.123456789Z", 9_999_999_999), 1_769_258_096);
        assert_eq!(super::resume("", 1000), 995);
    }

    #[test]
    fn times_have_units() {
        assert_eq!(super::seconds("15m"), Ok(900));
        assert_eq!(super::seconds("90"), Ok(90));
        assert!(super::seconds("soon").is_err());
        assert!(super::seconds("h").is_err());
    }
}
