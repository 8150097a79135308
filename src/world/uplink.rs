//! The host's way out: how large the packets are that its default route takes.

use std::fs;

/// Set in the flags of a route that is in use (`RTF_UP`), and of one that refuses (`RTF_REJECT`); linux/route.h.
const UP: u32 = 0x1;
const REJECT: u32 = 0x200;

/// Octets that a packet may have on the interface of the default route; with `six` also on that of IPv6, and then the
/// smaller one counts. `None` = there is no way out now.
pub fn mtu(six: bool) -> Option<u32> {
    let table = |file: &str| fs::read_to_string(file).unwrap_or_default();
    let four = default_route(&table("/proc/net/route"));
    let six = six.then(|| default_route6(&table("/proc/net/ipv6_route"))).flatten();
    [four, six].into_iter().flatten().filter_map(|interface| of_interface(&interface)).min()
}

fn of_interface(interface: &str) -> Option<u32> {
    fs::read_to_string(format!("/sys/class/net/{interface}/mtu")).ok()?.trim().parse().ok()
}

/// The interface of the IPv4 default route with the lowest metric. Columns: interface, destination, gateway, flags,
/// references, use, metric, mask.
fn default_route(table: &str) -> Option<String> {
    let route = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [interface, "00000000", _, flags, _, _, metric, "00000000", ..] = columns[..] else {
            return None;
        };
        usable(flags).then_some((metric.parse::<u32>().ok()?, interface.to_owned()))
    };
    table.lines().filter_map(route).min().map(|(_, interface)| interface)
}

/// That of IPv6. Columns: destination, its prefix length, source, its prefix length, next hop, metric, references, use,
/// flags, interface; numbers in hexadecimal.
fn default_route6(table: &str) -> Option<String> {
    let route = |line: &str| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [destination, "00", _, "00", _, metric, _, _, flags, interface] = columns[..] else {
            return None;
        };
        let usable = destination.bytes().all(|digit| digit == b'0') && usable(flags) && interface != "lo";
        usable.then_some((u32::from_str_radix(metric, 16).ok()?, interface.to_owned()))
    };
    table.lines().filter_map(route).min().map(|(_, interface)| interface)
}

fn usable(flags: &str) -> bool {
    u32::from_str_radix(flags, 16).is_ok_and(|flags| flags & UP != 0 && flags & REJECT == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n";

    #[test]
    fn the_default_route_with_the_lowest_metric_counts() {
        let table = format!(
            "{HEAD}wlan0\t00000000\t0100A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0\n\
             eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
             tun0\t00000000\t0101A8C0\t0000\t0\t0\t0\t00000000\t0\t0\t0\n\
             tun1\t00000000\t00000000\t0001\t0\t0\t0\t00000080\t0\t0\t0\n\
             docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
        );
        assert_eq!(default_route(&table).as_deref(), Some("eth0"));
        assert_eq!(default_route(HEAD), None);
        assert_eq!(default_route("nonsense\n\n"), None);
    }

    #[test]
    fn a_route_of_ipv6_that_refuses_leads_nowhere() {
        let zero = "0".repeat(32);
        let route = |metric: &str, flags: &str, interface: &str| {
            format!("{zero} 00 {zero} 00 {zero} {metric} 00000001 00000000 {flags} {interface}\n")
        };
        // What every kernel has where there is no IPv6: unreachable, on the loopback.
        let none = route("ffffffff", "00200200", "lo");
        assert_eq!(default_route6(&none), None);
        let table = none + &route("00000400", "00450003", "wlan0") + &route("00000064", "00450003", "eth0");
        assert_eq!(default_route6(&table).as_deref(), Some("eth0"));
    }

    #[test]
    fn an_interface_of_this_host_has_an_mtu() {
        assert!(of_interface("lo").is_some_and(|octets| octets >= 1500));
        assert_eq!(of_interface("no such one"), None);
    }
}
