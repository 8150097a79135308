//! Makes a change of files live in the running stack.

use super::{reload, scene::Scene};
use crate::{
    error::{Error, Exit, codes},
    plan::observed::State,
    ui::Ui,
    world::World,
};

/// After a change of certificate, keys or served domains: reloads what runs. The caller has let go of the
/// lock. Where nothing of ours runs, says what makes the change live.
pub async fn refresh(world: &World, ui: &mut Ui) -> Result<(), Error> {
    let runs = match Scene::look(world).await {
        Ok(scene) => scene.observed.containers.iter().any(|container| container.state == State::Running),
        // No engine, or the project's name is another home's: then this home's stack does not run.
        Err(error) if is_elsewhere(&error) => false,
        Err(error) => return Err(pending(error)),
    };
    if runs {
        reload::run(reload::Args {}, world, ui).await.map_err(pending)
    } else {
        ui.say("the stack does not run here; it takes this up with: mailctl up");
        Ok(())
    }
}

fn is_elsewhere(error: &Error) -> bool {
    error.code() == codes::STACK_FOREIGN
        || matches!(error.code().exit, Exit::Unavailable | Exit::NoPermission)
}

fn pending(error: Error) -> Error {
    error.hint("the change itself is done; to make it live: mailctl reload")
}
