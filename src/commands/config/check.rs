//! `mailctl config check`.

use crate::{
    commands::{
        scene::{self, Scene},
        up,
    },
    error::Error,
    render::ConfigSet,
    ui::Ui,
    world::World,
};

/// Find what is wrong with the settings, without changing what runs
///
/// Reads both files and the environment, checks the values against each other, renders; where an engine
/// answers, compares trusted networks with its gateways and lets Postfix, Dovecot and OpenDKIM of the image
/// judge the result. Exit status 78 where something is wrong.
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Checks them.
pub async fn run(_args: &Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let loaded = world.settings()?;
    let mut warnings = loaded.warnings;
    let config = if world.paths.state().is_dir() {
        Some(scene::config(world, &loaded.settings).await?)
    } else {
        warnings.push("nothing was rendered: this home is not set up yet (mailctl init)".to_owned());
        None
    };
    if let Some(config) = &config {
        match Scene::look(world).await {
            Ok(scene) => warnings.extend(against_engine(world, &scene, config).await?),
            Err(error) => warnings.push(format!("not compared with the engine: {error}")),
        }
    }
    if ui.manner().json {
        ui.json(&serde_json::json!({"ok": true, "warnings": warnings}));
        return Ok(());
    }
    warnings.iter().for_each(|warning| ui.warn(warning));
    ui.say("the settings are good");
    Ok(())
}

/// What only the engine and the real programs know; the result is what they warn about.
async fn against_engine(world: &World, scene: &Scene, config: &ConfigSet) -> Result<Vec<String>, Error> {
    scene.trust()?;
    if scene.observed.image.is_none() {
        return Ok(vec![
            "not judged by the mail programs: there is no image yet (mailctl image build)".to_owned(),
        ]);
    }
    // A run that writes a generation clears away drafts.
    let _lock = world.lock()?;
    let draft = world.draft_generation(config)?;
    let mut told = up::lint(world, scene, &draft.path().display().to_string()).await?;
    // Several programs read the same file and say the same of it.
    let mut seen = std::collections::BTreeSet::new();
    told.retain(|line| seen.insert(line.rsplit("warning: ").next().unwrap_or(line).to_owned()));
    Ok(told)
}
