//! Hands the core to JavaScript. Thin: it converts, catches panics and decides nothing.

mod engine;
mod exchange;
