//! `mailctl forward rule add`.

use crate::{
    commands::{
        alias::{check::named_lead_elsewhere, place},
        forward::entry::present,
        names,
    },
    error::{Error, codes},
    mail::{
        address::{Address, Domain},
        rule::{Action, Condition, LAST, Minute, RULES, Rule, USUAL},
    },
    settings::value,
    ui::Ui,
    world::World,
};

/// What a blocked sender is told, where nothing else is said.
const BLOCKED: &str = "the recipient does not take this message";

/// Add a rule to a forward: conditions, all of which must hold, and what then happens
#[derive(clap::Args, Debug)]
#[command(group = clap::ArgGroup::new("action").required(true))]
pub struct Args {
    /// The forward, as it is listed
    #[arg(value_name = "SOURCE")]
    source: String,
    /// 0 to 1000; the lowest is asked first
    #[arg(long, value_name = "N", default_value_t = USUAL, value_parser = clap::value_parser!(u16).range(..=i64::from(LAST)))]
    priority: u16,
    #[command(flatten)]
    when: When,
    /// Forward as usual: no later rule is asked
    #[arg(long, group = "action")]
    forward: bool,
    /// Refuse it with 550, and tell the sender this
    #[arg(long, group = "action", value_name = "TEXT", num_args = 0..=1, default_missing_value = BLOCKED)]
    block: Option<String>,
    /// Send it to these instead
    #[arg(long, group = "action", value_name = "TARGET", num_args = 1..)]
    redirect: Vec<String>,
    /// Send it to these as well
    #[arg(long, group = "action", value_name = "TARGET", num_args = 1..)]
    also_to: Vec<String>,
    /// Switched off until `forward rule enable`
    #[arg(long)]
    disabled: bool,
    /// Check everything, change nothing
    #[arg(long)]
    dry_run: bool,
}

/// The conditions; the sender is the envelope's, or any in From.
#[derive(clap::Args, Debug)]
struct When {
    /// The sender has this in its address (envelope, or From)
    #[arg(long, value_name = "TEXT")]
    sender_contains: Vec<String>,
    /// The sender is this address
    #[arg(long, value_name = "ADDRESS", value_parser = Address::parse)]
    sender_is: Vec<Address>,
    /// The sender is of this domain; .example.net = or one below it
    #[arg(long, value_name = "DOMAIN", value_parser = domain)]
    sender_domain: Vec<String>,
    /// The decoded subject has this in it, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    subject_contains: Vec<String>,
    /// The decoded subject is this, in upper or lower case
    #[arg(long, value_name = "TEXT")]
    subject_is: Vec<String>,
    /// The message is larger, as in 10M
    #[arg(long, value_name = "SIZE", value_parser = value::size)]
    larger: Option<u64>,
    /// The message is smaller
    #[arg(long, value_name = "SIZE", value_parser = value::size)]
    smaller: Option<u64>,
    /// Something is attached, or nothing
    #[arg(long, value_name = "yes|no", value_parser = value::flag, action = clap::ArgAction::Set)]
    attachment: Option<bool>,
    /// The time of day in UTC, as in 22:00-06:00
    #[arg(long, value_name = "FROM-TO", value_parser = between)]
    between: Option<(Minute, Minute)>,
}

fn domain(text: &str) -> Result<String, String> {
    let dot = if text.starts_with('.') { "." } else { "" };
    let domain = Domain::parse(text.trim_start_matches('.')).map_err(|error| error.to_string())?;
    Ok(format!("{dot}{domain}"))
}

fn between(text: &str) -> Result<(Minute, Minute), String> {
    let (from, to) = text
        .split_once('-')
        .ok_or_else(|| format!("{text:?} is no time of day; write it like 22:00-06:00"))?;
    Ok((from.trim().parse()?, to.trim().parse()?))
}

impl When {
    fn conditions(self) -> Vec<Condition> {
        let mut all: Vec<Condition> = Vec::new();
        all.extend(self.sender_contains.into_iter().map(Condition::SenderContains));
        all.extend(self.sender_is.into_iter().map(Condition::SenderIs));
        all.extend(self.sender_domain.into_iter().map(Condition::SenderDomain));
        all.extend(self.subject_contains.into_iter().map(Condition::SubjectContains));
        all.extend(self.subject_is.into_iter().map(Condition::SubjectIs));
        all.extend(self.larger.map(Condition::Larger));
        all.extend(self.smaller.map(Condition::Smaller));
        all.extend(self.attachment.map(Condition::Attachment));
        all.extend(self.between.map(|(from, to)| Condition::Between(from, to)));
        all
    }
}

/// Adds it.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let mut targets = Vec::new();
    for text in args.redirect.iter().chain(&args.also_to) {
        targets.push(names::address(text, ui)?);
    }
    let action = match (&args.block, args.forward, args.redirect.is_empty()) {
        (Some(text), ..) => Action::Block(text.trim().to_owned()),
        (None, true, _) => Action::Forward,
        (None, false, false) => Action::Redirect(targets.clone()),
        (None, false, true) => Action::AlsoTo(targets.clone()),
    };
    let conditions = args.when.conditions();
    let mut rule = Rule { id: 0, priority: args.priority, enabled: !args.disabled, conditions, action };
    rule.sound().map_err(|what| Error::new(codes::NAME_MALFORMED, what))?;
    let settings = world.settings()?.settings;
    let most = settings.forward_targets as usize;
    if targets.len() > most {
        return Err(Error::new(
            codes::FORWARD_LIMIT,
            format!("the rule would have {} targets", targets.len()),
        )
        .cause(format!("forward.targets allows {most}")));
    }
    let lock = world.lock()?;
    let mut change = world.store().await?.begin().await?;
    let (source, _) = present(&mut change, &args.source).await?;
    let text = source.to_string();
    let others = change.rules_of(&text).await?;
    if others.len() >= RULES {
        return Err(Error::new(codes::FORWARD_LIMIT, format!("{text} has {RULES} rules already"))
            .hint(format!("mailctl forward rule list {}", super::quoted(&text))));
    }
    let place = place(&settings);
    change.look_up(&settings, |directory| named_lead_elsewhere(directory, &place, &source, &targets)).await?;
    rule.id = change.add_rule(&text, &rule, names::now()).await?;
    if args.dry_run { change.undo().await } else { change.commit().await }?;
    drop(lock);
    if ui.manner().json {
        let mut json = super::json(&text, &rule);
        json["added"] = (!args.dry_run).into();
        ui.json(&json);
    } else if args.dry_run {
        ui.say(format!("would be added to {text}: {rule}; nothing was changed"));
    } else {
        ui.say(format!("{text}, rule {}: {rule}", rule.id));
        ui.say(format!("undo: mailctl forward rule del {}", rule.id));
    }
    let all = rule.conditions.is_empty() && rule.enabled;
    if let (true, Some(next)) =
        (all, others.iter().find(|other| other.enabled && other.priority > rule.priority))
    {
        ui.warn(format!(
            "rule {} matches every message, so rule {} and those behind it are never asked",
            rule.id, next.id
        ));
    }
    Ok(())
}
