//! An order whose answer never came, because the answer was lost or we were stopped: did the authority take it?
//!
//! RFC 8555 has no word by which a client could mark an order as the one that it meant before, so asking once more can
//! make a second one. What can be known is in the account's list of orders (RFC 8555 §7.1.2.1). Many authorities,
//! Let's Encrypt among them, keep none for us to read; there the lost order counts against our limit of a week, and an
//! authority that gives the same pending order to who asks again (as Let's Encrypt does) still makes no second one.

use super::{account::Ca, fault::Fault, http::Answer, jws};
use serde::Deserialize;

/// Pages of the list that are read, and orders on it that are looked at; what is under way is a handful.
const MOST: usize = 100;

/// What the authority's list says.
#[derive(Debug, PartialEq, Eq)]
pub enum Lost {
    /// It was taken: its URL.
    Taken(String),
    /// The list has no such order.
    Never,
    /// There is no list, or it has no end.
    Unknown,
}

#[derive(Deserialize)]
struct Account {
    orders: Option<String>,
}

#[derive(Deserialize)]
struct Page {
    orders: Vec<String>,
}

#[derive(Deserialize)]
struct Listed {
    status: String,
    identifiers: Vec<Identifier>,
}

#[derive(Deserialize)]
struct Identifier {
    value: String,
}

impl Ca {
    /// Looks for an order for exactly these names that waits for its proofs or its request, and is none of `known`
    /// (URLs): those were told, and are at their end or were given up.
    pub(super) async fn lost(&self, names: &[String], known: &[&str]) -> Result<Lost, Fault> {
        let account: Account = match self.read(&self.id).await? {
            Some(answer) => parsed(&answer)?,
            None => return Ok(Lost::Unknown),
        };
        let Some(mut page) = account.orders else { return Ok(Lost::Unknown) };
        let mut urls = Vec::new();
        for read in 1.. {
            let Some(answer) = self.read(&page).await? else { return Ok(Lost::Unknown) };
            let listed: Page = parsed(&answer)?;
            let empty = listed.orders.is_empty();
            urls.extend(listed.orders);
            match next(&answer) {
                Some(_) if read == MOST => return Ok(Lost::Unknown),
                Some(url) if !empty => page = url,
                _ => break,
            }
        }
        // The list has no order that RFC 8555 names; where it grows, the last one is the newest.
        urls.retain(|url| !known.contains(&url.as_str()));
        for url in urls.iter().rev().take(MOST) {
            let Some(answer) = self.read(url).await? else { continue };
            let order: Listed = parsed(&answer)?;
            if ["pending", "ready"].contains(&order.status.as_str()) && same(&order.identifiers, names) {
                return Ok(Lost::Taken(url.clone()));
            }
        }
        Ok(if urls.len() > MOST { Lost::Unknown } else { Lost::Never })
    }

    /// `None` where the authority does not show it.
    async fn read(&self, url: &str) -> Result<Option<Answer>, Fault> {
        let read = super::patience::patiently(&self.pace, async || {
            jws::read(&self.http, &self.directory, &self.key, &self.id, url).await
        });
        match read.await {
            Ok(answer) => Ok(Some(answer)),
            Err(fault) if fault.is_refusal() => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

fn parsed<'a, T: Deserialize<'a>>(answer: &'a Answer) -> Result<T, Fault> {
    serde_json::from_slice(&answer.body)
        .map_err(|error| Fault::silent(format!("the answer is not ACME's: {error}")))
}

fn same(identifiers: &[Identifier], names: &[String]) -> bool {
    let is_in = |name: &String| identifiers.iter().any(|one| one.value.eq_ignore_ascii_case(name));
    identifiers.len() == names.len() && names.iter().all(is_in)
}

/// `Link: <URL>;rel="next"` (RFC 8555 §7.1.2.1, RFC 8288 §3).
fn next(answer: &Answer) -> Option<String> {
    let links = answer.parts.headers.get_all("link").into_iter().filter_map(|link| link.to_str().ok());
    links.flat_map(|links| links.split(',')).find_map(|link| {
        let (url, parameters) = link.trim().strip_prefix('<')?.split_once('>')?;
        let is_next = |parameter: &str| parameter.trim().replace('"', "").eq_ignore_ascii_case("rel=next");
        parameters.split(';').any(is_next).then(|| url.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: RFC 8288 §3 as far as lists of orders have it: quoted or not, beside other links.
    #[test]
    fn the_next_page_is_found_among_links() {
        let told = |links: &[&str]| {
            let (mut parts, ()) = http::Response::new(()).into_parts();
            for link in links {
                parts.headers.append("link", link.parse().unwrap());
            }
            next(&Answer { parts, body: bytes::Bytes::new() })
        };
        let index = "<https://ca.example/dir>;rel=\"index\"";
        let page = |rel: &str| format!("<https://ca.example/orders?cursor=2>; {rel}");
        let url = Some("https://ca.example/orders?cursor=2".to_owned());
        assert_eq!(told(&[index, &page("rel=\"next\"")]), url);
        assert_eq!(told(&[&format!("{index}, {}", page("rel=next"))]), url);
        assert_eq!((told(&[index]), told(&[]), told(&["rel=next"])), (None, None, None));
    }

    #[test]
    fn only_an_order_for_the_same_names_is_the_lost_one() {
        let of = |names: &[&str]| -> Vec<Identifier> {
            names.iter().map(|name| Identifier { value: (*name).to_owned() }).collect()
        };
        let names = ["a.example".to_owned(), "b.example".to_owned()];
        assert!(same(&of(&["B.example", "a.example"]), &names));
        assert!(!same(&of(&["a.example"]), &names));
        assert!(!same(&of(&["a.example", "a.example"]), &names));
        assert!(!same(&of(&["a.example", "b.example", "c.example"]), &names));
    }
}
