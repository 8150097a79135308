//! The figures of the policies.

use super::page::{Kind, Page};
use crate::daemon::{
    forward,
    letters::Letters,
    memory::Standing,
    milter,
    policy::{Dnsbl, Facts, Recall, Tally},
};
use std::sync::Arc;

/// Where they come from.
pub struct Policies {
    /// What was answered.
    pub tally: Arc<Tally>,
    /// What is remembered.
    pub recall: Arc<Recall>,
    /// What DNS said of senders.
    pub facts: Arc<Facts>,
    /// Blocklists in DNS.
    pub dnsbl: Arc<Dnsbl>,
    /// What became of mail that leads elsewhere.
    pub forwarded: Option<Arc<forward::Counts>>,
    /// How writing it does.
    pub standing: Arc<Standing>,
    /// What was done to messages.
    pub milter: Arc<milter::Counts>,
    /// Letters to people.
    pub letters: Arc<Letters>,
}

impl Policies {
    /// Writes them.
    pub fn write(&self, page: &mut Page) {
        let mut family = page.family(
            "policy_decisions_total",
            Kind::Counter,
            "Answers to Postfix, by the rule that gave them.",
        );
        for (rule, answer, count) in self.tally.decisions() {
            family.sample(&[("rule", rule), ("answer", answer)], count);
        }
        let (buckets, seconds) = self.tally.latencies();
        let all = buckets.last().map_or(0, |(_, count)| *count);
        let mut family =
            page.family("policy_answer_seconds", Kind::Histogram, "How long answers to Postfix took.");
        for (bound, count) in &buckets {
            family.part("_bucket", &[("le", bound)], count);
        }
        family.part("_sum", &[], seconds).part("_count", &[], all);
        page.family("policy_warnings_total", Kind::Counter, "Limits that were used up to four fifths.")
            .sample(&[], self.tally.warnings());
        let about = "Warnings by mail: letters that were begun, that Postfix took, and that were given up.";
        let mut family = page.family("letters_total", Kind::Counter, about);
        for (state, count) in self.letters.ended() {
            family.sample(&[("state", state)], count);
        }
        page.family("letters_waiting", Kind::Gauge, "Letters that Postfix has not taken yet.")
            .sample(&[], self.letters.waiting());
        let mut family = page.family(
            "milter_messages_total",
            Kind::Counter,
            "Messages whose header was looked at, by what became of them.",
        );
        for (answer, count) in self.milter.answers() {
            family.sample(&[("answer", answer)], count);
        }
        page.family(
            "milter_forged_total",
            Kind::Counter,
            "Header fields that bore our name falsely and were removed.",
        )
        .sample(&[], self.milter.removed());
        let mut family = page.family("memory_entries", Kind::Gauge, "What the policies remember.");
        for (table, entries) in self.recall.sizes() {
            family.sample(&[("table", table)], entries as u64);
        }
        let (verdicts, kept) = self.facts.figures();
        family.sample(&[("table", "spf")], kept as u64);
        let mut family = page.family("spf_verdicts_total", Kind::Counter, "SPF evaluations, by verdict.");
        for (verdict, count) in verdicts {
            family.sample(&[("verdict", verdict.as_str())], count);
        }
        let zones = self.dnsbl.told();
        let mut family =
            page.family("dnsbl_asked", Kind::Gauge, "Whether a blocklist passes its test and is asked.");
        for told in &zones {
            family.sample(&[("zone", &told.zone)], u64::from(told.unfit.is_none()));
        }
        let mut family =
            page.family("dnsbl_listed_total", Kind::Counter, "Clients and names that a blocklist had.");
        for told in &zones {
            family.sample(&[("zone", &told.zone)], told.listed);
        }
        if let Some(forwarded) = &self.forwarded {
            let (outcomes, reports, octets) = forwarded.figures();
            let about = "Messages for addresses that lead elsewhere, by what became of them.";
            let mut family = page.family("forward_messages_total", Kind::Counter, about);
            for (outcome, count) in forward::OUTCOMES.into_iter().zip(outcomes) {
                family.sample(&[("outcome", outcome)], count);
            }
            let about = "Senders that were told of targets that refused.";
            page.family("forward_reports_total", Kind::Counter, about).sample(&[], reports);
            page.family("forward_bytes_total", Kind::Counter, "Octets of messages that were sent on.")
                .sample(&[], octets);
        }
        let (octets, _) = self.standing.figures();
        page.family("memory_written_bytes_total", Kind::Counter, "Octets of it written to the disk.")
            .sample(&[], octets);
        page.family("memory_on_disk", Kind::Gauge, "Whether the disk took the last of it.")
            .sample(&[], u64::from(self.standing.well()));
    }
}
