//! One forward as it is added, by hand or from a file: what is checked about it, and how it gets into the directory.

use crate::{
    commands::{
        alias::check::{all_lead_somewhere, leads_somewhere, place},
        names,
    },
    error::{Error, codes},
    mail::{
        address::{Address, Domain},
        alias,
        directory::{Directory, Place},
        forward::{Aim, EXPRESSIONS, NOTE, Pattern, Source, WILDCARDS},
    },
    settings::Settings,
    world::store::{Alias, Change},
};

/// Source and targets, each once.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Left side.
    pub source: Source,
    /// Right side.
    pub aims: Vec<Aim>,
}

/// What became of one that was put.
pub struct Put {
    /// Targets that are new.
    pub added: Vec<Aim>,
    /// All targets that it has now.
    pub all: Vec<Aim>,
}

fn wrong(what: impl Into<String>) -> Error {
    Error::new(codes::NAME_MALFORMED, what)
}

impl Entry {
    /// Parses them, and looks whether they fit each other.
    pub fn parse(source: &str, targets: &[impl AsRef<str>]) -> Result<Self, Error> {
        let mut aims = Vec::new();
        for target in targets {
            let aim = Aim::parse(target.as_ref()).map_err(wrong)?;
            if !aims.contains(&aim) {
                aims.push(aim);
            }
        }
        let entry = Self { source: Source::towards(source, &aims).map_err(wrong)?, aims };
        entry.fits()?;
        Ok(entry)
    }

    fn fits(&self) -> Result<(), Error> {
        let (source, parts) = (&self.source, self.source.parts());
        if let (Source::Pattern(Pattern::Domain(from)), [Aim::Domain(to)]) = (source, &self.aims[..]) {
            return if from == to { Err(wrong(format!("{source} would lead to itself"))) } else { Ok(()) };
        }
        for aim in &self.aims {
            if matches!(aim, Aim::Domain(_)) {
                return Err(wrong(format!("target {aim} is a whole domain"))
                    .cause("only a whole domain is led to one, and then to nothing else")
                    .hint("mailctl forward add @old.example @example.org"));
            }
            if aim.highest() > parts {
                let has = match parts {
                    0 => "has no parts".to_owned(),
                    1 => "has one part, $1".to_owned(),
                    more => format!("has {more} parts, $1 to ${more}"),
                };
                return Err(wrong(format!("target {aim} takes up ${}, but {source} {has}", aim.highest()))
                    .cause("a part is what a * or a group in brackets stands for"));
            }
        }
        Ok(())
    }

    /// Puts it in and looks whether it leads somewhere. `served`: all served domains.
    pub async fn put(
        &self,
        settings: &Settings,
        change: &mut Change,
        served: &[Domain],
        now: i64,
    ) -> Result<Put, Error> {
        let put = self.insert(settings, change, served, now).await?;
        let further = self.further(change).await?;
        let place = place(settings);
        change.look_up(settings, |directory| self.reaches(directory, &place, &put.all, &further)).await?;
        Ok(put)
    }

    /// Puts it in; where it leads is for [`Entry::reaches`] to say.
    pub async fn insert(
        &self,
        settings: &Settings,
        change: &mut Change,
        served: &[Domain],
        now: i64,
    ) -> Result<Put, Error> {
        names::known(served, self.source.domain())?;
        self.unmistakable(change).await?;
        let added = match &self.source {
            Source::Alias(source) => self.put_alias(source, change, now).await?,
            Source::Pattern(pattern) => self.put_pattern(pattern, change, now).await?,
        };
        let all = aims(change, &self.source).await?;
        let most = settings.forward_targets as usize;
        if !added.is_empty() && all.len() > most {
            return Err(Error::new(
                codes::FORWARD_LIMIT,
                format!("{} would have {} targets", self.source, all.len()),
            )
            .cause(format!("forward.targets allows {most}"))
            .hint("set forward.targets in mailctl.toml (at most 100)"));
        }
        if let (Source::Pattern(Pattern::Domain(_)), true) = (&self.source, all.len() > 1) {
            return Err(Error::new(
                codes::EXISTS,
                format!("{} is led to another domain already", self.source),
            )
            .cause(format!("it would lead to {}", super::words(&all, " and ")))
            .hint(format!("mailctl forward del {}", self.source)));
        }
        Ok(Put { added, all })
    }

    /// Addresses that others lead to and that it may stand for; only what stands for many is tried with them.
    pub async fn further(&self, change: &mut Change) -> Result<Vec<Address>, Error> {
        match &self.source {
            Source::Alias(_) => Ok(Vec::new()),
            Source::Pattern(pattern) => change.led_into(pattern.domain()).await,
        }
    }

