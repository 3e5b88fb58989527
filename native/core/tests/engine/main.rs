//! The live engine against a broker that does what it is told, and against one that does not.

mod account;
mod controls;
mod corrections;
mod days;
mod exits;
mod figures;
mod fills;
mod gates;
mod identity;
mod orders;
mod pictures;
mod properties;
mod protection;
mod quotes;
mod reconcile;
mod round_trips;
mod second_opinion;
mod settings_changes;
#[path = "../support/mod.rs"]
mod support;
