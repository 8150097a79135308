//! One question and what comes back.

use crate::common::dns::{Dns as Server, Fault, Zone};
use mailctl::{
    mail::{
        address::Domain,
        dns::{Answer, Data, Kind, Name, Outcome, Question, Silence, Whom},
    },
    world::dns::{self, Asking, Dns},
};
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};

const ZONE: &str = r#"
@ MX 10 mail
@ TXT "v=spf1 " "-all"
@ CAA 0 issue "ca.example"
mail A 192.0.2.25
mail AAAA 2001:db8::25
www CNAME web.example.net.
gone CNAME nowhere.example.net.
round CNAME about
about CNAME round
null MX 0 .
_25._tcp.mail TLSA 3 1 1 ABCD
_imaps._tcp SRV 0 1 993 mail
"#;

pub fn server() -> Server {
    Server::start(&[
        Zone::new(".", "net. NS ns.invalid.\n"),
        Zone::new("example.org", ZONE),
        Zone::new("example.net", "web A 192.0.2.80\n"),
    ])
}

pub fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn asking(servers: &[&Server]) -> Asking {
    Asking { patience: Duration::from_millis(1000), ..Asking::at(servers.iter().map(|server| server.at())) }
}

async fn ask(dns: &Dns, text: &str, kind: Kind) -> Answer {
    dns.ask(&Question::new(name(text), kind)).await
}