    async fn put_alias(
        &self,
        source: &alias::Source,
        change: &mut Change,
        now: i64,
    ) -> Result<Vec<Aim>, Error> {
        let mut added = Vec::new();
        for aim in &self.aims {
            let Aim::Address(target) = aim else { continue };
            if change.add_alias(&Alias { source: source.clone(), target: target.clone() }, now).await? {
                added.push(aim.clone());
            }
        }
        Ok(added)
    }

    async fn put_pattern(&self, pattern: &Pattern, change: &mut Change, now: i64) -> Result<Vec<Aim>, Error> {
        let mut added = Vec::new();
        for aim in &self.aims {
            if change.add_pattern(pattern, aim, now).await? {
                added.push(aim.clone());
            }
        }
        let domain = pattern.domain();
        let (most, what, count) = match pattern {
            Pattern::Expression(_) => {
                (EXPRESSIONS, "regular expressions", change.count_patterns(domain, true).await?)
            }
            _ => (WILDCARDS, "patterns", change.count_patterns(domain, false).await?),
        };
        if count > most {
            return Err(Error::new(codes::FORWARD_LIMIT, format!("{domain} would have {count} {what}"))
                .cause(format!("at most {most} are held against each address without a name of its own"))
                .hint(format!("mailctl forward list --domain {domain}")));
        }
        Ok(added)
    }

    /// A text is one source: an alias of older days may have a star in its name, and a domain is caught or led.
    async fn unmistakable(&self, change: &mut Change) -> Result<(), Error> {
        let text = self.source.to_string();
        let others = match &self.source {
            Source::Alias(_) => {
                let aims = change.aims(&text).await?;
                aims.iter().map(ToString::to_string).collect::<Vec<_>>()
            }
            Source::Pattern(_) => change.alias_targets(&text).await?,
        };
        if others.is_empty() {
            return Ok(());
        }
        let is = match &self.source {
            Source::Pattern(Pattern::Domain(_)) => "the domain's catch-all",
            Source::Alias(_) => "a whole domain that is led elsewhere",
            Source::Pattern(_) => "an alias with a star in its name",
        };
        Err(Error::new(codes::EXISTS, format!("{text} is {is} already"))
            .cause(format!("it leads to {}", others.join(", ")))
            .hint(format!("mailctl forward del {}", super::quoted(&text))))
    }

    /// Refuses what leads to nobody or in circles; it is in `directory` already, with `all` its targets.
    pub fn reaches<D: Directory<Error = Error>>(
        &self,
        directory: &D,
        place: &Place,
        all: &[Aim],
        further: &[Address],
    ) -> Result<(), Error> {
        let Source::Alias(source) = &self.source else {
            return all_lead_somewhere(directory, place, &self.source, all, further);
        };
        if let [only] = all
            && only.to_string() == source.to_string()
        {
            return Err(Error::new(
                codes::ALIAS_LOOP,
                format!("{source} would lead to itself and nowhere else"),
            )
            .hint("name where its mail should go"));
        }
        let to = |aim: &Aim| if let Aim::Address(to) = aim { Some(to.clone()) } else { None };
        leads_somewhere(directory, place, source, &all.iter().filter_map(to).collect::<Vec<_>>())
    }
}

/// All targets that `source` has.
pub async fn aims(change: &mut Change, source: &Source) -> Result<Vec<Aim>, Error> {
    match source {
        Source::Alias(source) => Ok(change.targets(source).await?.into_iter().map(Aim::Address).collect()),
        Source::Pattern(pattern) => change.aims(&pattern.to_string()).await,
    }
}

/// What a person typed, as the source that there is, and its targets: `@example.org` may be either kind.
pub async fn present(change: &mut Change, text: &str) -> Result<(Source, Vec<Aim>), Error> {
    let mut source = Source::parse(text).map_err(wrong)?;
    let mut all = aims(change, &source).await?;
    if let (Source::Alias(alias::Source::CatchAll(domain)), true) = (&source, all.is_empty()) {
        source = Source::Pattern(Pattern::Domain(domain.clone()));
        all = aims(change, &source).await?;
    }
    if all.is_empty() {
        return Err(Error::new(codes::ABSENT, format!("{source} is no forward"))
            .hint(format!("mailctl forward list --domain {}", source.domain())));
    }
    Ok((source, all))
}

/// A note in one line.
pub fn note(text: &str) -> Result<String, Error> {
    let note = text.trim();
    if note.chars().count() > NOTE || note.chars().any(char::is_control) {
        return Err(wrong("the note is longer than 500 characters, or not one line"));
    }
    Ok(note.to_owned())
}
