//! The authorizations of an order (RFC 8555 §7.5): what they want to see, and why they were not given.

use super::{challenge::Proof, fault::Fault, order::Task, patience::again};
use crate::settings::Challenge;
use instant_acme::{AuthorizationStatus, ChallengeStatus, ChallengeType, Order};

fn wanted(task: &Task<'_>) -> ChallengeType {
    match task.acme.challenge {
        Challenge::Http01 => ChallengeType::Http01,
        Challenge::TlsAlpn01 => ChallengeType::TlsAlpn01,
        Challenge::Dns01 => ChallengeType::Dns01,
    }
}

/// What the authority still wants to see.
pub async fn proofs(task: &Task<'_>, order: &mut Order) -> Result<Vec<Proof>, Fault> {
    fetch(task, order).await?;
    let mut proofs = Vec::new();
    let mut all = order.authorizations();
    while let Some(next) = all.next().await {
        let mut authorization = next?;
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        let name = authorization.identifier().to_string();
        if !task.names.contains(&name) {
            return Err(Fault::refused("", format!("it asks to prove {name:?}, which was not ordered")));
        }
        let Some(challenge) = authorization.challenge(wanted(task)) else {
            let why = format!("it offers no {} for {name}", task.acme.challenge);
            return Err(Fault::refused("", why));
        };
        let key = challenge.key_authorization().as_str().to_owned();
        proofs.push(Proof::new(&name, &challenge.token, key)?);
    }
    Ok(proofs)
}

/// The states of all authorizations; those that are known stay as they are.
async fn fetch(task: &Task<'_>, order: &mut Order) -> Result<(), Fault> {
    again(&task.pace, async || {
        let mut all = order.authorizations();
        while let Some(next) = all.next().await {
            next?;
        }
        Ok(())
    })
    .await
}

/// Tokens of challenges at which the authority was told to look.
#[derive(Default)]
pub struct Sent {
    /// Whether it heard that is not known.
    open: Vec<String>,
    /// It said that it does.
    heard: Vec<String>,
}

/// Tells the authority to look. What it was told before, it is not told again: neither what was known when the order was
/// opened, nor what is in `sent`, which grows and outlives a step that is taken once more.
pub async fn ready(task: &Task<'_>, order: &mut Order, sent: &mut Sent) -> Result<(), instant_acme::Error> {
    let mut all = order.authorizations();
    while let Some(next) = all.next().await {
        let mut authorization = next?;
        if authorization.challenges.iter().any(|challenge| sent.open.contains(&challenge.token)) {
            authorization.refresh().await?;
        }
        if authorization.status != AuthorizationStatus::Pending {
            continue;
        }
        if let Some(mut challenge) = authorization.challenge(wanted(task))
            && challenge.status == ChallengeStatus::Pending
            && !sent.heard.contains(&challenge.token)
        {
            let token = challenge.token.clone();
            sent.open.push(token.clone());
            challenge.set_ready().await?;
            sent.open.retain(|open| *open != token);
            sent.heard.push(token);
        }
    }
    Ok(())
}

/// Why an order came to nothing, in the authority's words.
pub async fn invalid(task: &Task<'_>, order: &mut Order) -> Fault {
    let mut whys = Vec::new();
    if fetch(task, order).await.is_ok() {
        let mut all = order.authorizations();
        while let Some(Ok(mut authorization)) = all.next().await {
            let name = authorization.identifier().to_string();
            if let Some(challenge) = authorization.challenge(wanted(task))
                && let Some(problem) = &challenge.error
            {
                whys.push((name, problem.clone()));
            }
        }
    }
    let told = order.state().error.clone();
    match (whys.first(), told) {
        (Some((name, problem)), _) => {
            let kind = problem.r#type.as_deref().unwrap_or_default();
            let detail = problem.detail.as_deref().unwrap_or("it does not say why");
            refusal(kind, &format!("{name}: {detail}"))
        }
        (None, Some(problem)) => refusal(problem.r#type.as_deref().unwrap_or_default(), &problem.to_string()),
        (None, None) => Fault::refused("", "the order is invalid, and the authority does not say why"),
    }
}

/// An order that is invalid stays so, whatever the reason is called.
fn refusal(kind: &str, why: &str) -> Fault {
    match Fault::of_problem(kind, why) {
        Fault::Silent { why, again } | Fault::Busy { why, again } => {
            Fault::Refused { kind: String::new(), why, again }
        }
        fault => fault,
    }
}
