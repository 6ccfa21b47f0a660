//! The page on which a unit acknowledges a notice. It is the only thing that people without an identity can change
//! anything by, so it can do one thing: write down one acknowledgement, for whoever has the link.
//!
//! It listens on this machine alone, without TLS: a reverse proxy with a certificate that the units' devices trust stands
//! in front. The site's own authority is trusted by none of them, and a page with a warning teaches people to click
//! warnings away. A `GET` changes nothing, because mail scanners follow links; the button does.

use crate::core::notices::by_unit::{Acknowledged, ToUnit, acknowledge, of_delivery};
use crate::core::state::Core;
use crate::plain_http::{self, Answer};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::{Method, Request, Response, StatusCode};
use siaga_comms::AckSecret;
use siaga_model::DeliveryId;
use siaga_model::config::Language;
use siaga_model::downtime::AckPage as Setting;
use siaga_model::notice::AckHow;
use siaga_words::{AckPage, ack_page};
use std::sync::Arc;
use tokio::net::TcpListener;

/// The largest form, bytes: a name.
const FORM_MOST: usize = 1024;

/// Serves the page where the site has one. Never ends.
pub async fn serve(core: Arc<Core>) {
    let Some(setting) = core.config.downtime.rules.ack.clone() else {
        return;
    };
    let listener = plain_http::bound(setting.listen, "the page for acknowledgements").await;
    serve_on(core, setting, listener).await;
}

/// Serves the page on a listener that is there. Never ends.
pub async fn serve_on(core: Arc<Core>, setting: Setting, listener: TcpListener) {
    let page = Arc::new(Page { core, setting });
    let site = page.core.config.site.language;
    let busy = move || said(StatusCode::TOO_MANY_REQUESTS, site, AckPage::Busy);
    plain_http::serve(listener, busy, move |request| {
        let page = page.clone();
        async move { page.answer(request).await }
    })
    .await;
}

struct Page {
    core: Arc<Core>,
    setting: Setting,
}

impl Page {
    async fn answer(&self, request: Request<Incoming>) -> Answer {
        let site = self.core.config.site.language;
        let Some((delivery, told)) = self.opened(request.uri().path()) else {
            return said(StatusCode::NOT_FOUND, site, AckPage::NoSuchNotice);
        };
        let language = told.text.language;
        let method = request.method().clone();
        if method == Method::GET || method == Method::HEAD {
            return match told.acknowledged {
                true => said(StatusCode::OK, language, AckPage::Already),
                false => html(StatusCode::OK, language, &form(&told)),
            };
        }
        if method != Method::POST {
            let status = StatusCode::METHOD_NOT_ALLOWED;
            return said(status, language, AckPage::NoSuchNotice);
        }
        let Ok(body) = Limited::new(request.into_body(), FORM_MOST).collect().await else {
            let status = StatusCode::PAYLOAD_TOO_LARGE;
            return said(status, language, AckPage::NotWritten);
        };
        let by = field(&body.to_bytes(), "by");
        match acknowledge(&self.core, &told, AckHow::Link, &by) {
            Ok(Acknowledged::Now) => said(StatusCode::OK, language, AckPage::Thanks),
            Ok(Acknowledged::Before) => said(StatusCode::OK, language, AckPage::Already),
            Err(error) => {
                tracing::error!(%error, %delivery, "an acknowledgement could not be written");
                let status = StatusCode::INTERNAL_SERVER_ERROR;
                said(status, language, AckPage::NotWritten)
            }
        }
    }

    /// What the link in the path opens: the last two parts of it, whatever the proxy left before them. A wrong token and
    /// a delivery that is none look the same.
    fn opened(&self, path: &str) -> Option<(DeliveryId, ToUnit)> {
        let mut parts = path.rsplit('/');
        let (token, delivery) = (parts.next()?, DeliveryId::new(parts.next()?));
        let secret = match AckSecret::read(&self.setting.secret_file) {
            Ok(secret) => secret,
            Err(error) => {
                tracing::error!(%error, "links can't be opened");
                return None;
            }
        };
        if !secret.fits(&delivery, token) {
            return None;
        }
        match of_delivery(&self.core, &delivery) {
            Ok(told) => Some((delivery, told?)),
            Err(error) => {
                tracing::error!(%error, "the notices could not be read");
                None
            }
        }
    }
}

fn form(told: &ToUnit) -> String {
    let language = told.text.language;
    let say = |text| escaped(ack_page(language, text));
    format!(
        "<h1>{}</h1>\n<pre>{}</pre>\n<form method=\"post\"><label>{}<br><input name=\"by\" maxlength=\"80\"></label>\
         <p><button type=\"submit\">{}</button></p></form>",
        escaped(&told.text.subject),
        escaped(&told.text.body),
        say(AckPage::YourName),
        say(AckPage::Confirm),
    )
}

fn said(status: StatusCode, language: Language, text: AckPage) -> Answer {
    html(
        status,
        language,
        &format!("<p>{}</p>", escaped(ack_page(language, text))),
    )
}

fn html(status: StatusCode, language: Language, body: &str) -> Answer {
    let (code, title) = match language {
        Language::English => ("en", ack_page(language, AckPage::Title)),
        Language::Indonesian => ("id", ack_page(language, AckPage::Title)),
    };
    let page = format!(
        "<!doctype html>\n<html lang=\"{code}\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{}</title><style>body{{font:1.1em sans-serif;margin:1.5em;max-width:40em}}\
         pre{{white-space:pre-wrap;font:inherit}}button{{font:inherit;padding:.6em 1em}}</style></head>\n<body>{body}</body></html>\n",
        escaped(title)
    );
    let answer = Response::builder()
        .status(status)
        .header("content-type", "text/html; charset=utf-8")
        .header("cache-control", "no-store")
        .header("referrer-policy", "no-referrer")
        .header("x-robots-tag", "noindex")
        .header("x-content-type-options", "nosniff")
        .header(
            "content-security-policy",
            "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'",
        )
        .body(Full::new(Bytes::from(page)));
    answer.unwrap_or_else(|_| Response::new(Full::new(Bytes::new())))
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

/// The value of a field of a form, as a browser sends it.
fn field(body: &[u8], name: &str) -> String {
    let pairs = body.split(|b| *b == b'&');
    let value = pairs
        .filter_map(|pair| {
            let at = pair.iter().position(|b| *b == b'=')?;
            (&pair[..at] == name.as_bytes()).then(|| &pair[at + 1..])
        })
        .next()
        .unwrap_or_default();
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((first, tail)) = rest.split_first() {
        let hex = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
        let coded = match first {
            b'%' => tail.get(..2).and_then(hex),
            _ => None,
        };
        rest = match coded {
            Some(byte) => {
                plain.push(byte);
                &tail[2..]
            }
            None => {
                plain.push(if *first == b'+' { b' ' } else { *first });
                tail
            }
        };
    }
    String::from_utf8_lossy(&plain).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_read_as_a_browser_sends_it() {
        assert_eq!(field(b"x=1&by=Ns.+Rina%20%C3%A9%2", "by"), "Ns. Rina é%2");
        assert_eq!(field(b"", "by"), "");
        assert_eq!(field(b"by=", "by"), "");
        assert_eq!(
            escaped("<a href=\"x\">&"),
            "&lt;a href=&quot;x&quot;&gt;&amp;"
        );
    }
}
