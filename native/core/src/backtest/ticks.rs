//! A backtest on trades and quotes: the engine that trades live, on the simulated exchange, joined without a wire. Signals,
//! gates, orders, brackets and exits are the live ones, fills are the exchange's; nothing of either is written again here.
//!
//! Of one millisecond the engine hears the market first and then what the exchange made of it; what it orders acts when the
//! latency has passed. A backtest has nobody to arm: a halt by a control ends with the session.

use super::{
    BacktestError, BacktestEvent, BacktestReport, BacktestTrade, FillModel, SessionEquity, counted,
    outcome_of,
};
use crate::calendar::{Date, ZonedClock};
use crate::effect::{BrokerQuestion, Caused, Effect, OrderAction, OrderRequest, RoundTrip};
use crate::engine::Engine;
use crate::event::{
    Bar, BrokerFill, BrokerOrder, BrokerOrderState, BrokerPosition, Command, Contract, Event,
};
use crate::exchange::Exchange;
use crate::exchange::record::{MarketContent, NO_PRICE, RECORD_BYTES, read_record};
use crate::exchange::words::{
    ExchangeFill, ExchangeInstrument, ExchangeOrderKind, ExchangeReport, ExchangeSettings,
    ExchangeTif, NewOrder, OrderChanges, PriceLimits, RejectReason, Resting,
};
use crate::settings::EngineSettings;
use crate::statistics::{EquityCurve, Statistics};
use crate::status::{ExitReason, Link, OrderKind, Posture, Tif};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use ts_rs::TS;

/// Records between two calls of the progress function.
pub const PROGRESS_RECORDS: usize = 65_536;
/// Contracts behind the best price, at each further one: the exchange of the simulated gateway has as many.
const LEVEL_SIZE: i64 = 50;
/// The broker tells its times in whole seconds.
const SECOND_MS: i64 = 1_000;
const ACCOUNT: &str = "BACKTEST";
const CLIENT_ID: i64 = 1;
const EPOCH: u32 = 1;
/// The gateway's codes for "rejected" and "can't be cancelled".
const REJECTED: i32 = 201;
const NOT_CANCELLED: i32 = 10_148;
/// An engine that asks to be woken more often than this before the next record never comes to rest.
const KNOCKS_MAX: u32 = 1_000_000;

/// How the market is met, beside what [`FillModel`] says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, TS)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TickModel {
    /// An order, change or cancel acts so long after it was decided; 0 to 60 000.
    pub latency_ms: i64,
    /// When a resting limit order fills.
    pub resting: Resting,
    /// What is traded, with its hours and its last trade date, which may be empty.
    pub contract: Contract,
    /// Which daily price limits it has; none where it is left out.
    #[serde(default)]
    #[ts(optional = nullable)]
    pub price_limits: Option<PriceLimits>,
}

/// What a backtest on ticks found: a report like any other, and the bars that the engine made.
#[derive(Debug, Clone, PartialEq)]
pub struct TickReport {
    /// As of a backtest on bars.
    pub report: BacktestReport,
    /// Closed by the engine, oldest first; the report's equity and `z` are at their closes.
    pub bars: Vec<Bar>,
    /// NaN where undefined.
    pub z: Vec<f64>,
}

/// Runs over market records (see [`crate::exchange::record`]) of one contract, oldest first. Calls `go_on` with the number of
/// records done every [`PROGRESS_RECORDS`]; false stops it.
pub fn run_ticks(
    settings: &EngineSettings,
    fills: &FillModel,
    model: &TickModel,
    records: &[u8],
    mut go_on: impl FnMut(usize) -> bool,
) -> Result<TickReport, BacktestError> {
    let (all, rest) = records.as_chunks::<RECORD_BYTES>();
    if !rest.is_empty() {
        return Err(BacktestError::Records(format!(
            "{} bytes are not a multiple of {RECORD_BYTES}",
            records.len()
        )));
    }
    let Some(first) = all.first() else {
        return Err(BacktestError::Records("there are none".to_owned()));
    };
    let mut run = Run::new(settings, fills, model, at_ms(first))?;
    let (mut from, mut told) = (0, 0);
    while from < all.len() {
        let now_ms = at_ms(&all[from]);
        let mut to = from + 1;
        while to < all.len() && at_ms(&all[to]) == now_ms {
            to += 1;
        }
        run.pass_to(now_ms)?;
        run.market(now_ms, &records[from * RECORD_BYTES..to * RECORD_BYTES])?;
        from = to;
        if from - told >= PROGRESS_RECORDS {
            told = from;
            if !go_on(from) {
                return Err(BacktestError::Stopped { bars: from });
            }
        }
    }
    run.finish()
}

