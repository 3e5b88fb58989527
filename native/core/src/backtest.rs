//! Bars in, trades, events and equity out, by the rules [S1] to [S9] with the same `Strategy` that the engine lives by.
//! Of the controls of the reliability note it knows those that bars can tell: see `controls`, and the entry windows (D21).

mod controls;
mod report;
mod ticks;
mod timeline;

pub use report::{
    BacktestError, BacktestEvent, BacktestReport, BacktestTrade, FillModel, Intrabar,
    SessionEquity, TargetFill,
};
pub use ticks::{PROGRESS_RECORDS, TickModel, TickReport, run_ticks};
pub use timeline::{Columns, Quotes, SignalCloses, Timeline};

use crate::calendar::{Date, ZonedClock, is_in_daily_span};
use crate::event::{Bar, Contract};
use crate::settings::{EngineSettings, PriceKind, SessionSettings};
use crate::statistics::{EquityCurve, Outcome, Statistics, Sums};
use crate::status::{ExitReason, Side};
use crate::strategy::{
    EntryWish, Strategy, ZReading, signal_close, stop_distance_ticks, target_distance_ticks,
};
use crate::zscore::ZSeries;
use controls::{Controls, Tripped};
use std::cmp::Ordering;

/// Bars between two calls of the progress function.
pub const PROGRESS_BARS: usize = 4_096;

/// Runs the strategy over bars, oldest first, and returns what it did, or why the settings or the bars cannot be used. z is of
/// their closes: middles want bars by columns.
pub fn run(
    settings: &EngineSettings,
    fills: &FillModel,
    bars: &[Bar],
) -> Result<BacktestReport, BacktestError> {
    run_with(settings, fills, bars, |_| true)
}

/// Does the same and calls `go_on` with the number of bars done, every [`PROGRESS_BARS`]; false stops the run with
/// [`BacktestError::Stopped`].
pub fn run_with(
    settings: &EngineSettings,
    fills: &FillModel,
    bars: &[Bar],
    mut go_on: impl FnMut(usize) -> bool,
) -> Result<BacktestReport, BacktestError> {
    let mut backtest = Backtest::new(settings, fills)?;
    backtest.expect_bars(bars.len());
    for (index, bar) in bars.iter().enumerate() {
        if index > 0 && index % PROGRESS_BARS == 0 && !go_on(index) {
            return Err(BacktestError::Stopped { bars: index });
        }
        backtest.push(bar, bars.get(index + 1).map(|next| next.open_at_ms))?;
    }
    Ok(backtest.finish())
}

/// What is known before a run: all of it may be shared by many.
#[derive(Clone, Copy)]
pub struct Prepared<'a> {
    /// Oldest first.
    pub bars: &'a Columns<'a>,
    /// Of these bars.
    pub timeline: &'a Timeline,
    /// Of these bars; none: it is rolled.
    pub z: Option<&'a ZSeries>,
    /// Whose hours and last trade date are kept to, where they are known.
    pub contract: Option<&'a Contract>,
}

/// Runs over bars of which timeline and z are known already, and gives the same as [`run`] by the same steps. `closes_cents` is emptied and takes the equity in, so that a sweep needs one array for all its runs.
///
/// # Panics
/// Where timeline or z are of other bars.
pub fn run_prepared(
    settings: &EngineSettings,
    fills: &FillModel,
    prepared: Prepared<'_>,
    mut closes_cents: Vec<i64>,
    mut go_on: impl FnMut(usize) -> bool,
) -> Result<BacktestReport, BacktestError> {
    let Prepared {
        bars,
        timeline,
        z,
        contract,
    } = prepared;
    let mut backtest = Backtest::new(settings, fills)?;
    if let Some(contract) = contract {
        backtest.know(contract);
    }
    closes_cents.clear();
    closes_cents.reserve_exact(bars.len());
    backtest.equity_cents = closes_cents;
    backtest.sessions.reserve_exact(timeline.trade_days().len());
    let mut trade_days = timeline.trade_days().iter();
    let closes = bars.signal_closes(settings.strategy.price)?;
    for index in 0..bars.len() {
        if index > 0 && index % PROGRESS_BARS == 0 && !go_on(index) {
            return Err(BacktestError::Stopped { bars: index });
        }
        let bar = bars.bar(index);
        if timeline.begins(index) {
            backtest.begin_session(*trade_days.next().expect("a session for each beginning"));
        }
        let reading = match z {
            Some(z) => z.reading(index),
            None => backtest.strategy.push_close(closes.at(index)),
        };
        backtest.take(
            &bar,
            timeline.is_flat(index),
            timeline.ends(index),
            &reading,
        );
    }
    Ok(backtest.finish())
}

