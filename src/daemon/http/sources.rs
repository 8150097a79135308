//! How many connections one client has: an IPv4 address, or an IPv6 network of /64.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, PoisonError},
};

/// A client may have so many at a time. Behind a proxy all are one client, each for a few milliseconds.
const EACH: u32 = 64;

/// Who has how many.
#[derive(Clone, Debug, Default)]
pub struct Sources(Arc<Mutex<HashMap<IpAddr, u32>>>);

/// A client's place, for as long as this is held.
#[derive(Debug)]
pub struct Place {
    sources: Sources,
    who: IpAddr,
}

impl Sources {
    /// One more connection; `None` where that is one too many.
    pub fn take(&self, who: IpAddr) -> Option<Place> {
        let who = client(who);
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(who).or_default();
        (*count < EACH).then(|| {
            *count += 1;
            Place { sources: self.clone(), who }
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut all = self.sources.0.lock().unwrap_or_else(PoisonError::into_inner);
        let left = all.get_mut(&self.who).map(|count| {
            *count -= 1;
            *count
        });
        if left == Some(0) {
            all.remove(&self.who);
        }
    }
}

fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) >> 64 << 64).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: threats 20 (limits per source).
    #[test]
    fn a_client_has_its_places_and_no_more() {
        let sources = Sources::default();
        let of = |text: &str| text.parse::<IpAddr>().unwrap();
        let held: Vec<Place> = (0..EACH).filter_map(|_| sources.take(of("192.0.2.1"))).collect();
        assert_eq!(held.len(), 64);
        assert!(sources.take(of("192.0.2.1")).is_none() && sources.take(of("::ffff:192.0.2.1")).is_none());
        assert!(sources.take(of("192.0.2.2")).is_some());
        drop(held);
        assert!(sources.0.lock().unwrap().is_empty());
        let network: Vec<_> =
            (0..EACH).map(|last| sources.take(of(&format!("2001:db8::{last:x}")))).collect();
        assert!(network.iter().all(Option::is_some) && sources.take(of("2001:db8::ffff")).is_none());
        assert!(sources.take(of("2001:db8:0:1::1")).is_some());
    }
}