fn at_ms(record: &[u8; RECORD_BYTES]) -> i64 {
    let mut stamp = [0; 8];
    stamp.copy_from_slice(&record[..8]);
    i64::from_le_bytes(stamp)
}

/// An order as the broker tells it.
struct Known {
    request: OrderRequest,
    order_id: i64,
    state: BrokerOrderState,
    quantity: i64,
    filled: i64,
    kind: Option<OrderKind>,
}

struct Run<'a> {
    engine: Engine,
    exchange: Exchange,
    model: &'a TickModel,
    settings: &'a EngineSettings,
    start_cents: i64,
    clock: ZonedClock,
    now_ms: i64,
    seq: i64,
    wake_ms: i64,
    is_open: bool,
    /// The next span of the contract's hours that has not ended.
    span: usize,
    trade_day: Option<i64>,
    is_halted: bool,
    /// True from a session's beginning to its first trade.
    arms_next: bool,
    known: BTreeMap<i64, Known>,
    ids: BTreeMap<String, i64>,
    next_id: i64,
    fills: Vec<BrokerFill>,
    inbox: VecDeque<Event>,
    effects: Vec<Caused>,
    said: Vec<ExchangeReport>,
    found: Found,
}

/// What is written down for the report.
#[derive(Default)]
struct Found {
    trades: Vec<BacktestTrade>,
    events: Vec<BacktestEvent>,
    blocked: BTreeMap<String, u32>,
    bars: Vec<Bar>,
    z: Vec<f64>,
    equity_cents: Vec<i64>,
    sessions: Vec<SessionEquity>,
    bars_held: u32,
    /// The bar in the making when the position was opened.
    entry_index: usize,
    position: i64,
    /// True where a position was held at any time since the last close.
    was_held: bool,
    anomalies: u32,
}

