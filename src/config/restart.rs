//! What a reload does not change: settings that take effect only after a restart.

use super::section::{CoreAddress, CoreTls, Settings};

impl Settings {
    /// Puts what counts only after a restart back to what `running` has, so that new
    /// settings are half taken nowhere. Returns the keys that were changed in vain.
    pub(crate) fn keep_until_restart(&mut self, running: &Self) -> Vec<&'static str> {
        let mut kept = Kept(Vec::new());
        kept.compare("server_name", &mut self.server_name, &running.server_name);
        kept.compare("server_hostname", &mut self.server_hostname, &running.server_hostname);
        kept.compare("state_path", &mut self.state_path, &running.state_path);
        let account = |settings: &Self| settings.run_as.as_ref().map(|run_as| run_as.user.clone());
        if account(self) != account(running) {
            kept.0.push("run_as_user");
        } else if self.run_as != running.run_as {
            kept.0.push("run_as_group");
        }
        self.run_as.clone_from(&running.run_as);
        kept.compare("log.format", &mut self.log.format, &running.log.format);
        kept.compare("log.audit", &mut self.log.audit, &running.log.audit);
        kept.compare(
            "log.audit_required",
            &mut self.log.audit_required,
            &running.log.audit_required,
        );
        self.keep_core(running, &mut kept);
        self.keep_front(running, &mut kept);
        kept.0
    }

    fn keep_front(&mut self, running: &Self, kept: &mut Kept) {
        let (new, old) = (&mut self.front, &running.front);
        kept.compare("front.listen", &mut new.listen, &old.listen);
        if new.listen_tls.is_empty() && !old.listen_tls.is_empty() {
            // The listeners that stay need what belongs to them.
            new.certificate.clone_from(&old.certificate);
            new.clients.clone_from(&old.clients);
        }
        kept.compare("front.listen_tls", &mut new.listen_tls, &old.listen_tls);
        kept.compare("front.listen_status", &mut new.listen_status, &old.listen_status);
        kept.compare("front.max_connections", &mut new.max_connections, &old.max_connections);
        kept.compare(
            "front.max_connections_per_address",
            &mut new.max_connections_per_address,
            &old.max_connections_per_address,
        );
        kept.compare("front.stop_timeout", &mut new.stop_timeout, &old.stop_timeout);
    }

    /// The core's sockets, and the way to them.
    fn keep_core(&mut self, running: &Self, kept: &mut Kept) {
        let own = |settings: &Self| {
            settings.front.core == CoreAddress::Unix(settings.core.listen.clone())
        };
        if !(own(self) && own(running)) {
            way_to_core(&self.front.core, &running.front.core, kept);
        }
        self.front.core.clone_from(&running.front.core);
        kept.compare("core.listen", &mut self.core.listen, &running.core.listen);
        let addresses = |tls: &Option<CoreTls>| tls.as_ref().map(|tls| tls.listen.clone());
        if addresses(&self.core.tls) != addresses(&running.core.tls) {
            kept.0.push("core.listen_tls");
        }
        match (&mut self.core.tls, &running.core.tls) {
            (Some(new), Some(old)) => new.listen.clone_from(&old.listen),
            (new, old) => new.clone_from(old),
        }
    }
}

fn way_to_core(new: &CoreAddress, old: &CoreAddress, kept: &mut Kept) {
    let (CoreAddress::Https(new), CoreAddress::Https(old)) = (new, old) else {
        if new != old {
            kept.0.push("front.core");
        }
        return;
    };
    if (&new.host, new.port) != (&old.host, old.port) {
        kept.0.push("front.core");
    }
    if new.ca_file != old.ca_file {
        kept.0.push("front.server_ssl_ca_file");
    }
    let file =
        |client: &super::section::RemoteCore| client.client.as_ref().map(|files| files.key.clone());
    if file(new) != file(old) {
        kept.0.push("front.sslkey_file");
    } else if new.client != old.client {
        kept.0.push("front.sslkey_pass or sslkey_pass_file");
    }
}

