//! `mailctl version`.

use crate::{error::Error, ui::Ui, world::World};

/// Show the version of mailctl
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Prints it.
pub async fn run(_args: Args, _world: &World, ui: &mut Ui) -> Result<(), Error> {
    if ui.manner().json {
        ui.json(&serde_json::json!({"mailctl": env!("CARGO_PKG_VERSION")}));
    } else {
        ui.data(format!("mailctl {}", env!("CARGO_PKG_VERSION")));
    }
    Ok(())
}
