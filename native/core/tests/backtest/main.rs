//! The numbers: z, the rules of the strategy and the backtest, against vectors, by hand-made bars and by laws.

mod conformance;
mod controls;
mod laws;
mod rules;
mod statistics;
mod ticks;
mod vectors;
