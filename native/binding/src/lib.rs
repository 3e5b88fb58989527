//! Hands the core to JavaScript. Thin: it converts, catches panics and decides nothing.

mod backtest;
mod engine;
mod exchange;
mod sweep;
mod ticks;
mod trades;
