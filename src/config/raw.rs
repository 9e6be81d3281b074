//! What the file says. The one table of all keys: name, type, default, when a change takes effect,
//! and meaning. Each value is right by itself; whether they fit together is checked in
//! [`super::check`].

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::{HeaderName, Uri};
use ipnet::IpNet;

use super::addresses::{Addresses, SitePath};
use super::altnames::Altnames;
use super::checked::{
    ActAs, ChannelBinding, CoreAddress, HelperProtocol, HostPattern, LogFormat, Requirement, Strip,
    UserName,
};
use super::keys::{FileName, Moment, Role, WithoutEntry};
use super::plain::{SecretText, Unread};
use super::section::section;
use super::value::Given;
use super::words::{Account, AuditFile, Offer, RunAsGroup, RunAsUser, TargetName};

section! {
    /// The whole of `doorward.toml`.
    File {
        server_name: String = r#""doorward""#, Restart, "Name of this node.";
        server_hostname: String = r#""""#, Restart, "Full name of the host; empty: the system's name.";
        state_path: PathBuf = r#""/var/lib/doorward""#, Restart, "Folder of the session store and of generated keys.";
        run_as_user: RunAsUser = r#""""#, Restart, "Account that Doorward changes to after it has opened the sockets.";
        run_as_group: RunAsGroup = r#""""#, Restart, "Group that Doorward changes to after it has opened the sockets.";
        log: Log = "{}", Section, "What is logged, and where.";
        front: Front = "{}", Section, "The front's sockets and limits.";
        sso: Sso = "{}", Section, "How clients may sign on.";
        site: Vec<Given<Site>> = "[]", Section, "A web application behind the front.";
        core: Core = "{}", Section, "The core's socket and policy.";
    }
    absent {
        ldap: Unread = "{}", Ignored, "The LDAP directory of users and groups.";
    }
}

section! {
    /// `[log]`
    Log {
        level: tracing::Level = r#""info""#, Reload, "The lowest level of the lines that are written.";
        format: LogFormat = r#""""#, Restart, "Format of log lines; empty: text on a terminal, JSON otherwise.";
        audit: AuditFile = r#""stderr""#, Restart, "Where audit lines go, one JSON object a line.";
        audit_required: bool = "false", Restart, "Whether a sign-on fails if its audit line cannot be written to the disk.";
    }
}

section! {
    /// `[front]`
    Front {
        listen: Vec<Given<SocketAddr>> = r#"["127.0.0.1:8080"]"#, Restart, "Addresses of plain HTTP.";
        listen_tls: Vec<Given<SocketAddr>> = "[]", Restart, "Addresses of HTTPS.";
        listen_status: Option<SocketAddr> = r#""""#, Restart, "Address of the status pages; empty: none.";
        server_ssl_key_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the private key of HTTPS.";
        server_ssl_cert_file: Option<PathBuf> = r#""""#, Reload, "PEM file with certificate and chain; empty: they are in the key file.";
        server_ssl_key_pass: SecretText = r#""""#, Reload, "Passphrase of the private key.";
        server_ssl_key_pass_file: Option<PathBuf> = r#""""#, Reload, "File with the passphrase of the private key.";
        trusted_proxies: Vec<Given<IpNet>> = "[]", Reload, "Networks of proxies whose forwarding headers are believed.";
        core: CoreAddress = r#""unix:/run/doorward/core.sock""#, Restart, "Where the front finds the core.";
        sslkey_file: Option<PathBuf> = r#""""#, Restart, "PEM file with the key and the certificate with which the front signs on to a core over TLS.";
        sslkey_pass: SecretText = r#""""#, Restart, "Passphrase of sslkey_file.";
        sslkey_pass_file: Option<PathBuf> = r#""""#, Restart, "File with the passphrase of sslkey_file.";
        server_ssl_ca_file: Option<PathBuf> = r#""""#, Restart, "PEM file with the authority of the core's certificate; empty: the system's authorities.";
        client_ssl_ca_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the authorities of client certificates; empty: nobody can sign on by certificate.";
        client_ssl_ca_path: Option<PathBuf> = r#""""#, Reload, "Folder of such PEM files.";
        crl_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the lists of revoked certificates of these authorities; empty: revocation is not checked.";
        max_connections: usize = "20000", Restart, "Maximum number of connections; if all are taken, a new one replaces the one that was idle for longest.";
        max_connections_per_address: usize = "0", Restart, "Maximum number of connections from one address; 0: three quarters of max_connections.";
        max_header_bytes: usize = "163840", Reload, "Maximum size of all header lines of a request together, in bytes.";
        header_timeout: Duration = r#""30s""#, Reload, "Time limit for a TLS handshake, and for a request head.";
        idle_timeout: Duration = r#""120s""#, Reload, "How long a connection may stay open without a request.";
        body_timeout: Duration = r#""60s""#, Reload, "How long a body may make no progress, in either direction.";
        connect_timeout: Duration = r#""5s""#, Reload, "Time limit for an application to accept a connection.";
        answer_timeout: Duration = r#""120s""#, Reload, "Time limit for an application to begin its answer.";
        tunnel_timeout: Duration = r#""1h""#, Reload, "How long a tunnel (websocket) may stay open without a byte.";
        stop_timeout: Duration = r#""10s""#, Restart, "How long open requests may take to finish when Doorward stops.";
        headers: Headers = "{}", Section, "Names of the headers that tell the application who is there.";
    }
    absent {
        proxy_header: String = r#""""#, Refused, "Header that identifies a node's own proxy in a multi-server set-up.";
    }
}