impl<'a> Run<'a> {
    fn new(
        settings: &'a EngineSettings,
        fills: &FillModel,
        model: &'a TickModel,
        start_ms: i64,
    ) -> Result<Run<'a>, BacktestError> {
        let start_cents = fills.start_equity_cents;
        if start_cents <= 0 {
            return Err(BacktestError::StartEquity { cents: start_cents });
        }
        let exchange = Exchange::new(exchange_settings(settings, model, start_cents)?, None)?;
        let mut run = Run {
            engine: Engine::new(),
            exchange,
            model,
            settings,
            start_cents,
            clock: ZonedClock::new(&settings.session.time_zone)?,
            now_ms: start_ms,
            seq: 0,
            wake_ms: i64::MAX,
            is_open: true,
            span: 0,
            trade_day: None,
            is_halted: false,
            arms_next: false,
            known: BTreeMap::new(),
            ids: BTreeMap::new(),
            next_id: 0,
            fills: Vec::new(),
            inbox: VecDeque::new(),
            effects: Vec::new(),
            said: Vec::new(),
            found: Found::default(),
        };
        run.follow_hours()?;
        // What an entry does to the margin is the broker's word, and a recording has none (D24).
        let mut told = settings.clone();
        told.risk.excess_liquidity_pct = None;
        run.tell(Event::Started {
            version: String::new(),
            badge: ACCOUNT.to_owned(),
            starts_trading: true,
            after_crash: false,
            latched: false,
            revision: 1,
            settings: told,
        })?;
        run.tell(Event::LinkChanged {
            link: Link::Up,
            epoch: EPOCH,
            detail: String::new(),
            account: Some(ACCOUNT.to_owned()),
        })?;
        Ok(run)
    }

    /// Lets time pass up to `to_ms`: wake-ups, and what has been under way for the latency. At one moment the wake-up is first.
    fn pass_to(&mut self, to_ms: i64) -> Result<(), BacktestError> {
        for _ in 0..KNOCKS_MAX {
            let acts_ms = self.exchange.next_due_ms();
            let turns_ms = self.next_turn_ms();
            let next_ms = self.wake_ms.min(acts_ms).min(turns_ms);
            // What acts at the very moment of a record acts with it.
            if next_ms > to_ms || (next_ms == to_ms && self.wake_ms > to_ms && turns_ms > to_ms) {
                self.now_ms = to_ms;
                return Ok(());
            }
            self.now_ms = self.now_ms.max(next_ms);
            if self.wake_ms <= next_ms {
                self.wake_ms = i64::MAX;
                self.tell(Event::Woke {})?;
            } else if turns_ms <= next_ms {
                self.follow_hours()?;
            } else {
                self.exchange.advance(self.now_ms, &mut self.said);
                self.hear();
                self.drain()?;
            }
        }
        Err(BacktestError::Fault(format!(
            "the engine asks to be woken without end at {}",
            self.now_ms
        )))
    }

    /// Takes the records of one millisecond: the exchange fills by them, the engine hears of them first.
    fn market(&mut self, now_ms: i64, records: &[u8]) -> Result<(), BacktestError> {
        self.begin_day(now_ms);
        let limited = self.exchange.limited(records)?;
        let records = limited.as_deref().unwrap_or(records);
        self.exchange.market(records, &mut self.said)?;
        self.hear();
        let exchange_at_ms = now_ms.div_euclid(SECOND_MS) * SECOND_MS;
        for bytes in records.as_chunks::<RECORD_BYTES>().0 {
            let Some(record) = read_record(bytes) else {
                return Err(BacktestError::Records(format!(
                    "one at {now_ms} ms is of no known kind"
                )));
            };
            let priced = |ticks: i32| (ticks != NO_PRICE).then_some(ticks);
            self.apply(match record.content {
                MarketContent::Trade { price_ticks, size } => Event::Trade {
                    exchange_at_ms,
                    price_ticks,
                    size,
                },
                MarketContent::Quote {
                    bid_ticks,
                    ask_ticks,
                    bid_size,
                    ask_size,
                } => Event::Quote {
                    exchange_at_ms,
                    bid_ticks: priced(bid_ticks),
                    ask_ticks: priced(ask_ticks),
                    bid_size,
                    ask_size,
                },
            })?;
        }
        self.drain()?;
        let has_trade = |bytes: &[u8; RECORD_BYTES]| {
            read_record(bytes)
                .is_some_and(|record| matches!(record.content, MarketContent::Trade { .. }))
        };
        if self.arms_next && records.as_chunks::<RECORD_BYTES>().0.iter().any(has_trade) {
            self.arm()?;
        }
        Ok(())
    }

    /// Lifts a halt at a session's first trade, by which the engine has begun the day as well.
    fn arm(&mut self) -> Result<(), BacktestError> {
        self.arms_next = false;
        if !self.is_halted {
            return Ok(());
        }
        self.tell(Event::Command {
            by: ACCOUNT.to_owned(),
            update_id: None,
            command: Command::Arm {},
        })
    }

    fn tell(&mut self, event: Event) -> Result<(), BacktestError> {
        self.inbox.push_back(event);
        self.drain()
    }

    fn drain(&mut self) -> Result<(), BacktestError> {
        while let Some(event) = self.inbox.pop_front() {
            self.apply(event)?;
        }
        Ok(())
    }

    /// Tells the engine one thing and does what it wants; answers go to the end of the inbox.
    fn apply(&mut self, event: Event) -> Result<(), BacktestError> {
        self.seq += 1;
        self.engine
            .apply_event(self.seq, self.now_ms, event, &mut self.effects)
            .map_err(|error| BacktestError::Fault(error.to_string()))?;
        if self.effects.is_empty() {
            return Ok(());
        }
        let effects = std::mem::take(&mut self.effects);
        for caused in effects {
            self.perform(caused.effect);
        }
        Ok(())
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Intent {
                order_ref, action, ..
            } => match action {
                OrderAction::Place { orders } => self.place(orders),
                OrderAction::Modify { order } => self.modify(order),
                OrderAction::Cancel { .. } => self.cancel(&order_ref),
            },
            Effect::AskBroker(question) => {
                let answer = self.answer(question);
                self.inbox.push_back(answer);
            }
            Effect::WakeAt { at_ms } => self.wake_ms = at_ms,
            Effect::Decision {
                bar, z, blocked_by, ..
            } => self.note_close(bar, z, blocked_by),
            Effect::RoundTrip { trade } => self.note_trade(&trade),
            Effect::Control {
                control,
                tripped: true,
                detail,
            } => self.note_control(control, detail),
            Effect::PostureChanged { to, .. } => self.is_halted = to == Posture::Halted,
            // The exchange answers everything and corrects nothing.
            Effect::Anomaly { .. }
            | Effect::InDoubt { .. }
            | Effect::DropLink { .. }
            | Effect::RoundTripRestated { .. } => self.found.anomalies += 1,
            Effect::Control { tripped: false, .. }
            | Effect::NoticeQueued { .. }
            | Effect::Latch { .. }
            | Effect::Unlatch { .. }
            | Effect::CommandAnswered { .. }
            | Effect::FlatConfirmed { .. } => {}
        }
    }

    fn place(&mut self, orders: Vec<OrderRequest>) {
        let mut batch = Vec::with_capacity(orders.len());
        for request in orders {
            self.next_id += 1;
            let order_id = self.next_id;
            self.inbox.push_back(Event::Sent {
                order_ref: request.order_ref.clone(),
                order_id,
                epoch: EPOCH,
            });
            batch.push(NewOrder {
                order_key: order_id,
                account: String::new(),
                instrument_id: self.model.contract.con_id,
                side: request.side,
                quantity: i64::from(request.quantity),
                kind: exchange_kind(request.kind),
                tif: match request.tif {
                    Tif::Day => ExchangeTif::Day,
                    Tif::Gtc => ExchangeTif::Gtc,
                },
                parent_key: request
                    .parent_ref
                    .as_ref()
                    .and_then(|parent| self.ids.get(parent).copied()),
                oca_group: request.oca_group.clone(),
                oca_type: 1,
            });
            self.ids.insert(request.order_ref.clone(), order_id);
            self.known.insert(
                order_id,
                Known {
                    order_id,
                    state: BrokerOrderState::Pending,
                    quantity: i64::from(request.quantity),
                    filled: 0,
                    kind: Some(request.kind),
                    request,
                },
            );
        }
        self.exchange.submit(self.now_ms, &batch, &mut self.said);
        self.hear();
    }

    fn modify(&mut self, order: OrderRequest) {
        let Some(order_id) = self.send(&order.order_ref) else {
            return;
        };
        let (limit_ticks, stop_ticks) = match order.kind {
            OrderKind::Market {} => (None, None),
            OrderKind::Limit { limit_ticks } => (Some(limit_ticks), None),
            OrderKind::Stop { stop_ticks } => (None, Some(stop_ticks)),
        };
        let changes = OrderChanges {
            quantity: Some(i64::from(order.quantity)),
            limit_ticks,
            stop_ticks,
            ..OrderChanges::default()
        };
        self.exchange
            .modify(self.now_ms, order_id, changes, &mut self.said);
        self.hear();
    }

    fn cancel(&mut self, order_ref: &str) {
        let Some(order_id) = self.send(order_ref) else {
            return;
        };
        self.exchange.cancel(self.now_ms, order_id, &mut self.said);
        self.hear();
    }

    fn send(&mut self, order_ref: &str) -> Option<i64> {
        let order_id = self.ids.get(order_ref).copied()?;
        self.inbox.push_back(Event::Sent {
            order_ref: order_ref.to_owned(),
            order_id,
            epoch: EPOCH,
        });
        Some(order_id)
    }

    /// Turns what the exchange said into what the broker says.
    fn hear(&mut self) {
        if self.said.is_empty() {
            return;
        }
        for report in std::mem::take(&mut self.said) {
            self.hear_one(report);
        }
    }

    fn hear_one(&mut self, report: ExchangeReport) {
        match report {
            ExchangeReport::Accepted { order_key, .. }
            | ExchangeReport::Activated { order_key, .. } => {
                let state = self.resting_state(order_key);
                self.report(order_key, |known| known.state = state);
            }
            ExchangeReport::Held { order_key, .. } => {
                self.report(order_key, |known| known.state = BrokerOrderState::Held);
            }
            ExchangeReport::Triggered { order_key, .. } => {
                self.report(order_key, |known| known.state = BrokerOrderState::Working);
            }
            ExchangeReport::Fill { fill } => self.hear_fill(&fill),
            ExchangeReport::Reduced {
                order_key,
                quantity,
                ..
            } => self.report(order_key, |known| known.quantity = quantity),
            ExchangeReport::Modified {
                order_key,
                quantity,
                kind,
                ..
            } => self.report(order_key, |known| {
                known.quantity = quantity;
                known.kind = broker_kind(kind);
            }),
            ExchangeReport::ModifyRejected {
                order_key, text, ..
            } => self.refuse(order_key, REJECTED, text),
            ExchangeReport::Cancelled { order_key, .. } => {
                self.report(order_key, |known| known.state = BrokerOrderState::Cancelled);
            }
            ExchangeReport::CancelRejected { order_key, .. } => {
                let text = "the order can't be cancelled any more".to_owned();
                self.refuse(order_key, NOT_CANCELLED, text);
            }
            ExchangeReport::Rejected {
                order_key,
                reason,
                text,
                ..
            } => {
                let order_ref = self.reference(order_key);
                self.inbox.push_back(Event::OrderRefused {
                    order_ref,
                    code: REJECTED,
                    text,
                });
                let state = if reason == RejectReason::Margin {
                    BrokerOrderState::Inactive
                } else {
                    BrokerOrderState::Cancelled
                };
                self.report(order_key, |known| known.state = state);
            }
        }
    }

    fn hear_fill(&mut self, fill: &ExchangeFill) {
        let Some(known) = self.known.get(&fill.order_key) else {
            return;
        };
        if known.state == BrokerOrderState::Held {
            self.report(fill.order_key, |known| {
                known.state = BrokerOrderState::Working;
            });
        }
        let told = BrokerFill {
            exec_id: format!("0000.{}.01", fill.fill_no),
            order_ref: self.reference(fill.order_key),
            order_id: fill.order_key,
            perm_id: perm_id(fill.order_key),
            con_id: fill.instrument_id,
            side: fill.side,
            quantity: fill.quantity,
            price_ticks: fill.price_ticks,
            filled_at_ms: fill.at_ms.div_euclid(SECOND_MS) * SECOND_MS,
        };
        if self.found.position == 0 {
            self.found.entry_index = self.found.bars.len();
        }
        self.found.position = fill.position_after;
        self.found.was_held = true;
        self.fills.push(told.clone());
        let exec_id = told.exec_id.clone();
        self.inbox.push_back(Event::Fill { fill: told });
        let is_done = fill.leaves_quantity == 0;
        self.report(fill.order_key, |known| {
            known.filled = fill.cum_quantity;
            known.state = if is_done {
                BrokerOrderState::Filled
            } else {
                BrokerOrderState::Working
            };
        });
        self.inbox.push_back(Event::Commission {
            exec_id,
            fee_cents: fill.fee_cents,
        });
        let position = self.brokers_position();
        self.inbox.push_back(Event::PositionReported { position });
    }

    /// A stop rests at the exchange and waits for its price, which the broker calls held.
    fn resting_state(&self, order_key: i64) -> BrokerOrderState {
        let is_stop = self
            .known
            .get(&order_key)
            .is_some_and(|known| matches!(known.request.kind, OrderKind::Stop { .. }));
        if is_stop {
            BrokerOrderState::Held
        } else {
            BrokerOrderState::Working
        }
    }

    fn report(&mut self, order_key: i64, change: impl FnOnce(&mut Known)) {
        let Some(known) = self.known.get_mut(&order_key) else {
            return;
        };
        change(known);
        let order = broker_order(known, self.model.contract.con_id);
        self.inbox.push_back(Event::OrderReported { order });
    }

    fn refuse(&mut self, order_key: i64, code: i32, text: String) {
        let order_ref = self.reference(order_key);
        self.inbox.push_back(Event::ChangeRefused {
            order_ref,
            code,
            text,
        });
    }

    fn reference(&self, order_key: i64) -> String {
        self.known
            .get(&order_key)
            .map_or_else(String::new, |known| known.request.order_ref.clone())
    }

    fn brokers_position(&self) -> BrokerPosition {
        let held = self.exchange.positions().into_iter().next();
        BrokerPosition {
            con_id: self.model.contract.con_id,
            local_symbol: self.model.contract.local_symbol.clone(),
            position: held.as_ref().map_or(0, |held| held.position),
            average_ticks_e2: held.and_then(|held| held.average_ticks_e2),
        }
    }

    fn answer(&self, question: BrokerQuestion) -> Event {
        match question {
            BrokerQuestion::Contract {} => Event::ContractResolved {
                contract: self.model.contract.clone(),
            },
            // What lies before the first record is not known: the window fills from there on.
            BrokerQuestion::History { bar_ms, .. } => Event::History {
                bar_ms: Some(bar_ms),
                bars: Vec::new(),
            },
            BrokerQuestion::MarketData {} => Event::FeedChanged {
                ok: true,
                detail: "recorded".to_owned(),
            },
            BrokerQuestion::Margin { .. } => Event::AskFailed {
                ask: question.ask(),
                detail: "a recording holds no margin".to_owned(),
            },
            BrokerQuestion::State {} => Event::Reconciled {
                open_orders: self
                    .known
                    .values()
                    .filter(|known| is_open(known.state))
                    .map(|known| broker_order(known, self.model.contract.con_id))
                    .collect(),
                fills: self.fills.clone(),
                positions: if self.fills.is_empty() {
                    Vec::new()
                } else {
                    vec![self.brokers_position()]
                },
                broker_at_ms: Some(self.now_ms.div_euclid(SECOND_MS) * SECOND_MS),
            },
        }
    }

    /// Returns when the market opens or closes next.
    fn next_turn_ms(&self) -> i64 {
        match self.model.contract.hours.get(self.span) {
            Some(span) if self.is_open => span.to_ms,
            Some(span) => span.from_ms,
            None => i64::MAX,
        }
    }

    /// Opens or closes the exchange as the contract's hours say; day orders end with the session.
    fn follow_hours(&mut self) -> Result<(), BacktestError> {
        let hours = &self.model.contract.hours;
        if hours.is_empty() {
            return Ok(());
        }
        while hours
            .get(self.span)
            .is_some_and(|span| span.to_ms <= self.now_ms)
        {
            self.span += 1;
        }
        let should_be_open = hours
            .get(self.span)
            .is_some_and(|span| span.from_ms <= self.now_ms);
        if should_be_open != self.is_open {
            self.is_open = should_be_open;
            if !should_be_open {
                self.exchange.session_ends(self.now_ms, &mut self.said);
            }
            self.exchange
                .set_open(self.now_ms, should_be_open, &mut self.said);
            self.hear();
            self.drain()?;
        }
        Ok(())
    }

    /// Begins a session at its first record [S2]: the broker's day is a new one.
    fn begin_day(&mut self, now_ms: i64) {
        let day = match (self.settings.session.open_minute, self.trade_day) {
            (None, Some(only)) => only,
            (open_minute, _) => self.clock.trade_day(now_ms, open_minute),
        };
        if self.trade_day == Some(day) {
            return;
        }
        self.trade_day = Some(day);
        if self.found.position == 0 {
            self.known.retain(|_, known| is_open(known.state));
            self.ids
                .retain(|_, order_id| self.known.contains_key(order_id));
            self.fills.clear();
        }
        self.arms_next = true;
    }

    fn note_close(&mut self, bar: Bar, z: Option<f64>, blocked_by: Option<String>) {
        let found = &mut self.found;
        if let Some(gate) = blocked_by {
            *found.blocked.entry(gate).or_default() += 1;
        }
        found.bars_held += u32::from(found.was_held || found.position != 0);
        found.was_held = false;
        found.bars.push(bar);
        found.z.push(z.unwrap_or(f64::NAN));
        let equity_cents = self
            .exchange
            .account("")
            .map_or(self.start_cents, |account| account.equity_cents);
        found.equity_cents.push(equity_cents);
        let day = match (self.settings.session.open_minute, found.sessions.first()) {
            (None, Some(only)) => only.trade_date,
            (open_minute, _) => self.clock.trade_date(bar.open_at_ms, open_minute),
        };
        match found.sessions.last_mut() {
            Some(session) if session.trade_date == day => session.equity_cents = equity_cents,
            Some(_) | None => found.sessions.push(SessionEquity {
                trade_date: day,
                equity_cents,
            }),
        }
    }

    fn note_trade(&mut self, trade: &RoundTrip) {
        let is_target = matches!(trade.reason, ExitReason::Target | ExitReason::TargetGap);
        let slips = 2 - i64::from(is_target);
        let found = &mut self.found;
        let bars = found.bars.len() - found.entry_index;
        found.trades.push(BacktestTrade {
            trade_id: counted(found.trades.len() + 1),
            side: trade.side,
            quantity: trade.quantity,
            signal_at_ms: trade.signal_at_ms,
            entry_at_ms: trade.entry_at_ms,
            entry_ticks: nearest(trade.entry_price_ticks),
            exit_at_ms: trade.exit_at_ms,
            exit_ticks: nearest(trade.exit_price_ticks),
            reason: trade.reason,
            bars: counted(bars),
            gross_cents: trade.gross_cents,
            fees_cents: trade.fees_cents,
            net_cents: trade.net_cents,
            slippage_cents: slips
                * self.settings.costs.slippage_ticks
                * self.settings.instrument.tick_value_cents
                * i64::from(trade.quantity),
            z_signal: trade.z_entry.unwrap_or(f64::NAN),
        });
    }

    fn note_control(&mut self, control: String, detail: String) {
        let at_ms = self.now_ms;
        self.found.events.push(match control.as_str() {
            "daily_loss" => BacktestEvent::DailyLossHalt {
                at_ms,
                trade_date: Date::from_epoch_days(self.trade_day.unwrap_or(0)),
            },
            "loss_streak" => BacktestEvent::Pause {
                at_ms,
                until_ms: at_ms + self.settings.risk.loss_streak_pause_ms,
            },
            _ => BacktestEvent::Control {
                at_ms,
                control,
                detail,
            },
        });
    }

    fn finish(mut self) -> Result<TickReport, BacktestError> {
        // The last bar has no later trade to close it.
        let end_ms = self.now_ms + self.settings.strategy.sampling_ms + SECOND_MS;
        self.pass_to(end_ms)?;
        let open_at_end = self.found.position;
        let found = self.found;
        let ends: Vec<i64> = found
            .sessions
            .iter()
            .map(|session| session.equity_cents)
            .collect();
        let statistics = Statistics::new(
            found.trades.iter().map(outcome_of),
            &EquityCurve {
                start_cents: self.start_cents,
                closes_cents: &found.equity_cents,
                session_ends_cents: &ends,
                bars_held: found.bars_held,
            },
        );
        Ok(TickReport {
            report: BacktestReport {
                trades: found.trades,
                events: found.events,
                blocked: found.blocked,
                equity_cents: found.equity_cents,
                both_touched: 0,
                ties: 0,
                sessions: found.sessions,
                open_at_end,
                anomalies: found.anomalies,
                statistics,
            },
            bars: found.bars,
            z: found.z,
        })
    }
}

