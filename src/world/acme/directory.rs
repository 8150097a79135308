//! An authority's directory (RFC 8555 §7.1.1): where everything is, and what it says of itself.

use super::{fault::Fault, http::Http};
use bytes::Bytes;
use http::Request;
use serde::Deserialize;
use serde_json::Value;

/// What a directory says.
#[derive(Clone, Debug)]
pub struct Directory {
    /// Its own URL.
    pub url: String,
    /// Where nonces come from.
    pub new_nonce: String,
    /// Where accounts are made.
    pub new_account: String,
    /// It advises when to renew (RFC 9773).
    pub advises: bool,
    /// The names by which CAA records know it.
    pub authorities: Vec<String>,
    /// Its terms of service.
    pub terms: Option<String>,
    /// It only takes accounts that are bound to one of its own.
    pub wants_binding: bool,
    /// By how many seconds its clock is ahead of ours; `None` = it did not tell the time.
    pub ahead: Option<i64>,
    /// As it came.
    pub document: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Document {
    new_nonce: String,
    new_account: String,
    renewal_info: Option<String>,
    #[serde(default)]
    meta: Meta,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Meta {
    caa_identities: Vec<String>,
    terms_of_service: Option<String>,
    external_account_required: bool,
}

impl Directory {
    /// Fetches it; `now` is our clock in seconds since 1970.
    pub async fn fetch(http: &Http, url: &str, now: i64) -> Result<Self, Fault> {
        let request = Request::builder().uri(url).body(Bytes::new()).map_err(Fault::silent)?;
        let answer = http.send(request).await?;
        let not_acme = |why: String| Fault::silent(format!("{url} is no ACME directory: {why}"));
        if !answer.parts.status.is_success() {
            return Err(not_acme(format!("it answered {}", answer.parts.status)));
        }
        let document: Value = serde_json::from_slice(&answer.body).map_err(|e| not_acme(e.to_string()))?;
        let read = Document::deserialize(&document).map_err(|e| not_acme(e.to_string()))?;
        Ok(Self {
            url: url.to_owned(),
            new_nonce: read.new_nonce,
            new_account: read.new_account,
            advises: read.renewal_info.is_some(),
            authorities: read.meta.caa_identities,
            terms: read.meta.terms_of_service,
            wants_binding: read.meta.external_account_required,
            ahead: answer.date().map(|theirs| theirs - now),
            document,
        })
    }
}
