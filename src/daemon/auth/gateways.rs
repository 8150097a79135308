//! The gateways of this container: the engine's proxy passes clients of the whole Internet on under their addresses.

use std::{
    fs,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// Those of now; none where the kernel does not tell.
pub fn read() -> Vec<IpAddr> {
    let text = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let mut found = four(&text("/proc/net/route"));
    found.extend(six(&text("/proc/net/ipv6_route")));
    found.sort_unstable();
    found.dedup();
    found
}

/// `Iface Destination Gateway …`, numbers as they lie in memory, most routes without a gateway.
fn four(table: &str) -> Vec<IpAddr> {
    let gateway = |line: &str| {
        let gateway = u32::from_str_radix(line.split_whitespace().nth(2)?, 16).ok()?;
        (gateway != 0).then(|| IpAddr::V4(Ipv4Addr::from(gateway.to_ne_bytes())))
    };
    table.lines().skip(1).filter_map(gateway).collect()
}

/// `destination length source length next-hop …`, each address as 32 digits.
fn six(table: &str) -> Vec<IpAddr> {
    let gateway = |line: &str| {
        let hop = u128::from_str_radix(line.split_whitespace().nth(4)?, 16).ok()?;
        (hop != 0).then(|| IpAddr::V6(Ipv6Addr::from(hop)))
    };
    table.lines().filter_map(gateway).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_tables_are_read() {
        let order = if cfg!(target_endian = "little") { "010012AC" } else { "AC120001" };
        let table = format!(
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
             eth0\t00000000\t{order}\t0003\t0\t0\t0\t00000000\t0\t0\t0\n\
             eth0\t000012AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        );
        assert_eq!(four(&table), ["172.18.0.1".parse::<IpAddr>().unwrap()]);
        let zero = "0".repeat(32);
        let table = format!(
            "fd006d61696c00000000000000000000 40 {zero} 00 {zero} 00000100 00000002 00000000 00000001 eth0\n\
             {zero} 00 {zero} 00 fd006d61696c00000000000000000001 00000400 00000001 00000000 00000003 eth0\n"
        );
        assert_eq!(six(&table), ["fd00:6d61:696c::1".parse::<IpAddr>().unwrap()]);
        assert!(four("").is_empty() && six("nonsense\n\n").is_empty());
    }
}