/// Proves: every kind of record arrives as it was published, TXT in its strings.
#[tokio::test]
async fn records_arrive_as_published() {
    let server = server();
    let dns = Dns::new(asking(&[&server]));
    for (text, kind, shown) in [
        ("example.org", Kind::Mx, "10 mail.example.org."),
        ("example.org", Kind::Txt, r#""v=spf1 " "-all""#),
        ("example.org", Kind::Caa, r#"0 issue "ca.example""#),
        ("example.org", Kind::Soa, "ns.invalid. serial 1"),
        ("example.org", Kind::Ns, "ns.invalid."),
        ("mail.example.org", Kind::A, "192.0.2.25"),
        ("mail.example.org", Kind::Aaaa, "2001:db8::25"),
        ("www.example.org", Kind::Cname, "web.example.net."),
        ("null.example.org", Kind::Mx, "0 ."),
        ("_25._tcp.mail.example.org", Kind::Tlsa, "3 1 1 abcd"),
        ("_imaps._tcp.example.org", Kind::Srv, "0 1 993 mail.example.org."),
    ] {
        let answer = ask(&dns, text, kind).await;
        let records: Vec<String> = answer.records().unwrap().iter().map(Data::to_string).collect();
        assert_eq!(records, [shown], "{text} {kind}");
        assert_eq!((answer.ttl, answer.authoritative), (300, true), "{text} {kind}");
        assert!(answer.size > 40, "{text} {kind}: {}", answer.size);
    }
}

/// Proves: a name that is not there, a name without such records (RFC 2308 §2) and silence are three things.
#[tokio::test]
async fn no_name_no_data_and_no_answer_are_three_things() {
    let server = server();
    for (text, fault) in [
        ("drop.example.org", Fault::Drop),
        ("id.example.org", Fault::WrongId),
        ("fail.example.org", Fault::ServFail),
        ("refused.example.org", Fault::Refused),
    ] {
        server.fault(text, fault);
    }
    let dns = Dns::new(asking(&[&server]));
    let began = Instant::now();
    let outcome = async |text: &str| ask(&dns, text, Kind::A).await.outcome;
    assert_eq!(outcome("absent.example.org").await, Outcome::Nothing { exists: false });
    assert_eq!(outcome("example.org").await, Outcome::Nothing { exists: true });
    assert_eq!(ask(&dns, "absent.example.org", Kind::A).await.ttl, 60, "RFC 2308 §5");
    assert_eq!(outcome("fail.example.org").await, Outcome::Silent(Silence::ServFail));
    assert_eq!(outcome("refused.example.org").await, Outcome::Silent(Silence::Refused));
    assert!(began.elapsed() < Duration::from_millis(500), "{:?}", began.elapsed());
    let (dropped, forged) = tokio::join!(outcome("drop.example.org"), outcome("id.example.org"));
    assert_eq!(dropped, Outcome::Silent(Silence::Timeout));
    assert_eq!(forged, Outcome::Silent(Silence::Timeout), "an answer with another number does not count");
    assert!(began.elapsed() < Duration::from_millis(2000), "{:?}", began.elapsed());
}

/// Proves: aliases are followed into other zones, told in order, and kept where they lead nowhere; a circle ends.
#[tokio::test]
async fn aliases_are_followed_and_told() {
    let server = server();
    let dns = Dns::new(asking(&[&server]));
    let answer = ask(&dns, "www.example.org", Kind::A).await;
    assert_eq!(answer.records().unwrap(), [Data::A([192, 0, 2, 80].into())]);
    assert_eq!(answer.aliases, [name("web.example.net")]);
    let gone = ask(&dns, "gone.example.org", Kind::A).await;
    assert_eq!(gone.outcome, Outcome::Nothing { exists: false });
    assert_eq!(gone.aliases, [name("nowhere.example.net")]);
    let circle = ask(&dns, "round.example.org", Kind::A).await;
    assert!(matches!(circle.outcome, Outcome::Silent(Silence::Fault(_))), "{circle:?}");
}

/// Proves: RFC 7766 §5, what is cut off over UDP is asked over TCP; RFC 6891 §7, servers without EDNS answer too.
#[tokio::test]
async fn cut_off_answers_and_old_servers() {
    let server = server();
    server.fault("mail.example.org", Fault::Truncate);
    server.fault("null.example.org", Fault::NoEdns);
    let dns = Dns::new(asking(&[&server]));
    assert_eq!(ask(&dns, "mail.example.org", Kind::A).await.records().unwrap().len(), 1);
    assert_eq!(server.asked_for("mail.example.org", "A"), 2);
    assert_eq!(ask(&dns, "null.example.org", Kind::Mx).await.records().unwrap().len(), 1);
}

/// Proves: half of all packets lost still gives answers within the deadline, but for what chance takes.
#[tokio::test]
async fn half_of_all_packets_lost() {
    let records: String = (0..100).map(|number| format!("n{number} A 192.0.2.1\n")).collect();
    let server = Server::start(&[Zone::new("example.org", &records)]);
    server.fault_everywhere(Some(Fault::Loss(0.5)));
    let dns = Dns::new(asking(&[&server]));
    let questions = (0..100).map(|number| Question::new(name(&format!("n{number}.example.org")), Kind::A));
    let questions: Vec<Question> = questions.collect();
    let began = Instant::now();
    let answers = futures_util::future::join_all(questions.iter().map(|question| dns.ask(question))).await;
    assert!(began.elapsed() < Duration::from_millis(3000), "{:?}", began.elapsed());
    let found = answers.iter().filter(|answer| answer.records().is_ok()).count();
    // Sent five times: three in a hundred are lost each time. Less than 80 of 100 is one in 10^9.
    assert!(found >= 80, "{found} of 100");
    for answer in answers {
        assert!(
            answer.records().is_ok() || answer.outcome == Outcome::Silent(Silence::Timeout),
            "{answer:?}"
        );
    }
}

/// Proves: the second resolver answers where the first is silent, refuses or is not there, and is asked first then.
#[tokio::test]
async fn the_second_resolver_helps() {
    let (dead, alive) = (server(), server());
    for fault in [Fault::Drop, Fault::ServFail, Fault::Refused] {
        dead.fault_everywhere(Some(fault));
        let dns = Dns::new(asking(&[&dead, &alive]));
        let began = Instant::now();
        assert!(ask(&dns, "mail.example.org", Kind::A).await.records().is_ok(), "{fault:?}");
        assert!(began.elapsed() < Duration::from_millis(500), "{fault:?}: {:?}", began.elapsed());
        let before = dead.asked();
        assert!(ask(&dns, "mail.example.org", Kind::Aaaa).await.records().is_ok(), "{fault:?}");
        assert_eq!(dead.asked(), before, "{fault:?}");
    }
    let at = dead.at();
    drop(dead);
    let dns = Dns::new(Asking::at([at]));
    let began = Instant::now();
    let answer = ask(&dns, "mail.example.org", Kind::A).await;
    assert!(matches!(answer.outcome, Outcome::Silent(Silence::Fault(_))), "{answer:?}");
    assert!(began.elapsed() < Duration::from_millis(500), "a closed port is noticed: {:?}", began.elapsed());
}

/// Proves: a dead server costs one deadline, not the sum.
#[tokio::test]
async fn a_dead_server_costs_one_deadline() {
    let server = server();
    server.fault_everywhere(Some(Fault::Drop));
    let dns = Dns::new(asking(&[&server]));
    let questions = (0..1000).map(|number| Question::new(name(&format!("n{number}.example.org")), Kind::A));
    let questions: Vec<Question> = questions.collect();
    let began = Instant::now();
    let answers = futures_util::future::join_all(questions.iter().map(|question| dns.ask(question))).await;
    assert!(answers.iter().all(|answer| answer.outcome == Outcome::Silent(Silence::Timeout)));
    assert!(began.elapsed() < Duration::from_millis(2500), "{:?}", began.elapsed());
}

/// Proves: the same question goes out once, however many wait for it; a fresh look asks again.
#[tokio::test]
async fn the_same_question_goes_out_once() {
    let server = server();
    server.delay(Duration::from_millis(30));
    let dns = Dns::new(asking(&[&server]));
    let question = Question::new(name("mail.example.org"), Kind::A);
    let answers = futures_util::future::join_all((0..100).map(|_| dns.ask(&question))).await;
    assert!(answers.iter().all(|answer| answer.records().is_ok()));
    assert_eq!(server.asked(), 1);
    dns.fresh().ask(&question).await;
    assert_eq!(server.asked(), 2);
}

/// Proves: a name server is asked itself, says whether the zone is its own, and a lame one is seen as such.
#[tokio::test]
async fn a_name_server_is_asked_itself() {
    let server = Server::start(&[Zone::new("example.org", ZONE)]);
    if server.at().port() != 53 {
        assert!(!rustix::process::geteuid().is_root());
        return; // Port 53 is root's.
    }
    let dns = Dns::new(Asking { patience: Duration::from_millis(1000), ..Asking::at([]) });
    let whom = Whom::Server(server.at().ip());
    let own = dns.ask(&Question::new(name("mail.example.org"), Kind::A).to(whom)).await;
    assert_eq!(own.records().unwrap().len(), 1);
    assert!(own.authoritative);
    let lame = dns.ask(&Question::new(name("example.com"), Kind::Soa).to(whom)).await;
    assert_eq!(lame.outcome, Outcome::Silent(Silence::Refused));
    let alias = dns.ask(&Question::new(name("www.example.org"), Kind::A).to(whom)).await;
    assert_eq!(alias.outcome, Outcome::Nothing { exists: true });
    assert_eq!(alias.aliases, [name("web.example.net")]);
    assert_eq!(server.asked(), 3);
}

/// Proves: what `init` asks: found, nothing and silent are three things; the null MX (RFC 7505) is nothing.
#[tokio::test]
async fn what_init_asks() {
    let server = server();
    server.fault("slow.example.org", Fault::Drop);
    let dns = Dns::new(asking(&[&server]));
    let domain = |text: &str| Domain::parse(text).unwrap();
    let both: Vec<IpAddr> = vec!["192.0.2.25".parse().unwrap(), "2001:db8::25".parse().unwrap()];
    assert_eq!(dns.addresses(&domain("mail.example.org")).await, dns::Answer::Found(both));
    let servers = dns::Answer::Found(vec!["mail.example.org".to_owned()]);
    assert_eq!(dns.mail_servers(&domain("example.org")).await, servers);
    assert_eq!(dns.mail_servers(&domain("null.example.org")).await, dns::Answer::Nothing);
    assert_eq!(dns.addresses(&domain("example.org")).await, dns::Answer::Nothing);
    assert!(matches!(dns.addresses(&domain("slow.example.org")).await, dns::Answer::Silent(_)));
}
