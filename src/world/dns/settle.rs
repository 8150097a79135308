//! The driver of judgements: asks what they miss until they miss nothing.

use super::{Asked, Dns};
use crate::mail::dns::{Answer, Fetched, Inquiry, Known, Question};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::collections::HashSet;

/// Answers after which a judgement that still asks is taken for one without end. A whole domain takes some hundred.
const MOST: usize = 5_000;

/// Where a judgement ended.
#[derive(Clone, Debug)]
pub struct Settled<T> {
    /// Its verdict.
    pub verdict: T,
    /// Questions that had to wait for each other: the longest chain.
    pub chain: u32,
    /// All that it looked at.
    pub known: Known,
}

/// Calls `judge`, asks what it missed, and calls it again with every answer that arrives, until it gives a verdict
/// and misses nothing. Questions go out as soon as they are known; none waits for an answer that it does not
/// depend on, and a dead server costs one deadline. The error is one clear line: the judgement has no end, or gives
/// no verdict although it knows everything, and is wrong itself.
pub async fn settle<T>(
    dns: &Dns,
    judge: impl FnMut(&Inquiry<'_>) -> Option<T>,
) -> Result<Settled<T>, String> {
    settle_with(dns, judge, |_| {}).await
}

/// The same; `seen` gets every verdict on the way, also where something is still missing.
pub async fn settle_with<T>(
    dns: &Dns,
    mut judge: impl FnMut(&Inquiry<'_>) -> Option<T>,
    mut seen: impl FnMut(&T),
) -> Result<Settled<T>, String> {
    let mut known = Known::default();
    let mut asked: HashSet<Question> = HashSet::new();
    let mut fetched: HashSet<String> = HashSet::new();
    let mut under_way = FuturesUnordered::new();
    let (mut chain, mut depth) = (0, 0);
    for _ in 0..MOST {
        let inquiry = Inquiry::new(&known);
        let verdict = judge(&inquiry);
        let missing = inquiry.missing();
        if let Some(verdict) = verdict {
            seen(&verdict);
            if missing.is_empty() {
                return Ok(Settled { verdict, chain, known });
            }
        }
        for question in missing.questions {
            if asked.insert(question.clone()) {
                under_way.push(find(dns, Want::Answer(question), depth));
            }
        }
        for url in missing.pages {
            if fetched.insert(url.clone()) {
                under_way.push(find(dns, Want::Page(url), depth));
            }
        }
        let Some((got, reached)) = under_way.next().await else {
            return Err("a judgement about DNS came to no end although nothing is missing".to_owned());
        };
        depth = reached;
        chain = chain.max(reached);
        match got {
            Got::Answer(question, answer) => {
                known.answers.insert(question, answer);
            }
            Got::Page(url, page) => {
                known.pages.insert(url, page);
            }
        }
    }
    Err(format!("a judgement about DNS still asks after {MOST} answers"))
}

enum Want {
    Answer(Question),
    Page(String),
}

enum Got {
    Answer(Question, Answer),
    Page(String, Fetched),
}

/// With the length of the chain that ends with it.
async fn find(dns: &Dns, want: Want, depth: u32) -> (Got, u32) {
    match want {
        Want::Answer(question) => {
            let Asked { answer, steps } = dns.asked(&question).await;
            (Got::Answer(question, answer), depth + steps)
        }
        Want::Page(url) => {
            let page = dns.fetch(&url).await;
            (Got::Page(url, page), depth + 1)
        }
    }
}