/// A backtest in the making: one bar at a time.
pub struct Backtest {
    strategy: Strategy,
    clock: ZonedClock,
    session: SessionSettings,
    fills: FillModel,
    terms: Terms,
    price: PriceKind,
    controls: Controls,
    /// In the order of their first appearance: there are few.
    blocked: Vec<(&'static str, u32)>,
    bar_ms: i64,
    entry_z_e4: i64,
    exit_z_e4: i64,
    /// Session of the last bar, in days since 1970-01-01.
    trade_day: Option<i64>,
    /// The next bar's opening time, as it was announced, and its session: asked for once.
    ahead: Option<(i64, i64)>,
    /// From the first time on, and before the second, the next flat window begins at the second.
    flat_next: Option<(i64, i64)>,
    last_open_at_ms: Option<i64>,
    held: Option<Held>,
    pending_entry: Option<Signal>,
    pending_exit: Option<ExitReason>,
    realised_cents: i64,
    bars_held: u32,
    trades: Vec<BacktestTrade>,
    /// Of the trades, while they are at hand: afterwards they would all have to be looked at again.
    sums: Sums,
    events: Vec<BacktestEvent>,
    equity_cents: Vec<i64>,
    z: Vec<f64>,
    both_touched: u32,
    ties: u32,
    sessions: Vec<SessionEquity>,
}

/// What a trade is made by [S5].
#[derive(Debug, Clone, Copy)]
struct Terms {
    quantity: u32,
    tick_value_cents: i64,
    fee_cents: i64,
    slippage_ticks: i64,
    stop_ticks: Option<i64>,
    target_ticks: Option<i64>,
}

#[derive(Debug, Clone, Copy)]
struct Signal {
    side: Side,
    at_ms: i64,
    z: f64,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    signal: Signal,
    entry_at_ms: i64,
    entry_ticks: i64,
    entry_index: usize,
    stop_ticks: Option<i64>,
    target_ticks: Option<i64>,
}

impl Held {
    /// Is `price` at the stop or beyond it.
    fn stop_hit(&self, price_ticks: i64) -> Option<i64> {
        let sign = self.signal.side.sign();
        self.stop_ticks
            .filter(|stop| (price_ticks - stop) * sign <= 0)
    }

    /// Is `price` at the target or beyond it, or strictly beyond where `by_ticks` is 1.
    fn target_hit(&self, price_ticks: i64, by_ticks: i64) -> Option<i64> {
        let sign = self.signal.side.sign();
        self.target_ticks
            .filter(|target| (price_ticks - target) * sign >= by_ticks)
    }
}

/// An exit's price and time.
#[derive(Debug, Clone, Copy)]
struct Exit {
    reason: ExitReason,
    ticks: i64,
    at_ms: i64,
}

impl Backtest {
    /// Returns a backtest before its first bar, or why the settings cannot be used.
    pub fn new(settings: &EngineSettings, fills: &FillModel) -> Result<Self, BacktestError> {
        if fills.start_equity_cents <= 0 {
            return Err(BacktestError::StartEquity {
                cents: fills.start_equity_cents,
            });
        }
        let tick_value_cents = settings.instrument.tick_value_cents;
        if tick_value_cents <= 0 {
            return Err(BacktestError::TickValue {
                cents: tick_value_cents,
            });
        }
        let risk = &settings.risk;
        Ok(Self {
            strategy: Strategy::try_new(&settings.strategy, risk)?,
            clock: ZonedClock::new(&settings.session.time_zone)?,
            session: settings.session.clone(),
            fills: *fills,
            terms: Terms {
                quantity: settings.strategy.quantity,
                tick_value_cents,
                fee_cents: settings.costs.fee_cents,
                slippage_ticks: settings.costs.slippage_ticks,
                stop_ticks: risk
                    .stop_cents
                    .map(|cents| stop_distance_ticks(cents, tick_value_cents)),
                target_ticks: risk
                    .target_cents
                    .map(|cents| target_distance_ticks(cents, tick_value_cents)),
            },
            price: settings.strategy.price,
            controls: Controls::new(settings)?,
            blocked: Vec::new(),
            bar_ms: settings.strategy.sampling_ms,
            entry_z_e4: settings.strategy.entry_z_e4,
            exit_z_e4: settings.strategy.exit_z_e4,
            trade_day: None,
            ahead: None,
            flat_next: None,
            last_open_at_ms: None,
            held: None,
            pending_entry: None,
            pending_exit: None,
            realised_cents: 0,
            bars_held: 0,
            trades: Vec::new(),
            sums: Sums::default(),
            events: Vec::new(),
            equity_cents: Vec::new(),
            z: Vec::new(),
            both_touched: 0,
            ties: 0,
            sessions: Vec::new(),
        })
    }

