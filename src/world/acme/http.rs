//! HTTPS to an authority: a deadline around every request, a limit on every answer, and what its header says.

use super::fault::Fault;
use crate::error::{Error, codes};
use bytes::Bytes;
use http::{Request, header};
use instant_acme::{BodyWrapper, BytesResponse, HttpClient};
use reqwest::{Certificate, Client, StatusCode, redirect::Policy};
use std::{
    fs,
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use time::{OffsetDateTime, format_description::well_known::Rfc2822};

/// Longest answer; a chain of ten certificates has some 20 KiB.
const LONGEST: usize = 256 << 10;

/// One client for all requests of an attempt.
#[derive(Clone)]
pub struct Http {
    client: Client,
    patience: Duration,
    /// `Retry-After` of the last answer, in seconds.
    again: Arc<Mutex<Option<u64>>>,
}

/// An answer that came whole.
pub struct Answer {
    pub parts: http::response::Parts,
    pub body: Bytes,
}

impl Http {
    /// `root_file`: roots (PEM) that count beside those of the system. Each request takes at most `patience`.
    pub fn new(root_file: Option<&str>, patience: Duration) -> Result<Self, Error> {
        let cannot = |cause: String| Error::new(codes::ACME_SILENT, "HTTPS cannot be spoken").cause(cause);
        let roots = root_file.map(roots).transpose()?.unwrap_or_default();
        let client = Client::builder()
            .https_only(true)
            .no_proxy()
            // Every URL is told by the directory; a signed request must not be led elsewhere (RFC 8555 §6.4).
            .redirect(Policy::none())
            .tls_certs_merge(roots)
            .connect_timeout(patience)
            .timeout(patience)
            .user_agent(concat!("mailctl/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| cannot(innermost(&error)))?;
        Ok(Self { client, patience, again: Arc::default() })
    }

    /// `Retry-After` of the last answer, in seconds.
    pub fn again(&self) -> Option<u64> {
        *self.again.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request, reads the whole answer. 429 and 5xx are no answers.
    pub async fn send(&self, request: Request<Bytes>) -> Result<Answer, Fault> {
        let nonce = request.method() == http::Method::HEAD;
        self.asked(request).await.map_err(|fault| if nonce { fault.harmless() } else { fault })
    }

    async fn asked(&self, request: Request<Bytes>) -> Result<Answer, Fault> {
        *self.again.lock().unwrap_or_else(PoisonError::into_inner) = None;
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string();
        let host = parts.uri.host().unwrap_or_default().to_owned();
        let late =
            || Fault::silent(format!("{host} did not answer within {} s", self.patience.as_secs_f32()));
        let work = async {
            let sent = self.client.request(parts.method, &url).headers(parts.headers).body(body).send();
            let mut response =
                sent.await.map_err(|error| if error.is_timeout() { late() } else { lost(&host, &error) })?;
            let mut octets = Vec::new();
            while let Some(chunk) = response.chunk().await.map_err(|error| lost(&host, &error))? {
                octets.extend_from_slice(&chunk);
                if octets.len() > LONGEST {
                    return Err(Fault::silent(format!(
                        "the answer of {host} is longer than {LONGEST} octets"
                    )));
                }
            }
            let (mut parts, ()) = http::Response::new(()).into_parts();
            (parts.status, parts.headers) = (response.status(), response.headers().clone());
            Ok(Answer { parts, body: octets.into() })
        };
        let answer = tokio::time::timeout(self.patience, work).await.unwrap_or_else(|_| Err(late()))?;
        let again = retry_after(&answer.parts.headers);
        *self.again.lock().unwrap_or_else(PoisonError::into_inner) = again;
        let status = answer.parts.status;
        if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
            let told = serde_json::from_slice::<instant_acme::Problem>(&answer.body).ok();
            let told = told.and_then(|problem| problem.detail).map(|detail| format!(": {detail}"));
            let why = format!("{host} answered {status}{}", told.unwrap_or_default());
            let why = why.chars().filter(|c| !c.is_control()).take(600).collect();
            let nothing_done = status == StatusCode::TOO_MANY_REQUESTS;
            return Err(if nothing_done { Fault::Busy { why, again } } else { Fault::Silent { why, again } });
        }
        Ok(answer)
    }
}

impl HttpClient for Http {
    fn request(
        &self,
        request: Request<BodyWrapper<Bytes>>,
    ) -> Pin<Box<dyn Future<Output = Result<BytesResponse, instant_acme::Error>> + Send>> {
        let http = self.clone();
        Box::pin(async move {
            let (parts, body) = request.into_parts();
            // Only a response's body can be read whole; the request's becomes one for that.
            let mut whole = BytesResponse::from(http::Response::new(body));
            let body = whole.body.into_bytes().await.map_err(instant_acme::Error::Other)?;
            let sent = http.send(Request::from_parts(parts, body)).await;
            let Answer { parts, body } = sent.map_err(|fault| instant_acme::Error::Other(Box::new(fault)))?;
            Ok(BytesResponse { parts, body: Box::new(body) })
        })
    }
}

impl Answer {
    /// The server's clock, in seconds since 1970.
    pub fn date(&self) -> Option<i64> {
        let text = self.parts.headers.get(header::DATE)?.to_str().ok()?;
        http_date(text)
    }

    /// One field of the header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name)?.to_str().ok()
    }
}

/// `Tue, 15 Nov 1994 08:12:31 GMT` (RFC 9110 §5.6.7): RFC 2822 but for the name of its zone.
fn http_date(text: &str) -> Option<i64> {
    let text = text.trim().strip_suffix("GMT")?;
    OffsetDateTime::parse(&format!("{text}+0000"), &Rfc2822).ok().map(OffsetDateTime::unix_timestamp)
}

/// Seconds, or a date (RFC 9110 §10.2.3), which is told in the server's own time.
fn retry_after(headers: &http::HeaderMap) -> Option<u64> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let theirs = headers.get(header::DATE).and_then(|date| http_date(date.to_str().ok()?));
    let now = theirs.unwrap_or_else(|| OffsetDateTime::now_utc().unix_timestamp());
    Some(u64::try_from(http_date(text)? - now).unwrap_or(0))
}

fn roots(path: &str) -> Result<Vec<Certificate>, Error> {
    let bad = |why: String| {
        Error::new(codes::TLS_UNUSABLE, format!("the roots in {path} cannot be used (acme.root_file)"))
            .cause(why)
    };
    let pem = fs::read(path).map_err(|error| bad(error.to_string()))?;
    let roots = Certificate::from_pem_bundle(&pem).map_err(|error| bad(innermost(&error)))?;
    if roots.is_empty() { Err(bad("it holds no certificate in PEM form".to_owned())) } else { Ok(roots) }
}

fn lost(host: &str, error: &reqwest::Error) -> Fault {
    Fault::silent(format!("{host} cannot be reached: {}", innermost(error)))
}

/// The innermost cause, which says what really happened.
pub fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Proves: RFC 9110 §10.2.3, both forms of Retry-After; a date counts from the server's own clock.
    #[test]
    fn both_forms_of_retry_after_are_read() {
        let told = |again: &str, date: Option<&str>| {
            let mut headers = http::HeaderMap::new();
            headers.insert(header::RETRY_AFTER, again.parse().unwrap());
            date.map(|date| headers.insert(header::DATE, date.parse().unwrap()));
            retry_after(&headers)
        };
        assert_eq!(told("120", None), Some(120));
        let date = Some("Fri, 31 Dec 1999 23:00:00 GMT");
        assert_eq!(told("Fri, 31 Dec 1999 23:59:59 GMT", date), Some(3599));
        assert_eq!(told("Fri, 31 Dec 1999 22:59:59 GMT", date), Some(0));
        assert_eq!((told("soon", date), told("-1", date)), (None, None));
        assert_eq!(http_date("Thu, 01 Jan 1970 00:00:09 GMT"), Some(9));
    }
}
