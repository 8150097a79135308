//! `mailctl dkim rotate`.

mod abort;
mod due;
mod stand;
mod turn;

use super::RSA_BITS;
use crate::{
    commands::{dns::Resolver, live, names},
    error::{Error, codes},
    mail::{
        address::{Domain, Selector},
        dkim::Algorithm,
        server::Stage,
    },
    ui::Ui,
    world::World,
};
use clap::builder::TypedValueParser as _;
use serde::Serialize;
use std::time::{Duration, Instant};
use tokio::time::sleep;
use turn::Turn;

pub use due::{due, under_way};

/// Change the key that signs, in steps that lose no message: run it again until it says that all is done
///
/// First a new key is made and its record shown (or published, where dns.update_server is set). When every name
/// server of the domain answers with it, mail is signed with it from then on, without a restart. The old key's
/// record stays until the queue holds nothing that it may have signed, and is then to be replaced by one that
/// withdraws it.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Domain; without it, DOMAIN of the settings
    #[arg(value_name = "DOMAIN")]
    domain: Option<String>,
    /// Which of the domain's keys to change
    #[arg(long = "type", value_name = "TYPE", default_value = "rsa", value_parser = ["rsa", "ed25519"])]
    kind: String,
    /// Name of the new key in DNS; without it, one with this month
    #[arg(long, value_name = "NAME")]
    selector: Option<String>,
    /// Size of a new RSA key
    #[arg(long, value_name = "BITS", default_value_t = RSA_BITS, value_parser = clap::builder::PossibleValuesParser::new(["2048", "3072", "4096"])
        .try_map(|bits| bits.parse::<u32>()))]
    bits: u32,
    /// Wait up to so many seconds for the name servers to answer with the new key
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    wait: u64,
    /// Seconds for which the old key stays at least, so that whoever took the last mail can verify it
    #[arg(long, value_name = "SECONDS", default_value_t = HOLD)]
    hold: u32,
    /// Give up a new key that does not sign yet
    #[arg(long, conflicts_with_all = ["selector", "wait"])]
    abort: bool,
    /// Say what would be done, change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    resolver: Resolver,
}

/// Seconds that an old key stays at least, unless somebody says otherwise.
const HOLD: u32 = 3600;

/// Between two looks at the name servers.
const PAUSE: Duration = Duration::from_secs(2);

/// What one call did, and what is left.
#[derive(Serialize)]
struct Report {
    domain: Domain,
    done: Vec<Done>,
    waiting: Vec<String>,
    keys: Vec<Standing>,
    #[serde(skip)]
    switched: bool,
    /// Records to publish, as lines of a zone file, each with the key that it is about.
    #[serde(serialize_with = "lines")]
    publish: Vec<(Selector, String)>,
    /// They were sent to the zone's server.
    published: bool,
    #[serde(skip)]
    unpublished: Option<Selector>,
}

fn lines<S: serde::Serializer>(publish: &[(Selector, String)], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(publish.iter().map(|(_, line)| line))
}

impl Report {
    /// What a later look did and found. What is left to do is as it stands now, except that a record which an earlier
    /// look asked a person to publish is still to be published: only the look that withdrew a key tells of it.
    fn absorb(&mut self, next: Self) {
        let told = |selector: &Selector| next.publish.iter().any(|(of, _)| of == selector);
        let stands = |selector: &Selector, stage: Stage| {
            next.keys.iter().any(|key| key.selector == *selector && key.stage == stage)
        };
        // A key that signs now was seen everywhere.
        self.publish.retain(|(selector, _)| !told(selector) && !stands(selector, Stage::Active));
        if next.published {
            self.publish.retain(|(selector, _)| !stands(selector, Stage::Pending));
        }
        self.publish.extend(next.publish);
        self.done.extend(next.done);
        self.switched |= next.switched;
        self.published |= next.published;
        (self.waiting, self.keys, self.unpublished) = (next.waiting, next.keys, next.unpublished);
    }
}

/// The step after which a new key signs.
const SIGNS: &str = "signs from now on";

/// A step that was done.
#[derive(Serialize)]
struct Done {
    step: &'static str,
    selector: Selector,
}