    /// Tells the contract's hours and its last trade date, where they are known: early closes and the roll are kept then.
    pub fn know(&mut self, contract: &Contract) {
        self.controls.know(contract);
    }

    /// Makes room for this many bars at once.
    pub fn expect_bars(&mut self, bars: usize) {
        self.equity_cents.reserve_exact(bars);
        self.z.reserve_exact(bars);
    }

    /// Takes one bar in, in the order of [S4]. The next bar's opening time tells whether this is the session's last [S9].
    /// Refused where z is of middles: see [`Backtest::push_quoted`].
    pub fn push(&mut self, bar: &Bar, next_open_at_ms: Option<i64>) -> Result<(), BacktestError> {
        match self.price {
            PriceKind::Last => self.push_quoted(bar, None, next_open_at_ms),
            PriceKind::Mid => Err(BacktestError::NoQuotes),
        }
    }

    /// Does the same for a bar with the middle of bid and ask at its close, in half ticks, where there is one.
    pub fn push_quoted(
        &mut self,
        bar: &Bar,
        middle_half_ticks: Option<i64>,
        next_open_at_ms: Option<i64>,
    ) -> Result<(), BacktestError> {
        self.check(bar)?;
        let trade_day = match self.ahead {
            Some((open_at_ms, trade_day)) if open_at_ms == bar.open_at_ms => trade_day,
            Some(_) | None => self.trade_day_of(bar.open_at_ms),
        };
        if self.trade_day != Some(trade_day) {
            self.begin_session(trade_day);
        }
        let is_flat_window = self.clock.is_in_flat_window(
            bar.open_at_ms,
            self.session.flatten_at_minute,
            self.session.open_minute,
        );
        self.ahead = next_open_at_ms.map(|next_ms| (next_ms, self.trade_day_of(next_ms)));
        let is_last = self.ahead.is_none_or(|(_, next)| next != trade_day);

        let close = signal_close(self.price, bar.close_ticks, middle_half_ticks);
        let z = self.strategy.push_close(close);
        self.z.push(z.z.unwrap_or(f64::NAN));
        self.take(bar, is_flat_window, is_last, &z);
        Ok(())
    }

    fn take(&mut self, bar: &Bar, is_flat_window: bool, is_last: bool, z: &ZReading) {
        self.at_open(bar, is_flat_window);
        self.bars_held += u32::from(self.held.is_some());
        self.inside(bar);
        self.at_close(bar, is_flat_window, is_last, z);
    }

    /// Takes out z at each close so far, NaN where it is undefined.
    pub fn take_z(&mut self) -> Vec<f64> {
        std::mem::take(&mut self.z)
    }

    /// Returns what was found. A position that the last bar did not close, since a next bar was announced, stays uncounted.
    pub fn finish(self) -> BacktestReport {
        let session_ends: Vec<i64> = self
            .sessions
            .iter()
            .map(|session| session.equity_cents)
            .collect();
        let statistics = Statistics::of(
            self.sums,
            &EquityCurve {
                start_cents: self.fills.start_equity_cents,
                closes_cents: &self.equity_cents,
                session_ends_cents: &session_ends,
                bars_held: self.bars_held,
            },
        );
        BacktestReport {
            trades: self.trades,
            events: self.events,
            blocked: self
                .blocked
                .into_iter()
                .map(|(gate, closes)| (gate.to_owned(), closes))
                .collect(),
            equity_cents: self.equity_cents,
            both_touched: self.both_touched,
            ties: self.ties,
            sessions: self.sessions,
            open_at_end: 0,
            anomalies: 0,
            statistics,
        }
    }

