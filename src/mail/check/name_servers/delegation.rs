//! Whether the zone above names the same name servers (RFC 1034 §4.2.2).

use super::super::{codes, reach::list};
use crate::mail::{
    dns::{Data, Inquiry, Kind, Name, Question, Whom},
    finding::Finding,
    zone::{self, Zone},
};
use std::{collections::BTreeSet, net::IpAddr};

/// Name servers of the zone above that are asked: all of them know the same.
const ASKED: usize = 2;

/// `Some(None)`: they are the same, or the zone above could not be asked, which says nothing of this one.
pub fn judge(inquiry: &Inquiry<'_>, domain: &Name, zone: &Zone) -> Option<Option<Finding>> {
    let Some(above) = zone.apex.parent().filter(|above| !above.is_root()) else { return Some(None) };
    let Ok(above) = zone::of(inquiry, &above)? else { return Some(None) };
    let addresses =
        above.servers.iter().filter_map(|server| server.addresses.iter().find(|one| one.is_ipv4()));
    let asked: Vec<(IpAddr, _)> = addresses
        .take(ASKED)
        .map(|address| {
            (*address, inquiry.ask(Question::new(&zone.apex, Kind::Ns).to(Whom::Server(*address))))
        })
        .collect();
    let asked: Vec<_> = asked.into_iter().map(|(at, answer)| Some((at, answer?))).collect::<Option<_>>()?;
    let own: BTreeSet<&Name> = zone.servers.iter().map(|server| &server.name).collect();
    for (address, answer) in asked {
        let records = answer.records().unwrap_or_default();
        let named: BTreeSet<&Name> = records
            .iter()
            .filter_map(|data| if let Data::Ns(name) = data { Some(name) } else { None })
            .collect();
        if !named.is_empty() && named != own {
            let summary =
                format!("the zone {} delegates to other name servers than the zone itself names", above.apex);
            return Some(Some(
                codes::NS_DELEGATION
                    .of(domain, summary)
                    .found(format!("{} ({address}): {}", above.apex, list(&named)))
                    .found(format!("{}: {}", zone.apex, list(&own)))
                    .expected("the same names in both")
                    .remedy(
                        "bring the name servers at the registrar in line with the NS records of the zone",
                    ),
            ));
        }
    }
    Some(None)
}
