//! One look at the name servers and the queue, and the steps that follow from it.

use super::{Args, Done, Report, SIGNS, Standing, stand};
use crate::{
    commands::{
        dkim::{make, switch},
        dns_publish, names,
    },
    error::{Error, codes},
    mail::{
        address::{Domain, Selector},
        dkim::{Algorithm, RETIRED, Record},
        rotation::{Queue, Staged, Stays, fresh, may_retire},
        server::Stage,
        zone::Seen,
    },
    settings::Settings,
    ui::Ui,
    world::{
        World,
        dns::Dns,
        keys::dkim::{self, Key, Kind},
        store::Change,
    },
};

/// One look, and what follows from it.
pub struct Turn<'a> {
    pub args: &'a Args,
    pub world: &'a World,
    pub settings: &'a Settings,
    pub domain: &'a Domain,
    pub algorithm: Algorithm,
    /// A new key may be made where no change is under way.
    pub begin: bool,
}

impl Turn<'_> {
    /// Whether the new key is still to be seen.
    pub fn lacking(&self, report: &mut Report) -> bool {
        report.keys.iter().any(|key| key.stage == Stage::Pending)
    }

    pub async fn take(&self, dns: &Dns, ui: &mut Ui) -> Result<Report, Error> {
        // DNS and the queue are asked before the lock is taken: others need not wait for them.
        let (before, seen) = self.look(dns).await?;
        let queue = if before.iter().any(|staged| staged.stage == Stage::Leaving) {
            stand::queue(self.world).await
        } else {
            Queue::Empty
        };
        let now = names::now();
        let lock = self.world.lock()?;
        self.write_down_what_signs(now).await?;
        let mut change = self.world.store().await?.begin().await?;
        names::served(self.settings, &mut change, self.domain).await?;
        let staged = change.stages(self.domain).await?;
        let mut report = Report {
            domain: self.domain.clone(),
            done: Vec::new(),
            waiting: Vec::new(),
            keys: Vec::new(),
            switched: false,
            publish: Vec::new(),
            published: false,
            unpublished: None,
        };
        let keys = dkim::list(&self.world.paths, self.domain)?;
        let file = |staged: &Staged| keys.iter().find(|key| key.selector == staged.selector);
        // Of which kind a key was whose file is gone nobody knows: it is everybody's business.
        let of_kind =
            |staged: &&Staged| file(staged).is_none_or(|key| key.record.algorithm == self.algorithm);
        let mine: Vec<&Staged> = staged.iter().filter(of_kind).collect();
        for lost in mine.iter().filter(|staged| staged.stage == Stage::Pending && file(staged).is_none()) {
            change.stage(self.domain, &lost.selector, None, now).await?;
            report
                .done
                .push(Done { step: "given up, for its file is gone", selector: lost.selector.clone() });
        }
        self.retire(dns, &mut change, &mine, queue, now, &mut report).await?;
        let pending =
            mine.iter().rev().filter(|staged| staged.stage == Stage::Pending).find_map(|staged| file(staged));
        let under_way = pending.is_some() || mine.iter().any(|staged| staged.stage == Stage::Leaving);
        match pending {
            Some(key) => match seen {
                Some((selector, seen)) if selector == key.selector => {
                    self.publish_or_switch(&mut change, key, seen, now, &mut report).await?;
                }
                // Changed by somebody between the two looks.
                _ => report.waiting.push(format!("{} was made just now; look again", key.selector)),
            },
            None if !under_way && self.begin => self.begin(&mut change, &keys, now, &mut report, ui).await?,
            None => {}
        }
        if self.args.dry_run { change.undo().await } else { change.commit().await }?;
        drop(lock);
        if !self.args.dry_run {
            self.publish(dns, &mut report).await?;
        }
        self.stand(&mut report).await?;
        Ok(report)
    }

    /// Before there is a second key, and in a transaction of its own: stopped after making one, the old one goes on
    /// signing, also where it was never chosen but only found.
    async fn write_down_what_signs(&self, now: i64) -> Result<(), Error> {
        let mut change = self.world.store().await?.begin().await?;
        names::served(self.settings, &mut change, self.domain).await?;
        let stored = change.signers().await?;
        let preferred = self.settings.dkim_selector.as_ref();
        for signing in dkim::signing(&self.world.paths, self.domain, &stored, preferred)? {
            let signer = signing.signer();
            if !stored.contains(&signer) {
                change.sign_with(&signer, now).await?;
            }
        }
        if self.args.dry_run { change.undo().await } else { change.commit().await }
    }

    /// Sends the new key's record, where the settings name a key for it. The state is saved before: where the zone
    /// cannot be changed now, the next call does it.
    async fn publish(&self, dns: &Dns, report: &mut Report) -> Result<(), Error> {
        let Some(selector) = &report.unpublished else { return Ok(()) };
        let Some(key) = dkim::find(&self.world.paths, self.domain, selector)? else { return Ok(()) };
        if dns_publish::key(dns, self.settings, &key, false).await? {
            report.publish.retain(|(of, _)| of != selector);
            report.published = true;
        }
        Ok(())
    }

    /// What stands pending, and whether its record is everywhere.
    async fn look(&self, dns: &Dns) -> Result<(Vec<Staged>, Option<(Selector, Seen)>), Error> {
        let store = self.world.store_to_read().await?;
        let staged = store.stages(self.domain).await?;
        store.close().await;
        for pending in staged.iter().rev().filter(|staged| staged.stage == Stage::Pending) {
            let Some(key) = dkim::find(&self.world.paths, self.domain, &pending.selector)? else { continue };
            if key.record.algorithm == self.algorithm {
                let seen = stand::seen(dns, self.domain, &key).await?;
                return Ok((staged, Some((key.selector, seen))));
            }
        }
        Ok((staged, None))
    }

    async fn retire(
        &self,
        dns: &Dns,
        change: &mut Change,
        staged: &[&Staged],
        queue: Queue,
        now: i64,
        report: &mut Report,
    ) -> Result<(), Error> {
        for old in staged.iter().filter(|staged| staged.stage == Stage::Leaving) {
            match may_retire(old.since, queue, i64::from(self.args.hold), now) {
                Ok(()) => {
                    // Sent before it is written down: a zone that cannot be changed now is asked again.
                    let key = dkim::find(&self.world.paths, self.domain, &old.selector)?;
                    // Without its file it cannot be told from another server's key: a person has to.
                    let step = if key.is_some() { "withdrawn" } else { "withdrawn, and its file is gone" };
                    let sent = match key.filter(|_| !self.args.dry_run) {
                        Some(key) => dns_publish::key(dns, self.settings, &key, true).await?,
                        None => false,
                    };
                    change.stage(self.domain, &old.selector, Some(Stage::Retired), now).await?;
                    report.done.push(Done { step, selector: old.selector.clone() });
                    report.published |= sent;
                    if !sent {
                        let name = Record::name(self.domain, &old.selector);
                        let line = format!("{name}. IN TXT \"{RETIRED}\"");
                        report.publish.push((old.selector.clone(), line));
                    }
                }
                Err(stays) => {
                    let there = dkim::find(&self.world.paths, self.domain, &old.selector)?.is_some();
                    let lost = if there { "" } else { ", and its file is gone" };
                    report.waiting.push(format!("{} stays published: {}{lost}", old.selector, why(stays)));
                }
            }
        }
        Ok(())
    }

    async fn begin(
        &self,
        change: &mut Change,
        keys: &[Key],
        now: i64,
        report: &mut Report,
        ui: &mut Ui,
    ) -> Result<(), Error> {
        let selector = self.new_selector(keys)?;
        report.done.push(Done { step: "made", selector: selector.clone() });
        if self.args.dry_run {
            return Ok(());
        }
        let kind = match self.algorithm {
            Algorithm::Rsa => Kind::Rsa(self.args.bits),
            Algorithm::Ed25519 => Kind::Ed25519,
        };
        let progress = ui.progress();
        progress.phase("making the key");
        let key = make(self.world, self.domain, &selector, kind).await?;
        drop(progress);
        change.stage(self.domain, &selector, Some(Stage::Pending), now).await?;
        report.publish.push((selector.clone(), key.record.zone(self.domain, &selector)));
        report.unpublished = Some(selector.clone());
        report
            .waiting
            .push(format!("{selector} signs as soon as every name server of {} has it", self.domain));
        Ok(())
    }

    /// A selector of the settings is a name that is published already, so never the new one.
    fn new_selector(&self, keys: &[Key]) -> Result<Selector, Error> {
        let taken: Vec<Selector> = keys.iter().map(|key| key.selector.clone()).collect();
        if let Some(text) = &self.args.selector {
            let wanted = names::selector(text)?;
            if taken.contains(&wanted) {
                return Err(dkim::taken(&self.world.paths.dkim_key(self.domain, &wanted)));
            }
            return Ok(wanted);
        }
        let today = time::OffsetDateTime::now_utc();
        fresh(&Selector::dated(today.year(), today.month().into()), &taken).ok_or_else(|| {
            Error::new(codes::EXISTS, "no name for a new key is free").hint("name one: --selector NAME")
        })
    }

    async fn publish_or_switch(
        &self,
        change: &mut Change,
        key: &Key,
        seen: Seen,
        now: i64,
        report: &mut Report,
    ) -> Result<(), Error> {
        let list = |names: Vec<String>| names.join(", ");
        let waiting = match seen {
            Seen::Everywhere => {
                switch(change, self.settings, self.world, key, now).await?;
                report.switched = true;
                report.done.push(Done { step: SIGNS, selector: key.selector.clone() });
                return Ok(());
            }
            Seen::Lacking(servers) => {
                format!("not yet at {}", list(servers.iter().map(ToString::to_string).collect()))
            }
            Seen::Unknown(why) => format!("could not be checked: {}", list(why)),
        };
        report.publish.push((key.selector.clone(), key.record.zone(self.domain, &key.selector)));
        report.unpublished = Some(key.selector.clone());
        report.waiting.push(format!("{} is {waiting}", key.selector));
        Ok(())
    }

    async fn stand(&self, report: &mut Report) -> Result<(), Error> {
        let store = self.world.store_to_read().await?;
        let served = self.world.served(self.settings, &store, self.domain).await?;
        store.close().await;
        let of_kind = served.keys.into_iter().filter(|key| key.record.algorithm == self.algorithm);
        report.keys = of_kind.map(|key| Standing { selector: key.selector, stage: key.stage }).collect();
        let left = report.keys.iter().find(|key| key.stage == Stage::Leaving);
        if let Some(left) = left.filter(|_| report.waiting.is_empty() && !self.args.dry_run) {
            report.waiting.push(format!(
                "{} stays published until nothing it signed is in the queue; then again: mailctl dkim rotate {}",
                left.selector, self.domain
            ));
        }
        Ok(())
    }
}

fn why(stays: Stays) -> String {
    let at = |seconds: i64| {
        time::OffsetDateTime::from_unix_timestamp(seconds)
            .ok()
            .and_then(|time| time.format(&time::format_description::well_known::Rfc3339).ok())
            .unwrap_or_default()
    };
    match stays {
        Stays::Queued(since) => {
            format!("mail of {} is still in the queue (mailctl exec postfix mailq)", at(since))
        }
        Stays::Until(until) => format!("receivers may look at its last mail until {}", at(until)),
        Stays::Unknown => "the queue cannot be seen while Postfix does not run".to_owned(),
    }
}
