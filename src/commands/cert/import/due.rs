//! Certificates that somebody else renews: looked at again, taken where they are new and good.

use super::{change, pairs};
use crate::{
    commands::{cert::serve, names},
    error::Error,
    mail::cert::Place,
    settings::Settings,
    ui::Ui,
    world::{
        World,
        keys::tls::{self, Watched},
    },
};

/// Takes what is new at the sources of the settings and of `--watch`, and a new self-signed one where ours runs out;
/// waits until every port serves what is installed. Whether anything was done. A source that is no good changes
/// nothing; the first such is the error, after all were looked at.
pub async fn due(world: &World, ui: &mut Ui) -> Result<bool, Error> {
    let settings = world.settings()?.settings;
    let lock = world.lock()?;
    let taken = take(world, &settings, ui)?;
    drop(lock);
    let done = if taken.news {
        serve::everywhere(world, ui).await?;
        true
    } else {
        serve::due(world, ui).await?
    };
    taken.fault.map_or(Ok(done), Err)
}

/// What a look at the sources came to.
pub struct Taken {
    /// There is a new set.
    pub news: bool,
    /// The first source that is no good; what was served before stays.
    pub fault: Option<Error>,
}

/// The same without telling the services. The caller holds the lock.
pub fn take(world: &World, settings: &Settings, ui: &mut Ui) -> Result<Taken, Error> {
    let mut taken = Taken { news: false, fault: None };
    let sources = sources(world, settings)?;
    if !sources.contains_key(&Place::Host)
        && tls::renew_self_signed(&world.paths, &settings.hostname, time::OffsetDateTime::now_utc())?
    {
        taken.news = true;
        ui.say(format!("made a new self-signed certificate for {}", settings.hostname));
    }
    for (place, sources) in sources {
        let pairs = match pairs(&place, &sources, settings, names::now()) {
            Ok(pairs) => pairs,
            Err(error) => {
                taken.fault.get_or_insert(error.cause("what was served before goes on being served"));
                continue;
            }
        };
        let change = change(&place, &pairs);
        if change.is_news(&world.paths) {
            tls::install(&world.paths, &change)?;
            taken.news = true;
            let from: Vec<String> = sources.iter().map(ToString::to_string).collect();
            ui.say(format!("took a new certificate ({place}) from {}", from.join(" and ")));
        }
    }
    Ok(taken)
}

/// Those of the settings win over what `--watch` remembered.
fn sources(world: &World, settings: &Settings) -> Result<Watched, Error> {
    let mut sources = tls::watched(&world.paths)?;
    if let Some(source) = &settings.certificate {
        sources.insert(Place::Host, vec![source.clone()]);
    }
    Ok(sources)
}
