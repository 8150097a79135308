//! Makes a change of files live in the running stack.

use super::{reload, scene::Scene};
use crate::{
    error::{Error, Exit, codes},
    plan::observed::State,
    ui::Ui,
    world::{World, dialogue::Dialogue},
};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// After a change of certificate, keys or served domains: reloads what runs. The caller has let go of the
/// lock. Where nothing of ours runs (`false`), says what makes the change live.
pub async fn refresh(world: &World, ui: &mut Ui) -> Result<bool, Error> {
    let runs = match Scene::look(world).await {
        Ok(scene) => scene.observed.containers.iter().any(|container| container.state == State::Running),
        // No engine, or the project's name is another home's: then this home's stack does not run.
        Err(error) if is_elsewhere(&error) => false,
        Err(error) => return Err(pending(error)),
    };
    if runs {
        reload::run(reload::Args {}, world, ui).await.map_err(pending)?;
    } else {
        ui.say("the stack does not run here; it takes this up with: mailctl up");
    }
    Ok(runs)
}

/// How long mailctld gets to take a change up; it looks ten times a second.
const NOTICE: Duration = Duration::from_secs(3);

/// Waits until mailctld answers from everything that is in the directory now, so that mail for a new address
/// is taken as soon as the command has returned. Where no mailctld runs there is nothing to wait for.
pub async fn noticed(world: &World, ui: &mut Ui) -> Result<(), Error> {
    let socket = world.paths.run().join("mailctld/socketmap");
    let Ok(mut mailctld) = Dialogue::connect_unix(&socket).await else { return Ok(()) };
    let store = world.store_to_read().await?;
    let wanted = store.last_change().await?;
    store.close().await;
    let began = Instant::now();
    while began.elapsed() < NOTICE {
        let answer = timeout(NOTICE, mailctld.socketmap("changes now")).await;
        let answer = answer.ok().and_then(Result::ok).unwrap_or_default();
        let seen = answer.strip_prefix("OK ").and_then(|number| number.parse::<i64>().ok());
        if seen.is_some_and(|seen| seen >= wanted) {
            return Ok(());
        }
        sleep(Duration::from_millis(10)).await;
    }
    ui.warn("the change is saved, but mailctld has not taken it up yet; look: mailctl status");
    Ok(())
}

/// Whether a look at the stack failed because this home's stack does not run here.
pub fn is_elsewhere(error: &Error) -> bool {
    error.code() == codes::STACK_FOREIGN
        || matches!(error.code().exit, Exit::Unavailable | Exit::NoPermission)
}

fn pending(error: Error) -> Error {
    error.hint("the change itself is done; to make it live: mailctl reload")
}
