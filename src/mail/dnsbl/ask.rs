//! Asking lists about a client and a sender, and about themselves.

use super::{Act, Says, Unfit, Zone, says, test_labels};
use crate::mail::{
    address::Domain,
    dns::{Inquiry, Kind, Name, Question},
};
use std::{fmt, net::IpAddr};

/// The longest text of a list that is handed on, in characters.
const TEXT: usize = 160;

/// Something that a list has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The list, as others may read it.
    pub zone: String,
    /// What becomes of it.
    pub act: Act,
    /// What is listed, in words.
    pub what: String,
    /// What the list says about it; "" = nothing, or not in time.
    pub text: String,
}

impl fmt::Display for Listing {
    /// As Postfix words it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} blocked using {}", self.what, self.zone)?;
        if self.text.is_empty() { Ok(()) } else { write!(f, "; {}", self.text) }
    }
}

/// Everything that these lists have of the client and of the names; what has not answered yet is not listed, and missed.
/// Also which zones' answer says that they refuse us, or that gave none.
pub fn ask(
    inquiry: &Inquiry<'_>,
    zones: &[&Zone],
    client: IpAddr,
    sender: &str,
    helo: &str,
) -> (Vec<Listing>, Vec<(usize, Unfit)>) {
    let client = client.to_canonical();
    let mut names: Vec<(Domain, &str)> = Vec::new();
    let of_sender = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
    for (name, what) in [(of_sender, "sender domain"), (helo, "client name")] {
        // A literal or a nonsense name is on no list of domains.
        if let Ok(name) = Domain::parse(name)
            && names.iter().all(|(other, _)| *other != name)
        {
            names.push((name, what));
        }
    }
    let (mut listings, mut doubts) = (Vec::new(), Vec::new());
    for (at, zone) in zones.iter().enumerate() {
        let things: Vec<(String, String)> = if zone.domains {
            names.iter().map(|(name, what)| (name.to_string(), format!("{what} [{name}]"))).collect()
        } else {
            vec![(label(client), format!("client [{client}]"))]
        };
        for (label, what) in things {
            let Ok(name) = zone.name.child(&label) else { continue };
            let Some(answer) = inquiry.ask(Question::new(name.clone(), Kind::A)) else { continue };
            match says(answer, zone.codes.as_ref()) {
                Says::Clean => {}
                Says::Refusal(code) => doubts.push((at, Unfit::Refuses(code))),
                Says::Silent(why) => doubts.push((at, Unfit::Silent(why))),
                Says::Listed(_) => {
                    let text = inquiry.ask(Question::new(name, Kind::Txt)).and_then(|answer| {
                        answer.texts().unwrap_or_default().first().map(|text| printable(text))
                    });
                    let zone_name = zone.shown().to_owned();
                    let text = text.unwrap_or_default();
                    listings.push(Listing { zone: zone_name, act: zone.act, what, text });
                }
            }
        }
    }
    (listings, doubts)
}

/// The test of a list (RFC 5782 §5): `None` = not all answers are there yet. Codes do not matter: the test entry of a list
/// need not have those that somebody chose.
pub fn fit(inquiry: &Inquiry<'_>, zone: &Zone) -> Option<Result<(), Unfit>> {
    let any = "[0..255].[0..255].[0..255].[0..255]".parse().ok();
    let codes = if zone.codes.is_some() { any } else { None };
    let asked = test_labels(zone.domains).map(|label| {
        // A zone whose name leaves no room for it has none.
        let name = zone.name.child(label).unwrap_or_else(|_| zone.name.clone());
        inquiry.ask(Question::new(name, Kind::A)).map(|answer| says(answer, codes.as_ref()))
    });
    let [listed, clean] = asked;
    Some(match (listed?, clean?) {
        (Says::Silent(why), _) | (_, Says::Silent(why)) => Err(Unfit::Silent(why)),
        (Says::Refusal(code), _) => Err(Unfit::Refuses(code)),
        (Says::Clean, _) => Err(Unfit::Empty),
        // Whatever it answers here, it answers to everything.
        (Says::Listed(_), Says::Listed(_) | Says::Refusal(_)) => Err(Unfit::Everything),
        (Says::Listed(_), Says::Clean) => Ok(()),
    })
}

/// RFC 5782 §2.1, §2.4: as the reverse name, below another zone.
fn label(client: IpAddr) -> String {
    let reverse = Name::reverse(client).to_string();
    let label = reverse.strip_suffix(".in-addr.arpa").or(reverse.strip_suffix(".ip6.arpa"));
    label.unwrap_or(&reverse).to_owned()
}

/// A stranger's text, in a reply of ours.
fn printable(text: &str) -> String {
    text.chars().take(TEXT).map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).collect()
}
