//! Our own daemon: what the directory does not hold.

use super::{ConfigFile, Fault, ids, template::Templates};
use crate::settings::Settings;
use serde::Serialize;

/// What its template sees.
#[derive(Serialize)]
struct Context<'a> {
    hostname: &'a str,
    admin: String,
    domains: Vec<&'a str>,
    group: u32,
}

/// Its file.
pub(super) fn render(settings: &Settings, templates: &Templates) -> Result<Vec<ConfigFile>, Fault> {
    let context = Context {
        hostname: settings.hostname.as_str(),
        admin: settings.admin.to_string(),
        domains: settings.domains().map(|domain| domain.as_str()).collect(),
        group: ids::POSTFIX,
    };
    let name = "mailctld/daemon.toml";
    Ok(vec![ConfigFile::public(name, templates.render(name, &context)?)])
}
