//! The signed requests that are ours to make. newAccount (RFC 8555 §7.3): instant-acme makes the key of an account
//! itself, and hands it out only with a good answer: where that answer is lost, so is the account. Ours is on the disk
//! before it is told to anybody. And reading the account and its list of orders, which instant-acme has no word for.

use super::{
    directory::Directory,
    fault::Fault,
    http::{Answer, Http},
};
use crate::error::{Error, codes};
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use bytes::Bytes;
use http::{Method, Request};
use openssl::{
    bn::{BigNum, BigNumContext},
    ec::EcKey,
    ecdsa::EcdsaSig,
    error::ErrorStack,
    hash::MessageDigest,
    pkey::{PKey, Private},
    sha::sha256,
    sign::Signer,
};
use serde_json::{Value, json};

/// Requests that are sent again because their nonce was not taken (RFC 8555 §6.5), at most.
pub const NONCES: u32 = 40;

/// The key of an account at the authority that ours is bound to.
pub struct Binding {
    /// Its identifier.
    pub id: String,
    /// The key itself.
    pub key: Vec<u8>,
}

/// Makes the account of `key`, or finds it where it is there already; its URL.
pub async fn account(
    http: &Http,
    directory: &Directory,
    key: &EcKey<Private>,
    contact: &str,
    binding: Option<&Binding>,
) -> Result<String, Fault> {
    let url = &directory.new_account;
    let jwk = jwk(key).map_err(refused)?;
    let mut payload = json!({"termsOfServiceAgreed": true, "contact": [format!("mailto:{contact}")]});
    if let Some(binding) = binding {
        payload["externalAccountBinding"] = bound(binding, &jwk, url).map_err(refused)?;
    }
    let by = json!({"alg": "ES256", "jwk": jwk, "url": url});
    let answer = ask(http, directory, key, by, &payload.to_string(), url).await?;
    let at = answer.header("location").ok_or_else(|| Fault::silent("newAccount told no account"))?;
    Ok(at.to_owned())
}

/// Reads what the account `id` may read (RFC 8555 §6.3, POST-as-GET).
pub async fn read(
    http: &Http,
    directory: &Directory,
    key: &EcKey<Private>,
    id: &str,
    url: &str,
) -> Result<Answer, Fault> {
    let by = json!({"alg": "ES256", "kid": id, "url": url});
    ask(http, directory, key, by, "", url).await
}

/// Sends it until its nonce is taken. `header` lacks only that.
async fn ask(
    http: &Http,
    directory: &Directory,
    key: &EcKey<Private>,
    mut header: Value,
    payload: &str,
    url: &str,
) -> Result<Answer, Fault> {
    let mut nonce = None;
    for _ in 0..NONCES {
        let fresh = match nonce.take() {
            Some(nonce) => nonce,
            None => self::nonce(http, directory).await?,
        };
        header["nonce"] = fresh.into();
        let body = signed(&header, payload, |text| es256(key, text)).map_err(refused)?;
        let answer = http.send(post(url, &body)?).await?;
        if answer.parts.status.is_success() {
            return Ok(answer);
        }
        let fault = problem(&answer, url);
        nonce = answer.header("replay-nonce").map(str::to_owned);
        if !bad_nonce(&answer) {
            return Err(fault);
        }
    }
    Err(Fault::Busy { why: format!("{NONCES} nonces in a row were not taken"), again: None })
}

async fn nonce(http: &Http, directory: &Directory) -> Result<String, Fault> {
    let request = Request::builder().method(Method::HEAD).uri(&directory.new_nonce).body(Bytes::new());
    let answer = http.send(request.map_err(Fault::silent)?).await?;
    let nonce = answer.header("replay-nonce").map(str::to_owned);
    nonce.ok_or_else(|| Fault::silent("newNonce gave no nonce"))
}

fn post(url: &str, body: &Value) -> Result<Request<Bytes>, Fault> {
    Request::builder()
        .method(Method::POST)
        .uri(url)
        .header("content-type", "application/jose+json")
        .body(body.to_string().into())
        .map_err(Fault::silent)
}

fn problem(answer: &Answer, url: &str) -> Fault {
    let Ok(problem) = serde_json::from_slice::<instant_acme::Problem>(&answer.body) else {
        return Fault::silent(format!("{url} was answered with {}", answer.parts.status));
    };
    let detail = problem.detail.as_deref().unwrap_or("it was refused");
    Fault::of_problem(problem.r#type.as_deref().unwrap_or_default(), detail)
}

fn bad_nonce(answer: &Answer) -> bool {
    serde_json::from_slice::<instant_acme::Problem>(&answer.body)
        .is_ok_and(|problem| problem.r#type.as_deref() == Some("urn:ietf:params:acme:error:badNonce"))
}

/// RFC 7515 §7.2.2, as RFC 8555 §6.2 wants it.
fn signed(
    header: &Value,
    payload: &str,
    sign: impl FnOnce(&[u8]) -> Result<Vec<u8>, ErrorStack>,
) -> Result<Value, ErrorStack> {
    let (protected, payload) = (BASE64.encode(header.to_string()), BASE64.encode(payload));
    let signature = sign(format!("{protected}.{payload}").as_bytes())?;
    Ok(json!({"protected": protected, "payload": payload, "signature": BASE64.encode(signature)}))
}

/// RFC 7518 §3.4: R and S, 32 octets each.
fn es256(key: &EcKey<Private>, text: &[u8]) -> Result<Vec<u8>, ErrorStack> {
    let signature = EcdsaSig::sign(&sha256(text), key)?;
    Ok([signature.r().to_vec_padded(32)?, signature.s().to_vec_padded(32)?].concat())
}

/// RFC 7518 §6.2.1.
fn jwk(key: &EcKey<Private>) -> Result<Value, ErrorStack> {
    let (mut x, mut y, mut context) = (BigNum::new()?, BigNum::new()?, BigNumContext::new()?);
    key.public_key().affine_coordinates(key.group(), &mut x, &mut y, &mut context)?;
    let text = |number: &BigNum| Ok::<_, ErrorStack>(BASE64.encode(number.to_vec_padded(32)?));
    Ok(json!({"crv": "P-256", "kty": "EC", "x": text(&x)?, "y": text(&y)?}))
}

/// RFC 8555 §7.3.4: our public key, signed with theirs.
fn bound(binding: &Binding, jwk: &Value, url: &str) -> Result<Value, ErrorStack> {
    let header = json!({"alg": "HS256", "kid": binding.id, "url": url});
    let key = PKey::hmac(&binding.key)?;
    signed(&header, &jwk.to_string(), |text| {
        Signer::new(MessageDigest::sha256(), &key)?.sign_oneshot_to_vec(text)
    })
}

fn refused(error: ErrorStack) -> Fault {
    Error::new(codes::BUG, "cannot sign a request").cause(error).into()
}
