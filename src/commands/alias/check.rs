//! Whether an alias leads somewhere: asked of the very code that routes mail, before it is committed.

use crate::{
    error::{Error, codes},
    mail::{
        address::Address,
        alias::Source,
        directory::{Directory, Place, Route, Why, resolve},
    },
    settings::Settings,
};

/// What the directory itself does not hold.
pub fn place(settings: &Settings) -> Place {
    Place { hostname: settings.hostname.clone(), admin: settings.admin.clone(), delimiter: '+' }
}

/// Refuses an alias that leads to nobody, in circles, or too far. It is in `directory` already.
pub fn leads_somewhere<D: Directory<Error = Error>>(
    directory: &D,
    place: &Place,
    source: &Source,
    targets: &[Address],
) -> Result<(), Error> {
    if let Source::Address(address) = source {
        if targets.contains(address) && !directory.mailbox(&address.to_string())? {
            return Err(Error::new(codes::ALIAS_LOOP, format!("{address} would lead to itself"))
                .cause("an alias may name itself only to keep a copy, and it has no mailbox to keep it in")
                .hint(format!("mailctl user add {address}")));
        }
        sound(source, &resolve(directory, place, address)?)?;
    }
    for target in targets.iter().filter(|target| *source != Source::Address((*target).clone())) {
        let route = resolve(directory, place, target)?;
        sound(source, &route)?;
        if route.targets.is_empty() {
            return Err(Error::new(codes::ABSENT, format!("{target} is nobody here"))
                .cause(format!("mail for {source} would be refused"))
                .hint(format!("mailctl user add {target}"))
                .hint("mailctl user list"));
        }
    }
    Ok(())
}

fn sound(source: &Source, route: &Route) -> Result<(), Error> {
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
