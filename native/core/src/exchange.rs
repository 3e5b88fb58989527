//! An exchange that fills orders against a market it is told of: brackets, OCA groups, latency, depth, fees and margin.
//! Pure and deterministic. It knows no wire: identifiers, transmit flags and error codes are the gateway's.
//!
//! Nothing fills but on a market record of its contract, and only when the order has been under way for the latency.

mod account;
mod book;
mod intake;
mod limits;
mod matching;
/// Market records as they travel.
pub mod record;
/// The words of the exchange.
pub mod words;
mod working;

pub use intake::{ORDERS_MAX, QUANTITY_MAX};

use crate::calendar::ZonedClock;
use account::Account;
use book::Book;
use limits::{Band, Limits};
use record::{MarketContent, RECORD_BYTES, read_record, rewrite_record};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use words::{
    CancelReason, ExchangeAccount, ExchangeInstrument, ExchangeLimits, ExchangeOrderStatus,
    ExchangePosition, ExchangeReport, ExchangeSettings, ExchangeTif, HeldReason, NewOrder,
    OrderChanges, OrderStage, PriceLimits,
};
use working::{WorkingOrder, first_stop_ticks};

/// Executions kept for a day; the oldest go first.
pub const FILLS_MAX: usize = 100_000;
const VERSION: u32 = 1;
const LATENCY_MS_MAX: i64 = 60_000;
const SLIPPAGE_TICKS_MAX: i32 = 100;

/// Why a call could not be taken. Nothing of a refused call has happened, but for the records before a bad one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExchangeError {
    /// Settings out of their ranges.
    #[error("exchange settings: {0}")]
    Settings(String),
    /// A snapshot of another version or of other accounts.
    #[error("exchange snapshot: {0}")]
    Snapshot(String),
    /// A batch that is not whole records.
    #[error("a market batch of {0} bytes is not a multiple of {RECORD_BYTES}")]
    BatchLength(usize),
    /// A record of a kind or contract that is not known.
    #[error("market record {0} of the batch is of no known kind or contract")]
    Record(usize),
    /// The market's time went back.
    #[error("market record {index} of the batch goes back from {from_ms} to {to_ms}")]
    TimeWentBack {
        /// Which record of the batch.
        index: usize,
        /// The time before.
        from_ms: i64,
        /// Its own.
        to_ms: i64,
    },
}