/// Where a key stands.
#[derive(Serialize)]
struct Standing {
    selector: Selector,
    stage: Stage,
}

/// Does what can be done now; exit status 75 while name servers lack the new key.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let settings = world.settings()?.settings;
    let domain = match &args.domain {
        Some(text) => names::domain(text, ui)?,
        None => settings.domain.clone(),
    };
    let algorithm = if args.kind == "ed25519" { Algorithm::Ed25519 } else { Algorithm::Rsa };
    if args.abort {
        return abort::run(&args, world, ui, &settings, &domain, algorithm).await;
    }
    let turn = Turn { args: &args, world, settings: &settings, domain: &domain, algorithm, begin: true };
    let dns = args.resolver.dns(&settings)?;
    let until = Instant::now() + Duration::from_secs(args.wait);
    let mut report = turn.take(&dns, ui).await?;
    let mut lacking = turn.lacking(&mut report);
    while lacking && Instant::now() < until && !args.dry_run {
        sleep(PAUSE.min(until.saturating_duration_since(Instant::now()))).await;
        report.absorb(turn.take(&dns.fresh(), ui).await?);
        lacking = turn.lacking(&mut report);
    }
    let switched = report.switched;
    tell(&report, &args, ui);
    if switched && !args.dry_run {
        live::refresh(world, ui).await?;
    }
    if lacking && !args.dry_run {
        return Err(Error::new(
            codes::DKIM_UNSEEN,
            format!("the new key of {domain} is not in DNS everywhere yet"),
        )
        .hint(format!("publish its record, then again: mailctl dkim rotate {domain}"))
        .hint(format!("mailctl dkim rotate {domain} --wait 600")));
    }
    Ok(())
}

fn tell(report: &Report, args: &Args, ui: &mut Ui) {
    if ui.manner().json {
        ui.json(report);
        return;
    }
    for Done { step, selector } in &report.done {
        ui.say(match (args.dry_run, *step) {
            (false, step) => format!("{selector} {step}"),
            (true, SIGNS) => format!("{selector} would sign from now on"),
            (true, step) => format!("{selector} would be {step}"),
        });
    }
    if report.published {
        ui.say("what DNS has to say was sent to the zone's server");
    }
    if !report.publish.is_empty() {
        ui.say("to publish:");
        report.publish.iter().for_each(|(_, line)| ui.data(line));
    }
    report.waiting.iter().for_each(|line| ui.say(line));
    if args.dry_run {
        ui.say("nothing was changed");
    } else if report.waiting.is_empty() {
        ui.say(format!("all is done for {}; see: mailctl dkim show {}", report.domain, report.domain));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn report(publish: &[(&str, &str)], keys: &[(&str, Stage)]) -> Report {
        let selector = |name: &str| Selector::parse(name).unwrap();
        Report {
            domain: Domain::parse("example.org").unwrap(),
            done: Vec::new(),
            waiting: Vec::new(),
            keys: keys
                .iter()
                .map(|(name, stage)| Standing { selector: selector(name), stage: *stage })
                .collect(),
            switched: false,
            publish: publish.iter().map(|(name, line)| (selector(name), (*line).to_owned())).collect(),
            published: false,
            unpublished: None,
        }
    }

    /// Proves: issue 4: with --wait, what a later look asks a person to publish is told as well, each record once, and
    /// none that every name server has.
    #[test]
    fn every_look_of_a_wait_is_told() {
        let mut all = report(&[("new", "new 1")], &[("new", Stage::Pending), ("old", Stage::Active)]);
        all.absorb(report(&[("new", "new 2")], &[("new", Stage::Pending), ("old", Stage::Active)]));
        assert_eq!(serde_json::to_value(&all).unwrap()["publish"], serde_json::json!(["new 2"]));
        // Somebody else's turn withdrew the key of before.
        all.absorb(report(&[("older", "p="), ("new", "new 3")], &[("new", Stage::Pending)]));
        assert_eq!(serde_json::to_value(&all).unwrap()["publish"], serde_json::json!(["p=", "new 3"]));
        all.absorb(report(&[], &[("new", Stage::Active), ("old", Stage::Leaving)]));
        assert_eq!(serde_json::to_value(&all).unwrap()["publish"], serde_json::json!(["p="]));
    }
}
