//! Trust must not hold an engine gateway: connections that the engine's proxy or NAT passes on come from
//! it, so the whole Internet would be trusted (an open relay in every mail image that trusts RFC 1918).

use super::observed::Gateway;
use crate::settings::trust::Trust;
use ipnet::IpNet;

/// A trusted network that holds a gateway.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The trusted network.
    pub trusted: IpNet,
    /// The gateway in it.
    pub gateway: Gateway,
}

/// The first gateway that is trusted.
pub fn fault(trust: &Trust, gateways: &[Gateway]) -> Option<Fault> {
    gateways.iter().find_map(|gateway| {
        let trusted = trust.network_of(gateway.address)?;
        Some(Fault { trusted, gateway: gateway.clone() })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: S0-26 (trust), threat 2
    #[test]
    fn a_trusted_gateway_is_found_and_an_excluded_one_is_not() {
        let gateways = [Gateway { network: "bridge".to_owned(), address: "172.17.0.1".parse().unwrap() }];
        let fault = fault(&Trust::parse("172.16.0.0/12").unwrap(), &gateways).unwrap();
        assert_eq!(fault.trusted.to_string(), "172.16.0.0/12");
        assert_eq!(super::fault(&Trust::parse("!172.17.0.1, 172.16.0.0/12").unwrap(), &gateways), None);
        assert_eq!(super::fault(&Trust::loopback(), &gateways), None);
    }
}
