//! `mailctl forward rule test`.

use crate::{
    commands::{
        alias::{place, resolve::tell},
        names,
    },
    error::{Error, codes},
    mail::{
        directory::resolve_for,
        forward::Source,
        rule::{Facts, Minute, Rule, decide},
    },
    ui::Ui,
    world::{World, io_error, store::rules},
};
use std::path::{Path, PathBuf};

/// Show what the rules would make of a message, without sending anything
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The message, as mail programs save it; - is standard input
    #[arg(long, value_name = "FILE")]
    eml: PathBuf,
    /// A forward, or an address to which the message is sent; nothing = every forward that has rules
    #[arg(value_name = "SOURCE")]
    source: Option<String>,
    /// The envelope's sender; nothing = the first in From
    #[arg(long, value_name = "ADDRESS")]
    from: Option<String>,
    /// At which time of day, in UTC; nothing = now
    #[arg(long, value_name = "HH:MM")]
    at: Option<Minute>,
}

/// Shows it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let message = read(&args.eml)?;
    let now = names::now();
    let time = args.at.map_or(now, Minute::seconds);
    let mut facts = Facts::of("", &message, time);
    facts.sender = args.from.clone().or_else(|| facts.from.first().cloned()).unwrap_or_default();
    let settings = world.settings()?.settings;
    let store = world.store_to_read().await?;
    if !ui.manner().json {
        ui.say(format!(
            "from {}, subject {:?}, {}, {}, at {} UTC",
            if facts.sender.is_empty() { "<>" } else { &facts.sender },
            facts.subjects.join(" / "),
            names::size(facts.size),
            if facts.attachments { "with an attachment" } else { "nothing attached" },
            Minute::of(time)
        ));
    }
    let source = args.source.as_deref().map(Source::parse).transpose();
    let source = source.map_err(|what| Error::new(codes::NAME_MALFORMED, what))?;
    if let Some(Source::Alias(crate::mail::alias::Source::Address(address))) = &source {
        let place = place(&settings);
        let route =
            store.look_up(&settings, |directory| resolve_for(directory, &place, address, &facts)).await?;
        tell(address, &route, ui);
        return Ok(());
    }
    let text = source.map(|source| source.to_string());
    let only = text.as_deref().map(|source| [source]);
    let rows = store.rules(only.as_ref().map(<[&str; 1]>::as_slice)).await?;
    let mut judged = Vec::new();
    for of_source in rows.chunk_by(|one, next| one.0 == next.0) {
        let read = of_source.iter().map(rules::read).collect::<Result<Vec<_>, _>>();
        let read = read.map_err(|what| Error::new(codes::STORE_DAMAGED, what))?;
        if let Some((source, ..)) = of_source.first() {
            judged.push(judge(source, &read, &facts));
        }
    }
    if ui.manner().json {
        let rows: Vec<_> = judged.into_iter().map(|(_, json)| json).collect();
        ui.json(&serde_json::json!({
            "facts": {
                "sender": facts.sender, "from": facts.from, "subjects": facts.subjects, "size": facts.size,
                "attachments": facts.attachments, "time": Minute::of(time),
            },
            "results": rows,
        }));
    } else if judged.is_empty() {
        ui.say("there are no rules; add one with: mailctl forward rule add SOURCE --subject-contains TEXT --block");
    } else {
        judged.iter().for_each(|(line, _)| ui.data(line));
    }
    Ok(())
}

/// What the rules of one forward say.
fn judge(source: &str, rules: &[Rule], facts: &Facts) -> (String, serde_json::Value) {
    let decision = decide(rules, facts);
    let json = serde_json::json!({"source": source, "rule": decision.rule, "action": decision.action});
    let matched = rules.iter().find(|rule| Some(rule.id) == decision.rule);
    let line = match matched {
        Some(rule) => format!("{source}: rule {}: {rule}", rule.id),
        None => format!("{source}: none of its rules matches: forward as usual"),
    };
    (line, json)
}

fn read(file: &Path) -> Result<Vec<u8>, Error> {
    let bytes = if file == Path::new("-") {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut bytes).map(|_| bytes)
    } else {
        std::fs::read(file)
    };
    bytes.map_err(|e| io_error("read", file, &e))
}
