//! Responses, made in one place: all of them say what they are, and that nothing else is to be guessed.

use http_body_util::Full;
use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION, X_CONTENT_TYPE_OPTIONS},
};

/// A whole response.
pub type Reply = Response<Full<Bytes>>;

/// `text/plain`; RFC 8461 §3.2 wants it without more for a policy.
pub const TEXT: &str = "text/plain";
/// What our own programs and Dovecot read.
pub const JSON: &str = "application/json";
/// What mail programs read.
pub const XML: &str = "text/xml; charset=utf-8";

/// A response with a body.
pub fn with(status: StatusCode, media: &'static str, body: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(body.into()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// 200.
pub fn ok(media: &'static str, body: impl Into<Bytes>) -> Reply {
    with(StatusCode::OK, media, body)
}

/// A status and its own words.
pub fn status(status: StatusCode) -> Reply {
    with(status, TEXT, format!("{status}\n"))
}

/// 503, with what is missing.
pub fn unwell(what: &'static str) -> Reply {
    with(StatusCode::SERVICE_UNAVAILABLE, TEXT, what)
}

/// 404, the same for everything that is not here.
pub fn absent() -> Reply {
    status(StatusCode::NOT_FOUND)
}

/// 405, with what is allowed.
pub fn allowed(methods: &'static str) -> Reply {
    header(status(StatusCode::METHOD_NOT_ALLOWED), ALLOW, methods)
}

/// Elsewhere. `target` is made of a name of ours and of a path that a parser let through.
pub fn elsewhere(code: StatusCode, target: &str) -> Reply {
    header(status(code), LOCATION, target)
}

fn header(mut reply: Reply, name: HeaderName, value: &str) -> Reply {
    match HeaderValue::from_str(value) {
        Ok(value) => {
            reply.headers_mut().insert(name, value);
            reply
        }
        Err(_) => status(StatusCode::BAD_REQUEST),
    }
}
