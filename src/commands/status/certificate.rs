//! What `status` tells of certificates: how long they hold, and whether the ports show them.

use crate::{
    commands::{
        cert::serve::{self, Shown},
        scene::Scene,
    },
    error::{Error, codes},
    mail::cert::alert::Alert,
    ui::Ui,
    world::{
        World,
        keys::tls::{self, Served},
    },
};
use serde::Serialize;
use std::time::Duration;

/// How long all ports together get.
const LIMIT: Duration = Duration::from_secs(4);

/// The certificates of the set that is installed, and what the ports show.
#[derive(Debug, Serialize)]
pub struct Standing {
    certificates: Vec<Holds>,
    /// One for each question to a port; empty where none was asked.
    ports: Vec<Shown>,
}

#[derive(Debug, Serialize)]
struct Holds {
    #[serde(rename = "for")]
    place: String,
    serial: String,
    days_left: i64,
    alert: Option<Alert>,
}

/// Reads the certificates and, unless `quick`, asks the ports.
pub async fn standing(world: &World, scene: &Scene, quick: bool, now: i64) -> Result<Standing, Error> {
    let holds = |one: &Served| Holds {
        place: one.place.to_string(),
        serial: one.certificate.serial.clone(),
        days_left: (one.certificate.not_after - now).div_euclid(86_400),
        alert: Alert::at(one.certificate.not_after, now),
    };
    let certificates = tls::served(&world.paths)?.iter().map(holds).collect();
    let ports = if quick { Vec::new() } else { serve::look(world, scene, LIMIT).await? };
    Ok(Standing { certificates, ports })
}

impl Standing {
    /// Lines for a person.
    pub fn tell(&self, ui: &mut Ui) {
        let mut served: Vec<String> = Vec::new();
        for shown in self.ports.iter().filter(|shown| shown.served()) {
            let port = shown.port().to_string();
            if !served.contains(&port) {
                served.push(port);
            }
        }
        for one in &self.certificates {
            let alert = one.alert.map(|alert| format!(": {alert}")).unwrap_or_default();
            let (place, days, serial) = (&one.place, one.days_left, &one.serial);
            ui.data(format!("certificate ({place}) serial {serial}, {days} days left{alert}"));
        }
        if !served.is_empty() {
            ui.data(format!("certificates as installed are served on {}", served.join(" ")));
        }
        for shown in self.ports.iter().filter(|shown| !shown.served()) {
            ui.data(shown.to_string());
        }
    }

    /// What is wrong: a port with another certificate than the installed one, or one that is over. A port that shows
    /// nothing is the business of its service's health.
    pub fn fault(&self) -> Option<Error> {
        let behind: Vec<&Shown> = self.ports.iter().filter(|shown| shown.shows_another()).collect();
        if !behind.is_empty() {
            return Some(serve::error(&behind));
        }
        let over = self.certificates.iter().find(|one| one.alert == Some(Alert::Expired))?;
        let what = format!("the certificate ({}) with serial {} has expired", over.place, over.serial);
        Some(Error::new(codes::TLS_EXPIRED, what).hint("mailctl cert show").hint("mailctl cert import DIR"))
    }
}
