//! A list of servers that are asked for the same: the resolvers of a host, or one name server.

use super::{
    exchange::{Failure, Reply, exchange},
    window::{Turn, Window},
};
use futures_util::stream::{FuturesUnordered, StreamExt};
use hickory_net::proto::op::{Message, ResponseCode};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::{sync::Semaphore, time::Instant};

/// How often a question is asked again that was refused in a crowd.
const CROWDS: usize = 4;

/// Servers in the order in which they are asked.
pub struct Upstream {
    servers: Vec<(SocketAddr, Window)>,
    /// The one that answered last.
    first: AtomicUsize,
    deadline: Duration,
    /// Questions under way to anybody: each has a socket of its own.
    sockets: Arc<Semaphore>,
}

impl Upstream {
    /// `begin` and `most` questions at a time to each, and `deadline` for every question.
    pub fn new(
        servers: &[SocketAddr],
        (begin, most): (usize, usize),
        deadline: Duration,
        sockets: &Arc<Semaphore>,
    ) -> Self {
        let servers = servers.iter().map(|server| (*server, Window::new(begin, most))).collect();
        Self { servers, first: AtomicUsize::new(0), deadline, sockets: Arc::clone(sockets) }
    }

    /// The best answer of all servers: the first that says yes or no; else what the last one complained about.
    /// The next server is asked as soon as one fails, or is silent for a fifth of the deadline.
    pub async fn ask(&self, query: &Message, turn: Turn) -> Result<Reply, Failure> {
        let first = self.first.load(Ordering::Relaxed);
        let mut waiting = (0..self.servers.len()).map(|step| (first + step) % self.servers.len());
        let mut asked = FuturesUnordered::new();
        let mut worst = Err(Failure::Timeout);
        let stagger = self.deadline / 5;
        loop {
            match waiting.next() {
                Some(index) => asked.push(async move { (index, self.one(index, query, turn).await) }),
                None if asked.is_empty() => return worst,
                None => {}
            }
            let more = waiting.len() > 0;
            let next = if more {
                match tokio::time::timeout(stagger, asked.next()).await {
                    Err(_) => continue,
                    Ok(next) => next,
                }
            } else {
                asked.next().await
            };
            match next {
                Some((index, Ok(reply))) if decides(&reply) => {
                    self.first.store(index, Ordering::Relaxed);
                    return Ok(reply);
                }
                // A complaint says more than silence, but another server may know better.
                Some((_, Ok(reply))) => worst = Ok(reply),
                Some((_, Err(failure @ Failure::Fault(_)))) if worst.is_err() => worst = Err(failure),
                Some((_, Err(_))) | None => {}
            }
        }
    }

    async fn one(&self, index: usize, query: &Message, turn: Turn) -> Result<Reply, Failure> {
        let (server, window) = &self.servers[index];
        let mut query = query.clone();
        let mut crowds = 0;
        loop {
            let Some(place) = window.enter(self.deadline, turn).await else { return Err(Failure::Timeout) };
            // Never closed.
            let Ok(_socket) = self.sockets.acquire().await else { return Err(Failure::Timeout) };
            let answer = exchange(*server, &query, Instant::now() + self.deadline).await;
            let code = answer.as_ref().map(|reply| reply.message.metadata.response_code);
            match code {
                // Some relays have a fixed number of places and refuse whoever comes then.
                Ok(ResponseCode::Refused) if crowds < CROWDS && place.crowded() => {
                    crowds += 1;
                    place.overwhelmed();
                }
                // Old servers do not know EDNS (RFC 6891 §7).
                Ok(ResponseCode::FormErr | ResponseCode::NotImp | ResponseCode::BADVERS)
                    if query.edns.is_some() =>
                {
                    place.answered();
                    query.edns = None;
                }
                Ok(_) => {
                    let again = answer.as_ref().is_ok_and(|reply| reply.again);
                    if again {
                        place.late()
                    } else {
                        place.answered()
                    }
                    return answer;
                }
                Err(_) => {
                    place.unanswered();
                    return answer;
                }
            }
        }
    }
}

/// Yes or no: nobody else needs to be asked.
fn decides(reply: &Reply) -> bool {
    matches!(reply.message.metadata.response_code, ResponseCode::NoError | ResponseCode::NXDomain)
}