section! {
    /// `[front.headers]`
    Headers {
        user: HeaderName = r#""Remote-User""#, Reload, "Carries the login name.";
        name: HeaderName = r#""Remote-Name""#, Reload, "Carries the full name.";
        email: HeaderName = r#""Remote-Email""#, Reload, "Carries the mail address.";
        groups: HeaderName = r#""Remote-Groups""#, Reload, "Carries the groups, separated by commas.";
        company: HeaderName = r#""Remote-Company""#, Reload, "Carries the tenant.";
        admin: HeaderName = r#""Remote-Admin""#, Reload, "Carries the admin level: 0, 1 or 2.";
        mechanism: HeaderName = r#""Remote-Mechanism""#, Reload, "Carries the mechanism of the sign-on.";
        assertion: HeaderName = r#""Doorward-Assertion""#, Reload, "Carries the signed assertion.";
    }
}

section! {
    /// `[sso]`
    Sso {
        enable_sso: bool = "true", Reload, "Whether anybody may sign on at all.";
        mechanisms: Vec<Given<Offer>> = r#"["certificate", "negotiate", "ntlm", "basic"]"#, Reload, "The mechanisms on offer, in this order.";
        channel_binding: ChannelBinding = r#""allow""#, Reload, "Whether a sign-on must be bound to its TLS connection.";
        kerberos: Kerberos = "{}", Section, "Kerberos.";
        ntlm: Ntlm = "{}", Section, "NTLM, through Samba.";
    }
    absent {}
}

section! {
    /// `[sso.kerberos]`
    Kerberos {
        keytab: PathBuf = r#""/etc/krb5.keytab""#, Reload, "The keytab with the keys of this service.";
        acceptor: Option<String> = r#""""#, Reload, "The only principal whose tickets are accepted; empty: any HTTP/ service in the keytab.";
        threads: usize = "0", Reload, "Number of threads that check tickets; 0: one for each processor core.";
        queue: usize = "1024", Reload, "Maximum number of tickets that wait to be checked; further ones get 503.";
        user_name: UserName = r#""sam""#, Reload, "Which name of an account becomes the login.";
        allow_computers: bool = "false", Reload, "Whether computers may sign on, by any mechanism.";
        realms_without_pac: Vec<Given<String>> = "[]", Reload, "Realms whose KDC makes tickets without a PAC; never a realm of Active Directory.";
    }
}

section! {
    /// `[sso.ntlm]`
    Ntlm {
        ntlm_auth: PathBuf = r#""/usr/bin/ntlm_auth""#, Reload, "Samba's helper, which asks winbind.";
        ntlm_auth_args: Vec<Given<String>> = "[]", Reload, "Further arguments of the helper.";
        helper_protocol: HelperProtocol = r#""ntlm-server-1""#, Reload, "The protocol between Doorward and the helper.";
        target_name: TargetName = r#""check""#, Reload, "Whether answers for other services are refused.";
        helpers: usize = "8", Reload, "Number of helpers.";
        queue: usize = "1024", Reload, "Maximum number of sign-ons that wait for a helper; further ones get 503.";
        helper_timeout: Duration = r#""10s""#, Reload, "Time limit for a helper's answer.";
        exchange_timeout: Duration = r#""30s""#, Reload, "Time limit for a client to answer the challenge.";
    }
    absent {}
}

section! {
    /// `[[site]]`
    Site {
        host: HostPattern = r#""*""#, Reload, "Host names that the site serves.";
        path: SitePath = r#""/""#, Reload, "The path of the site.";
        upstream: Option<Uri> = r#""""#, Reload, "Address of the application; empty: the site is for forward-auth only.";
        require: Vec<Given<Requirement>> = r#"["valid-user"]"#, Reload, "Who may use the site: users who meet one of these.";
        mechanisms: Vec<Given<Offer>> = "[]", Reload, "The mechanisms on offer at this site; empty: as in [sso].";
        channel_binding: Option<ChannelBinding> = r#""""#, Reload, "Channel bindings at this site; empty: as in [sso].";
        pass_authorization: bool = "false", Reload, "Whether Authorization headers with schemes that Doorward does not use reach the application.";
    }
}

