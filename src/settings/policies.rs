//! `[submission]`, `[rates]`, `[greylist]`, `[spf]`, `[dnsbl]`: what mailctld's policies let pass.

use super::{source::Words, value};
use crate::mail::{
    dnsbl::Zone,
    greylist,
    habit::Freeze,
    header::author::HeaderFrom,
    limit::Limits,
    policy::{Rates, Rules},
    spf,
};

impl Words {
    /// With commas or blanks between them.
    pub(super) fn dnsbl(&mut self) -> Vec<Zone> {
        let zones = |text: &str| {
            text.split([',', ' ', '\t']).filter(|word| !word.is_empty()).map(str::parse).collect()
        };
        self.or("dnsbl.zones", zones, Vec::new())
    }

    pub(super) fn policies(&mut self) -> Rules {
        let freeze = Freeze {
            times: self.or("rates.freeze_times", |text| value::whole(text, 0, 1000), 0),
            from: self.or("rates.freeze_from", |text| value::whole(text, 1, 1_000_000), 1),
        };
        let rates = Rates {
            login: self.or("rates.login", str::parse, Limits::OFF),
            client: self.or("rates.client", str::parse, Limits::OFF),
            sender_domain: self.or("rates.sender_domain", str::parse, Limits::OFF),
            recipient_domain: self.or("rates.recipient_domain", str::parse, Limits::OFF),
            freeze,
        };
        let span = |most| move |text: &str| value::span_to(text, most);
        let usual = greylist::Rule::default();
        let bits = |least, most| {
            move |text: &str| {
                value::whole(text, least, most).map(|bits| u8::try_from(bits).unwrap_or(u8::MAX))
            }
        };
        let greylist = greylist::Rule {
            mode: self.or("greylist.mode", str::parse, usual.mode),
            delay: self.or("greylist.delay", span(3600), usual.delay),
            window: self.or("greylist.window", span(1_209_600), usual.window),
            keep: self.or("greylist.keep", span(31_536_000), usual.keep),
            after: self.or("greylist.after", |text| value::whole(text, 0, 1000), usual.after),
            ipv4: self.or("greylist.ipv4", bits(8, 32), usual.ipv4),
            ipv6: self.or("greylist.ipv6", bits(16, 128), usual.ipv6),
        };
        let usual = spf::rule::Rule::default();
        let spf = spf::rule::Rule {
            mode: self.or("spf.mode", str::parse, usual.mode),
            temperror: self.or("spf.temperror", str::parse, usual.temperror),
            permerror: self.or("spf.permerror", str::parse, usual.permerror),
        };
        let header_from = self.or("submission.header_from", str::parse, HeaderFrom::Own);
        Rules { header_from, rates, greylist, spf }
    }
}
