//! Requests and answers.

mod early_answers;
mod forwarding;
mod heads;
mod lasting;
mod loops;
mod odd_answers;
mod page;
mod targets;
