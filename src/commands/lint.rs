//! `mailctl lint` (hidden): inside the image, the real programs judge the configuration at /etc/mailctl/current.

use crate::{
    error::{Error, codes},
    ui::Ui,
    world::{World, linter},
};

/// Let the real programs check the configuration of this container
#[derive(clap::Args, Debug)]
pub struct Args {}

/// Prints what each complains about; refuses when one of them refuses.
pub async fn run(_args: Args, _world: &World, ui: &mut Ui) -> Result<(), Error> {
    let verdicts = linter::verdicts().await;
    for line in verdicts.iter().flat_map(|verdict| &verdict.complaints) {
        ui.data(line);
    }
    match verdicts.iter().find(|verdict| !verdict.accepted) {
        None => Ok(()),
        Some(verdict) => Err(Error::new(
            codes::CONFIG_REJECTED,
            format!("{} does not accept its configuration", verdict.program),
        )),
    }
}
