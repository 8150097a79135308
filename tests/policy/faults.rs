//! A daemon that is killed, that is stopped, and that gets no more threads, with clients in the middle of everything.

use crate::place::{LONG, Place, soon};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    net::UdpSocket,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

const END: &str = "protocol_state=END-OF-MESSAGE client_address=192.0.2.7 recipient_count=1 size=9";
const RCPT: &str = "protocol_state=RCPT client_address=192.0.2.1 helo_name=mx.example.net sender=a@b.example \
                    recipient=ann@example.test";

fn request(attributes: &str) -> Vec<u8> {
    format!("request=smtpd_access_policy\n{}\n\n", attributes.replace(' ', "\n")).into_bytes()
}

/// The same line of `/proc/…/status` of each of its threads.
fn threads(place: &Place, key: &str) -> Vec<String> {
    let tasks = fs::read_dir(format!("/proc/{}/task", place.pid())).unwrap().map(|task| task.unwrap().path());
    let line = |text: String| text.lines().find(|line| line.starts_with(key)).map(str::to_owned);
    tasks.filter_map(|task| line(fs::read_to_string(task.join("status")).ok()?)).collect()
}

fn signal(place: &Place, signal: Signal) {
    let pid = Pid::from_raw(i32::try_from(place.pid()).unwrap()).unwrap();
    kill_process(pid, signal).unwrap();
}

/// Proves: fault 1 (killed, while idle, in half a request, and while an answer waits for DNS): each client meets a closed
/// connection and never half an answer, and over what was left there it is back within a second.
#[test]
fn killed_in_the_middle_of_requests_it_comes_back() {
    // It takes questions and answers none: who asks about a sender waits for more than a second.
    let dns = UdpSocket::bind("127.0.0.1:0").unwrap();
    dns.set_read_timeout(Some(LONG)).unwrap();
    let at = dns.local_addr().unwrap();
    let mut place = Place::new(&format!("resolvers = [\"{at}\"]\n[policies.spf]\nmode = \"reject\"\n"));
    place.start();
    let mut idle = place.connect();
    assert_eq!(idle.ask(END).unwrap(), "DUNNO");
    let mut half = place.connect();
    assert!(half.send(b"request=smtpd_access_policy\nsender=half"));
    let mut waiting = place.connect();
    assert!(waiting.send(&request(RCPT)));
    dns.recv(&mut [0; 512]).unwrap();
    place.crash();
    for session in [&mut idle, &mut half, &mut waiting] {
        assert!(session.is_closed());
    }
    let began = Instant::now();
    place.start();
    assert_eq!(place.ask(END), "DUNNO");
    // A second, and what a busy machine takes to start a program.
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(place.ask(RCPT).starts_with("451 4.7.24 "));
}

/// Proves: fault 2 (stopped): nobody gets a wrong answer meanwhile; going on, the same process answers everything that was
/// asked, on connections of before and on those that nobody had accepted, and counts each once.
#[test]
fn stopped_it_answers_everything_when_it_goes_on() {
    let mut place = Place::new("[policies.rates]\nclient = \"messages 3/d\"\n");
    place.start();
    let mut old = place.connect();
    assert_eq!(old.ask(END).unwrap(), "DUNNO");
    signal(&place, Signal::STOP);
    soon("every thread has stopped", || {
        threads(&place, "State").iter().all(|state| state.contains("(stopped)"))
    });
    let mut new = place.connect();
    assert!(old.send(&request(END).repeat(2)) && new.send(&request(END)));
    // Postfix goes after two seconds, and says 451.
    let mut impatient = place.connect();
    assert!(impatient.send(&request(RCPT)));
    drop(impatient);
    for session in [&mut old, &mut new] {
        session.0.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        assert_eq!(session.answer(), None);
        session.0.set_read_timeout(Some(LONG)).unwrap();
    }
    signal(&place, Signal::CONT);
    let answers = [old.answer().unwrap(), old.answer().unwrap(), new.answer().unwrap()];
    let refused = answers.iter().filter(|answer| answer.starts_with("451 4.7.1 ")).count();
    let taken = answers.iter().filter(|answer| *answer == "DUNNO").count();
    assert_eq!((taken, refused), (2, 1), "{answers:?}");
    assert!(place.lives());
}

/// The kernel refuses this process more threads, until this is dropped.
struct NoThreads(Child);

impl NoThreads {
    fn within(place: &Place) -> Self {
        let pid = place.pid().to_string();
        let words = ["-f", "-qq", "-o", "/dev/null", "-e", "trace=clone,clone3"];
        let strace = Command::new("strace")
            .args(words)
            .args(["-e", "inject=clone,clone3:error=EAGAIN", "-p", &pid])
            .stdin(Stdio::null())
            .spawn();
        let strace = strace.expect("strace: .ci/provision test");
        soon("every thread is traced", || {
            threads(place, "TracerPid").iter().all(|tracer| !tracer.ends_with("\t0"))
        });
        Self(strace)
    }
}

impl Drop for NoThreads {
    fn drop(&mut self) {
        // Told so, it lets go; killed, it might leave somebody stopped.
        let _ = kill_process(Pid::from_child(&self.0), Signal::TERM);
        let _ = self.0.wait();
    }
}

/// Proves: fault 3 (out of threads): what is asked is answered, configuration and lists are followed, nothing panics; and
/// afterwards all is as before, by the same process.
#[test]
fn without_another_thread_it_goes_on() {
    let mut place = Place::new("");
    let lists = place.path("lists");
    fs::create_dir(&lists).unwrap();
    let rules = |most: u32| format!("lists = {lists:?}\n[policies.rates]\nclient = \"messages {most}/d\"\n");
    place.configure(&rules(1));
    place.start();
    let mut old = place.connect();
    assert_eq!(old.ask(END).unwrap(), "DUNNO");
    let starved = NoThreads::within(&place);
    for _ in 0..20 {
        assert!(old.ask(END).unwrap().starts_with("451 4.7.1 "));
        assert!(place.ask(END).starts_with("451 4.7.1 "));
    }
    let blocked = |name: &str, client: &str| {
        fs::write(lists.join(name), format!("{client}\n")).unwrap();
        soon("the list is followed", || {
            place.ask(&RCPT.replace("192.0.2.1", client)).starts_with("REJECT 5.7.1 ")
        });
    };
    blocked("first.block", "198.51.100.1");
    place.configure(&rules(2));
    signal(&place, Signal::HUP);
    soon("the other limit counts", || old.ask(END).unwrap() == "DUNNO");
    drop(starved);
    blocked("second.block", "198.51.100.2");
    assert!(old.ask(END).unwrap().starts_with("451 4.7.1 "));
    assert!(place.lives());
    assert!(!place.log().contains("panic"), "{}", place.log());
}
