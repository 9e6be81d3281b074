//! What passes between clients, Doorward, applications and other proxies.

mod connections;
mod documented;
mod forward_auth;
mod forwarding;
mod headers;
