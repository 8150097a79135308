//! What a backup holds, for a person.

use crate::{
    commands::names,
    plan::backup::{Manifest, Part},
    ui::Ui,
};
use std::path::Path;

/// Prints it.
pub fn print(file: &Path, manifest: &Manifest, ui: &mut Ui) {
    let head = &manifest.head;
    let messages = manifest.messages();
    if ui.manner().json {
        let parts: serde_json::Map<String, serde_json::Value> =
            head.parts.iter().map(|part| (part.name().to_owned(), manifest.files(*part).into())).collect();
        return ui.json(&serde_json::json!({
            "file": file, "from": head, "files": parts, "octets": manifest.octets(), "mailboxes": messages,
        }));
    }
    ui.data(format!("made      {} by mailctl {}", head.created, head.mailctl));
    ui.data(format!("server    {} (project {}, on {})", head.hostname, head.project, head.machine));
    let schema = head.schema.map_or("no directory yet".to_owned(), |schema| format!("schema {schema}"));
    ui.data(format!("state     {schema}"));
    for part in &head.parts {
        ui.data(format!("{:<9} {} files", part.name(), manifest.files(*part)));
    }
    ui.data(format!("size      {}", names::size(manifest.octets())));
    for (mailbox, folders) in &messages {
        ui.data(format!(
            "  {mailbox:<32} {} messages in {} folders",
            folders.values().sum::<u64>(),
            folders.len()
        ));
    }
    if !head.parts.contains(&Part::Mail) {
        ui.say("it holds no mail");
    }
    ui.say("every octet of it is as it was when it was made");
}
