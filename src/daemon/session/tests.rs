use super::*;
use futures_util::FutureExt;
use std::sync::Arc;
use tokio::io::{DuplexStream, duplex};

/// Answers each line with itself; refuses a line with an exclamation mark; panics at a bomb.
struct Echo;

impl Answer for Echo {
    fn answer(&self, buffer: &[u8], replies: &mut Vec<u8>) -> Progress {
        assert!(!buffer.starts_with(b"bomb"), "as the test wants it");
        if buffer.contains(&b'!') {
            return Progress::Refused("loud");
        }
        if let Some(at) = memchr::memmem::find(buffer, b"later ")
            && let Some(end) = memchr::memchr(b'\n', &buffer[at..])
        {
            replies.extend(&buffer[..at]);
            let reply = buffer[at + 6..=at + end].to_vec();
            let late = async {
                tokio::time::sleep(Duration::from_secs(1)).await;
                reply
            };
            return Progress::Later(at + end + 1, late.boxed());
        }
        let used = buffer.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        replies.extend(&buffer[..used]);
        Progress::Used(used)
    }
}

const PATIENCE: Patience = Patience { idle: Duration::from_secs(100), request: Duration::from_secs(10) };

fn start() -> (DuplexStream, Arc<Drain>, tokio::task::JoinHandle<End>) {
    let (ours, theirs) = duplex(4096);
    let drain = Arc::new(Drain::default());
    let held = drain.clone();
    let task = tokio::spawn(async move { serve(theirs, &Echo, PATIENCE, &held).await });
    (ours, drain, task)
}

async fn read(client: &mut DuplexStream, wanted: &[u8]) {
    let mut got = vec![0; wanted.len()];
    client.read_exact(&mut got).await.unwrap();
    assert_eq!(got, wanted);
}

#[tokio::test(start_paused = true)]
async fn requests_in_pieces_and_in_heaps() {
    let (mut client, _drain, task) = start();
    client.write_all(b"a\nb\nc").await.unwrap();
    read(&mut client, b"a\nb\n").await;
    client.write_all(b"d\n").await.unwrap();
    read(&mut client, b"cd\n").await;
    drop(client);
    assert!(matches!(task.await.unwrap(), End::Over));
}

/// Proves: an answer that takes its time holds up those behind it, and nobody else; none is cut off by a stop.
#[tokio::test(start_paused = true)]
async fn a_late_answer_keeps_its_place() {
    let (mut client, drain, task) = start();
    client.write_all(b"later a\nb\nlater c\nd").await.unwrap();
    let began = Instant::now();
    read(&mut client, b"a\nb\n").await;
    assert_eq!(began.elapsed().as_secs(), 1);
    drain.begin();
    read(&mut client, b"c\n").await;
    assert_eq!(began.elapsed().as_secs(), 2);
    client.write_all(b"\n").await.unwrap();
    read(&mut client, b"d\n").await;
    assert!(matches!(task.await.unwrap(), End::Over));
}

/// Proves: threats 20 (slow bytes).
#[tokio::test(start_paused = true)]
async fn an_idle_client_may_stay_longer_than_a_slow_one() {
    let (mut client, _drain, task) = start();
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_secs(90)).await;
        client.write_all(b"a\n").await.unwrap();
        read(&mut client, b"a\n").await;
    }
    let began = Instant::now();
    for _ in 0..30 {
        if client.write_all(b"x").await.is_err() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    assert!(matches!(task.await.unwrap(), End::Slow));
    assert!(began.elapsed() < Duration::from_secs(40));

    let (_client, _drain, task) = start();
    let began = Instant::now();
    assert!(matches!(task.await.unwrap(), End::Over));
    assert_eq!(began.elapsed().as_secs(), 100);
}

/// Proves: threats 20 (a client that takes no replies).
#[tokio::test(start_paused = true)]
async fn a_client_that_does_not_read_is_left() {
    let (mut client, _drain, task) = start();
    while client.write_all(&[b'\n'; 1000]).await.is_ok() {}
    assert!(matches!(task.await.unwrap(), End::Slow));
}

/// Proves: fault 28 (no session is cut before its reply).
#[tokio::test(start_paused = true)]
async fn draining_ends_idle_sessions_and_lets_others_finish() {
    let (_idle, drain, task) = start();
    tokio::task::yield_now().await;
    drain.begin();
    assert!(matches!(task.await.unwrap(), End::Over));

    let (mut busy, drain, task) = start();
    busy.write_all(b"hal").await.unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    drain.begin();
    tokio::time::sleep(Duration::from_secs(1)).await;
    busy.write_all(b"f\n").await.unwrap();
    read(&mut busy, b"half\n").await;
    assert!(matches!(task.await.unwrap(), End::Over));
}

#[tokio::test(start_paused = true)]
async fn nonsense_ends_the_session() {
    let (mut client, _drain, task) = start();
    client.write_all(b"hey!\n").await.unwrap();
    assert!(matches!(task.await.unwrap(), End::Refused(why) if why == "loud"));
}
