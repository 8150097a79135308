//! `mailctl plan`.

use super::scene::Scene;
use crate::{
    error::Error,
    plan::{self, Plan},
    ui::Ui,
    world::World,
};

/// Show what `up` would do, and do nothing
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Prints the steps.
pub async fn run(_args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let scene = Scene::look(world).await?;
    scene.trust()?;
    print(&plan::plan(&scene.stack, &scene.observed), ui);
    Ok(())
}

/// The steps, one a line, or as JSON.
pub fn print(plan: &Plan, ui: &mut Ui) {
    if ui.manner().json {
        return ui.json(plan);
    }
    for note in &plan.notes {
        ui.warn(note);
    }
    if plan.is_empty() {
        return ui.say("nothing to do: what runs is what should run");
    }
    for step in &plan.steps {
        ui.data(step.to_string());
    }
}