/// The exchange with all its orders and accounts.
#[derive(Debug, Clone, PartialEq)]
pub struct Exchange {
    settings: ExchangeSettings,
    state: State,
    /// When the next order or change on its way acts; derived from the state.
    next_due_ms: i64,
    /// Price limits follow its time of day.
    clock: ZonedClock,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct State {
    version: u32,
    now_ms: i64,
    market_ms: i64,
    is_open: bool,
    /// True from the end of a session to the next opening.
    is_day_over: bool,
    turns: i64,
    fills_made: i64,
    books: BTreeMap<i64, Book>,
    orders: BTreeMap<i64, WorkingOrder>,
    /// Changes and cancels on their way, in the order in which they came.
    underway: VecDeque<Underway>,
    accounts: BTreeMap<String, Account>,
    fills: VecDeque<words::ExchangeFill>,
    /// Explicit groups that have had a fill today.
    spent_groups: BTreeSet<String>,
    /// Of the contracts that have price limits.
    #[serde(default)]
    limits: BTreeMap<i64, Limits>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Underway {
    acts_at_ms: i64,
    key: i64,
    /// None = cancel.
    changes: Option<OrderChanges>,
}

impl Exchange {
    /// Returns an exchange: new and open, or as it was when the snapshot was taken, under these settings.
    pub fn new(
        settings: ExchangeSettings,
        snapshot: Option<&str>,
    ) -> Result<Exchange, ExchangeError> {
        check_settings(&settings)?;
        let mut state = match snapshot {
            Some(text) => restored(text)?,
            None => fresh(&settings),
        };
        for account in &settings.accounts {
            state
                .accounts
                .entry(account.clone())
                .or_insert_with(|| Account::new(settings.start_cash_cents));
        }
        for instrument in &settings.instruments {
            state
                .books
                .entry(instrument.instrument_id)
                .or_insert(Book::EMPTY);
            match instrument.price_limits {
                Some(PriceLimits::EquityIndex) => {
                    state.limits.entry(instrument.instrument_id).or_default();
                }
                None => {
                    state.limits.remove(&instrument.instrument_id);
                }
            }
        }
        let known: BTreeSet<i64> = settings
            .instruments
            .iter()
            .map(|spec| spec.instrument_id)
            .collect();
        let unknown = state
            .orders
            .values()
            .map(|order| order.instrument_id)
            .chain(
                state
                    .accounts
                    .values()
                    .flat_map(|account| account.positions.keys().copied()),
            )
            .find(|instrument_id| !known.contains(instrument_id));
        if let Some(instrument_id) = unknown {
            return Err(ExchangeError::Snapshot(format!(
                "it holds contract {instrument_id}, the settings don't"
            )));
        }
        let mut exchange = Exchange {
            settings,
            state,
            next_due_ms: i64::MAX,
            clock: limits::exchange_clock()
                .map_err(|error| ExchangeError::Settings(error.to_string()))?,
        };
        exchange.find_next_due();
        Ok(exchange)
    }

    /// Takes market records, oldest first, and appends to `out` what they bring about.
    pub fn market(
        &mut self,
        batch: &[u8],
        out: &mut Vec<ExchangeReport>,
    ) -> Result<(), ExchangeError> {
        let (records, rest) = batch.as_chunks::<RECORD_BYTES>();
        if !rest.is_empty() {
            return Err(ExchangeError::BatchLength(batch.len()));
        }
        for (index, bytes) in records.iter().enumerate() {
            let record = read_record(bytes).ok_or(ExchangeError::Record(index))?;
            if record.at_ms < self.state.market_ms {
                let (from_ms, to_ms) = (self.state.market_ms, record.at_ms);
                return Err(ExchangeError::TimeWentBack {
                    index,
                    from_ms,
                    to_ms,
                });
            }
            let book = self
                .state
                .books
                .get_mut(&record.instrument_id)
                .ok_or(ExchangeError::Record(index))?;
            let content = match self.state.limits.get_mut(&record.instrument_id) {
                Some(limits) => limits.see(&self.clock, record.at_ms, record.content),
                None => record.content,
            };
            match content {
                MarketContent::Trade { price_ticks, size } => book.trade(price_ticks, size),
                MarketContent::Quote {
                    bid_ticks,
                    ask_ticks,
                    bid_size,
                    ask_size,
                } => {
                    book.quote(bid_ticks, ask_ticks, bid_size, ask_size);
                }
            }
            self.state.market_ms = record.at_ms;
            if record.at_ms >= self.next_due_ms {
                self.act(record.at_ms, out);
            }
            if self.state.is_open && !self.state.orders.is_empty() {
                self.meet(record.instrument_id, content, record.at_ms, out);
            }
        }
        self.state.now_ms = self.state.now_ms.max(self.state.market_ms);
        Ok(())
    }

    /// Returns market records as the price limits let them happen, none where that changes nothing. What hears of the
    /// market beside this exchange must be given these; `market` takes either, with the same outcome.
    pub fn limited(&self, batch: &[u8]) -> Result<Option<Vec<u8>>, ExchangeError> {
        if self.state.limits.is_empty() {
            return Ok(None);
        }
        let (records, rest) = batch.as_chunks::<RECORD_BYTES>();
        if !rest.is_empty() {
            return Err(ExchangeError::BatchLength(batch.len()));
        }
        let mut limits = self.state.limits.clone();
        let mut changed: Option<Vec<u8>> = None;
        for (index, bytes) in records.iter().enumerate() {
            let record = read_record(bytes).ok_or(ExchangeError::Record(index))?;
            let Some(limits) = limits.get_mut(&record.instrument_id) else {
                continue;
            };
            let seen = limits.see(&self.clock, record.at_ms, record.content);
            if seen != record.content {
                let at = index * RECORD_BYTES;
                let bytes = changed.get_or_insert_with(|| batch.to_vec());
                rewrite_record(&mut bytes[at..at + RECORD_BYTES], seen);
            }
        }
        Ok(changed)
    }

    /// Returns where the price limits stand at `at_ms`, for the contracts that have some.
    pub fn limits(&self, at_ms: i64) -> Vec<ExchangeLimits> {
        self.state
            .limits
            .iter()
            .map(|(instrument_id, limits)| {
                let book = self.state.books.get(instrument_id);
                limits.told(&self.clock, at_ms, *instrument_id, book)
            })
            .collect()
    }

    /// Gives a contract's limits the reference of the day before, which they have not seen made, or with none lets them
    /// forget what they have seen: prices before and after do not belong together.
    pub fn set_reference(&mut self, at_ms: i64, instrument_id: i64, price_ticks: Option<i32>) {
        if let Some(limits) = self.state.limits.get_mut(&instrument_id) {
            limits.set_reference(&self.clock, at_ms, price_ticks);
        }
    }

    /// Lets time pass: what has been under way for the latency begins to act.
    pub fn advance(&mut self, at_ms: i64, out: &mut Vec<ExchangeReport>) {
        self.state.now_ms = self.state.now_ms.max(at_ms);
        if at_ms >= self.next_due_ms {
            self.act(at_ms, out);
        }
    }

    /// Returns when something that is under way will act; `i64::MAX` where nothing is.
    pub fn next_due_ms(&self) -> i64 {
        self.next_due_ms
    }

    /// Takes orders, a bracket's parent before its children.
    pub fn submit(&mut self, at_ms: i64, orders: &[NewOrder], out: &mut Vec<ExchangeReport>) {
        self.advance(at_ms, out);
        for order in orders {
            let order_key = order.order_key;
            let account = match self.check(order, at_ms) {
                Ok(account) => account,
                Err((reason, text)) => {
                    out.push(ExchangeReport::Rejected {
                        order_key,
                        at_ms,
                        reason,
                        text,
                    });
                    continue;
                }
            };
            let parent_filled = order
                .parent_key
                .and_then(|parent| self.state.orders.get(&parent))
                .map(WorkingOrder::filled);
            self.state.turns += 1;
            let acts_at_ms = at_ms + self.settings.latency_ms;
            let working =
                WorkingOrder::new(order, account, parent_filled, self.state.turns, acts_at_ms);
            let stage = working.stage;
            self.state.orders.insert(order_key, working);
            out.push(ExchangeReport::Accepted { order_key, at_ms });
            if stage == OrderStage::Child {
                out.push(ExchangeReport::Held {
                    order_key,
                    at_ms,
                    reason: HeldReason::Child,
                });
            } else if !self.state.is_open {
                out.push(ExchangeReport::Held {
                    order_key,
                    at_ms,
                    reason: HeldReason::Closed,
                });
            } else {
                self.next_due_ms = self.next_due_ms.min(acts_at_ms);
            }
        }
    }

    /// Asks for other terms. They act, or are refused, when the latency has passed; an unknown order is refused at once.
    pub fn modify(
        &mut self,
        at_ms: i64,
        order_key: i64,
        changes: OrderChanges,
        out: &mut Vec<ExchangeReport>,
    ) {
        self.advance(at_ms, out);
        if !self.state.orders.contains_key(&order_key) {
            let text = format!("Order {order_key} is not working.");
            out.push(ExchangeReport::ModifyRejected {
                order_key,
                at_ms,
                text,
            });
            return;
        }
        self.send(at_ms, order_key, Some(changes));
    }

    /// Asks for an order's end, which comes when the latency has passed unless it fills before.
    pub fn cancel(&mut self, at_ms: i64, order_key: i64, out: &mut Vec<ExchangeReport>) {
        self.advance(at_ms, out);
        if !self.state.orders.contains_key(&order_key) {
            out.push(ExchangeReport::CancelRejected { order_key, at_ms });
            return;
        }
        self.send(at_ms, order_key, None);
    }

    /// Asks for the end of every working order.
    pub fn cancel_all(&mut self, at_ms: i64, out: &mut Vec<ExchangeReport>) {
        self.advance(at_ms, out);
        let keys: Vec<i64> = self.state.orders.keys().copied().collect();
        for key in keys {
            self.send(at_ms, key, None);
        }
    }

    /// Opens or closes the market. Closed, nothing fills and nothing new begins to act; cancels still do.
    pub fn set_open(&mut self, at_ms: i64, is_open: bool, out: &mut Vec<ExchangeReport>) {
        self.advance(at_ms, out);
        self.state.is_open = is_open;
        if is_open {
            if self.state.is_day_over {
                self.begin_day();
            }
            self.find_next_due();
            self.advance(at_ms, out);
        }
    }

    /// Ends the session: day orders expire. Today's figures stay until the next opening, or begin anew at once where the
    /// market never closes.
    pub fn session_ends(&mut self, at_ms: i64, out: &mut Vec<ExchangeReport>) {
        self.advance(at_ms, out);
        let expiring: Vec<i64> = self
            .state
            .orders
            .values()
            .filter(|order| order.tif != ExchangeTif::Gtc)
            .map(|order| order.key)
            .collect();
        for key in expiring {
            self.remove(key, CancelReason::Expired, at_ms, out);
        }
        self.state.is_day_over = true;
        if self.state.is_open {
            self.begin_day();
        }
    }

    /// Returns every working order, by key.
    pub fn orders(&self) -> Vec<ExchangeOrderStatus> {
        self.state
            .orders
            .values()
            .map(WorkingOrder::status)
            .collect()
    }

    /// Returns every position, those closed today included.
    pub fn positions(&self) -> Vec<ExchangePosition> {
        let mut positions = Vec::new();
        for (name, account) in &self.state.accounts {
            for (instrument_id, held) in &account.positions {
                let Some(spec) = self.instrument(*instrument_id) else {
                    continue;
                };
                positions.push(ExchangePosition {
                    account: name.clone(),
                    instrument_id: *instrument_id,
                    position: held.position,
                    average_ticks_e2: held.average_ticks_e2(spec.tick_value_cents),
                    unrealised_cents: held
                        .unrealised_cents(self.mark_ticks(*instrument_id), spec.tick_value_cents),
                });
            }
        }
        positions
    }

    /// Returns an account's figures; the first account's for an empty name, none for an unknown one.
    pub fn account(&self, name: &str) -> Option<ExchangeAccount> {
        let name = if name.is_empty() {
            self.first_account()
        } else {
            name
        };
        let account = self.state.accounts.get(name)?;
        let unrealised_cents = self.unrealised_cents(account);
        let margin = |of: fn(&ExchangeInstrument) -> i64| -> i64 {
            let held = |spec: &ExchangeInstrument| {
                account
                    .positions
                    .get(&spec.instrument_id)
                    .map_or(0, |held| held.position)
            };
            self.settings
                .instruments
                .iter()
                .map(|spec| held(spec).abs() * of(spec))
                .sum()
        };
        Some(ExchangeAccount {
            account: name.to_string(),
            cash_cents: account.cash_cents,
            realised_cents: account.realised_cents,
            fees_cents: account.fees_cents,
            unrealised_cents,
            equity_cents: account.cash_cents + unrealised_cents,
            initial_margin_cents: margin(|spec| spec.init_margin_cents),
            maintenance_margin_cents: margin(|spec| spec.maint_margin_cents),
        })
    }

    /// Returns every account's figures, the first account first.
    pub fn accounts(&self) -> Vec<ExchangeAccount> {
        self.settings
            .accounts
            .iter()
            .filter_map(|name| self.account(name))
            .collect()
    }

    /// Returns today's executions of all accounts, oldest first.
    pub fn fills(&self) -> impl Iterator<Item = &words::ExchangeFill> {
        self.state.fills.iter()
    }

    /// Returns the whole state as JSON. A restored exchange goes on exactly as this one would.
    pub fn snapshot(&self) -> Result<String, ExchangeError> {
        serde_json::to_string(&self.state)
            .map_err(|error| ExchangeError::Snapshot(error.to_string()))
    }

    fn send(&mut self, at_ms: i64, key: i64, changes: Option<OrderChanges>) {
        let acts_at_ms = at_ms + self.settings.latency_ms;
        self.state.underway.push_back(Underway {
            acts_at_ms,
            key,
            changes,
        });
        self.next_due_ms = self.next_due_ms.min(acts_at_ms);
    }

    /// Lets everything due by `at_ms` act, by time; at the same moment changes come before new orders.
    fn act(&mut self, at_ms: i64, out: &mut Vec<ExchangeReport>) {
        while self.next_due_ms <= at_ms {
            let due_ms = self.next_due_ms;
            while self
                .state
                .underway
                .front()
                .is_some_and(|change| change.acts_at_ms <= due_ms)
            {
                let Some(change) = self.state.underway.pop_front() else {
                    break;
                };
                match change.changes {
                    Some(changes) => self.change(change.key, &changes, due_ms, out),
                    None if self.state.orders.contains_key(&change.key) => {
                        self.remove(change.key, CancelReason::User, due_ms, out);
                    }
                    None => out.push(ExchangeReport::CancelRejected {
                        order_key: change.key,
                        at_ms: due_ms,
                    }),
                }
            }
            if self.state.is_open {
                let mut arriving: Vec<(i64, i64)> = self
                    .state
                    .orders
                    .values()
                    .filter(|order| {
                        order.stage == OrderStage::Arriving && order.acts_at_ms <= due_ms
                    })
                    .map(|order| (order.turn, order.key))
                    .collect();
                arriving.sort_unstable();
                for (_, key) in arriving {
                    if let Some(order) = self.state.orders.get_mut(&key) {
                        order.stage = OrderStage::Working;
                        out.push(ExchangeReport::Activated {
                            order_key: key,
                            at_ms: due_ms.max(self.state.now_ms.min(at_ms)),
                        });
                    }
                }
            }
            self.find_next_due();
        }
    }

    fn change(
        &mut self,
        key: i64,
        changes: &OrderChanges,
        at_ms: i64,
        out: &mut Vec<ExchangeReport>,
    ) {
        let next_turn = self.state.turns + 1;
        let answer = self
            .check_growth(key, changes)
            .and_then(|()| self.check_new_limit(key, changes, at_ms))
            .and_then(|()| match self.state.orders.get_mut(&key) {
                None => Err(format!("Order {key} is not working any more.")),
                Some(order) => apply_changes(order, changes, next_turn),
            });
        match answer {
            Err(text) => out.push(ExchangeReport::ModifyRejected {
                order_key: key,
                at_ms,
                text,
            }),
            Ok((quantity, leaves_quantity, kind)) => {
                self.state.turns = next_turn;
                out.push(ExchangeReport::Modified {
                    order_key: key,
                    at_ms,
                    quantity,
                    leaves_quantity,
                    kind,
                });
            }
        }
    }

    /// More contracts need more money, like a new order for the difference.
    fn check_growth(&self, key: i64, changes: &OrderChanges) -> Result<(), String> {
        let (Some(order), Some(quantity)) = (self.state.orders.get(&key), changes.quantity) else {
            return Ok(());
        };
        if quantity <= order.quantity || order.parent_key.is_some() {
            return Ok(());
        }
        let growth = WorkingOrder {
            leaves: quantity - order.quantity,
            group: None,
            ..order.clone()
        };
        self.check_margin(&growth).map_err(|(_, text)| text)
    }

    /// Another limit price must lie within the price limits, like a new order's.
    fn check_new_limit(&self, key: i64, changes: &OrderChanges, at_ms: i64) -> Result<(), String> {
        let Some(order) = self.state.orders.get(&key) else {
            return Ok(());
        };
        match changes.limit_ticks {
            Some(price) if order.limit_ticks() != Some(price) => self
                .check_price_limit(order.instrument_id, price, at_ms)
                .map_err(|(_, text)| text),
            Some(_) | None => Ok(()),
        }
    }

    fn find_next_due(&mut self) {
        let change_ms = self.state.underway.front().map(|change| change.acts_at_ms);
        let order_ms = match self.state.is_open {
            true => self
                .state
                .orders
                .values()
                .filter(|order| order.stage == OrderStage::Arriving)
                .map(|order| order.acts_at_ms)
                .min(),
            false => None,
        };
        self.next_due_ms = change_ms
            .into_iter()
            .chain(order_ms)
            .min()
            .unwrap_or(i64::MAX);
    }

    fn begin_day(&mut self) {
        self.state.is_day_over = false;
        self.state.fills.clear();
        self.state.spent_groups.clear();
        for account in self.state.accounts.values_mut() {
            account.new_day();
        }
    }

    fn instrument(&self, instrument_id: i64) -> Option<&ExchangeInstrument> {
        self.settings
            .instruments
            .iter()
            .find(|spec| spec.instrument_id == instrument_id)
    }

    /// Returns what nothing of this contract may trade beyond.
    fn band(&self, instrument_id: i64, at_ms: i64) -> Band {
        self.state
            .limits
            .get(&instrument_id)
            .map_or(Band::default(), |limits| limits.band(&self.clock, at_ms))
    }

    fn first_account(&self) -> &str {
        self.settings.accounts.first().map_or("", String::as_str)
    }

    fn position(&self, account: &str, instrument_id: i64) -> i64 {
        self.state
            .accounts
            .get(account)
            .and_then(|account| account.positions.get(&instrument_id))
            .map_or(0, |held| held.position)
    }

    fn mark_ticks(&self, instrument_id: i64) -> Option<i32> {
        self.state
            .books
            .get(&instrument_id)
            .and_then(Book::mark_ticks)
    }

    fn unrealised_cents(&self, account: &Account) -> i64 {
        self.settings
            .instruments
            .iter()
            .filter_map(|spec| {
                let held = account.positions.get(&spec.instrument_id)?;
                Some(
                    held.unrealised_cents(
                        self.mark_ticks(spec.instrument_id),
                        spec.tick_value_cents,
                    ),
                )
            })
            .sum()
    }

    fn equity_cents(&self, account: &str) -> i64 {
        self.state.accounts.get(account).map_or(0, |account| {
            account.cash_cents + self.unrealised_cents(account)
        })
    }
}

type NewTerms = (i64, i64, words::ExchangeOrderKind);

fn apply_changes(
    order: &mut WorkingOrder,
    changes: &OrderChanges,
    turn: i64,
) -> Result<NewTerms, String> {
    let kind = order.changed_kind(changes)?;
    let quantity = changes.quantity.unwrap_or(order.quantity);
    let filled = order.filled();
    if quantity > QUANTITY_MAX || quantity <= filled {
        return Err(format!(
            "Quantity {quantity} is not within {} to {QUANTITY_MAX}.",
            filled + 1
        ));
    }
    // A stop that has trailed stays where it is unless it is given another place or distance.
    if first_stop_ticks(kind) != first_stop_ticks(order.kind) {
        order.trail_stop_ticks = first_stop_ticks(kind);
    } else if kind != order.kind {
        order.trail_stop_ticks = None;
    }
    order.kind = kind;
    order.tif = changes.tif.unwrap_or(order.tif);
    order.quantity = quantity;
    order.leaves = quantity - filled;
    // A changed order goes to the end of the line and meets the market as a new one.
    order.turn = turn;
    order.is_new = true;
    order.ahead = None;
    Ok((order.quantity, order.leaves, order.kind))
}

fn check_settings(settings: &ExchangeSettings) -> Result<(), ExchangeError> {
    let wrong = |text: String| Err(ExchangeError::Settings(text));
    if settings.accounts.is_empty() || settings.accounts.iter().any(String::is_empty) {
        return wrong("at least one account is needed, each with a name".to_string());
    }
    if !(0..=LATENCY_MS_MAX).contains(&settings.latency_ms) {
        return wrong(format!(
            "latencyMs {} is not within 0 to {LATENCY_MS_MAX}",
            settings.latency_ms
        ));
    }
    if !(0..=SLIPPAGE_TICKS_MAX).contains(&settings.extra_slippage_ticks) {
        let slippage = settings.extra_slippage_ticks;
        return wrong(format!(
            "extraSlippageTicks {slippage} is not within 0 to {SLIPPAGE_TICKS_MAX}"
        ));
    }
    if settings.level_size < 1 {
        return wrong(format!("levelSize {} is below 1", settings.level_size));
    }
    if settings.instruments.is_empty() {
        return wrong("at least one instrument is needed".to_string());
    }
    for spec in &settings.instruments {
        let amounts = [
            spec.fee_cents,
            spec.init_margin_cents,
            spec.maint_margin_cents,
        ];
        if spec.tick_value_cents < 1
            || spec.tick_size_e4 < 1
            || amounts.iter().any(|cents| *cents < 0)
        {
            return wrong(format!(
                "{}: tick size and value must be above 0, fee and margins not below",
                spec.symbol
            ));
        }
    }
    Ok(())
}

fn fresh(settings: &ExchangeSettings) -> State {
    State {
        version: VERSION,
        now_ms: i64::MIN,
        market_ms: i64::MIN,
        is_open: true,
        is_day_over: false,
        turns: 0,
        fills_made: 0,
        books: settings
            .instruments
            .iter()
            .map(|spec| (spec.instrument_id, Book::EMPTY))
            .collect(),
        orders: BTreeMap::new(),
        underway: VecDeque::new(),
        accounts: BTreeMap::new(),
        fills: VecDeque::new(),
        spent_groups: BTreeSet::new(),
        limits: BTreeMap::new(),
    }
}

fn restored(text: &str) -> Result<State, ExchangeError> {
    let state: State =
        serde_json::from_str(text).map_err(|error| ExchangeError::Snapshot(error.to_string()))?;
    match state.version {
        VERSION => Ok(state),
        other => Err(ExchangeError::Snapshot(format!(
            "version {other}, this program reads {VERSION}"
        ))),
    }
}
