//! Why somebody is not signed on: the metric label, the audit word and the
//! sentence on the error page are one thing.

use std::fmt;

use http::StatusCode;
use serde::{Deserialize, Serialize};

/// Who has to fix it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing is wrong: the client simply has not signed on yet.
    Nobody,
    /// The client sent something that cannot stand.
    Client,
    /// The administrator of this gateway has to fix a setting or a file.
    Configuration,
    /// A realm, core or application behind us failed.
    Upstream,
    /// This program.
    Ourselves,
}

macro_rules! reasons {
    ($($variant:ident $label:literal $fault:ident $status:ident $sentence:literal;)*) => {
        /// Why there is no identity.
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $(#[doc = $sentence] $variant,)*
        }

        impl Reason {
            /// Every reason there is, for metrics and documents.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The word in metrics, audit and the wire.
            pub const fn label(self) -> &'static str {
                match self { $(Self::$variant => $label),* }
            }

            /// Who has to fix it.
            pub const fn fault(self) -> Fault {
                match self { $(Self::$variant => Fault::$fault),* }
            }

            /// The status of a front's answer. A core answers by the word of the refusal
            /// instead ([`ErrorWord::status`](super::ErrorWord::status)), so that a status
            /// does not tell a peer which part of a sign-on was wrong.
            pub const fn status(self) -> StatusCode {
                match self { $(Self::$variant => StatusCode::$status),* }
            }

            /// The sentence on the error page: what is wrong and what to do.
            pub const fn sentence(self) -> &'static str {
                match self { $(Self::$variant => $sentence),* }
            }
        }
    };
}