fn exchange_settings(
    settings: &EngineSettings,
    model: &TickModel,
    start_cents: i64,
) -> Result<ExchangeSettings, BacktestError> {
    let slippage = settings.costs.slippage_ticks;
    Ok(ExchangeSettings {
        accounts: vec![ACCOUNT.to_owned()],
        latency_ms: model.latency_ms,
        extra_slippage_ticks: i32::try_from(slippage)
            .map_err(|_| BacktestError::Records(format!("a slippage of {slippage} ticks")))?,
        level_size: LEVEL_SIZE,
        resting: model.resting,
        start_cash_cents: start_cents,
        instruments: vec![ExchangeInstrument {
            instrument_id: model.contract.con_id,
            symbol: model.contract.local_symbol.clone(),
            tick_size_e4: settings.instrument.tick_size_e4,
            tick_value_cents: settings.instrument.tick_value_cents,
            fee_cents: settings.costs.fee_cents,
            // What a broker wants as margin on that day is not in the data.
            init_margin_cents: 0,
            maint_margin_cents: 0,
            price_limits: model.price_limits,
        }],
    })
}

fn exchange_kind(kind: OrderKind) -> ExchangeOrderKind {
    match kind {
        OrderKind::Market {} => ExchangeOrderKind::Market {},
        OrderKind::Limit { limit_ticks } => ExchangeOrderKind::Limit { limit_ticks },
        OrderKind::Stop { stop_ticks } => ExchangeOrderKind::Stop { stop_ticks },
    }
}

