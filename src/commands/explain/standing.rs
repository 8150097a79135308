//! How limits and greylisting stand at this moment, as the running mailctld tells it.

use crate::{
    commands::{limits::words, names},
    mail::{
        explain::{Called, Question, Step, Verdict},
        greylist, limit,
        policy::{Action, Decision, Rule, frozen, greylisted},
    },
    world::{
        World,
        control::{Ask, Grey, Standing, Used},
    },
};

/// Completes the step in which mailctld is asked. Where it does not run, that is said, and nothing refuses.
pub async fn tell(steps: &mut Vec<Step>, question: &Question, world: &World) {
    let asked = |step: &Step| step.verdict == Verdict::Open && step.rule.contains("mailctld/policy");
    let Some(at) = steps.iter().position(asked) else { return };
    let now = u32::try_from(names::now()).unwrap_or(u32::MAX);
    let Ok(standing) = world.standing(&ask(question)).await else {
        steps[at].why += "; it does not answer here, so how they stand is not known";
        return;
    };
    if refuse(&mut steps[at], &standing, question, now) {
        steps[at].verdict = Verdict::Refuse;
        steps.truncate(at + 1);
        return;
    }
    steps[at].why += "; now: ";
    steps[at].why += &[limits(&standing, now), known(&standing, question)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join(", ");
}

fn ask(question: &Question) -> Ask {
    let recipient_domain = Some(question.to.domain().to_string());
    if let Some(login) = &question.login {
        return Ask { login: Some(login.to_string()), recipient_domain, ..Ask::default() };
    }
    let sender = question.from.as_ref().map(ToString::to_string).unwrap_or_default();
    Ask {
        client: question.client,
        client_name: match &question.called {
            Some(Called::By(name)) => Some(name.clone()),
            _ => None,
        },
        sender_domain: question.from.as_ref().map(|from| from.domain().to_string()),
        recipient_domain: recipient_domain.filter(|_| question.trusted),
        triplet: Some((sender, question.to.to_string())),
        proven: question.spf.as_ref().is_some_and(|proof| proof.says.starts_with("pass")),
        login: None,
    }
}

/// Whether something is used up, or has to be waited for.
fn refuse(step: &mut Step, standing: &Standing, question: &Question, now: u32) -> bool {
    let login = question.login.as_ref().map(ToString::to_string).unwrap_or_default();
    let full = standing.limits.iter().find(|used| used.used >= used.most);
    let (decision, why) = match (standing.frozen, full, standing.greylist) {
        (true, ..) => (frozen(&login), format!("sending is stopped for {login}")),
        (_, Some(used), _) => (over(used, now), format!("{}: {}", used.of, words(used, now))),
        (.., Some(Grey::New { seconds } | Grey::Waits { seconds })) => (
            greylisted(greylist::Verdict::Wait(seconds)),
            format!("an unknown sender has to come again in {seconds} seconds{}", taken_as(question)),
        ),
        _ => return false,
    };
    step.why = why;
    step.reply = Some(decision.action.to_string());
    step.setting = Some(decision.rule.setting());
    step.remedies.push(decision.rule.remedy().to_owned());
    true
}

/// As the client is told it.
fn over(used: &Used, now: u32) -> Decision {
    let rule = Rule::ALL.iter().find(|rule| rule.setting() == used.setting).copied();
    let text = format!(
        "4.7.1 too much from {}: no more than {}; try again after {}",
        used.of,
        used.limit,
        limit::clock(used.until, now)
    );
    Decision { action: Action::Defer(text), rule: rule.unwrap_or(Rule::None) }
}

/// The limit of which the largest share is used up.
fn limits(standing: &Standing, now: u32) -> Option<String> {
    let share = |used: u32, most: u32| u64::from(used) * 1_000_000 / u64::from(most.max(1));
    let nearest = standing.limits.iter().max_by_key(|used| share(used.used, used.most));
    Some(match nearest {
        None => "no limit is set for it".to_owned(),
        Some(used) if used.used == 0 => "nothing of its limits is used up".to_owned(),
        Some(used) => format!("the limit that is nearest is {} ({})", words(used, now), used.of),
    })
}

fn known(standing: &Standing, question: &Question) -> Option<String> {
    match standing.greylist? {
        Grey::Off => None,
        Grey::Known => Some(format!("known to greylisting{}", taken_as(question))),
        // These refuse.
        Grey::Waits { .. } | Grey::New { .. } => None,
    }
}

/// What the client was taken for: greylisting knows the servers of a pool by their domain.
fn taken_as(question: &Question) -> String {
    let (Some(client), Some(called)) = (question.client, &question.called) else { return String::new() };
    let alone = match called {
        Called::By(name) => match greylist::pool(client, name) {
            Some(pool) => return format!(", as one of the servers of {pool} (it is called {name})"),
            None => format!("it is called {name}, which is no pool's name"),
        },
        Called::Nobody => "DNS has no name for it that leads back to it".to_owned(),
        Called::Unknown(why) => format!("DNS did not tell its name: {why}"),
    };
    format!(", as one that stands alone ({alone})")
}
