//! Postfix's restriction lists as one of its doors has them, read from what was rendered.

use std::collections::BTreeMap;

/// The lists that are asked up to RCPT TO, in Postfix's order, and what each is about.
const LISTS: [&str; 5] = [
    "smtpd_client_restrictions",
    "smtpd_helo_restrictions",
    "smtpd_sender_restrictions",
    "smtpd_relay_restrictions",
    "smtpd_recipient_restrictions",
];

/// How deep one parameter may name another.
const DEPTH: usize = 20;

/// One list of a door.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct List {
    /// The parameter in `main.cf`.
    pub name: &'static str,
    /// Its restrictions: a name and, for some, what it is given.
    pub rules: Vec<(String, Option<String>)>,
}

/// The lists of `service` (`smtp`, `submission`), from the texts of `main.cf` and `master.cf`.
pub fn lists(main_cf: &str, master_cf: &str, service: &str) -> Vec<List> {
    let mut parameters = parameters(main_cf);
    parameters.extend(options(master_cf, service));
    // Postfix asks this at the end of all of them, whatever they permit (postconf(5)).
    let unlisted = "smtpd_reject_unlisted_recipient";
    let asks = parameters.get(unlisted).is_none_or(|value| value == "yes");
    let last =
        asks.then(|| List { name: unlisted, rules: vec![("reject_unlisted_recipient".to_owned(), None)] });
    LISTS
        .into_iter()
        .map(|name| {
            let text = expanded(parameters.get(name).map_or("", String::as_str), &parameters, DEPTH);
            List { name, rules: rules(&text) }
        })
        .chain(last)
        .collect()
}

/// `name = value`; a line that begins with a blank goes on with the one above (postconf(5)).
fn parameters(main_cf: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut last = String::new();
    for line in main_cf.lines().filter(|line| !line.trim_start().starts_with('#') && !line.trim().is_empty())
    {
        match line.split_once('=').filter(|_| !line.starts_with([' ', '\t'])) {
            Some((name, value)) => {
                name.trim().clone_into(&mut last);
                all.insert(last.clone(), value.trim().to_owned());
            }
            None => {
                let value: &mut String = all.entry(last.clone()).or_default();
                value.push(' ');
                value.push_str(line.trim());
            }
        }
    }
    all
}

/// The `-o name=value` of a service's entry (master(5)).
fn options(master_cf: &str, service: &str) -> BTreeMap<String, String> {
    let mut all = BTreeMap::new();
    let mut inside = false;
    for line in master_cf.lines().filter(|line| !line.starts_with('#')) {
        if !line.starts_with([' ', '\t']) {
            let mut words = line.split_whitespace();
            inside = words.next() == Some(service) && words.next() == Some("inet");
        } else if inside
            && let Some((name, value)) =
                line.trim().strip_prefix("-o ").and_then(|option| option.split_once('='))
        {
            all.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    all
}

/// With the values of `$name` and `${name}` in place.
fn expanded(text: &str, parameters: &BTreeMap<String, String>, depth: usize) -> String {
    let Some((before, rest)) = text.split_once('$') else { return text.to_owned() };
    if depth == 0 {
        // It names itself; Postfix refuses to start with that.
        return before.to_owned();
    }
    let (name, after) = match rest.strip_prefix('{').and_then(|rest| rest.split_once('}')) {
        Some(found) => found,
        None => {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            rest.split_at(end)
        }
    };
    let value = parameters.get(name).map_or("", String::as_str);
    format!("{before}{}{}", expanded(value, parameters, depth - 1), expanded(after, parameters, depth))
}

/// Words, with commas or blanks between them; what stands in braces is one.
fn words(text: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth <= 0 && (c.is_whitespace() || c == ',') {
            all.push(String::new());
        } else if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all.retain(|word| !word.is_empty());
    all
}

fn rules(text: &str) -> Vec<(String, Option<String>)> {
    let mut rules = Vec::new();
    let mut words = words(text).into_iter();
    while let Some(word) = words.next() {
        let takes = word.starts_with("check_")
            || word.starts_with("reject_r") && word.contains("rbl_client")
            || [
                "reject_rhsbl_client",
                "reject_rhsbl_helo",
                "reject_rhsbl_sender",
                "reject_rhsbl_recipient",
                "sleep",
            ]
            .contains(&word.as_str());
        let given = if takes { words.next() } else { None };
        rules.push((word, given));
    }
    rules
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIN: &str = "# smtpd_helo_restrictions = reject\nroom = check_policy_service { unix:/run/quota, timeout=2s }\n\
        smtpd_client_restrictions = check_policy_service unix:/run/policy\n\
        smtpd_relay_restrictions = permit_mynetworks,\n  reject_unauth_destination\n\
        smtpd_recipient_restrictions = reject_non_fqdn_recipient ${room} reject_rbl_client dnsbl.example\n\
        loop = $loop\nsubmission_relay = permit_sasl_authenticated reject $loop\n";
    const MASTER: &str = "smtp inet n - n - - smtpd\nsubmission inet n - n - - smtpd\n  -o smtpd_helo_restrictions=\n\
        \x20 -o smtpd_relay_restrictions=$submission_relay\nsmtp unix - - n - - smtp\n  -o smtpd_relay_restrictions=x\n";

    fn names(service: &str, at: usize) -> Vec<String> {
        lists(MAIN, MASTER, service)[at].rules.iter().map(|(name, _)| name.clone()).collect()
    }

    #[test]
    fn the_lists_of_a_door_are_read_as_postfix_reads_them() {
        let all = lists(MAIN, MASTER, "smtp");
        assert_eq!(all[0].rules, [("check_policy_service".into(), Some("unix:/run/policy".into()))]);
        assert!(all[1].rules.is_empty() && all[2].rules.is_empty());
        assert_eq!(names("smtp", 3), ["permit_mynetworks", "reject_unauth_destination"]);
        assert_eq!(
            names("smtp", 4),
            ["reject_non_fqdn_recipient", "check_policy_service", "reject_rbl_client"]
        );
        assert_eq!(all[4].rules[1].1.as_deref(), Some("{ unix:/run/quota, timeout=2s }"));
        assert_eq!(names("submission", 3), ["permit_sasl_authenticated", "reject"]);
    }
}
