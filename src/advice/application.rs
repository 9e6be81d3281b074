//! The applications behind the gateway.

/// Nobody listens where the application should be.
pub(crate) const START: &str = "start the application, or correct upstream of its [[site]]";

/// The name of the application has no address.
pub(crate) const NAME: &str =
    "correct the host in upstream of its [[site]], or add the name to DNS or /etc/hosts";

/// It closes connections without a word.
pub(crate) const SILENT: &str = "correct the port in upstream of its [[site]], or look at the application's own log: it closes the connection without an answer";

/// It accepts connections, and does not answer.
pub(crate) const SLOW: &str =
    "look at the application's own log: it accepts connections and does not answer";

/// It speaks TLS where plain HTTP is spoken.
pub(crate) const TLS: &str = "name the application's plain HTTP port in upstream: Doorward speaks plain HTTP with applications, so keep them on this host or in a private network";

/// Another protocol is spoken there.
pub(crate) const NOT_HTTP: &str =
    "correct the port in upstream of its [[site]]: it must be the application's plain HTTP port";

/// It takes HTTP/2 only.
pub(crate) const HTTP2_ONLY: &str =
    "let the application accept HTTP/1.1 as well: Doorward speaks HTTP/1.1 with applications";

/// The address is the gateway's own.
pub(crate) const ITSELF: &str =
    "name the application's own address in upstream, not the gateway's: requests would loop";

/// It asks for a sign-on of its own.
pub(crate) const OWN_SIGN_ON: &str = "switch the application's own sign-on off, and let it read the user from the header Remote-User, or set pass_authorization = true if it is meant to ask";

/// It answers with a fault of its own.
pub(crate) const FAULTY: &str = "look at the application's own log";
