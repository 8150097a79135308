//! `mailctl forward test`.

use crate::{
    commands::{
        alias::{place, resolve::tell},
        names,
    },
    error::Error,
    mail::directory::resolve,
    ui::Ui,
    world::World,
};

/// Show step by step where mail for an address would go: which forward, what its parts stand for, what is off
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Any address: here or elsewhere, with or without +tag
    #[arg(value_name = "ADDRESS")]
    address: String,
}

/// Prints the way.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let address = names::address(&args.address, ui)?;
    let settings = world.settings()?.settings;
    let place = place(&settings);
    let store = world.store_to_read().await?;
    let route = store.look_up(&settings, |directory| resolve(directory, &place, &address)).await?;
    tell(&address, &route, ui);
    Ok(())
}
