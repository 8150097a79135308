//! How often one request of an attempt is asked again before the attempt ends and the calendar takes over.

use super::{Pace, fault::Fault};
use std::time::{Duration, Instant};

/// Requests that are sent again because the nonce was not taken; instant-acme itself tries three times each.
const NONCES: u32 = 16;

/// How often a step is taken at most where the authority says nothing that counts.
const TRIES: u32 = 4;

/// Takes a step again while the authority gives no answer that counts, with pauses that grow, a few seconds in all.
/// A `Retry-After` is waited for where it is as short as that. A longer one ends the attempt, and so does who lets us wait
/// for [`Pace::request`] twice. Whatever the step asks must be safe to ask twice.
pub async fn patiently<T>(pace: &Pace, step: impl AsyncFnMut() -> Result<T, Fault>) -> Result<T, Fault> {
    repeat(pace, step, |fault| matches!(fault, Fault::Silent { .. } | Fault::Busy { .. })).await
}

/// The same for a step of instant-acme's; a nonce that is not taken is no try.
pub async fn again<T>(
    pace: &Pace,
    mut step: impl AsyncFnMut() -> Result<T, instant_acme::Error>,
) -> Result<T, Fault> {
    patiently(pace, async || nonces(&mut step).await).await
}

/// For what must not be asked twice: only while it is known that the authority has done nothing.
pub async fn once<T>(
    pace: &Pace,
    mut step: impl AsyncFnMut() -> Result<T, instant_acme::Error>,
) -> Result<T, Fault> {
    repeat(pace, async || nonces(&mut step).await, |fault| matches!(fault, Fault::Busy { .. })).await
}

async fn repeat<T>(
    pace: &Pace,
    mut step: impl AsyncFnMut() -> Result<T, Fault>,
    worth: impl Fn(&Fault) -> bool,
) -> Result<T, Fault> {
    let (began, mut pause, mut tries) = (Instant::now(), pace.again, 1);
    loop {
        let fault = match step().await {
            Err(fault) if worth(&fault) => fault,
            done => return done,
        };
        let told = fault.again().map_or(Duration::ZERO, Duration::from_secs);
        // Up to half as long again by chance: so a thousand servers do not come back in the same moment.
        let wait = told.max(pause).mul_f64(1.0 + rand::random::<f64>() / 2.0);
        if tries == TRIES || began.elapsed() + wait > pace.request * 2 {
            return Err(fault);
        }
        tokio::time::sleep(wait).await;
        (pause, tries) = (pause * 2, tries + 1);
    }
}

/// Takes a step until its nonce is taken (RFC 8555 §6.5: the authority has done nothing before that).
async fn nonces<T>(mut step: impl AsyncFnMut() -> Result<T, instant_acme::Error>) -> Result<T, Fault> {
    let mut last = None;
    for _ in 0..NONCES {
        match step().await {
            Ok(done) => return Ok(done),
            Err(error) if bad_nonce(&error) => last = Some(error),
            Err(error) => return Err(error.into()),
        }
    }
    Err(last.map_or_else(|| Fault::silent("no nonce was taken"), Fault::from))
}

fn bad_nonce(error: &instant_acme::Error) -> bool {
    matches!(error, instant_acme::Error::Api(problem)
        if problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:badNonce"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: fault 20: a request is asked again a few times; a refusal never, a long Retry-After not in this attempt.
    #[tokio::test(start_paused = true)]
    async fn who_is_silent_is_asked_again_a_few_times() {
        let pace = Pace::default();
        let asked = async |faults: Vec<Fault>| {
            let mut faults = faults.into_iter();
            let mut times = 0;
            let done = patiently(&pace, async || {
                times += 1;
                faults.next().map_or(Ok(()), Err)
            });
            let well = done.await.is_ok();
            (times, well)
        };
        let silent = || Fault::silent("nothing came");
        let busy = |again| Fault::Busy { why: "429".to_owned(), again };
        assert_eq!(asked(vec![silent(), busy(None), busy(Some(2))]).await, (4, true));
        assert_eq!(asked(vec![silent(), silent(), silent(), silent()]).await, (4, false));
        assert_eq!(asked(vec![busy(Some(600))]).await, (1, false));
        assert_eq!(asked(vec![Fault::refused("caa", "no")]).await, (1, false));
    }
}
