//! How large the packets of the stack's network may be.
//!
//! A bridge of the engine takes 1500 octets whatever the host's way out takes. Where that is less, and nobody on the
//! way tells the other side, large answers never arrive.

use super::{observed::Network, stack::NetworkSpec};

/// What the engine's bridges take where nothing else is asked for.
pub const USUAL: u32 = 1500;

/// What to ask the engine for; `None` = what it has anyway is right.
pub fn wanted(spec: &NetworkSpec, uplink: Option<u32>) -> Option<u32> {
    spec.mtu.or_else(|| limit(spec, uplink).filter(|&limit| limit < USUAL))
}

/// Why a network that is there will not do. By `auto` only one whose packets are too large: smaller ones pass
/// everywhere, so a way out that changes to and fro costs one new network, not one at each boot.
pub fn fault(spec: &NetworkSpec, found: &Network, uplink: Option<u32>) -> Option<String> {
    let is = found.mtu;
    match (spec.mtu, limit(spec, uplink)) {
        (Some(mtu), _) => (is != mtu).then(|| format!("its MTU is {is}, network.mtu asks for {mtu}")),
        (None, Some(limit)) => {
            (is > limit).then(|| format!("its MTU is {is}, and the host's way out takes {limit}"))
        }
        (None, None) => None,
    }
}

/// What passes the way out, but never less than what every link must take: 576 octets (RFC 1122 §3.3.3), with IPv6
/// 1280 (RFC 8200 §5).
fn limit(spec: &NetworkSpec, uplink: Option<u32>) -> Option<u32> {
    uplink.map(|octets| octets.max(if spec.subnet6.is_some() { 1280 } else { 576 }))
}
