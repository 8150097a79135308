//! `mailctl logs [SERVICE]`.

use crate::{
    error::{Error, codes},
    plan::{Service, observed::Container},
    ui::Ui,
    world::{World, docker::Line},
};
use futures_util::{StreamExt, stream};
use std::time::{SystemTime, UNIX_EPOCH};

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
    /// Only the last lines of each service
    #[arg(long, value_name = "LINES", default_value_t = 200)]
    tail: u32,
}

/// Prints them.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let engine = world.engine().await?;
    let containers: Vec<Container> = engine
        .containers()
        .await?
        .into_iter()
        .filter(|found| args.service.is_none_or(|one| one.name() == found.service))
        .collect();
    if containers.is_empty() {
        return Err(
            Error::new(codes::STACK_DOWN, "there are no logs: the stack does not run").hint("mailctl up")
        );
    }
    let since = args.since.map(|seconds| {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        i32::try_from(now.saturating_sub(seconds)).unwrap_or(i32::MAX)
    });
    let engine = &engine;
    let read = |follow: bool, since, tail| {
        containers.iter().map(move |found| {
            let service = found.service.clone();
            Box::pin(engine.logs(&found.id, follow, since, tail).map(move |line| (service.clone(), line)))
        })
    };
    // What is there, in the order of time; then what comes, in the order of coming.
    let mut past: Vec<(String, Line)> = Vec::new();
    for (service, line) in stream::select_all(read(false, since, Some(args.tail))).collect::<Vec<_>>().await {
        past.push((service, line?));
    }
    past.sort_by(|a, b| a.1.at.cmp(&b.1.at));
    for (service, line) in &past {
        print(service, line, ui);
    }
    if !args.follow {
        return Ok(());
    }
    let seen = past.last().map(|(_, line)| line.at.clone()).unwrap_or_default();
    let recent = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs().saturating_sub(5);
    let mut coming = stream::select_all(read(true, i32::try_from(recent).ok(), None));
    while let Some((service, line)) = coming.next().await {
        let line = line?;
        if line.at > seen {
            print(&service, &line, ui);
        }
        if ui.closed() {
            break;
        }
    }
    Ok(())
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
    #[test]
    fn times_have_units() {
        assert_eq!(super::seconds("15m"), Ok(900));
        assert_eq!(super::seconds("90"), Ok(90));
        assert!(super::seconds("soon").is_err());
        assert!(super::seconds("h").is_err());
    }
}
