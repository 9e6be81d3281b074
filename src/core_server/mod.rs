//! The core: knows users and policy, decides, keeps the sessions.
