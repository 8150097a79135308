//! Makes a change of files live in the running stack.

use crate::{error::Error, ui::Ui, world::World};

/// After a change of certificate, keys or served domains: says what makes it live.
pub async fn refresh(_world: &World, ui: &mut Ui) -> Result<(), Error> {
    ui.say("to make it live: mailctl reload");
    Ok(())
}
