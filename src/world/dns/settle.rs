//! The driver of judgements: asks what they miss until they miss nothing.

use super::{Asked, Dns, window::Turn};
use crate::mail::dns::{Answer, Fetched, Inquiry, Known, Question, Whom};
use futures_util::stream::{FuturesUnordered, StreamExt};
use std::{collections::HashSet, fmt};

/// Answers after which a judgement that still asks is taken for one without end. A whole domain takes some hundred.
const MOST: usize = 5_000;

/// Where a judgement ended.
#[derive(Clone, Debug)]
pub struct Settled<T> {
    /// Its verdict.
    pub verdict: T,
    /// Questions that had to wait for each other: the longest chain.
    pub chain: u32,
    /// Its links, each found by the answer to the one before; a proof of DNSSEC is one link of several questions.
    pub links: Vec<String>,
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
    let mut asked: HashSet<Want> = HashSet::new();
    let mut under_way = FuturesUnordered::new();
    let mut links: Vec<Link> = Vec::new();
    let (mut chain, mut longest) = (0, None);
    let (mut depth, mut last) = (0, None);
    for _ in 0..MOST {
        let inquiry = Inquiry::new(&known);
        let verdict = judge(&inquiry);
        let missing = inquiry.missing();
        if let Some(verdict) = verdict {
            seen(&verdict);
            if missing.is_empty() {
                return Ok(Settled { verdict, chain, links: path(&links, longest), known });
            }
        }
        let pages = missing.pages.into_iter().map(Want::Page);
        for want in missing.questions.into_iter().map(Want::Answer).chain(pages) {
            if asked.insert(want.clone()) {
                under_way.push(find(dns, want.clone(), depth, links.len()));
                links.push(Link { want, after: last });
            }
        }
        let Some((got, reached, link)) = under_way.next().await else {
            return Err("a judgement about DNS came to no end although nothing is missing".to_owned());
        };
        (depth, last) = (reached, Some(link));
        if reached > chain {
            (chain, longest) = (reached, last);
        }
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

/// Something that was asked, and the answer that led to it.
struct Link {
    want: Want,
    after: Option<usize>,
}

/// From the first to `last`.
fn path(links: &[Link], mut last: Option<usize>) -> Vec<String> {
    let mut path = Vec::new();
    while let Some(link) = last.map(|index| &links[index]) {
        path.push(link.want.to_string());
        last = link.after;
    }
    path.reverse();
    path
}

#[derive(Clone, PartialEq, Eq, Hash)]
enum Want {
    Answer(Question),
    Page(String),
}

impl fmt::Display for Want {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(question) if question.whom == Whom::Validating => write!(f, "{question} proven"),
            Self::Answer(question) => question.fmt(f),
            Self::Page(url) => f.write_str(url),
        }
    }
}

enum Got {
    Answer(Question, Answer),
    Page(String, Fetched),
}

/// With the length of the chain that ends with it, and its link.
async fn find(dns: &Dns, want: Want, depth: u32, link: usize) -> (Got, u32, usize) {
    match want {
        Want::Answer(question) => {
            let turn = if depth == 0 { Turn::Queue } else { Turn::Ahead };
            let Asked { answer, steps } = dns.asked_in(&question, turn).await;
            (Got::Answer(question, answer), depth + steps, link)
        }
        Want::Page(url) => {
            let page = dns.fetch(&url).await;
            (Got::Page(url, page), depth + 1, link)
        }
    }
}
