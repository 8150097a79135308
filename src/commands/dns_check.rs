//! `mailctl dns-check`.

mod metrics;
mod report;
mod watch;

use super::{dns::Resolver, names};
use crate::{
    error::{Error, codes},
    mail::{
        address::Domain,
        check::{self, Options},
        dns::{Inquiry, Name},
        finding::{Finding, Proven, Subject, Verdict},
        provider::{self, PROVIDERS, Provider},
        server::{Served, Server},
    },
    ui::{Page, Ui},
    world::{
        World,
        dns::{Asking, Dns, settle},
    },
};
use clap::builder::PossibleValuesParser;
use report::{Counts, Role, Section, Style};
use std::sync::Arc;

/// Check what DNS says of this server and its domains, and say how to mend it
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Only these domains; without any, all that are served. Others may be named too: they are looked at, and
    /// compared with nothing
    #[arg(value_name = "DOMAIN")]
    domains: Vec<String>,
    /// Only these subjects
    #[arg(long, value_name = "SUBJECT", value_delimiter = ',', value_parser = subjects())]
    only: Vec<String>,
    #[command(flatten)]
    resolver: Resolver,
    /// Ask every name server of the zone for every record, and report where they disagree
    #[arg(long)]
    authoritative: bool,
    /// Show what to type into the form of this DNS provider
    #[arg(long, value_name = "PROVIDER", value_parser = PossibleValuesParser::new(PROVIDERS.iter().map(|p| p.name)))]
    at: Option<String>,
    /// Show details also of what is right
    #[arg(long)]
    all: bool,
    /// Print a plain report with date and version, to be pasted into a ticket
    #[arg(long, conflicts_with_all = ["json", "prometheus", "watch"])]
    report: bool,
    /// Print metrics for Prometheus
    #[arg(long, conflicts_with_all = ["json", "watch"])]
    prometheus: bool,
    /// Ask again until everything is right; Ctrl-C ends
    #[arg(long)]
    watch: bool,
    /// Seconds between two looks of --watch
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
}

fn subjects() -> PossibleValuesParser {
    PossibleValuesParser::new(Subject::ALL.map(Subject::name))
}

/// What is looked at, and how.
struct Task {
    server: Server,
    options: Options,
    /// Whom.
    asking: Asking,
    /// The host itself as well.
    host: bool,
    domains: Vec<(Served, Role)>,
}

/// One look.
struct Look {
    sections: Vec<Section>,
    counts: Counts,
}

/// Looks, reports; exit status 1 when something is wrong, 75 when something could not be checked.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let task = Arc::new(task(&args, world, ui).await?);
    let dns = Dns::new(task.asking.clone());
    if args.watch {
        return watch::run(&args, &task, &dns, ui).await;
    }
    let look = {
        // A timer that collects metrics has nobody to tell.
        let progress = (!args.prometheus).then(|| ui.progress());
        progress.iter().for_each(|progress| progress.phase("asking DNS"));
        look(&task, &dns, ui).await?
    };
    remember(world, &look);
    show(&args, &task, &look, ui);
    outcome(&look)
}

/// `domain list` tells how the last check ended. Whoever may look but not write here has looked all the same.
fn remember(world: &World, look: &Look) {
    let served = look.sections.iter().filter(|section| section.role == Role::Served);
    let found: Vec<(Domain, Option<Proven>)> = served
        .filter_map(|section| Some((Domain::parse(&section.about).ok()?, Proven::of(&section.findings))))
        .collect();
    if !found.is_empty() {
        let _ = world.note_dns(&found, names::now());
    }
}

async fn task(args: &Args, world: &World, ui: &mut Ui) -> Result<Task, Error> {
    let settings = world.settings()?.settings;
    let store = world.store_to_read().await?;
    let served = names::domains(&settings, &store).await?;
    let mut domains: Vec<Domain> = Vec::new();
    for text in &args.domains {
        let domain = names::domain(text, ui)?;
        if !domains.contains(&domain) {
            domains.push(domain);
        }
    }
    let host = domains.is_empty() || domains.iter().any(|domain| served.contains(domain));
    if domains.is_empty() {
        domains.clone_from(&served);
    }
    let wanted = |subject: &Subject| args.only.iter().any(|name| name == subject.name());
    let options = Options {
        subjects: Subject::ALL.into_iter().filter(wanted).collect(),
        authoritative: args.authoritative,
        served: served.clone(),
        blocklists: settings.dns.blocklists.clone(),
        wishes: settings.dns.wishes.clone(),
        ..Options::default()
    };
    let mut of = Vec::new();
    for domain in domains {
        of.push(if served.contains(&domain) {
            (world.served(&settings, &store, &domain).await?, Role::Served)
        } else {
            (Served { domain, keys: Vec::new() }, Role::Foreign)
        });
    }
    store.close().await;
    Ok(Task {
        server: world.server(&settings),
        options,
        asking: args.resolver.asking(&settings)?,
        host,
        domains: of,
    })
}

