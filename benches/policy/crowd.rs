//! Clients that do nothing, and clients that take their time.

use crate::{
    load::{Place, Requests, load, median},
    report::{Goal, line},
    servers::Server,
};
use std::time::Duration;
use tokio::task::JoinSet;

const IDLE: usize = 10_000;
const SLOW: usize = 200;
const ROUNDS: usize = 11;

/// What a connection costs that has asked once and is silent now.
pub async fn idle(ours: &Server, requests: &Requests) {
    let before = ours.resident();
    let mut open = Vec::with_capacity(IDLE);
    for number in 0..IDLE {
        let mut connection = ours.unix.connect().await.unwrap();
        connection.ask(&requests[number]).await.unwrap();
        open.push(connection);
    }
    let each = (ours.resident() - before) * 1024.0 / IDLE as f64;
    line("policy: memory of an idle connection, of 10,000", each, "KiB", Goal::AtMost(64.0));
}

/// Honest clients beside such that send a byte now and then, turn about with honest ones alone.
pub async fn slow(ours: &Server, requests: &Requests) {
    let mut ratios = Vec::new();
    for _ in 0..ROUNDS {
        let alone = load(&ours.unix, 10, requests).await.rate;
        let crowd = slow_ones(&ours.unix, requests).await;
        ratios.push(load(&ours.unix, 10, requests).await.rate / alone);
        drop(crowd);
    }
    line("policy: beside 200 slow clients, to without", median(&mut ratios), "", Goal::AtLeast(0.9));
}

async fn slow_ones(place: &Place, requests: &Requests) -> JoinSet<()> {
    let mut crowd = JoinSet::new();
    for number in 0..SLOW {
        let mut connection = place.connect().await.unwrap();
        let request = requests[number].clone();
        crowd.spawn(async move {
            for byte in request {
                if connection.drip(&[byte]).await.is_err() {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        });
    }
    crowd
}