section! {
    /// `[core]`
    Core {
        listen: CoreAddress = r#""unix:/run/doorward/core.sock""#, Restart, "The core's socket.";
        listen_tls: Addresses = r#""""#, Restart, "Addresses of the core's TLS listener; empty: none.";
        server_ssl_key_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the private key of the core's TLS.";
        server_ssl_cert_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the core's certificate and chain; empty: they are in the key file.";
        server_ssl_key_pass: SecretText = r#""""#, Reload, "Passphrase of the core's private key.";
        server_ssl_key_pass_file: Option<PathBuf> = r#""""#, Reload, "File with the passphrase of the core's private key.";
        server_ssl_ca_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the authorities of peers' certificates.";
        server_ssl_ca_path: Option<PathBuf> = r#""""#, Reload, "Folder of such PEM files.";
        crl_file: Option<PathBuf> = r#""""#, Reload, "PEM file with the lists of revoked certificates of these authorities; empty: revocation is not checked.";
        sslkeys_path: PathBuf = r#""/etc/doorward/sslkeys""#, Reload, "Folder with the public keys of peers, and of users who sign on by certificate.";
        key: Vec<Given<Key>> = "[]", Section, "What the holder of a key in sslkeys_path may do.";
        keys_without_entry: Option<WithoutEntry> = r#""""#, Reload, "What a key without [[core.key]] may do; empty: \"system\", and \"refuse\" as soon as there is any [[core.key]].";
        local_admin_users: Vec<Given<Account>> = r#"["root"]"#, Reload, "Local accounts that may do everything (SYSTEM).";
        front_users: Vec<Given<Account>> = "[]", Reload, "Local accounts that may act as a front.";
        allow_local_users: bool = "true", Reload, "Whether a local account may open a session for itself without a password.";
        session_timeout: Duration = r#""300s""#, Reload, "A session ends if it is not used for this time.";
        session_lifetime: Duration = r#""10h""#, Reload, "A session ends after this time, used or not.";
        session_unclaimed: Duration = r#""120s""#, Reload, "A session ends after this time if its cookie never came back.";
        max_sessions_per_user: usize = "20000", Reload, "Maximum number of sessions of one user; a new one replaces the one that was unused for longest.";
        session_ip_check: bool = "false", Reload, "Whether a session may be used only from the address that opened it.";
        password_attempts_per_address: usize = "50", Reload, "Maximum number of wrong passwords from one address within password_attempts_window.";
        password_attempts_per_account: usize = "10", Reload, "Maximum number of wrong passwords for one account within password_attempts_window.";
        password_attempts_window: Duration = r#""10m""#, Reload, "Time after which a wrong password is forgotten.";
        password_cache: Duration = r#""60s""#, Reload, "How long a right password is cached, so that the KDC is not asked again; \"0s\": not at all.";
        realm: Vec<Given<Realm>> = "[]", Section, "A realm or domain whose users may come in.";
        altnames: Altnames = "{}", Reload, "Principals with an explicit login name; they come before all other rules.";
    }
    absent {
        enable_hosted: bool = "false", Refused, "Tenants.";
        enable_distributed: bool = "false", Refused, "Several nodes.";
        loginname_format: String = r#""%u""#, Refused, "What login names look like with tenants.";
        storename_format: String = r#""%f""#, Ignored, "What display names look like.";
        user_plugin: String = r#""realm""#, Refused, "Where users are looked up: everybody from an allowed realm is a user.";
        session_store: String = r#""sqlite""#, Refused, "Where sessions are kept.";
    }
}

section! {
    /// `[[core.key]]`
    Key {
        file: FileName = r#""""#, Reload, "Name of the file in core.sslkeys_path.";
        act_as: Vec<Given<ActAs>> = "[]", Reload, "The users for whom the holder may open sessions.";
        role: Role = r#""service""#, Reload, "What kind of peer the holder is.";
        from: Vec<Given<IpNet>> = "[]", Reload, "Networks from which the key is accepted; empty: from everywhere.";
        not_after: Moment = r#""""#, Reload, "Date and time when the key expires; empty: never.";
    }
}

section! {
    /// `[[core.realm]]`
    Realm {
        realm: String = r#""""#, Reload, "Kerberos realm.";
        domain: String = r#""""#, Reload, "Windows (NetBIOS) name of the domain.";
        strip: Strip = "true", Reload, "How the realm is removed from the login name.";
        case_sensitive: bool = "false", Reload, "Whether John and john are two people.";
    }
    absent {
        company: String = r#""""#, Refused, "Tenant of the realm's people.";
    }
}
