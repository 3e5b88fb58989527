//! Builds bars from trades by the exchange's time. A bar closes at the first trade of a later bucket or, in a quiet
//! market, by time; a late trade is counted and rewrites nothing; a bucket without a trade has no bar.

use crate::event::Bar;
use serde::{Deserialize, Serialize};

/// A bucket is closed by time so long after its end: exchange stamps are whole seconds and travel.
pub const GRACE_MS: i64 = 250;

/// Builds one bar after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BarBuilder {
    sampling_ms: i64,
    open: Option<Bar>,
    /// Trades before this time are late.
    closed_to_ms: i64,
    late_trades: u64,
}

impl BarBuilder {
    /// Returns a builder of bars of `sampling_ms`, aligned to the epoch; 0 makes a bar of every trade.
    pub fn new(sampling_ms: i64) -> BarBuilder {
        BarBuilder {
            sampling_ms: sampling_ms.max(0),
            open: None,
            closed_to_ms: i64::MIN,
            late_trades: 0,
        }
    }

    /// Returns the bar length in milliseconds.
    pub fn sampling_ms(&self) -> i64 {
        self.sampling_ms
    }

    /// Returns how many trades came too late for their bar.
    pub fn late_trades(&self) -> u64 {
        self.late_trades
    }

    /// Takes a trade and returns the bar that it closed, if any: the one before it, or its own where every trade is a bar.
    pub fn trade(&mut self, exchange_at_ms: i64, price_ticks: i32, size: i64) -> Option<Bar> {
        if self.sampling_ms == 0 {
            if exchange_at_ms < self.closed_to_ms {
                self.late_trades += 1;
            }
            self.closed_to_ms = self.closed_to_ms.max(exchange_at_ms);
            return Some(single(self.closed_to_ms, price_ticks, size));
        }
        let bucket_ms = exchange_at_ms - exchange_at_ms.rem_euclid(self.sampling_ms);
        if bucket_ms < self.closed_to_ms {
            self.late_trades += 1;
            return None;
        }
        match &mut self.open {
            Some(bar) if bar.open_at_ms == bucket_ms => {
                bar.high_ticks = bar.high_ticks.max(price_ticks);
                bar.low_ticks = bar.low_ticks.min(price_ticks);
                bar.close_ticks = price_ticks;
                bar.volume += size;
                None
            }
            Some(bar) if bucket_ms < bar.open_at_ms => {
                self.late_trades += 1;
                None
            }
            _ => {
                let closed = self.close();
                self.open = Some(single(bucket_ms, price_ticks, size));
                closed
            }
        }
    }

    /// Returns the bar that the passing of time closes at `at_ms`, if any.
    pub fn elapse(&mut self, at_ms: i64) -> Option<Bar> {
        match self.due_at_ms() {
            Some(due_ms) if at_ms >= due_ms => self.close(),
            _ => None,
        }
    }

    /// Returns when the open bar will be closed by time.
    pub fn due_at_ms(&self) -> Option<i64> {
        self.open
            .map(|bar| bar.open_at_ms + self.sampling_ms + GRACE_MS)
    }

    /// Returns when a bar that opened at `open_at_ms` closes.
    pub fn close_at_ms(&self, open_at_ms: i64) -> i64 {
        open_at_ms + self.sampling_ms
    }

    /// Takes an unfinished bar from history: what traded in its bucket before the subscription began. Trades of both are
    /// joined; the open bar's close stands, since it is the later one.
    pub fn join(&mut self, unfinished: Bar) {
        if self.sampling_ms == 0 || unfinished.open_at_ms < self.closed_to_ms {
            return;
        }
        match &mut self.open {
            Some(bar) if bar.open_at_ms == unfinished.open_at_ms => {
                bar.open_ticks = unfinished.open_ticks;
                bar.high_ticks = bar.high_ticks.max(unfinished.high_ticks);
                bar.low_ticks = bar.low_ticks.min(unfinished.low_ticks);
                bar.volume = bar.volume.max(unfinished.volume);
            }
            Some(_) => {}
            None => self.open = Some(unfinished),
        }
    }

    /// Forgets the open bar: data was lost inside it.
    pub fn drop_open(&mut self) {
        self.open = None;
    }

    fn close(&mut self) -> Option<Bar> {
        let bar = self.open.take()?;
        self.closed_to_ms = bar.open_at_ms + self.sampling_ms;
        Some(bar)
    }
}

fn single(open_at_ms: i64, price_ticks: i32, size: i64) -> Bar {
    Bar {
        open_at_ms,
        open_ticks: price_ticks,
        high_ticks: price_ticks,
        low_ticks: price_ticks,
        close_ticks: price_ticks,
        volume: size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIVE_S: i64 = 5_000;

    #[test]
    fn a_bar_closes_at_the_first_trade_of_a_later_bucket() {
        let mut bars = BarBuilder::new(FIVE_S);

        assert_eq!(bars.trade(10_000, 100, 1), None);
        assert_eq!(bars.trade(12_000, 104, 2), None);
        assert_eq!(bars.trade(14_999, 98, 1), None);
        let closed = bars.trade(25_000, 99, 1);

        let bar = Bar {
            open_at_ms: 10_000,
            open_ticks: 100,
            high_ticks: 104,
            low_ticks: 98,
            close_ticks: 98,
            volume: 4,
        };
        assert_eq!(closed, Some(bar));
        assert_eq!(
            bars.due_at_ms(),
            Some(30_250),
            "the buckets between have no bar"
        );
    }

    #[test]
    fn a_quiet_bar_closes_by_time_at_its_end_and_a_grace() {
        for (at_ms, closes) in [(15_249, false), (15_250, true), (15_251, true)] {
            let mut bars = BarBuilder::new(FIVE_S);
            bars.trade(10_000, 100, 1);

            assert_eq!(bars.elapse(at_ms).is_some(), closes, "{at_ms}");
        }
    }

    #[test]
    fn a_late_trade_is_counted_and_rewrites_nothing() {
        let mut bars = BarBuilder::new(FIVE_S);
        bars.trade(10_000, 100, 1);
        bars.elapse(15_250);

        assert_eq!(bars.trade(14_000, 500, 1), None);

        assert_eq!((bars.late_trades(), bars.due_at_ms()), (1, None));
    }

    #[test]
    fn without_sampling_every_trade_is_a_bar() {
        let mut bars = BarBuilder::new(0);

        let closes: Vec<_> = [(1, 10), (1, 11), (2, 12)]
            .map(|(at, price)| bars.trade(at, price, 1).map(|bar| bar.close_ticks))
            .to_vec();

        assert_eq!(closes, vec![Some(10), Some(11), Some(12)]);
        assert_eq!(bars.due_at_ms(), None);
    }

    #[test]
    fn an_unfinished_bar_of_history_is_joined_with_what_has_traded_since() {
        let mut bars = BarBuilder::new(FIVE_S);
        bars.trade(12_000, 101, 1);

        bars.join(Bar {
            open_at_ms: 10_000,
            open_ticks: 99,
            high_ticks: 103,
            low_ticks: 98,
            close_ticks: 100,
            volume: 9,
        });

        let bar = bars.elapse(15_250).unwrap();
        assert_eq!(
            (
                bar.open_ticks,
                bar.high_ticks,
                bar.low_ticks,
                bar.close_ticks
            ),
            (99, 103, 98, 101)
        );
    }
}
