//! Whether an alias or forward leads somewhere: asked of the very code that routes mail, before it is committed.

use crate::{
    error::{Error, codes},
    mail::{
        address::Address,
        alias,
        directory::{Directory, Place, Route, Why, resolve},
        forward::{Aim, Off, Patterns, Source},
        rule::Rule,
    },
    settings::Settings,
};
use std::sync::Arc;

/// What the directory itself does not hold.
pub fn place(settings: &Settings) -> Place {
    Place { hostname: settings.hostname.clone(), admin: settings.admin.clone(), delimiter: '+' }
}

/// The directory as if everything in it were on: what is off is switched on again by a command that does not look.
struct On<'a, D>(&'a D);

impl<D: Directory> Directory for On<'_, D> {
    type Error = D::Error;

    fn serves(&self, domain: &str) -> Result<bool, D::Error> {
        self.0.serves(domain)
    }

    fn mailbox(&self, address: &str) -> Result<bool, D::Error> {
        self.0.mailbox(address)
    }

    fn targets(&self, source: &str) -> Result<Vec<Address>, D::Error> {
        self.0.targets(source)
    }

    fn off(&self, _source: &str) -> Result<Option<Off>, D::Error> {
        Ok(None)
    }

    fn patterns(&self, domain: &str) -> Result<Option<Arc<Patterns>>, D::Error> {
        self.0.patterns(domain)
    }

    fn rules(&self, _source: &str) -> Result<Option<Arc<[Rule]>>, D::Error> {
        Ok(None)
    }

    fn granted(&self, source: &str) -> Result<Vec<Address>, D::Error> {
        self.0.granted(source)
    }
}

/// Refuses an alias that leads to nobody, in circles, or too far. It is in `directory` already.
pub fn leads_somewhere<D: Directory<Error = Error>>(
    directory: &D,
    place: &Place,
    source: &alias::Source,
    targets: &[Address],
) -> Result<(), Error> {
    let directory = &On(directory);
    if let alias::Source::Address(address) = source {
        if targets.contains(address) && !directory.mailbox(&address.to_string())? {
            return Err(Error::new(codes::ALIAS_LOOP, format!("{address} would lead to itself"))
                .cause("an alias may name itself only to keep a copy, and it has no mailbox to keep it in")
                .hint(format!("mailctl user add {address}")));
        }
        sound(source, &resolve(directory, place, address)?)?;
    }
    let others = targets.iter().filter(|target| *source != alias::Source::Address((*target).clone()));
    others.into_iter().try_for_each(|target| reaches(directory, place, source, target))
}

/// The same for what stands for many addresses: tried with some that it matches, made from it or among `further`, where
/// its targets differ with what is matched; a circle is met by each of them, or hardly by anything that people write.
pub fn all_lead_somewhere<D: Directory<Error = Error>>(
    directory: &D,
    place: &Place,
    source: &Source,
    aims: &[Aim],
    further: &[Address],
) -> Result<(), Error> {
    let directory = &On(directory);
    for target in
        aims.iter().filter_map(|aim| if let Aim::Address(address) = aim { Some(address) } else { None })
    {
        reaches(directory, place, source, target)?;
    }
    let made = source.samples().into_iter().map(|local| Address::new(local, source.domain().clone()));
    let found = further.iter().filter(|address| source.holds(address.local())).cloned();
    for sample in made.chain(found) {
        let route = resolve(directory, place, &sample)?;
        sound(source, &route)?;
        let own = source.to_string();
        let first = route.stops.first().filter(|stop| stop.source.as_ref() == Some(&own));
        if first.is_some_and(|stop| stop.leads_to.contains(&sample)) {
            return Err(Error::new(codes::ALIAS_LOOP, format!("{source} would lead to itself"))
                .cause(format!("mail for {sample} would go to {sample}"))
                .hint("name a target that it does not match"));
        }
    }
    Ok(())
}

/// The same for targets that a rule of `source` names.
pub fn named_lead_elsewhere<D: Directory<Error = Error>>(
    directory: &D,
    place: &Place,
    source: &Source,
    targets: &[Address],
) -> Result<(), Error> {
    let directory = &On(directory);
    let own = source.to_string();
    for target in targets {
        reaches(directory, place, source, target)?;
        let route = resolve(directory, place, target)?;
        if target.to_string() != own && route.stops.iter().any(|stop| stop.source.as_ref() == Some(&own)) {
            return Err(Error::new(
                codes::ALIAS_LOOP,
                format!("mail for {target} would come back to {source}"),
            )
            .hint(format!("mailctl alias resolve {target}")));
        }
    }
    Ok(())
}

fn reaches<D: Directory<Error = Error>>(
    directory: &D,
    place: &Place,
    source: &impl std::fmt::Display,
    target: &Address,
) -> Result<(), Error> {
    let route = resolve(directory, place, target)?;
    sound(source, &route)?;
    if !route.targets.is_empty() {
        return Ok(());
    }
    Err(Error::new(codes::ABSENT, format!("{target} is nobody here"))
        .cause(format!("mail for {source} would be refused"))
        .hint(format!("mailctl user add {target}"))
        .hint("mailctl user list"))
}

fn sound(source: &impl std::fmt::Display, route: &Route) -> Result<(), Error> {
    if let Some(stop) = route.stops.iter().find(|stop| stop.loops) {
        let way: Vec<String> = route.stops.iter().map(|stop| stop.at.to_string()).collect();
        return Err(Error::new(codes::ALIAS_LOOP, format!("mail for {source} would go in circles"))
            .cause(format!("{} leads back: {}", stop.at, way.join(" -> ")))
            .hint(format!("mailctl alias resolve {}", stop.at)));
    }
    if route.stops.iter().any(|stop| stop.why == Why::TooFar) {
        return Err(Error::new(codes::ALIAS_LOOP, format!("mail for {source} would go too far"))
            .cause("there are more than 20 steps or 1000 addresses on its way")
            .hint("name the final addresses in the alias itself"));
    }
    Ok(())
}
