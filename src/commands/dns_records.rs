//! `mailctl dns-records`.

use super::names;
use crate::{
    error::Error,
    mail::{
        address::Domain,
        dns::{Data, Name},
        record::{self, Need, Record, form, terraform},
    },
    ui::Ui,
    world::World,
};

/// Show the DNS records to publish, ready for a zone file or a provider's form
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only these domains; without any, all that are served, and the host itself
    #[arg(value_name = "DOMAIN")]
    domains: Vec<String>,
    /// How to print them
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Table, conflicts_with = "json")]
    format: Format,
    /// Only those that mail needs, and those that make it better; without it, also those for special cases
    #[arg(long)]
    needed: bool,
}

/// The forms that people need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// One line per record, in columns
    Table,
    /// A zone file, as BIND, NSD and Knot read it
    Zone,
    /// What to type into a provider's form
    Form,
    /// Resources of Terraform's dns provider
    Terraform,
    /// The same as --json
    Json,
}

/// The records of one zone.
#[derive(serde::Serialize)]
struct Section {
    /// The domain, or the host's name.
    about: Name,
    /// Where the records are published.
    zone: Name,
    records: Vec<Record>,
}

/// Prints them.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let sections = sections(&args, world, ui).await?;
    if sections.first().is_some_and(|section| !section.records.iter().any(is_address)) {
        ui.warn(
            "no address of this server is known: the A record is left out; set dns.addresses in mailctl.toml",
        );
    }
    match args.format {
        Format::Json => ui.json(&sections),
        _ if ui.manner().json => ui.json(&sections),
        Format::Table => ui.write(&table(&sections)),
        Format::Zone => ui.write(&zone(&sections)),
        Format::Form => ui.write(&forms(&sections)),
        Format::Terraform => ui.write(&by_terraform(&sections)),
    }
    if args.format == Format::Table && !ui.manner().json {
        ui.say(
            "what to type into a provider's form: --format form; whether it is published: mailctl dns-check",
        );
    }
    Ok(())
}

fn is_address(record: &Record) -> bool {
    matches!(record.data, Data::A(_) | Data::Aaaa(_))
}

async fn sections(args: &Args, world: &World, ui: &mut Ui) -> Result<Vec<Section>, Error> {
    let settings = world.settings()?.settings;
    let store = world.store_to_read().await?;
    let served = names::domains(&settings, &store).await?;
    let mut chosen: Vec<Domain> = Vec::new();
    for text in &args.domains {
        let domain = names::domain(text, ui)?;
        names::known(&served, &domain)?;
        chosen.push(domain);
    }
    if chosen.is_empty() {
        chosen.clone_from(&served);
    }
    let (server, wishes) = (world.server(&settings), &settings.dns.wishes);
    let host = Name::from(&server.host);
    // The host is published in the zone of a served domain, where it is in one; else in the one above it.
    let above = served.iter().map(Name::from).find(|zone| host.is_within(zone));
    let zone = above.or_else(|| host.parent()).unwrap_or_else(Name::root);
    let mut sections = vec![Section { about: host, zone, records: record::for_host(&server, wishes) }];
    for domain in &chosen {
        let of = world.served(&settings, &store, domain).await?;
        let zone = Name::from(domain);
        sections.push(Section {
            about: zone.clone(),
            zone,
            records: record::for_domain(&server, &of, wishes),
        });
    }
    store.close().await;
    if args.needed {
        let wanted = |record: &Record| record.need != Need::Optional;
        sections.iter_mut().for_each(|section| section.records.retain(wanted));
    }
    Ok(sections)
}

/// The value stands last and unbroken, so that it can be marked and copied.
fn table(sections: &[Section]) -> String {
    let all = || sections.iter().flat_map(|section| &section.records);
    let width = all().map(|record| record.name.as_str().len() + 1).max().unwrap_or_default();
    let mut text = String::new();
    for section in sections {
        text.push_str(&format!("{}\n", section.about));
        for record in &section.records {
            let (need, kind, name) = (record.need, record.data.kind(), format!("{}.", record.name));
            let value = form::value(&record.data);
            text.push_str(&format!("  {need:<11} {name:<width$} {kind:<5} {value}\n"));
        }
        text.push('\n');
    }
    text.pop();
    text
}

fn zone(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        text.push_str(&format!("; {}, in the zone {}\n", section.about, section.zone));
        for record in &section.records {
            text.push_str(&format!("; {}: {}\n", record.need, record.purpose));
            let comment = if record.name.is_within(&section.zone) { "" } else { "; " };
            text.push_str(&format!("{comment}{record}\n"));
        }
        text.push('\n');
    }
    text.pop();
    text
}

fn forms(sections: &[Section]) -> String {
    let mut text = String::new();
    for section in sections {
        text.push_str(&format!("{}, in the zone {}\n\n", section.about, section.zone));
        for record in &section.records {
            text.push_str(&format!("  {} ({})\n", record.purpose, record.need));
            form::lines(record, &section.zone)
                .iter()
                .for_each(|line| text.push_str(&format!("    {line}\n")));
            text.push('\n');
        }
    }
    text.pop();
    text
}

fn by_terraform(sections: &[Section]) -> String {
    let parts = sections.iter().map(|section| terraform::resources(&section.zone, &section.records));
    parts.collect::<Vec<_>>().join("\n")
}
