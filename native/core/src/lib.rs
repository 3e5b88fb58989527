//! The decisions of Quant Scalper: a pure, deterministic state machine that takes events and returns effects.
//!
//! It reads no clock, no file, no socket, no environment and no random numbers: time and everything else comes in as a
//! value. Prices are whole ticks and money whole cents; a float appears only where a number is dimensionless (z,
//! statistics) or for show.

pub mod backtest;
pub mod bars;
pub mod calendar;
pub mod effect;
pub mod engine;
pub mod event;
pub mod exchange;
pub mod frames;
pub mod orders;
pub mod position;
pub mod selection;
pub mod settings;
pub mod statistics;
pub mod status;
pub mod strategy;
pub mod sweep;
pub mod zscore;
