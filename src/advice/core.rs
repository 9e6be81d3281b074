//! The core, as fronts see it.

/// It does not answer.
pub const START: &str = "start the core (doorward core), and let [front] core name its socket";

/// It does not know this account.
pub const FRONT_USERS: &str = "if the front runs as this user, name it in [core] front_users";

/// The folder of its socket cannot be made.
pub const SOCKET_FOLDER: &str = "create its folder for the user that the core runs as (RuntimeDirectory= in systemd), or set [core] listen";

/// Something else has the name of its socket.
pub const REMOVE: &str = "remove it, or set [core] listen to another path";

/// Somebody else listens where it would.
pub const ANOTHER_LISTENS: &str = "stop that program, or set [core] listen to another path";
