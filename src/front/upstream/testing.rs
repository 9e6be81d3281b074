//! What the tests of these rooms share.

use std::sync::Arc;

use http::HeaderName;

use crate::clock::Timestamp;
use crate::config::checked::HeaderNames;
use crate::wire::{Mechanism, Session, User};

pub(super) fn header_names() -> HeaderNames {
    HeaderNames {
        user: HeaderName::from_static("remote-user"),
        name: HeaderName::from_static("remote-name"),
        email: HeaderName::from_static("remote-email"),
        groups: HeaderName::from_static("remote-groups"),
        company: HeaderName::from_static("remote-company"),
        admin: HeaderName::from_static("remote-admin"),
        mechanism: HeaderName::from_static("remote-mechanism"),
        assertion: HeaderName::from_static("doorward-assertion"),
    }
}

pub(super) fn user() -> User {
    User {
        login: "john".into(),
        name: "John Döe".into(),
        email: "john@exampleorg.example".into(),
        company: "exampleorg".into(),
        groups: vec!["webusers".into(), "S-1-5-21-1-2-3-513".into()],
        admin: 1,
    }
}

pub(super) fn session() -> Session {
    Session {
        session: "A".repeat(43),
        user: Arc::new(user()),
        mechanism: Mechanism::Negotiate,
        principal: "john@ADSDOMAIN.EXAMPLE".into(),
        channel_bound: true,
        expires_at: Timestamp::from_unix(2_000_000_000),
        only_from: None,
        home_server: "doorward".into(),
        redirect: None,
    }
}
