//! Turns outcomes into responses: the only room that writes a login response.

use std::time::Instant;

use bytes::Bytes;
use http::header::{
    ALLOW, CACHE_CONTROL, COOKIE, HeaderName, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode};
use serde::Serialize;

use super::request::cookie;
use super::sign_on::{NoEntry, NotPermitted, Refusal, SignedOn};
use crate::front::answer::body::Body;
use crate::front::connection::serve::needs::{NeedsConnection, NeedsHttp1};
use crate::front::live::Live;
use crate::front::request::came::Came;
use crate::front::request::facts::{Facts, wants_page};
use crate::front::sign_on::policy::Policy;
use crate::front::state::Front;
use crate::front::upstream::UpstreamError;
use crate::wire::{Ended, Mechanism, Reason};
use advice::{Advice, application};
use challenge::with_token;
use known::words_for;
use response::{html, json};
use status::title;

mod advice;
pub(in crate::front) mod body;
mod challenge;
mod known;
mod pages;
mod record;
mod response;
mod status;

/// Tells curl, and programs of Windows, that the connection is not signed on: they
/// send a token with the next request.
const PERSISTENT_AUTH: HeaderName = HeaderName::from_static("persistent-auth");

/// Writes the answers to one request.
#[derive(Clone, Copy, Debug)]
pub(in crate::front) struct Answerer<'a> {
    front: &'a Front,
    page: bool,
    facts: Option<&'a Facts>,
    came: Came,
    began: Instant,
}

impl<'a> Answerer<'a> {
    /// Knows how the request came, and whether a person is to read the answer.
    pub(in crate::front) fn new<B>(
        front: &'a Front,
        request: &Request<B>,
        came: Came,
        began: Instant,
    ) -> Self {
        Self { front, page: wants_page(request.headers()), facts: None, came, began }
    }

