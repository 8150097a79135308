//! `mailctl domain add`.

use crate::{
    commands::{dkim, live, names},
    error::{Error, codes},
    mail::{
        record,
        server::{Key, Served, Stage},
    },
    ui::Ui,
    world::World,
};

/// Serve one more domain: makes its DKIM key and says which DNS records to publish
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Name of the domain, like example.net
    #[arg(value_name = "DOMAIN")]
    domain: String,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Adds it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let domain = names::domain(&args.domain, ui)?;
    let settings = world.settings()?.settings;
    if domain == settings.hostname {
        return Err(Error::new(
            codes::NAME_MALFORMED,
            format!("{domain} is this server's own name (HOSTNAME)"),
        )
        .cause("mail for it goes to the administrator; a served domain needs a name of its own"));
    }
    if settings.domains().any(|served| *served == domain) {
        return Err(Error::new(codes::EXISTS, format!("{domain} is served already"))
            .cause("settings.env names it in DOMAIN or ADDITIONAL_DOMAINS"));
    }
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    if !change.add_domain(&domain, names::now()).await? {
        return Err(
            Error::new(codes::EXISTS, format!("{domain} is served already")).hint("mailctl domain list")
        );
    }
    if args.dry_run {
        change.undo().await?;
        if ui.manner().json {
            ui.json(&serde_json::json!({"domain": domain, "added": false}));
        } else {
            ui.say(format!("would serve {domain} and make its DKIM key; nothing was changed"));
        }
        return Ok(());
    }
    // The key first: a domain that is served is signed for. A key without its domain does no harm, and the
    // next attempt takes it.
    let key = dkim::ensure(world, &settings, &mut change, &domain).await?.key;
    change.commit().await?;
    drop(lock);

    let key = Key { selector: key.selector, record: key.record, stage: Stage::Active };
    let selector = key.selector.clone();
    let served = Served { domain: domain.clone(), keys: vec![key] };
    let records = record::for_domain(&world.server(&settings), &served, &settings.dns.wishes);
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "domain": domain, "added": true, "selector": selector, "records": records,
        }));
    } else {
        ui.say(format!("{domain} is served; publish these records:"));
        let needed = records.iter().filter(|record| record.need == record::Need::Required);
        needed.for_each(|record| ui.data(record.to_string()));
        ui.say(format!("all there are, in other forms: mailctl dns-records {domain}"));
        ui.say(format!("then: mailctl user add someone@{domain}; undo: mailctl domain del {domain}"));
    }
    live::refresh(world, ui).await.map(drop)
}
