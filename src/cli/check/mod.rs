//! `doorward check`: reads the configuration and tries the surroundings.