    /// Knows the facts of the request as well.
    pub(in crate::front) const fn with<'b>(self, facts: &'b Facts) -> Answerer<'b>
    where
        'a: 'b,
    {
        let Self { front, page, came, began, .. } = self;
        Answerer { front, page, facts: Some(facts), came, began }
    }

    fn secure(&self) -> bool {
        self.facts.is_some_and(|facts| facts.secure)
    }

    /// Not signed on, or not permitted.
    pub(in crate::front) fn no_entry(&self, no: &NoEntry, policy: Policy<'_>) -> Response<Body> {
        match no {
            NoEntry::NotSignedOn(refusal) => self.refuse(refusal, Some(policy)),
            NoEntry::NotPermitted(NotPermitted { signed_on, detail }) => {
                let refusal = Refusal::new(Reason::RequirementNotMet).with_detail(detail.clone());
                let advice = self.advice(&refusal, Some(&policy));
                self.refuse_with(&advice, &refusal, Some(policy), Some(signed_on))
            }
        }
    }

    /// Not served: the status that fits the reason, the challenges that are offered,
    /// and the words.
    pub(in crate::front) fn refuse(
        &self,
        refusal: &Refusal,
        policy: Option<Policy<'_>>,
    ) -> Response<Body> {
        let advice = self.advice(refusal, policy.as_ref());
        self.refuse_with(&advice, refusal, policy, None)
    }

    fn advice(&self, refusal: &Refusal, policy: Option<&Policy<'_>>) -> Advice {
        words_for(self.front, self.facts, self.came, refusal, policy)
    }

    fn refuse_with(
        &self,
        advice: &Advice,
        refusal: &Refusal,
        policy: Option<Policy<'_>>,
        signed_on: Option<&SignedOn>,
    ) -> Response<Body> {
        let login = signed_on.map(SignedOn::login);
        let reference = record::refused(self.front, self.facts, refusal, login, self.began);
        let mut status = refusal.reason.status();
        let unanswerable = policy.is_some_and(|policy| policy.asks_for_nothing());
        if unanswerable && status == StatusCode::UNAUTHORIZED {
            // 401 demands a challenge, and there is none for certificates and for
            // sessions of programs (RFC 9110 section 15.5.2).
            status = StatusCode::FORBIDDEN;
        }
        let mut response = self.words(status, advice, refusal, &reference, login);
        if status == StatusCode::UNAUTHORIZED
            && let Some(policy) = policy
        {
            let challenges = self.challenges(refusal, &policy);
            let nothing = challenges.is_empty();
            for value in challenges {
                response.headers_mut().append(WWW_AUTHENTICATE, value);
            }
            if self.needs_http1(refusal, &policy, nothing) {
                response.extensions_mut().insert(NeedsHttp1);
            }
        }
        if refusal.reason == Reason::ExchangeOpen {
            response.extensions_mut().insert(NeedsConnection);
        }
        if let Some(signed_on) = signed_on {
            self.add_sign_on_headers(response.headers_mut(), signed_on);
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("5"));
        }
        if status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("60"));
        }
        response
    }

    fn http2(&self) -> bool {
        self.facts.is_some_and(|facts| facts.http2)
    }

    /// An application's answer to somebody who is signed on.
    pub(in crate::front) fn signed_on(
        &self,
        mut response: Response<Body>,
        signed_on: &SignedOn,
    ) -> Response<Body> {
        self.add_sign_on_headers(response.headers_mut(), signed_on);
        response
    }

    /// Forward-auth: the request may pass, under this identity. `cookies` are those that
    /// the application may see, for a proxy that asked: so it need not know how ours
    /// are taken out.
    pub(in crate::front) fn may_pass(
        &self,
        signed_on: &SignedOn,
        live: &Live,
        audience: &str,
        cookies: Option<HeaderValue>,
    ) -> Response<Body> {
        let mut response = Response::new(Body::own(Bytes::new()));
        let headers = response.headers_mut();
        if let Err(error) = live.proxy.identify(headers, &signed_on.grant, audience) {
            return self.application_failed(&error, signed_on);
        }
        if let Some(cookies) = cookies {
            headers.insert(COOKIE, cookies);
        }
        self.add_sign_on_headers(response.headers_mut(), signed_on);
        response
    }

    /// `/.doorward/whoami`
    pub(in crate::front) fn whoami(&self, signed_on: &SignedOn) -> Response<Body> {
        let session = signed_on.grant.session();
        let mut response = if self.page {
            html(
                StatusCode::OK,
                &pages::Whoami {
                    login: session.user.login(),
                    name: &session.user.name,
                    principal: &session.principal,
                    mechanism: session.mechanism.as_str(),
                    channel_bound: session.channel_bound,
                    groups: &session.user.groups,
                    expires_at: session.expires_at.to_string(),
                },
            )
        } else {
            json(StatusCode::OK, &pages::WhoamiJson::from(session))
        };
        self.add_sign_on_headers(response.headers_mut(), signed_on);
        response
    }

    /// `/.doorward/logout`, done.
    pub(in crate::front) fn signed_off(&self) -> Response<Body> {
        let mut response = if self.page {
            html(StatusCode::OK, &pages::SignedOff { done: true })
        } else {
            json(StatusCode::OK, &serde_json::json!({ "signed_off": true }))
        };
        self.take_cookies(response.headers_mut());
        response
    }

    /// `/.doorward/logout`, and no cookie that was sent could be read.
    pub(in crate::front) fn cookie_unreadable(&self) -> Response<Body> {
        let mut response = self.refuse(&Refusal::new(Reason::CookieUnreadable), None);
        // It would be in the way of the next attempt, too.
        self.take_cookies(response.headers_mut());
        response
    }

    /// Takes from the client the cookies of our names that it may be told about here.
    fn take_cookies(&self, headers: &mut HeaderMap) {
        for cookie in cookie::clear(self.secure()) {
            headers.append(SET_COOKIE, cookie);
        }
    }

    /// `/.doorward/logout`, not by POST.
    pub(in crate::front) fn logout_needs_post(&self) -> Response<Body> {
        let mut response = html(StatusCode::METHOD_NOT_ALLOWED, &pages::SignedOff { done: false });
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
        response
    }

    /// An answer for programs.
    pub(in crate::front) fn json<T: Serialize>(&self, value: &T) -> Response<Body> {
        json(StatusCode::OK, value)
    }

    /// Doorward has no page of its own of this name.
    pub(in crate::front) fn no_own_page(&self) -> Response<Body> {
        let what = "Doorward has no such page";
        let refusal = Refusal::new(Reason::NoSite).with_detail(what);
        self.refuse_with(&Advice::of(format!("{what}.")), &refusal, None, None)
    }

    /// A site that has nothing to show.
    pub(in crate::front) fn no_application(&self) -> Response<Body> {
        let what = "This site has no application ([[site]] without upstream)";
        let refusal = Refusal::new(Reason::NoSite).with_detail(what);
        self.refuse_with(&Advice::of(format!("{what}.")), &refusal, None, None)
    }

    /// The application did not answer, or not in time.
    pub(in crate::front) fn application_failed(
        &self,
        error: &UpstreamError,
        signed_on: &SignedOn,
    ) -> Response<Body> {
        let reference = record::application(self.front, self.facts, error);
        let (advice, refusal) = (application(error), Refusal::new(error.reason()));
        let login = Some(signed_on.login());
        let mut response = self.words(error.status(), &advice, &refusal, &reference, login);
        self.add_sign_on_headers(response.headers_mut(), signed_on);
        response
    }

    /// Gives the client what a new sign-on earns: the cookie, and the
    /// mechanism's last token (RFC 4559 section 5: mutual authentication).
    fn add_sign_on_headers(&self, headers: &mut HeaderMap, signed_on: &SignedOn) {
        let Some(new_session) = &signed_on.new_session else { return };
        if let Some(facts) = self.facts
            && let Some(cookie) = cookie::set(&new_session.cookie, facts.origin())
        {
            headers.append(SET_COOKIE, cookie);
        }
        if signed_on.grant.session().mechanism == Mechanism::Negotiate {
            headers.insert(PERSISTENT_AUTH, HeaderValue::from_static("false"));
        }
        if let Some(reply) = &new_session.reply {
            headers.append(WWW_AUTHENTICATE, with_token(reply));
        }
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }

    fn words(
        &self,
        status: StatusCode,
        advice: &Advice,
        refusal: &Refusal,
        reference: &str,
        login: Option<&str>,
    ) -> Response<Body> {
        if self.page {
            let login = login.unwrap_or_default();
            let Advice { sentence, steps } = advice;
            html(
                status,
                &pages::Refused { title: title(status), sentence, steps, login, reference },
            )
        } else {
            json(
                status,
                &RefusalBody {
                    error: refusal.reason,
                    message: advice.message(),
                    reference,
                    reason: refusal.reason,
                    ended: refusal.ended,
                },
            )
        }
    }
}

/// A refusal for a program.
#[derive(Serialize)]
struct RefusalBody<'a> {
    /// The same word as `reason`: programs look for it under either name.
    error: Reason,
    message: String,
    reference: &'a str,
    reason: Reason,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<Ended>,
}
