//! `mailctl domain del`.

use crate::{
    commands::{live, names},
    error::{Error, codes},
    mail::{address::Domain, cert::Place},
    ui::Ui,
    world::{World, keys::tls, store::Change},
};

/// Serve a domain no longer; refused while it has mailboxes or aliases
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Name of the domain
    #[arg(value_name = "DOMAIN")]
    domain: String,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// Removes it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let domain = names::domain(&args.domain, ui)?;
    let settings = world.settings()?.settings;
    if settings.domains().any(|served| *served == domain) {
        let key = if settings.domain == domain { "DOMAIN" } else { "ADDITIONAL_DOMAINS" };
        return Err(Error::new(codes::NEEDED, format!("{domain} is served because settings.env says so"))
            .hint(format!("edit {key} in {}, then: mailctl up", world.paths.settings_env().display())));
    }
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    if !change.remove_domain(&domain).await? {
        return Err(Error::new(codes::ABSENT, format!("{domain} is not served")).hint("mailctl domain list"));
    }
    unused(&mut change, &domain).await?;
    change.sign_no_more(&domain).await?;
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);

    let keys = world.paths.dkim().join(domain.as_str());
    if ui.manner().json {
        ui.json(&serde_json::json!({"domain": domain, "removed": !args.dry_run, "keys": keys}));
    } else if args.dry_run {
        ui.say(format!("would serve {domain} no longer; nothing was changed"));
    } else {
        ui.say(format!("{domain} is served no longer; take its MX and TXT records out of DNS"));
        if tls::places(&world.paths).contains(&Place::Domain(domain.clone())) {
            ui.say(format!("its certificate is still served; to end that: mailctl cert remove {domain}"));
        }
        ui.say(format!("its DKIM keys are kept in {}; undo: mailctl domain add {domain}", keys.display()));
    }
    if args.dry_run { Ok(()) } else { live::refresh(world, ui).await.map(drop) }
}

async fn unused(change: &mut Change, domain: &Domain) -> Result<(), Error> {
    let suffix = format!("@{domain}");
    let (mailboxes, aliases) = (change.count_mailboxes(&suffix).await?, change.count_aliases(&suffix).await?);
    let patterns = change.count_patterns(domain, false).await?;
    if mailboxes + aliases + patterns == 0 {
        return Ok(());
    }
    let s = |count, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
    Err(Error::new(codes::NEEDED, format!("{domain} is still in use"))
        .cause(format!(
            "it has {}, {} and {}",
            s(mailboxes, "mailbox", "mailboxes"),
            s(aliases, "alias", "aliases"),
            s(patterns, "pattern of forwards", "patterns of forwards")
        ))
        .hint(format!("mailctl user list '*{suffix}'; mailctl user del …"))
        .hint(format!("mailctl forward list --domain {domain}; mailctl forward del …")))
}
