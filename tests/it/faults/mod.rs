//! Inputs that once failed, in files by subject.
