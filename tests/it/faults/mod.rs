//! Inputs that once failed, in files by subject.

mod advice;
mod early_answers;
mod first_start;
mod heads;
mod listeners;
mod loops;
mod names_and_certificates;
mod no_domain;
mod ntlm_bodies;
mod odd_answers;
mod proxied_certificate;
mod reload;