    fn check(&mut self, bar: &Bar) -> Result<(), BacktestError> {
        timeline::check_bar(bar, self.index(), self.last_open_at_ms, self.bar_ms)?;
        self.last_open_at_ms = Some(bar.open_at_ms);
        Ok(())
    }

    /// Place of the bar at hand: each bar before it has left its equity.
    fn index(&self) -> usize {
        self.equity_cents.len()
    }

    /// Without an opening minute all bars belong to the first one's session [S2].
    fn trade_day_of(&self, at_ms: i64) -> i64 {
        match (self.session.open_minute, self.trade_day) {
            (None, Some(only)) => only,
            (open_minute, _) => self.clock.trade_day(at_ms, open_minute),
        }
    }

    fn begin_session(&mut self, trade_day: i64) {
        self.trade_day = Some(trade_day);
        self.strategy.begin_session();
        self.controls.begin_session();
        self.pending_entry = None;
        self.sessions.push(SessionEquity {
            trade_date: Date::from_epoch_days(trade_day),
            equity_cents: 0,
        });
    }

    /// [S4 A]
    fn at_open(&mut self, bar: &Bar, is_flat_window: bool) {
        let open = i64::from(bar.open_ticks);
        let is_concerned = self.held.is_some() || self.pending_entry.is_some();
        let flat_reason = if is_flat_window {
            Some(ExitReason::SessionClose)
        } else if is_concerned {
            self.controls.flat_reason(bar.open_at_ms)
        } else {
            None
        };
        // By reference throughout: what is held is large, and held in every second bar or so.
        let decided = self.pending_exit.take();
        let exit = self.held.as_ref().and_then(|held| {
            let at_open = |reason, ticks| Exit {
                reason,
                ticks,
                at_ms: bar.open_at_ms,
            };
            let worse = self.worsened(open, held.signal.side.opposite());
            if let Some(reason) = decided.or(flat_reason) {
                Some(at_open(reason, worse))
            } else if held.stop_hit(open).is_some() {
                Some(at_open(ExitReason::StopGap, worse))
            } else {
                held.target_hit(open, 0)
                    .map(|_| at_open(ExitReason::TargetGap, open))
            }
        });
        if let Some(exit) = exit {
            self.leave(exit);
        }
        if let Some(signal) = self.pending_entry.take().filter(|_| flat_reason.is_none()) {
            self.enter(signal, bar);
        }
    }

    /// [S4 B]
    fn inside(&mut self, bar: &Bar) {
        let Some(held) = &self.held else {
            return;
        };
        let (worst, best) = match held.signal.side {
            Side::Buy => (bar.low_ticks, bar.high_ticks),
            Side::Sell => (bar.high_ticks, bar.low_ticks),
        };
        let beyond_ticks = match self.fills.target_fill {
            TargetFill::Touch => 0,
            TargetFill::Through => 1,
        };
        let at_ms = self.close_at_ms(bar);
        let stop = held.stop_hit(i64::from(worst)).map(|stop| Exit {
            reason: ExitReason::Stop,
            ticks: self.worsened(stop, held.signal.side.opposite()),
            at_ms,
        });
        let target = held
            .target_hit(i64::from(best), beyond_ticks)
            .map(|target| Exit {
                reason: ExitReason::Target,
                ticks: target,
                at_ms,
            });
        self.both_touched += u32::from(stop.is_some() && target.is_some());
        let exit = match self.fills.intrabar {
            Intrabar::StopFirst => stop.or(target),
            Intrabar::TargetFirst => target.or(stop),
        };
        if let Some(exit) = exit {
            self.leave(exit);
        }
    }

