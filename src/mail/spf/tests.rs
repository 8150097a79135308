//! Every rule of RFC 7208 §2.4 to §7, a zone and a verdict in a line; what the openspf.org suite adds is in
//! `tests/spf.rs`.

mod headers;
mod limits;
mod never;
mod records;
mod surveys;
mod zone;

use super::{Evaluation, Request, check_host};
use crate::mail::dns;
use zone::Zone;

/// Evaluates `sender` from `client`, greeting as `mx.example.org`.
fn evaluate(zone: &str, client: &str, sender: &str) -> Evaluation {
    let request = Request::mail_from(client.parse().unwrap(), sender, "mx.example.org");
    Zone::parse(zone).drive(|inquiry| check_host(inquiry, &request)).0
}

/// `joe@example.org` from 192.0.2.1, whose record this is; more of the zone may follow after semicolons.
fn own(record: &str) -> Evaluation {
    evaluate(&format!("example.org TXT {record}"), "192.0.2.1", "joe@example.org")
}

/// Rows of: rule, zone, client, sender, verdict.
fn table(rows: &[(&str, &str, &str, &str, &str)]) {
    for (rule, zone, client, sender, verdict) in rows {
        let found = evaluate(zone, client, sender);
        assert_eq!(found.verdict.as_str(), *verdict, "§{rule}: {zone:?} for {sender}: {found}");
    }
}

/// Rows of: rule, the record of example.org and what else there is, verdict for 192.0.2.1.
fn records(rows: &[(&str, &str, &str)]) {
    for (rule, record, verdict) in rows {
        let found = own(record);
        assert_eq!(found.verdict.as_str(), *verdict, "§{rule}: {record:?}: {found}");
    }
}