/// The keys that were changed in vain.
struct Kept(Vec<&'static str>);

impl Kept {
    fn compare<T: Clone + PartialEq>(&mut self, key: &'static str, new: &mut T, old: &T) {
        if new != old {
            self.0.push(key);
            new.clone_from(old);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::cases;
    use crate::config::{Effect, Settings, keys, parse};

    const REMOTE: &str = "[front]\ncore = \"https://core.example\"\nsslkey_file = \"/a.pem\"\n";
    const CORE: &str = "server_ssl_key_file = \"/a.pem\"\nserver_ssl_ca_file = \"/ca.pem\"\n";

    /// Before, and behind it what changes the key.
    fn change(key: &str) -> (String, String) {
        let empty = String::new();
        let top = |line: &str| (empty.clone(), format!("{line}\n"));
        let remote = |line: &str| (REMOTE.to_owned(), format!("{REMOTE}{line}\n"));
        match key {
            "server_name" => top("server_name = \"a\""),
            "server_hostname" => top("server_hostname = \"a.example\""),
            "state_path" => top("state_path = \"/a\""),
            "run_as_user" => top("run_as_user = \"a\""),
            "run_as_group" => {
                let user = "run_as_user = \"a\"\n";
                (user.to_owned(), format!("{user}run_as_group = \"b\"\n"))
            }
            "log.format" => top("[log]\nformat = \"json\""),
            "log.audit" => top("[log]\naudit = \"/a\""),
            "log.audit_required" => top("[log]\naudit_required = true"),
            "front.listen" => top("[front]\nlisten = []"),
            "front.listen_tls" => {
                let plain = "[front]\nlisten = [\"127.0.0.1:80\"]\n";
                (plain.to_owned(), format!("{plain}listen_tls = [\"127.0.0.1:443\"]\n"))
            }
            "front.listen_status" => top("[front]\nlisten_status = \"127.0.0.1:1\""),
            "front.max_connections" => top("[front]\nmax_connections = 7"),
            "front.max_connections_per_address" => top("[front]\nmax_connections_per_address = 7"),
            "front.stop_timeout" => top("[front]\nstop_timeout = \"7s\""),
            "front.core" => top("[front]\ncore = \"unix:/a\""),
            "front.sslkey_file" => (REMOTE.to_owned(), REMOTE.replace("/a.pem", "/b.pem")),
            "front.sslkey_pass" => remote("sslkey_pass = \"secret\""),
            "front.sslkey_pass_file" => remote("sslkey_pass_file = \"/pass\""),
            "front.server_ssl_ca_file" => remote("server_ssl_ca_file = \"/ca.pem\""),
            "core.listen" => top("[core]\nlisten = \"unix:/a\""),
            "core.listen_tls" => {
                (empty.clone(), format!("[core]\nlisten_tls = \"127.0.0.1:237\"\n{CORE}"))
            }
            _ => panic!("{key} takes a restart, and nobody compares it"),
        }
    }

    fn settings(text: &str) -> Settings {
        parse(text, "test", &cases::surroundings())
            .unwrap_or_else(|errors| panic!("{errors}"))
            .settings
    }

    #[test]
    fn every_key_that_takes_a_restart_is_told_and_kept() {
        for (section, key) in keys().iter().filter(|(_, key)| key.effect == Effect::Restart) {
            let name = if section.is_empty() {
                key.name.to_owned()
            } else {
                format!("{section}.{}", key.name)
            };
            let (before, after) = change(&name);
            for (before, after) in [(&before, &after), (&after, &before)] {
                let (running, mut new) = (settings(before), settings(after));
                let told = new.keep_until_restart(&running);
                assert_eq!(told.len(), 1, "{name}: {told:?}");
                assert!(told[0].contains(&name) || told[0].contains(key.name), "{name}: {told:?}");
                assert_eq!(new.keep_until_restart(&running), [] as [&str; 0], "{name}");
            }
        }
    }

    #[test]
    fn listeners_that_stay_keep_what_belongs_to_them() {
        let tls = "listen_tls = [\"127.0.0.1:443\"]\nserver_ssl_key_file = \"/a.pem\"\n";
        let running =
            settings(&format!("[front]\n{tls}[core]\nlisten_tls = \"127.0.0.1:237\"\n{CORE}"));
        let mut new = settings("");
        let told = new.keep_until_restart(&running);
        assert_eq!(told, ["core.listen_tls", "front.listen", "front.listen_tls"]);
        assert_eq!(new.front.certificate, running.front.certificate);
        assert_eq!(new.front.listen, []);
        assert!(new.core.tls.is_some());

        let renewed = CORE.replace("/a.pem", "/b.pem");
        let mut new =
            settings(&format!("[front]\n{tls}[core]\nlisten_tls = \"127.0.0.1:238\"\n{renewed}"));
        assert_eq!(new.keep_until_restart(&running), ["core.listen_tls"]);
        let kept = new.core.tls.unwrap();
        assert_eq!(kept.listen, ["127.0.0.1:237".parse().unwrap()]);
        assert_eq!(kept.certificate.key, std::path::Path::new("/b.pem"), "a reload takes it");
    }
}
