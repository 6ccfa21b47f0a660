//! Who may call what, before any route is asked. What is not listed needs a pinned node or a local person.

use super::{Caller, api_error};
use crate::pki::Role;
use axum::body::Body;
use axum::http::{Method, Response, StatusCode};

/// Open to callers without an identity.
const ANONYMOUS: &[(Method, &str)] = &[(Method::POST, "/v1/join")];
/// All that a client probe may call.
const PROBE: &[(Method, &str)] = &[
    (Method::POST, "/v1/probe"),
    (Method::GET, "/v1/pins"),
    (Method::POST, "/v1/renew"),
];

/// The refusal where `caller` may not call this.
pub(super) fn refuse(caller: &Caller, method: &Method, path: &str) -> Option<Response<Body>> {
    let listed = |routes: &[(Method, &str)]| routes.iter().any(|(m, p)| m == method && *p == path);
    let (code, message) = match caller {
        Caller::Local { .. } => return None,
        Caller::Peer(peer) => match peer.role {
            Role::Node => return None,
            Role::Probe if listed(PROBE) => return None,
            Role::Probe => ("PROBE_NOT_ALLOWED", "a client probe may only report"),
        },
        Caller::Anonymous if listed(ANONYMOUS) => return None,
        Caller::Anonymous => (
            "IDENTITY_REQUIRED",
            "this needs a certificate of the site: join it first with `siaga join`",
        ),
    };
    let status = if code == "IDENTITY_REQUIRED" {
        StatusCode::UNAUTHORIZED
    } else {
        StatusCode::FORBIDDEN
    };
    Some(api_error(status, code, message))
}
