//! The project's one network.

use super::{Engine, absent, call};
use crate::{
    error::Error,
    plan::{
        mtu,
        observed::{Gateway, Network},
        spec::{LABEL_PROJECT, LABEL_SPEC},
        stack::NetworkSpec,
    },
};
use bollard::models::{Ipam, IpamConfig, NetworkCreateRequest};
use bollard::query_parameters::ListNetworksOptions;
use ipnet::IpNet;
use std::collections::HashMap;

/// The bridge driver's option for it.
const MTU: &str = "com.docker.network.driver.mtu";

impl Engine {
    /// Every network of the engine: those that concern us, and the gateways of all.
    pub async fn networks(&self) -> Result<(Vec<Network>, Vec<Gateway>), Error> {
        let listed = call("list networks", self.docker.list_networks(None::<ListNetworksOptions>)).await?;
        let mut networks = Vec::new();
        let mut gateways = Vec::new();
        for network in listed {
            let name = network.name.unwrap_or_default();
            for config in network.ipam.and_then(|ipam| ipam.config).unwrap_or_default() {
                gateways.extend(gateway(&config).map(|address| Gateway { network: name.clone(), address }));
            }
            let labels = network.labels.unwrap_or_default();
            let ours = labels.get(LABEL_PROJECT) == Some(&self.project);
            if ours || name == self.project {
                networks.push(Network {
                    mtu: octets(network.options.as_ref()),
                    id: network.id.unwrap_or_default(),
                    name,
                    ours,
                    spec: labels.get(LABEL_SPEC).cloned().unwrap_or_default(),
                });
            }
        }
        Ok((networks, gateways))
    }

    /// Octets that a packet may have on the engine's own default network.
    pub async fn default_mtu(&self) -> Result<u32, Error> {
        let listed = call("list networks", self.docker.list_networks(None::<ListNetworksOptions>)).await?;
        let default = listed.into_iter().find(|network| network.name.as_deref() == Some("bridge"));
        Ok(octets(default.and_then(|network| network.options).as_ref()))
    }

    /// Makes it, for packets of up to `mtu` octets; the result is its id.
    pub async fn create_network(&self, spec: &NetworkSpec, mtu: Option<u32>) -> Result<String, Error> {
        let pools = spec.subnet.iter().chain(&spec.subnet6);
        let request = NetworkCreateRequest {
            name: spec.name.clone(),
            driver: Some("bridge".to_owned()),
            enable_ipv6: Some(spec.subnet6.is_some()),
            ipam: Some(Ipam {
                config: Some(
                    pools
                        .map(|subnet| IpamConfig { subnet: Some(subnet.clone()), ..Default::default() })
                        .collect(),
                ),
                ..Default::default()
            }),
            labels: Some(
                [(LABEL_PROJECT.to_owned(), self.project.clone()), (LABEL_SPEC.to_owned(), spec.digest())]
                    .into(),
            ),
            options: mtu.map(|octets| [(MTU.to_owned(), octets.to_string())].into()),
            ..Default::default()
        };
        let made =
            call(&format!("create network {}", spec.name), self.docker.create_network(request)).await?;
        Ok(made.id)
    }

    /// Removes it; one that is gone already is as good.
    pub async fn remove_network(&self, id: &str) -> Result<(), Error> {
        call("remove a network", async {
            let result = self.docker.remove_network(id).await;
            if absent(&result) { Ok(()) } else { result }
        })
        .await
    }
}

fn octets(options: Option<&HashMap<String, String>>) -> u32 {
    options.and_then(|options| options.get(MTU)?.parse().ok()).unwrap_or(mtu::USUAL)
}

/// The engine leaves the gateway out where it chose it itself: then it is the first address.
fn gateway(config: &IpamConfig) -> Option<std::net::IpAddr> {
    let stated = config.gateway.as_ref().and_then(|text| text.split('/').next()?.parse().ok());
    stated.or_else(|| config.subnet.as_ref()?.parse::<IpNet>().ok()?.hosts().next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_is_not_stated_is_the_first_address() {
        let config = IpamConfig { subnet: Some("172.20.0.0/16".to_owned()), ..Default::default() };
        assert_eq!(gateway(&config), Some("172.20.0.1".parse().unwrap()));
        let config = IpamConfig { gateway: Some("fd00::9/64".to_owned()), ..config };
        assert_eq!(gateway(&config), Some("fd00::9".parse().unwrap()));
    }
}
