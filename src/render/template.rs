//! The templates: our own, compiled in, and the operator's, which come first.
//!
//! An operator's template takes ours in with `{% include "builtin/postfix/main.cf" %}`, so that it can add
//! to it and still follow every upgrade.

use super::Fault;
use serde::Serialize;
use tera::{Context, Tera};

macro_rules! builtin {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!("../../templates/", $name)))),*]
    };
}

/// Name and text of every template of ours.
pub const BUILTIN: &[(&str, &str)] = builtin![
    "dovecot/dovecot.conf",
    "mailctld/autoconfig.xml",
    "mailctld/autodiscover.xml",
    "mailctld/daemon.toml",
    "mailctld/profile.mobileconfig",
    "opendkim/ed25519.conf",
    "opendkim/internalhosts",
    "opendkim/keytable",
    "opendkim/opendkim.conf",
    "opendkim/signing",
    "opendkim/signingtable",
    "opendkim/unbound.conf",
    "postfix/incoming_headers",
    "postfix/main.cf",
    "postfix/master.cf",
    "postfix/sasl_passwd",
    "postfix/sni",
    "postfix/submission_headers",
    "postfix/transport",
];

/// All templates, the operator's over ours.
pub struct Templates(Tera);

impl Templates {
    /// `overrides`: name below `templates/`, and text.
    pub fn new(overrides: &[(String, String)]) -> Result<Self, Fault> {
        let mut tera = Tera::new();
        // Nothing here is HTML, whatever a template is called.
        tera.autoescape_on([""; 0]);
        tera.set_fallback_prefixes(["operator/", "builtin/"]).map_err(|error| told("", &error))?;
        let ours = BUILTIN.iter().map(|(name, text)| (format!("builtin/{name}"), *text));
        tera.add_raw_templates(ours).map_err(|error| told("", &error))?;
        for (name, text) in overrides {
            if !BUILTIN.iter().any(|(known, _)| known == name) {
                let known: Vec<&str> = BUILTIN.iter().map(|(name, _)| *name).collect();
                let what = format!("there is no such template; there are {}", known.join(", "));
                return Err(Fault { place: format!("templates/{name}"), what });
            }
            tera.add_raw_template(&format!("operator/{name}"), text).map_err(|error| told(name, &error))?;
        }
        Ok(Self(tera))
    }

    /// The text of one file.
    pub fn render(&self, name: &str, values: &impl Serialize) -> Result<String, Fault> {
        let context = Context::from_serialize(values).map_err(|error| told(name, &error))?;
        self.0.render(name, &context).map_err(|error| told(name, &error))
    }
}

/// One text of ours that no operator's template replaces; `parts` are what it takes in.
pub fn render_one(
    name: &str,
    text: &str,
    parts: &[(&str, &str)],
    values: &impl Serialize,
) -> Result<String, Fault> {
    let mut tera = Tera::new();
    tera.autoescape_on([""; 0]);
    let all = parts.iter().copied().chain([(name, text)]);
    tera.add_raw_templates(all).map_err(|error| told(name, &error))?;
    let context = Context::from_serialize(values).map_err(|error| told(name, &error))?;
    tera.render(name, &context).map_err(|error| told(name, &error))
}

/// The engine's own message: it shows the line and points at the place.
fn told(name: &str, error: &tera::Error) -> Fault {
    Fault { place: format!("templates/{name}"), what: error.to_string().trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn overridden(name: &str, text: &str) -> Result<Templates, Fault> {
        Templates::new(&[(name.to_owned(), text.to_owned())])
    }

    #[test]
    fn an_override_comes_first_and_can_take_ours_in() {
        let text = "x <&> {{ hostname }}\n{% include \"builtin/postfix/submission_headers\" %}";
        let templates = overridden("postfix/submission_headers", text).unwrap();
        let values = BTreeMap::from([("hostname", "a.b"), ("hostname_pattern", "a\\.b")]);
        let out = templates.render("postfix/submission_headers", &values).unwrap();
        assert!(out.starts_with("x <&> a.b\n") && out.contains("by a\\.b "), "{out}");
    }

    #[test]
    fn faults_name_the_template_and_the_line() {
        let fault = overridden("postfix/main.cf", "ok\n{{ nonsense").err().unwrap();
        assert_eq!(fault.place, "templates/postfix/main.cf");
        assert!(fault.what.contains("2:"), "{}", fault.what);
        let fault = overridden("postfix/mian.cf", "").err().unwrap();
        assert!(fault.what.contains("postfix/main.cf"), "{}", fault.what);
        let unknown = overridden("postfix/transport", "{{ nonsense }}\n").unwrap();
        let fault = unknown.render("postfix/transport", &BTreeMap::from([("routes", "")])).err().unwrap();
        assert!(fault.what.contains("nonsense"), "{}", fault.what);
    }
}
