//! Inputs that once failed, in files by subject.

mod early_answers;
mod heads;
mod listeners;
mod loops;
mod names_and_certificates;
mod ntlm_bodies;
mod odd_answers;
