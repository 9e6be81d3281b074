//! What one stranger can take from the rest.

mod audit_disk;
mod flow_control;
mod large_bodies;
mod loud_strangers;
mod same_limits;
