//! The TLS of the listeners, from the settings.

use std::sync::Arc;

use super::clients::Clients;
use super::error::TlsError;
use super::self_signed;
use super::server::ServerTls;
use crate::clock;
use crate::config::FrontSettings;
use crate::config::section::HostPattern;
use crate::wire::Mechanism;

/// What the TLS listeners begin handshakes with; `None` where there are none.
///
/// # Errors
/// Key or certificate cannot be used.
pub(in crate::front) fn configured(
    settings: &FrontSettings,
) -> Result<Option<Arc<ServerTls>>, TlsError> {
    if settings.front.listen_tls.is_empty() {
        return Ok(None);
    }
    let authorities =
        settings.front.clients.as_ref().filter(|_| settings.offers(Mechanism::Certificate));
    let clients = authorities.map(Clients::load).transpose()?;
    let tls = match &settings.front.certificate {
        Some(files) => ServerTls::load(files, clients)?,
        None => {
            tracing::warn!(
                "no server_ssl_key_file: TLS uses a self-signed certificate, which no browser trusts"
            );
            self_signed::load(&settings.state_path, &names(settings), clients, clock::now())?
        }
    };
    Ok(Some(Arc::new(tls)))
}

/// The names that the self-signed certificate is for.
fn names(settings: &FrontSettings) -> Vec<String> {
    let sites = settings.sites.iter().filter_map(|site| match &site.host {
        HostPattern::Exact(name) => Some(name.clone()),
        HostPattern::Suffix(suffix) => Some(format!("*{suffix}")),
        HostPattern::Any => None,
    });
    let own = [settings.server_hostname.clone(), "localhost".to_owned()];
    let mut names: Vec<_> = own.into_iter().chain(sites).collect();
    names.dedup();
    names
}
