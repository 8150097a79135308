//! `mailctl dkim rotate`.

mod abort;
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
    #[arg(long, value_name = "SECONDS", default_value_t = 3600)]
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
    /// Records to publish, as lines of a zone file.
    publish: Vec<String>,
    /// They were sent to the zone's server.
    published: bool,
    #[serde(skip)]
    unpublished: Option<Selector>,
}

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
    let turn = Turn { args: &args, world, settings: &settings, domain: &domain, algorithm };
    let dns = args.resolver.dns(&settings)?;
    let until = Instant::now() + Duration::from_secs(args.wait);
    let mut report = turn.take(&dns, ui).await?;
    let mut lacking = turn.lacking(&mut report);
    while lacking && Instant::now() < until && !args.dry_run {
        sleep(PAUSE.min(until.saturating_duration_since(Instant::now()))).await;
        let next = turn.take(&dns.fresh(), ui).await?;
        report.done.extend(next.done);
        report.switched |= next.switched;
        report.published |= next.published;
        (report.waiting, report.keys) = (next.waiting, next.keys);
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
    let would = if args.dry_run { "would be " } else { "" };
    for Done { step, selector } in &report.done {
        ui.say(format!("{selector} {would}{step}"));
    }
    if report.published {
        ui.say("what DNS has to say was sent to the zone's server");
    }
    if !report.publish.is_empty() {
        ui.say("to publish:");
        report.publish.iter().for_each(|line| ui.data(line));
    }
    report.waiting.iter().for_each(|line| ui.say(line));
    if args.dry_run {
        ui.say("nothing was changed");
    } else if report.waiting.is_empty() {
        ui.say(format!("all is done for {}; see: mailctl dkim show {}", report.domain, report.domain));
    }
}