/// Asks everything at once; a section per host and domain. Each is a task of its own: judging takes time too.
async fn look(task: &Arc<Task>, dns: &Dns, ui: &Ui) -> Result<Look, Error> {
    let mut parts = Vec::new();
    if task.host {
        let (of, dns) = (Arc::clone(task), dns.clone());
        let about = task.server.host.clone();
        parts.push((
            about,
            Role::Host,
            tokio::spawn(async move {
                settled(&dns, |inquiry| check::host(inquiry, &of.server, &of.options)).await
            }),
        ));
    }
    for (index, (served, role)) in task.domains.iter().enumerate() {
        let (of, dns) = (Arc::clone(task), dns.clone());
        let options = Options { foreign: *role == Role::Foreign, ..task.options.clone() };
        parts.push((
            served.domain.clone(),
            *role,
            tokio::spawn(async move {
                let served = &of.domains[index].0;
                settled(&dns, |inquiry| check::domain(inquiry, &of.server, served, &options)).await
            }),
        ));
    }
    let mut sections: Vec<Section> = Vec::new();
    for (about, role, asking) in parts {
        let findings = asking
            .await
            .map_err(|cause| Error::new(codes::BUG, "a check of DNS broke off").cause(cause))??;
        if !findings.is_empty() {
            sections.push(section(Name::from(&about), role, findings, ui));
        }
    }
    Ok(Look { counts: Counts::of(&sections), sections })
}

async fn settled(
    dns: &Dns,
    judge: impl FnMut(&Inquiry<'_>) -> Option<Vec<Finding>>,
) -> Result<Vec<Finding>, Error> {
    let settled = settle(dns, judge).await;
    settled
        .map(|settled| settled.verdict)
        .map_err(|cause| Error::new(codes::BUG, "a check of DNS has no end").cause(cause))
}

fn section(about: Name, role: Role, mut findings: Vec<Finding>, ui: &Ui) -> Section {
    for line in findings.iter_mut().flat_map(|finding| &mut finding.remedy) {
        *line = ui.typed(line);
    }
    Section { about: about.to_string(), role, verdict: check::worst(&findings), findings }
}

fn show(args: &Args, task: &Task, look: &Look, ui: &mut Ui) {
    if ui.manner().json {
        ui.json(&document(task, look));
    } else if args.prometheus {
        ui.write(&metrics::text(&look.sections, names::now()));
    } else {
        let page = if args.report { Page::PLAIN } else { ui.page() };
        if args.report {
            ui.write(&heading(task));
        }
        ui.write(&report::text(&look.sections, style(args, page)));
    }
}

fn style(args: &Args, page: Page) -> Style {
    let at: Option<&'static Provider> = args.at.as_deref().and_then(provider::find);
    Style { page, all: args.all || args.report, at }
}

/// The document of `--json`; its schema stands in the manual page `dns`.
fn document(task: &Task, look: &Look) -> serde_json::Value {
    serde_json::json!({
        "version": env!("CARGO_PKG_VERSION"),
        "time": time(),
        "resolvers": task.asking.resolvers,
        "host": task.server.host.as_str(),
        "addresses": task.server.addresses,
        "verdict": look.verdict(),
        "counts": look.counts,
        "sections": look.sections,
    })
}

/// What a ticket must say first: who asked, when, whom, with which program.
fn heading(task: &Task) -> String {
    let list = |items: Vec<String>| if items.is_empty() { "not known".to_owned() } else { items.join(", ") };
    format!(
        "mailctl {} dns-check, {}\nhost      {}\naddresses {}\nresolver  {}\n\n",
        env!("CARGO_PKG_VERSION"),
        time(),
        task.server.host,
        list(task.server.addresses.iter().map(ToString::to_string).collect()),
        list(task.asking.resolvers.iter().map(ToString::to_string).collect()),
    )
}

fn time() -> String {
    let now = time::OffsetDateTime::now_utc();
    now.replace_nanosecond(0)
        .unwrap_or(now)
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap_or_default()
}

impl Look {
    fn verdict(&self) -> Verdict {
        self.sections.iter().map(|section| section.verdict).max().unwrap_or(Verdict::Ok)
    }
}

/// Wrong wins over not checked.
fn outcome(look: &Look) -> Result<(), Error> {
    let first = |verdict: Verdict| {
        let all = look.sections.iter().flat_map(|section| &section.findings);
        all.filter(|finding| finding.verdict == verdict).map(|finding| finding.about.clone()).next()
    };
    match look.verdict() {
        Verdict::Ok | Verdict::Warning => Ok(()),
        Verdict::Error => {
            let about = first(Verdict::Error).unwrap_or_default();
            Err(Error::new(codes::DNS_WRONG, look.counts.line())
                .hint("mailctl dns-records --format form")
                .hint(format!("mailctl dns-check {about} --watch")))
        }
        Verdict::CouldNotCheck => Err(Error::new(codes::DNS_UNCHECKED, look.counts.line())
            .hint("mailctl dns-check --watch")
            .hint("mailctl dns-check --resolver ADDRESS")),
    }
}
