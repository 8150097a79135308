//! Conversations as Postfix has them, over a real socket.

use super::*;
use crate::{
    daemon::{config::Config, memory::Memory, snapshot::Snapshot},
    wire::milter::ask,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

async fn milter(settings: &str) -> Milter {
    let text = format!(
        "hostname='mail.example.org'\nadmin='ann@example.org'\ndomains=['example.org']\ndelimiter='+'\n\
         database='/x'\nsocketmap='/x'\npolicy='/x'\n[policies]\n{settings}\n[policies.spf]\nmode='off'\n"
    );
    let config = toml::from_str::<Config>(&text).unwrap();
    let keys = Memory::open(None).await.keys();
    let facts = Arc::new(Facts::new(keys, Vec::new()));
    let milter = Milter::new(Arc::new(State::new(&config)), Arc::default(), facts);
    let mut snapshot = Snapshot::default();
    snapshot.set_mailbox("ann@example.org", true);
    snapshot.set_mailbox("bob@example.org", true);
    milter.state.write().snapshot = Some(snapshot);
    milter
}

fn packet(letter: u8, texts: &[&str]) -> Vec<u8> {
    let data: Vec<u8> = texts.iter().flat_map(|text| [text.as_bytes(), b"\0"].concat()).collect();
    let length = u32::try_from(data.len() + 1).unwrap();
    [&length.to_be_bytes()[..], &[letter], &data].concat()
}

fn came() -> Vec<u8> {
    let connect = b"unknown\x004\x04\xd2192.0.2.7\0";
    let length = u32::try_from(connect.len() + 1).unwrap();
    [&length.to_be_bytes()[..], b"C", connect, &packet(b'H', &["client.example.net"])].concat()
}

/// A message, and its end.
fn message(login: &str, header: &[(&str, &str)]) -> Vec<u8> {
    let macros = if login.is_empty() { Vec::new() } else { packet(b'D', &["M{auth_authen}", login]) };
    let fields: Vec<u8> = header.iter().flat_map(|(name, value)| packet(b'L', &[name, value])).collect();
    [macros, packet(b'M', &["<ann@example.org>"]), fields, packet(b'D', &["Ei", "4ABC"]), packet(b'E', &[])]
        .concat()
}

/// Everything that is answered, up to the end of the connection.
async fn answers(milter: Milter, pieces: impl IntoIterator<Item = Vec<u8>>) -> Vec<(u8, String)> {
    let (ours, mut theirs) = UnixStream::pair().unwrap();
    let served = tokio::spawn(async move { milter.speak(ours, &Drain::default()).await });
    for piece in pieces {
        // The other side may have gone already.
        let _ = theirs.write_all(&piece).await;
        tokio::task::yield_now().await;
    }
    let _ = theirs.shutdown().await;
    let mut all = Vec::new();
    let _ = theirs.read_to_end(&mut all).await;
    served.await.unwrap();
    let mut rest = &all[..];
    let mut found = Vec::new();
    while let Some((head, more)) = rest.split_first_chunk::<4>() {
        let (packet, more) = more.split_at(u32::from_be_bytes(*head) as usize);
        found.push((packet[0], String::from_utf8_lossy(&packet[1..]).trim_end_matches('\0').to_owned()));
        rest = more;
    }
    found
}

/// Proves: issue 6 (header From): one answer for a message, by the code that answers MAIL FROM; a fault of ours is 451.
#[tokio::test]
async fn a_message_gets_one_answer() {
    let own = [("From", "Ann <ann@example.org>")];
    let foreign = [("From", "ann@example.org, bob@example.org")];
    let whole = [
        ask::offer(),
        came(),
        message("ann@example.org", &own),
        message("ann@example.org", &foreign),
        packet(b'M', &["<x@example.net>"]),
        packet(b'A', &[]),
        // Nobody has logged in for this one: what was told of the last one is over.
        message("", &foreign),
        packet(b'Q', &[]),
    ]
    .concat();
    let wanted = [
        (b'c', ""),
        (b'y', "550 5.7.1 ann@example.org may not send with <bob@example.org> in From"),
        (b'c', ""),
    ];
    let told = answers(milter("").await, [whole.clone()]).await;
    let short: Vec<(u8, &str)> = told[1..].iter().map(|(letter, text)| (*letter, &text[..])).collect();
    assert_eq!((told[0].0, short), (b'O', wanted.to_vec()));
    assert_eq!(answers(milter("").await, whole.iter().map(|octet| vec![*octet])).await, told);

    let ask = |login: &str, header: &[(&str, &str)]| [ask::offer(), came(), message(login, header)].concat();
    let away = milter("").await;
    away.state.write().snapshot = None;
    let told = answers(away, [ask("ann@example.org", &own)]).await;
    assert_eq!((told[1].0, &told[1].1[..9]), (b'y', "451 4.3.0"));
    let told = answers(milter("").await, [ask("gone@example.org", &own)]).await;
    assert!(told[1].1.starts_with("550 5.7.1 gone@example.org may not send"), "{told:?}");
    let told = answers(milter("").await, [ask("ann@example.org", &[])]).await;
    assert!(told[1].1.starts_with("550 5.6.0 ") && told[1].1.contains("From is missing"), "{told:?}");
    assert_eq!(
        answers(milter("header_from='any'").await, [ask("ann@example.org", &foreign)]).await[1].0,
        b'c'
    );
}

#[tokio::test]
async fn forged_results_go_the_last_ones_first() {
    let forged = ("Received-SPF", "pass receiver=mail.example.org");
    let header =
        [forged, ("From", "x@example.net"), ("Received-SPF", "pass receiver=mx.example.net"), forged];
    let told = answers(milter("").await, [[ask::offer(), came(), message("", &header)].concat()]).await;
    let changes: Vec<&str> = told[1..].iter().map(|(_, text)| &text[..]).collect();
    assert_eq!(changes, ["\0\0\0\u{3}Received-SPF", "\0\0\0\u{1}Received-SPF", ""]);
    assert_eq!(told.iter().map(|(letter, _)| *letter).collect::<Vec<_>>(), *b"Ommc");
}

/// Proves: threats 11: who is not understood is told nothing, and Postfix says 451.
#[tokio::test]
async fn what_is_not_understood_gets_no_answer() {
    let mut poor = ask::offer();
    poor[16] = 0;
    assert!(answers(milter("").await, [poor, came()]).await.is_empty());
    for wrong in [packet(b'E', &[]), packet(b'!', &[]), vec![255; 8], packet(b'L', &["From"])] {
        let told = answers(milter("").await, [ask::offer(), wrong]).await;
        assert_eq!(told.len(), 1, "{told:?}");
    }
}
