//! The core, as fronts see it.

/// It does not answer.
pub(crate) const START: &str = "start the core (doorward core), and set [front] core to its socket";

/// It takes the front's account for an ordinary program.
pub(crate) fn front_users(account: &str) -> String {
    format!(
        "add it to [core] front_users (front_users = [\"{account}\"]) and reload the core; if the gateway runs as another user, check as that one"
    )
}

/// It takes the front's key for a program's.
pub(crate) fn front_key(file: &str) -> String {
    format!(
        "set role = \"front\" in its entry at the core ([[core.key]] file = \"{file}\") and reload the core"
    )
}

/// It refuses for a reason that it tells.
pub(crate) fn look_at(reference: &str) -> String {
    format!("do what it says; the core's audit log has more under reference {reference}")
}

/// It does not know the front's key.
pub(crate) const LIST_KEY: &str = "put the public key of [front] sslkey_file into the core's sslkeys_path, and give it a [[core.key]] with role = \"front\"; the core's audit log says why a key is not accepted";

/// The folder of its socket cannot be made.
pub(crate) const SOCKET_FOLDER: &str = "create its folder for the user that the core runs as (RuntimeDirectory= in systemd), or set [core] listen";

/// Its socket is to be in a folder of configuration, which no service has to write to.
pub(crate) const SOCKET_AMONG_CONFIGURATION: &str = "set [core] listen to a path below /run/doorward, such as /run/doorward/core.sock (RuntimeDirectory=doorward in systemd)";

/// Something else has the name of its socket.
pub(crate) const REMOVE: &str = "remove it, or set [core] listen to another path";

/// Somebody else listens where it would.
pub(crate) const ANOTHER_LISTENS: &str = "stop that program, or set [core] listen to another path";
