//! Attacks that once got through, one file for each kind.