    /// [S4 C]
    fn at_close(&mut self, bar: &Bar, is_flat_window: bool, is_last: bool, z: &ZReading) {
        let close = i64::from(bar.close_ticks);
        let at_ms = self.close_at_ms(bar);
        if let Some(held) = self.held.as_ref().filter(|_| is_last) {
            let ticks = self.worsened(close, held.signal.side.opposite());
            self.leave(Exit {
                reason: ExitReason::SessionEnd,
                ticks,
                at_ms,
            });
        }
        let held = self.held.as_ref();
        let open_gross_cents = held.map_or(0, |held| self.gross_cents(held, close));
        self.mark(open_gross_cents);
        if self.strategy.mark_day(open_gross_cents) {
            let session = self.sessions.last().expect("a bar begins its session");
            self.events.push(BacktestEvent::DailyLossHalt {
                at_ms,
                trade_date: session.trade_date,
            });
        }
        let day_net_cents = self.strategy.day_realised_cents() + open_gross_cents;
        let has_fallen = !self.strategy.is_day_halted()
            && self
                .controls
                .mark(day_net_cents)
                .is_some_and(|tripped| self.note(at_ms, tripped));
        self.strategy.rearm(z);
        if let Some(held) = &self.held {
            let side = held.signal.side;
            self.pending_exit = if has_fallen {
                Some(ExitReason::Flatten)
            } else {
                self.strategy
                    .exit_decision(side, held.entry_at_ms, at_ms, z)
            };
            let is_by_z = self.pending_exit == Some(ExitReason::Zexit);
            self.ties += u32::from(is_by_z && is_tie(z, -side.sign() * self.exit_z_e4));
        } else if !is_flat_window && !is_last {
            self.pending_entry = self.signal(at_ms, z);
        }
    }

    /// Notes a control that tripped; always true.
    fn note(&mut self, at_ms: i64, tripped: Tripped) -> bool {
        self.events.push(BacktestEvent::Control {
            at_ms,
            control: tripped.control.to_owned(),
            detail: tripped.detail,
        });
        true
    }

    fn signal(&mut self, at_ms: i64, reading: &ZReading) -> Option<Signal> {
        let (side, z, stopped_by) = match (self.strategy.entry_decision(at_ms, reading), reading.z)
        {
            (EntryWish::Nothing, _) | (_, None) => return None,
            (EntryWish::Stopped { side, by }, Some(z)) => (side, z, Some(gate_of(by))),
            (EntryWish::Enter(side), Some(z)) => (side, z, self.stopped_by(at_ms)),
        };
        if let Some(gate) = stopped_by {
            self.count_blocked(gate);
            return None;
        }
        self.controls.count_entry(at_ms);
        self.ties += u32::from(is_tie(reading, -side.sign() * self.entry_z_e4));
        Some(Signal { side, at_ms, z })
    }

    fn count_blocked(&mut self, gate: &'static str) {
        match self.blocked.iter_mut().find(|(known, _)| *known == gate) {
            Some((_, closes)) => *closes += 1,
            None => self.blocked.push((gate, 1)),
        }
    }

    /// Returns which control stops an entry at this close: D21, then the others in the engine's order.
    fn stopped_by(&mut self, at_ms: i64) -> Option<&'static str> {
        let windows = &self.session.entry_windows;
        if !windows.is_empty() {
            let minute = self.clock.local(at_ms).minute_of_day;
            let is_in_window = windows
                .iter()
                .any(|window| is_in_daily_span(minute, window.from_minute, window.to_minute));
            if !is_in_window {
                return Some("session_window");
            }
        }
        let wait_ms = self.session.no_entry_before_flatten_ms;
        let is_late = wait_ms > 0
            && (self.controls.closes_soon(at_ms + wait_ms)
                || self
                    .session
                    .flatten_at_minute
                    .is_some_and(|flatten| self.flat_after(at_ms, flatten) - at_ms <= wait_ms));
        if is_late {
            return Some("last_entry");
        }
        let day_cents = self.strategy.day_result_cents(0);
        self.controls.stops(at_ms, day_cents)
    }

    /// The next time at which the clock comes to the minute. The same until then, and looking at the calendar is slow.
    fn flat_after(&mut self, at_ms: i64, flatten_at_minute: u32) -> i64 {
        match self.flat_next {
            Some((from_ms, next_ms)) if (from_ms..next_ms).contains(&at_ms) => next_ms,
            Some(_) | None => {
                let next_ms = self.clock.next_at(at_ms, flatten_at_minute);
                self.flat_next = Some((at_ms, next_ms));
                next_ms
            }
        }
    }

    fn enter(&mut self, signal: Signal, bar: &Bar) {
        let entry_ticks = self.worsened(i64::from(bar.open_ticks), signal.side);
        let sign = signal.side.sign();
        self.book(-self.fee_cents());
        self.held = Some(Held {
            signal,
            entry_at_ms: bar.open_at_ms,
            entry_ticks,
            entry_index: self.index(),
            stop_ticks: self
                .terms
                .stop_ticks
                .map(|distance| entry_ticks - sign * distance),
            target_ticks: self
                .terms
                .target_ticks
                .map(|distance| entry_ticks + sign * distance),
        });
    }

