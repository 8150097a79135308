//! Clients that say nothing, and clients that take their time, beside such that want an answer.

use crate::place::{Place, Session};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use std::{
    os::unix::net::UnixStream,
    sync::mpsc::{RecvTimeoutError, channel},
    time::{Duration, Instant},
};

const IDLE: usize = 3000;
const SLOW: usize = 200;
const RCPT: &str =
    "protocol_state=RCPT client_address=192.0.2.7 sender=a@b.example recipient=ann@example.test";

/// The quickest of ten times that 200 requests take, one after the other: what the machine does beside is in the others.
fn quickest(session: &mut Session<UnixStream>) -> Duration {
    let round = |_| {
        let began = Instant::now();
        (0..200).for_each(|_| assert_eq!(session.ask(RCPT).unwrap(), "DUNNO"));
        began.elapsed()
    };
    (0..10).map(round).min().unwrap()
}

/// Proves: fault 25 (idle and slow clients), in small: the figures for 10,000 and 200 are those of `benches/policy`.
#[test]
fn a_crowd_that_idles_and_drips_holds_up_nobody() {
    // Its side of all these connections.
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit }).unwrap();
    let mut place = Place::new("[policies.rates]\nclient = \"messages 2/d\"\n");
    place.start();
    let mut honest = place.connect();
    let alone = quickest(&mut honest);
    let before = place.resident();
    let crowd =
        |number: usize| -> Vec<Session<UnixStream>> { (0..number).map(|_| place.connect()).collect() };
    let mut idle = crowd(IDLE);
    for session in &mut idle {
        assert_eq!(session.ask(RCPT).unwrap(), "DUNNO");
    }
    let each = (place.resident() - before) * 1024 / i64::try_from(IDLE).unwrap();
    assert!(each <= 64 * 1024, "{each} octets for each");
    let mut slow = crowd(SLOW);
    let (enough, told) = channel::<()>();
    let dripping = std::thread::spawn(move || {
        slow.iter_mut().for_each(|session| assert!(session.send(b"request=")));
        while told.recv_timeout(Duration::from_millis(20)) == Err(RecvTimeoutError::Timeout) {
            slow.iter_mut().for_each(|session| {
                session.send(b"a");
            });
        }
    });
    let beside = quickest(&mut honest);
    drop(enough);
    dripping.join().unwrap();
    // Nine tenths on a machine that does nothing else; `make bench` holds that.
    assert!(beside < alone * 2, "{alone:?} alone, {beside:?} beside them");
    // The oldest of the idle are still there.
    assert_eq!(idle[0].ask(RCPT).unwrap(), "DUNNO");
    assert!(place.lives());
}
