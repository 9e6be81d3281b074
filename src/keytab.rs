//! Keytab files (MIT format 0x0502), read for messages and checks.
