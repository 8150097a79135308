//! `mailctl version`.

use crate::{error::Error, plan::recipe, ui::Ui, world::World};
use std::collections::BTreeMap;

/// Show the versions of mailctl, of the mail programs in its image, and of the engine
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Print the packages of the image in which this runs
    #[arg(long, hide = true)]
    packages: bool,
}

/// Prints them. Without an engine or an image, only its own.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    if args.packages {
        let path = std::path::Path::new(recipe::PACKAGES);
        let listing = std::fs::read_to_string(path).map_err(|e| crate::world::io_error("read", path, &e))?;
        ui.write(&listing);
        return Ok(());
    }
    let (mut engine_version, mut image) = (None, None);
    if let Ok(engine) = world.engine().await {
        engine_version = Some(engine.version().to_owned());
        image = engine.image(&world.image_tag()?).await?;
    }
    let packages: BTreeMap<&str, &str> = image.iter().flat_map(|image| image.versions()).collect();
    if ui.manner().json {
        ui.json(&serde_json::json!({
            "mailctl": env!("CARGO_PKG_VERSION"), "engine": engine_version, "packages": packages,
        }));
        return Ok(());
    }
    ui.data(format!("mailctl {}", env!("CARGO_PKG_VERSION")));
    for (name, version) in packages {
        ui.data(format!("{name} {version}"));
    }
    if let Some(version) = engine_version {
        ui.data(format!("engine {version}"));
    }
    Ok(())
}
