//! `mailctl cert issue`.

use super::attempt::{self, Outcome, Wish};
use crate::{commands::names, error::Error, ui::Ui, world::World};

/// Have a certificate issued by the authority of the settings (ACME), and serve it on every port
///
/// Looks first at what the authority will look at, and orders nothing that would be refused. Goes on with an order that
/// is under way. Where the one that is served is good and not due, there is nothing to do.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Also where the one that is served is good; limits and the authority's Retry-After still hold
    #[arg(long)]
    force: bool,
    /// With another private key: TLSA records have to follow it
    #[arg(long)]
    new_key: bool,
    /// Check everything, order nothing
    #[arg(long)]
    dry_run: bool,
}

/// One attempt, by hand.
pub async fn run(args: Args, world: &World, ui: &mut Ui) -> Result<(), Error> {
    let force = args.force || args.new_key;
    let wish = Wish { timer: false, force, new_key: args.new_key, dry_run: args.dry_run };
    let outcome = attempt::attempt(world, wish, ui).await?;
    tell(&outcome, ui);
    Ok(())
}

/// For a person or a program.
pub fn tell(outcome: &Outcome, ui: &mut Ui) {
    let now = names::now();
    if ui.manner().json {
        ui.json(&match outcome {
            Outcome::Good(next) => serde_json::json!({"outcome": "good", "next": next}),
            Outcome::Possible(names, why) => {
                serde_json::json!({"outcome": "possible", "names": names, "why": why})
            }
            Outcome::Issued(certificate) => {
                serde_json::json!({"outcome": "issued", "certificate": certificate})
            }
        });
        return;
    }
    match outcome {
        Outcome::Good(next) => ui.say(format!(
            "nothing to do: the certificate is good; it will be renewed {}",
            attempt::at(*next, now)
        )),
        Outcome::Possible(names, why) => {
            ui.say(format!("it can be ordered ({why}), for: {}", names.join(", ")));
            ui.say("nothing was ordered");
        }
        Outcome::Issued(certificate) => {
            super::show::print(ui, certificate, (certificate.not_after - now).div_euclid(86_400));
            ui.say("it was issued, and is in place");
        }
    }
}