fn broker_kind(kind: ExchangeOrderKind) -> Option<OrderKind> {
    match kind {
        ExchangeOrderKind::Market {} => Some(OrderKind::Market {}),
        ExchangeOrderKind::Limit { limit_ticks } => Some(OrderKind::Limit { limit_ticks }),
        ExchangeOrderKind::Stop { stop_ticks } => Some(OrderKind::Stop { stop_ticks }),
        ExchangeOrderKind::StopLimit { .. }
        | ExchangeOrderKind::Trail { .. }
        | ExchangeOrderKind::TrailPercent { .. } => None,
    }
}

fn broker_order(known: &Known, con_id: i64) -> BrokerOrder {
    BrokerOrder {
        order_ref: known.request.order_ref.clone(),
        order_id: known.order_id,
        client_id: CLIENT_ID,
        perm_id: perm_id(known.order_id),
        con_id,
        side: known.request.side,
        quantity: known.quantity,
        filled: known.filled,
        kind: known.kind,
        state: known.state,
    }
}

fn perm_id(order_id: i64) -> i64 {
    1_000_000 + order_id
}

fn is_open(state: BrokerOrderState) -> bool {
    match state {
        BrokerOrderState::Pending
        | BrokerOrderState::Held
        | BrokerOrderState::Working
        | BrokerOrderState::CancelPending => true,
        BrokerOrderState::Cancelled | BrokerOrderState::Filled | BrokerOrderState::Inactive => {
            false
        }
    }
}

/// Returns an average price as whole ticks: the fills of one order can be at several.
fn nearest(ticks: f64) -> i64 {
    ticks.round() as i64
}
