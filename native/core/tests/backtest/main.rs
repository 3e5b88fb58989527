//! The numbers: z, the rules of the strategy and the backtest, against vectors, by hand-made bars and by laws.

mod conformance;
mod controls;
mod laws;
mod middles;
mod overfitting;
mod rules;
mod statistics;
mod sweeps;
mod ticks;
mod vectors;
