//! Cleaning: what nobody needs any more, and would fill the disk in years.

use crate::{error::Error, world::World};

/// Removes it. Generations first: they need no engine.
pub async fn run(world: &World, dry_run: bool, done: &mut Vec<String>) -> Result<(), Error> {
    let (old, unfinished) = (world.old_generations(), world.leftovers());
    if dry_run {
        if !old.is_empty() {
            done.push(format!("would remove {} old generation(s) of configuration", old.len()));
        }
        done.extend(unfinished.iter().map(|path| format!("would remove {}", path.display())));
        return Ok(());
    }
    if !old.is_empty() || !unfinished.is_empty() {
        let _lock = world.lock()?;
        // As they are now: what came before may have removed some.
        let old = world.old_generations();
        world.forget_generations(&old)?;
        if !old.is_empty() {
            done.push(format!("removed {} old generation(s) of configuration", old.len()));
        }
        match world.remove_leftovers(&world.leftovers()) {
            0 => {}
            count => done.push(format!("removed {count} unfinished file(s) of commands that were killed")),
        }
    }
    match world.engine().await?.forget_images().await? {
        0 => {}
        count => done.push(format!("removed {count} image(s) of older programs")),
    }
    Ok(())
}
