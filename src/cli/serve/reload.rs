//! A reload: all or nothing. The caller gets the result.

use super::{Running, ServeError, chain, rights};
use crate::clock;
use crate::config::{self, Loaded, Surroundings};
use crate::core_server::Core;
use crate::process::control::Outcome;
use crate::process::files::access;
use crate::process::systemd::notify;

impl Running {
    /// Takes the new configuration as a whole. What is wrong with it is said in the log,
    /// to systemd and to whoever asked; then the old one stays.
    pub(super) fn reload(&self) -> Outcome {
        notify::reloading();
        let mut warnings = Vec::new();
        let failed = self.try_reload(&mut warnings).err();
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let mut outcome = Outcome { warnings, ..Outcome::default() };
        let now = clock::now();
        match failed {
            None => {
                tracing::info!(event = "reloaded", "the configuration was read again");
                let also = outcome.warnings.iter().map(|warning| format!("; {warning}"));
                notify::ready(&format!("configuration read at {now}{}", also.collect::<String>()));
            }
            Some(error) => {
                let said = chain(&error);
                notify::ready(&format!(
                    "the reload at {now} failed, the old configuration remains: {said}"
                ));
                tracing::error!(
                    event = "reload_failed",
                    error = said,
                    "the old configuration remains"
                );
                outcome.configuration = error.is_configuration();
                outcome.failed = Some(said);
            }
        }
        outcome
    }

    fn try_reload(&self, warnings: &mut Vec<String>) -> Result<(), ServeError> {
        // The file may have been rotated, whatever else is wrong.
        self.audit.reopen().map_err(ServeError::Audit)?;
        let file = self.origin.file.as_deref();
        file.map_or(Ok(()), access::check)
            .map_err(|unreadable| ServeError::Unreadable("--config", unreadable))?;
        let surroundings = Surroundings { root: self.origin.root, ..Surroundings::here() };
        let Loaded { mut settings, warnings: told } = config::load_in(file, &surroundings)?;
        warnings.extend(told.iter().map(ToString::to_string));
        self.origin.handed.replace(&mut settings);
        let vain = settings.keep_until_restart(&self.started);
        if !vain.is_empty() {
            warnings.push(format!("{} changed, which needs a restart", vain.join(", ")));
        }
        rights::check(self.role, &settings)?;
        // What can fail comes first, and the front's is whole or nothing itself.
        let prepared =
            self.core.as_ref().map(|_| Core::prepare(&settings.for_core())).transpose()?;
        if let Some(front) = &self.front {
            front.reload(&settings.for_front())?;
        }
        if let (Some(core), Some(prepared)) = (&self.core, prepared) {
            core.reload(prepared);
        }
        if let Some(level) = &self.level {
            level.set(settings.log.level);
        }
        Ok(())
    }
}