    /// Does nothing where nothing is held.
    fn leave(&mut self, exit: Exit) {
        let Some(held) = self.held.take() else {
            return;
        };
        self.pending_exit = None;
        let gross_cents = self.gross_cents(&held, exit.ticks);
        let fees_cents = 2 * self.fee_cents();
        let net_cents = gross_cents - fees_cents;
        self.book(gross_cents - self.fee_cents());
        let side = held.signal.side;
        if let Some(until_ms) = self
            .strategy
            .trade_closed(side, exit.reason, net_cents, exit.at_ms)
        {
            self.events.push(BacktestEvent::Pause {
                at_ms: exit.at_ms,
                until_ms,
            });
        }
        if let Some(tripped) = self.controls.count_exit(exit.at_ms, exit.reason) {
            self.note(exit.at_ms, tripped);
        }
        let slips = 1 + i64::from(is_slipped(exit.reason));
        let trade = BacktestTrade {
            trade_id: counted(self.trades.len() + 1),
            side,
            quantity: self.terms.quantity,
            signal_at_ms: held.signal.at_ms,
            entry_at_ms: held.entry_at_ms,
            entry_ticks: held.entry_ticks,
            exit_at_ms: exit.at_ms,
            exit_ticks: exit.ticks,
            reason: exit.reason,
            bars: counted(self.index() - held.entry_index),
            gross_cents,
            fees_cents,
            net_cents,
            slippage_cents: slips
                * self.terms.slippage_ticks
                * self.terms.tick_value_cents
                * i64::from(self.terms.quantity),
            z_signal: held.signal.z,
        };
        self.sums.add(&outcome_of(&trade));
        if self.trades.len() == self.trades.capacity() {
            // By half, not twofold: old and new stand beside each other for a moment.
            self.trades.reserve_exact(64 + self.trades.len() / 2);
        }
        self.trades.push(trade);
    }

    fn book(&mut self, cents: i64) {
        self.realised_cents += cents;
        self.strategy.book_realised(cents);
    }

    fn mark(&mut self, open_gross_cents: i64) {
        let equity_cents = self.fills.start_equity_cents + self.realised_cents + open_gross_cents;
        self.equity_cents.push(equity_cents);
        let session = self.sessions.last_mut().expect("a bar begins its session");
        session.equity_cents = equity_cents;
    }

    fn close_at_ms(&self, bar: &Bar) -> i64 {
        bar.open_at_ms + self.bar_ms
    }

    /// Fee of one fill.
    fn fee_cents(&self) -> i64 {
        self.terms.fee_cents * i64::from(self.terms.quantity)
    }

    fn gross_cents(&self, held: &Held, price_ticks: i64) -> i64 {
        let gained_ticks = (price_ticks - held.entry_ticks) * held.signal.side.sign();
        gained_ticks * self.terms.tick_value_cents * i64::from(self.terms.quantity)
    }

    /// Price of a market fill of this side: worse by the slippage [S5].
    fn worsened(&self, price_ticks: i64, side: Side) -> i64 {
        price_ticks + side.sign() * self.terms.slippage_ticks
    }
}

/// Returns the engine's name for the gate that a rule of the strategy is.
fn gate_of(by: &'static str) -> &'static str {
    match by {
        Strategy::BY_DAILY_LOSS => "daily_limit",
        Strategy::BY_LOSS_STREAK => "streak",
        other => other,
    }
}

/// Does an exit for this reason pay the slippage: a target is a limit order [S5].
fn is_slipped(reason: ExitReason) -> bool {
    !matches!(reason, ExitReason::Target | ExitReason::TargetGap)
}

/// Is z the threshold exactly.
fn is_tie(reading: &ZReading, threshold_e4: i64) -> bool {
    reading.compare(threshold_e4).is_some_and(Ordering::is_eq)
}

fn outcome_of(trade: &BacktestTrade) -> Outcome {
    Outcome {
        gross_cents: trade.gross_cents,
        fees_cents: trade.fees_cents,
        net_cents: trade.net_cents,
        slippage_cents: trade.slippage_cents,
        bars: trade.bars,
        reason: trade.reason,
    }
}

fn counted(length: usize) -> u32 {
    u32::try_from(length).expect("fewer than four thousand million bars and trades")
}