// The word in metrics, audit log and wire; who has to fix it; the status of a front's
// answer; the sentence on the page.
reasons! {
    NoCredentials "no_credentials" Nobody UNAUTHORIZED "You are not signed on: your browser sent no Kerberos ticket. It sends one only to sites on its list of trusted sites. Ask your administrator to add this site, and check that you are signed on to the domain.";
    NoCertificate "no_certificate" Nobody UNAUTHORIZED "This site needs a client certificate, and your program sent none. Import yours into the browser, or give it to your program (curl --cert).";
    EmptyToken "empty_token" Client UNAUTHORIZED "Your program offered to sign on but sent an empty token. It has no Kerberos ticket for this site.";
    UnknownScheme "unknown_scheme" Client UNAUTHORIZED "Your program signs on in a way that this site does not offer.";
    ManyAuthorizations "many_authorizations" Client BAD_REQUEST "The request has more than one Authorization header.";
    BadBase64 "bad_base64" Client BAD_REQUEST "The token in the Authorization header is not base64.";
    TokenTooLarge "token_too_large" Client REQUEST_HEADER_FIELDS_TOO_LARGE "The token in the Authorization header is larger than this gateway accepts.";
    NtlmSent "ntlm_sent" Client UNAUTHORIZED "Your program sent NTLM, which this site does not offer. Programs send it when they find no Kerberos ticket. Check that this site is in the intranet zone, that you use its name and not an address, and that the name is registered as a service principal.";
    WrongMechanism "wrong_mechanism" Client UNAUTHORIZED "Your program signs on only in ways that this site does not accept.";
    DefectiveToken "defective_token" Client UNAUTHORIZED "The token is damaged, or of a kind that this gateway does not accept.";
    LogonFailed "logon_failed" Client UNAUTHORIZED "Name or password is wrong, or the account may not be used.";
    NtlmTooOld "ntlm_too_old" Client UNAUTHORIZED "Your program answered with LM or NTLM version 1, which is not safe. Set it to NTLM version 2 (on Windows: LmCompatibilityLevel 3 or more).";
    NtlmAnonymous "ntlm_anonymous" Client UNAUTHORIZED "Your program signed on by NTLM without a name and a password. Enter them, or let it use those of your Windows session.";
    NtlmTampered "ntlm_tampered" Client UNAUTHORIZED "The NTLM exchange was changed on its way, or its parts belong to different exchanges.";
    NtlmNeedsHttp1 "ntlm_needs_http1" Client UNAUTHORIZED "NTLM works only over HTTP/1.1, because it authenticates a connection.";
    NtlmUnnamed "ntlm_unnamed" Client UNAUTHORIZED "The password is right, but it is not clear whose account this name is. Sign on as DOMAIN\\name.";
    Replay "replay" Client UNAUTHORIZED "This token was used before. Each token works only once: try again.";
    TicketExpired "ticket_expired" Client UNAUTHORIZED "The Kerberos ticket has expired. Lock and unlock your screen, or run kinit, and try again.";
    TicketNotYetValid "ticket_not_yet_valid" Client UNAUTHORIZED "The Kerberos ticket is not valid yet. Check the clock of your machine.";
    ClockSkew "clock_skew" Client UNAUTHORIZED "The clocks of your machine and of this gateway differ too much for Kerberos (more than five minutes, by default). Set both from the same time server.";
    BindingMismatch "binding_mismatch" Client UNAUTHORIZED "The token was made for another TLS connection: something between your machine and this gateway opens TLS, or somebody relays tokens.";
    BindingMissing "binding_missing" Client UNAUTHORIZED "This site accepts only sign-ons that are bound to the TLS connection (channel binding), and yours was not.";
    WrongPrincipal "wrong_principal" Client UNAUTHORIZED "The ticket is for a service for which this gateway has no key. Use the name under which the site is registered.";
    ExchangeOpen "exchange_open" Nobody UNAUTHORIZED "The sign-on is not complete: your program must send its next token.";
    ExchangeInterrupted "exchange_interrupted" Client UNAUTHORIZED "The sign-on was interrupted.";
    ExchangeTooLong "exchange_too_long" Client UNAUTHORIZED "The sign-on took too many steps.";
    ExchangeNeedsConnection "exchange_needs_connection" Client UNAUTHORIZED "This sign-on needs several steps on one connection, but your request came through a proxy.";
    AmbiguousPath "ambiguous_path" Client BAD_REQUEST "The path of the request can be read in two ways that lead to different sites.";
    ForwardedConflict "forwarded_conflict" Client BAD_REQUEST "The request has forwarding headers that contradict each other.";
    OddHost "odd_host" Client BAD_REQUEST "The Host of the request is not a host name or an address with an optional port.";
    HostMissing "host_missing" Client BAD_REQUEST "The request names no host, but every HTTP/1.1 and HTTP/2 request must.";
    OddPath "odd_path" Client BAD_REQUEST "The path of the request contains a control character or a blank, plain or encoded, so programs do not agree on where it ends.";
    MethodNotServed "method_not_served" Client METHOD_NOT_ALLOWED "This gateway does not serve the method of the request (CONNECT, TRACE).";
    HeadMalformed "head_malformed" Client BAD_REQUEST "Your program did not send a valid HTTP request: a line of its head has a character or a form that is not allowed.";
    HeadTooLarge "head_too_large" Client REQUEST_HEADER_FIELDS_TOO_LARGE "The header lines of the request are too large or too many for this gateway (max_header_bytes). The cause is often a large cookie: delete the cookies of this site.";
    TargetTooLong "target_too_long" Client URI_TOO_LONG "The address of the request is too long.";
    TransferCoding "transfer_coding" Client NOT_IMPLEMENTED "The body of the request has a transfer coding other than chunked, which this gateway does not support.";
    PlainOnTlsPort "plain_on_tls_port" Client BAD_REQUEST "This port speaks HTTPS, but your program sent plain HTTP. Write https:// instead of http://.";
    TlsOnPlainPort "tls_on_plain_port" Client BAD_REQUEST "This port speaks plain HTTP, but your program began TLS. Write http:// instead of https://, or use the HTTPS port.";
    Misdirected "misdirected" Client MISDIRECTED_REQUEST "This site asks for a certificate, but the connection was made for another name, for which the gateway asks for none. Open a new connection for this site.";
    LoopDetected "loop_detected" Configuration LOOP_DETECTED "The request has passed this gateway before: the application of this site (upstream) leads back to the gateway.";
    NoSite "no_site" Client NOT_FOUND "No site is configured for this host and path.";
    RequestBroken "request_broken" Client UNAUTHORIZED "The body of the request broke off, or made no progress for too long.";
    CrossSite "cross_site" Client FORBIDDEN "Another site made your browser send this request.";
    SsoDisabled "sso_disabled" Configuration FORBIDDEN "Signing on is switched off at this gateway (enable_sso).";
    UntrustedProxy "untrusted_proxy" Configuration FORBIDDEN "The request claims to be forwarded, but its sender is not one of the trusted proxies of this gateway (trusted_proxies).";
    KeyVersion "key_version" Configuration UNAUTHORIZED "The ticket was made with a key of this service that is not in the gateway's keytab. After a change of the service's password, the keytab must be exported again. If that was done, sign off and on, so that your machine fetches a new ticket.";
    KeyMissing "key_missing" Configuration UNAUTHORIZED "The keytab of this gateway has no key for the service in the ticket.";
    KeyEncryption "key_encryption" Configuration UNAUTHORIZED "The keytab of this gateway lacks the encryption type that the ticket uses. Export it again with AES keys.";
    KeyWrong "key_wrong" Configuration UNAUTHORIZED "The ticket cannot be decrypted with this gateway's key: its keytab was exported for an account other than the one that has the site's name now. The gateway's log says what to do.";
    KeytabUnreadable "keytab_unreadable" Configuration SERVICE_UNAVAILABLE "This gateway cannot read its keytab.";
    KerberosConfiguration "kerberos_configuration" Configuration SERVICE_UNAVAILABLE "This gateway's Kerberos settings (krb5.conf) are not usable.";
    ReplayCacheFailed "replay_cache_failed" Configuration SERVICE_UNAVAILABLE "This gateway cannot write the file in which it remembers the tokens it has seen (replay-cache in state_path).";
    FrontNotAllowed "front_not_allowed" Configuration SERVICE_UNAVAILABLE "The core does not accept this gateway as one of its fronts (front_users, or a key with role front), so nobody can sign on.";
    BadBasic "bad_basic" Client BAD_REQUEST "The user name and password that your program sent cannot be read. They must be UTF-8 text in base64, with a colon between name and password.";
    BasicNeedsTls "basic_needs_tls" Client FORBIDDEN "Your program sent a password over plain HTTP, where anybody on the network path can read it. The password was not checked. Use HTTPS, and change the password.";
    EmptyPassword "empty_password" Client UNAUTHORIZED "The password is empty.";
    PasswordTooLong "password_too_long" Client UNAUTHORIZED "The password is longer than 1024 bytes.";
    WrongPassword "wrong_password" Client UNAUTHORIZED "The password is wrong.";
    UnknownUser "unknown_user" Client UNAUTHORIZED "The realm has no user of this name.";
    AccountDisabled "account_disabled" Client UNAUTHORIZED "The account is disabled, locked or expired, or may not sign on at this time.";
    PasswordExpired "password_expired" Client UNAUTHORIZED "The password has expired, or must be changed at the first sign-on. Change it on a machine in the domain.";
    TooManyAttempts "too_many_attempts" Client TOO_MANY_REQUESTS "There were too many wrong passwords from your address or for this account. Wait a few minutes.";
    KdcUnreachable "kdc_unreachable" Upstream SERVICE_UNAVAILABLE "No domain controller (KDC) answers, so passwords cannot be checked now.";
    KdcUnproven "kdc_unproven" Configuration SERVICE_UNAVAILABLE "The domain controller (KDC) that answers could not prove with a key in this gateway's keytab that it is genuine. So nobody can sign on by password.";
    PasswordUnchecked "password_unchecked" Ourselves SERVICE_UNAVAILABLE "The password could not be checked: the Kerberos library, or the domain controller (KDC), failed in a way that says nothing about the password. Try again. If it happens again, see the gateway's log.";
    KerberosFailure "kerberos_failure" Ourselves UNAUTHORIZED "The Kerberos library failed for an unknown reason. The gateway's log has its message.";
    NtlmTarget "ntlm_target" Client UNAUTHORIZED "Your program signed on by NTLM to another service: somebody relays its answers, or it uses a name of this gateway that is not listed here.";
    NtlmHelperFailed "ntlm_helper_failed" Configuration SERVICE_UNAVAILABLE "This gateway cannot use Samba's ntlm_auth, so nobody can sign on by NTLM.";
    WinbindRights "winbind_rights" Configuration SERVICE_UNAVAILABLE "This gateway has no right to ask winbind (its privileged pipe), so nobody can sign on by NTLM.";
    WinbindTrust "winbind_trust" Configuration SERVICE_UNAVAILABLE "The domain no longer accepts this gateway as a member, so nobody can sign on by NTLM until its administrator has joined it again.";
    WinbindClock "winbind_clock" Configuration SERVICE_UNAVAILABLE "The clocks of this gateway and of the domain controller differ, so nobody can sign on by NTLM until its administrator has set this gateway's.";
    WinbindDown "winbind_down" Upstream SERVICE_UNAVAILABLE "The domain does not answer now (winbind), so nobody can sign on by NTLM. Try again in a minute.";
    Busy "busy" Ourselves SERVICE_UNAVAILABLE "Too many sign-ons are waiting now. Try again in a few seconds.";
    RealmNotAllowed "realm_not_allowed" Client UNAUTHORIZED "Users of your realm may not sign on here.";
    OddPrincipal "odd_principal" Client UNAUTHORIZED "Your principal cannot be a user name here: it has an instance, a quoted character, or a character that no login name may have. An administrator can map it in [core.altnames].";
    PacMissing "pac_missing" Client UNAUTHORIZED "Your Kerberos ticket does not name the account it was issued to (it has no readable PAC), so the name in it is not accepted. Sign off and on, or run kinit without options, to get an ordinary ticket.";
    AccountConflict "account_conflict" Client UNAUTHORIZED "The name that you signed on with is not the name of the account that was verified. Sign on with the account's own name.";
    ComputerAccount "computer_account" Client UNAUTHORIZED "You signed on as a computer, not as a person. This gateway accepts only people ([sso.kerberos] allow_computers). Run your program as a user of the domain.";
    UpnMissing "upn_missing" Client UNAUTHORIZED "This gateway identifies people by their user principal name ([sso.kerberos] user_name), but your way of signing on does not provide it. Sign on by Kerberos or by password.";
    ReservedName "reserved_name" Client UNAUTHORIZED "The name is reserved for the system itself.";
    NotPermitted "not_permitted" Client UNAUTHORIZED "The caller may not do this.";
    RequirementNotMet "requirement_not_met" Client FORBIDDEN "You are signed on, but you may not use this site.";
    NoSession "no_session" Nobody UNAUTHORIZED "This site needs a session that a program has opened at the core, but the request has none.";
    SeveralSessions "several_sessions" Client UNAUTHORIZED "The request has session cookies of several people, so it is not clear who you are. Sign off at /.doorward/logout, or delete the cookies of this site, and sign on again.";
    CookieUnreadable "cookie_unreadable" Client BAD_REQUEST "Your browser sent a session cookie that is not from this site, or was changed, so its session has not ended. Delete the cookies of this site. A session that is not used ends by itself.";
    SessionEnded "session_ended" Nobody UNAUTHORIZED "Your session has ended. Sign on again.";
    AddressChanged "address_changed" Client UNAUTHORIZED "The session may be used only from the address that opened it.";
    NotAdministrator "not_administrator" Client UNAUTHORIZED "Only administrators may act as somebody else; company administrators only as users of their own company.";
    PublicKeyTooShort "public_key_too_short" Client UNAUTHORIZED "The RSA key of the certificate is shorter than 2048 bits. Make a new key and certificate for it, and put the new public key into sslkeys_path.";
    PublicKeyAlgorithm "public_key_algorithm" Client UNAUTHORIZED "The certificate's key uses an algorithm that is not accepted. Make a key of RSA (2048 bits or more), ECDSA P-256 or Ed25519.";
    PublicKeyNotListed "public_key_not_listed" Configuration UNAUTHORIZED "The certificate is good, but its public key is not in the core's sslkeys_path. Put NAME-public.pem there; no reload is needed.";
    PublicKeyRemoved "public_key_removed" Client UNAUTHORIZED "The certificate's public key was removed from the core's sslkeys_path, so it is no longer accepted.";
    PublicKeyExpired "public_key_expired" Configuration UNAUTHORIZED "The key has expired (not_after of its [[core.key]]). Set a later date, or make a new key.";
    PublicKeyNoEntry "public_key_no_entry" Configuration UNAUTHORIZED "The certificate is good, but its public key has no [[core.key]] in the core's settings, and keys without one may do nothing. Give it one, with act_as or role.";
    PublicKeyNoUser "public_key_no_user" Configuration UNAUTHORIZED "The certificate is good, but its key does not belong to one user: its [[core.key]] must name exactly one (act_as = [\"john\"]).";
    PublicKeyAddress "public_key_address" Client UNAUTHORIZED "The key may not be used from this network address (from of its [[core.key]]).";
    PublicKeyScope "public_key_scope" Client UNAUTHORIZED "The key may not act as this user (act_as of its [[core.key]]).";
    CertificateNoChain "certificate_no_chain" Client UNAUTHORIZED "The certificate was not issued by an accepted authority (server_ssl_ca_file of the core, client_ssl_ca_file of a front). Have it issued by an accepted one, or append the intermediate certificates to its file.";
    CertificateAuthority "certificate_authority" Configuration UNAUTHORIZED "An issuer of the certificate may not sign certificates: its basicConstraints or its keyUsage (keyCertSign) do not make it an authority, or it is for another purpose. Have the issuer's certificate issued again.";
    CertificateNotShown "certificate_not_shown" Client UNAUTHORIZED "The session was opened with a certificate, but this connection does not show it.";
    CertificateByProxy "certificate_by_proxy" Client UNAUTHORIZED "Your program sent a certificate, but on a connection of a proxy (trusted_proxies, or a header that proxies add). There no certificate is accepted: it would sign on everybody behind the proxy. Connect without the proxy, or ask the administrator to remove your address from trusted_proxies.";
    CertificateSelfSigned "certificate_self_signed" Client UNAUTHORIZED "The certificate is self-signed, and is not one of the accepted authorities (server_ssl_ca_file of the core, client_ssl_ca_file of a front). Have one issued for the same key.";
    CertificateExpired "certificate_expired" Client UNAUTHORIZED "The certificate, or one that issued it, has expired. Have it issued again for the same key: keep the file in sslkeys_path as it is.";
    CertificateNotYetValid "certificate_not_yet_valid" Client UNAUTHORIZED "The certificate is not valid yet. Compare the clocks of the host that issued it and of this server.";
    CertificateRevoked "certificate_revoked" Client UNAUTHORIZED "The certificate was revoked by its authority. Make a new key and certificate.";
    CertificatePurpose "certificate_purpose" Client UNAUTHORIZED "The certificate is not for clients: its extended key usage lacks clientAuth, or its key usage digitalSignature. Have it issued again for that purpose.";
    CertificateForm "certificate_form" Client UNAUTHORIZED "The certificate has a form that is not accepted: X.509 version 2, signed with MD5 or SHA-1, with an unknown extension, or damaged. Have it issued again for the same key: keep the file in sslkeys_path as it is.";
    CrlOutdated "crl_outdated" Configuration UNAUTHORIZED "The list of revoked certificates (crl_file) is out of date, so it is unknown which certificates are still valid. Fetch a new one from the authority.";
    CrlMissing "crl_missing" Configuration UNAUTHORIZED "The crl_file has no list, or no valid one, of the authority that issued the certificate. Append that list to the file.";
    StoreFull "store_full" Ourselves SERVICE_UNAVAILABLE "The disk under the session store is full: nobody new can sign on until there is free space. Existing sessions continue.";
    StoreFailed "store_failed" Ourselves SERVICE_UNAVAILABLE "The session store cannot be written, so nobody new can sign on.";
    ApplicationDown "application_down" Upstream BAD_GATEWAY "You are signed on, but the application behind this gateway does not answer.";
    ApplicationBroken "application_broken" Upstream BAD_GATEWAY "You are signed on, but the application behind this gateway gave an answer that breaks the rules of HTTP.";
    ApplicationSlow "application_slow" Upstream GATEWAY_TIMEOUT "You are signed on, but the application behind this gateway took too long to answer.";
    AuditFailed "audit_failed" Ourselves SERVICE_UNAVAILABLE "The audit log cannot be written, so nobody can sign on (audit_required). Free space on its disk, or restore its file.";
    CoreUnreachable "core_unreachable" Upstream SERVICE_UNAVAILABLE "The core, which stores the sessions, does not answer.";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.label())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_on_the_wire_is_the_word_in_metrics() {
        for reason in Reason::ALL {
            let wire = serde_json::to_string(reason).unwrap_or_default();
            assert_eq!(wire, format!("\"{}\"", reason.label()));
        }
    }
}
