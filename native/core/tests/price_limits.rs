//! Daily price limits of equity-index futures: where they stand, what of the market they let happen, what orders meet there.

use proptest::prelude::*;
use scalper_core::calendar::{Date, ZonedClock};
use scalper_core::exchange::Exchange;
use scalper_core::exchange::record::{
    MarketContent, MarketRecord, NO_PRICE, RECORD_BYTES, read_record, write_record,
};
use scalper_core::exchange::words::*;
use scalper_core::status::Side;

const MES: i64 = 7;
/// 5 000 points: 7 % are 350, 13 % are 650, 20 % are 1 000.
const REFERENCE: i32 = 20_000;
const DOWN_7: i32 = 18_600;
const UP_7: i32 = 21_400;
const DOWN_13: i32 = 17_400;
const DOWN_20: i32 = 16_000;
const MINUTE_MS: i64 = 60_000;

fn settings(price_limits: Option<PriceLimits>) -> ExchangeSettings {
    ExchangeSettings {
        accounts: vec!["DU1".to_owned()],
        latency_ms: 0,
        extra_slippage_ticks: 3,
        level_size: 5,
        resting: Resting::Touch,
        start_cash_cents: 1_000_000_000,
        instruments: vec![ExchangeInstrument {
            instrument_id: MES,
            symbol: "MESZ6".to_owned(),
            tick_size_e4: 2_500,
            tick_value_cents: 125,
            fee_cents: 57,
            init_margin_cents: 118_800,
            maint_margin_cents: 108_000,
            price_limits,
        }],
    }
}

/// Chicago's clock at "2026-03-10 08:30:00.000".
fn at(text: &str) -> i64 {
    let (date, time) = text.split_once(' ').expect("a date and a time");
    let date: Date = date.parse().expect("a date");
    let (clock, millis) = time.split_once('.').unwrap_or((time, "0"));
    let parts: Vec<i64> = clock
        .split(':')
        .map(|part| part.parse().expect("a number"))
        .collect();
    let minute = u32::try_from(parts[0] * 60 + parts[1]).expect("a minute");
    let seconds_ms = parts.get(2).copied().unwrap_or(0) * 1_000;
    ZonedClock::new("America/Chicago")
        .expect("the zone")
        .at(date, minute)
        + seconds_ms
        + millis.parse::<i64>().expect("milliseconds")
}

fn trade_of(price_ticks: i32, size: i32) -> MarketContent {
    MarketContent::Trade { price_ticks, size }
}

fn trade(price_ticks: i32) -> MarketContent {
    trade_of(price_ticks, 1)
}

/// A quote one tick wide.
fn quote(bid_ticks: i32) -> MarketContent {
    wide(bid_ticks, bid_ticks + 1)
}

fn wide(bid_ticks: i32, ask_ticks: i32) -> MarketContent {
    MarketContent::Quote {
        bid_ticks,
        ask_ticks,
        bid_size: 10,
        ask_size: 10,
    }
}

fn packed(at_ms: i64, content: MarketContent) -> Vec<u8> {
    let mut batch = Vec::new();
    let record = MarketRecord {
        at_ms,
        instrument_id: MES,
        content,
    };
    write_record(&mut batch, &record);
    batch
}

fn order(order_key: i64, side: Side, quantity: i64, kind: ExchangeOrderKind) -> NewOrder {
    NewOrder {
        order_key,
        account: String::new(),
        instrument_id: MES,
        side,
        quantity,
        kind,
        tif: ExchangeTif::Gtc,
        parent_key: None,
        oca_group: None,
        oca_type: 3,
    }
}

const MARKET: ExchangeOrderKind = ExchangeOrderKind::Market {};

fn limit(limit_ticks: i32) -> ExchangeOrderKind {
    ExchangeOrderKind::Limit { limit_ticks }
}

/// An exchange with limits, and what it said.
struct Floor {
    exchange: Exchange,
    next_key: i64,
}

impl Floor {
    fn new() -> Floor {
        let settings = settings(Some(PriceLimits::EquityIndex));
        Floor {
            exchange: Exchange::new(settings, None).expect("the settings are good"),
            next_key: 0,
        }
    }

    /// On Monday the market closed at the reference.
    fn after_monday() -> Floor {
        let mut floor = Floor::new();
        floor.see(at("2026-03-09 14:59:45"), trade(REFERENCE));
        floor
    }

    fn see(&mut self, at_ms: i64, content: MarketContent) -> Vec<(i64, i32)> {
        let mut out = Vec::new();
        let batch = packed(at_ms, content);
        self.exchange
            .market(&batch, &mut out)
            .expect("the record is good");
        fills(&out)
    }

    /// Returns what everybody is shown of a record, which does not happen by that.
    fn shown(&self, at_ms: i64, content: MarketContent) -> MarketContent {
        let batch = packed(at_ms, content);
        let limited = self.exchange.limited(&batch).expect("the record is good");
        let bytes = limited.unwrap_or(batch);
        let record = read_record(bytes.as_slice().try_into().expect("one record"));
        record.expect("of a known kind").content
    }

    fn submit(&mut self, at_ms: i64, side: Side, kind: ExchangeOrderKind) -> Vec<ExchangeReport> {
        self.next_key += 1;
        let mut out = Vec::new();
        let orders = [order(self.next_key, side, 1, kind)];
        self.exchange.submit(at_ms, &orders, &mut out);
        out
    }

    fn limits(&self, at_ms: i64) -> ExchangeLimits {
        self.exchange.limits(at_ms).remove(0)
    }

    fn band(&self, at_ms: i64) -> (Option<i32>, Option<i32>) {
        let limits = self.limits(at_ms);
        let ticks = |limit: Option<LimitPrice>| limit.map(|limit| limit.price_ticks);
        (ticks(limits.down), ticks(limits.up))
    }
}

fn fills(reports: &[ExchangeReport]) -> Vec<(i64, i32)> {
    let fill = |report: &ExchangeReport| match report {
        ExchangeReport::Fill { fill } => Some((fill.order_key, fill.price_ticks)),
        _ => None,
    };
    reports.iter().filter_map(fill).collect()
}

fn refusal(reports: &[ExchangeReport]) -> Option<(RejectReason, &str)> {
    reports.iter().find_map(|report| match report {
        ExchangeReport::Rejected { reason, text, .. } => Some((*reason, text.as_str())),
        _ => None,
    })
}

/// The day after a close at the reference, which traded there before its own.
const DAY: [(&str, Option<i32>, Option<i32>); 11] = [
    ("2026-03-09 17:00:00", Some(DOWN_7), Some(UP_7)),
    ("2026-03-10 00:00:00", Some(DOWN_7), Some(UP_7)),
    ("2026-03-10 08:29:59.999", Some(DOWN_7), Some(UP_7)),
    ("2026-03-10 08:30:00", Some(DOWN_7), None),
    ("2026-03-10 14:24:59.999", Some(DOWN_7), None),
    ("2026-03-10 14:25:00", Some(DOWN_20), None),
    ("2026-03-10 14:59:59.999", Some(DOWN_20), None),
    ("2026-03-10 15:00:00", Some(DOWN_7), Some(UP_7)),
    ("2026-03-10 15:59:59.999", Some(DOWN_7), Some(UP_7)),
    ("2026-03-10 17:00:00", Some(DOWN_7), Some(UP_7)),
    ("2026-03-11 08:30:00", Some(DOWN_7), None),
];

fn floor_of_the_day(time: &str) -> Floor {
    let mut floor = Floor::after_monday();
    if at(time) >= at("2026-03-10 15:00") {
        floor.see(at("2026-03-10 14:59:30"), trade(REFERENCE));
    }
    floor
}

#[test]
fn limits_follow_the_time_of_day_in_chicago() {
    for (time, down, up) in DAY {
        assert_eq!(floor_of_the_day(time).band(at(time)), (down, up), "{time}");
    }
}

#[test]
fn at_the_limit_trades_and_beyond_it_does_not_at_any_time_of_the_day() {
    for (time, down, up) in DAY {
        let at_ms = at(time);
        for (side, worse, limit_ticks) in [(Side::Sell, -1, down), (Side::Buy, 1, up)] {
            let Some(limit_ticks) = limit_ticks else {
                // No limit this way: the market goes where it goes.
                let mut floor = floor_of_the_day(time);
                floor.submit(at_ms, side, MARKET);
                assert_eq!(
                    floor.see(at_ms, wide(29_990, 30_000)),
                    [(1, 30_003)],
                    "{time}"
                );
                continue;
            };
            for beyond in [-1, 0, 1] {
                let price = limit_ticks + beyond * worse;
                let what = format!("{time} {side:?} {beyond} beyond the limit");

                let reports = floor_of_the_day(time).submit(at_ms, side, limit(price));
                let is_refused = refusal(&reports).map(|(reason, _)| reason);
                let expected = (beyond > 0).then_some(RejectReason::PriceLimit);
                assert_eq!(is_refused, expected, "{what}: entering");

                let mut floor = floor_of_the_day(time);
                floor.submit(at_ms, side, MARKET);
                let content = match side {
                    Side::Sell => wide(price, price + 1),
                    Side::Buy => wide(price - 1, price),
                };
                // Slippage of three ticks would lead beyond the limit in each case.
                let filled = if beyond > 0 {
                    vec![]
                } else {
                    vec![(1, limit_ticks)]
                };
                assert_eq!(floor.see(at_ms, content), filled, "{what}: trading");
            }
        }
    }
}

#[test]
fn beyond_a_limit_one_side_of_the_book_is_empty_and_the_other_waits_at_it() {
    let floor = Floor::after_monday();
    let night = at("2026-03-10 03:00");
    let book = |bid_ticks, bid_size, ask_ticks, ask_size| MarketContent::Quote {
        bid_ticks,
        ask_ticks,
        bid_size,
        ask_size,
    };
    let no = NO_PRICE;
    for (given, shown) in [
        (quote(DOWN_7 + 1), quote(DOWN_7 + 1)),
        (quote(DOWN_7), quote(DOWN_7)),
        (quote(DOWN_7 - 1), book(no, 0, DOWN_7, 10)),
        (quote(DOWN_7 - 900), book(no, 0, DOWN_7, 10)),
        (wide(DOWN_7 - 1, DOWN_7 + 5), book(no, 0, DOWN_7 + 5, 10)),
        (quote(UP_7 - 2), quote(UP_7 - 2)),
        (quote(UP_7 - 1), quote(UP_7 - 1)),
        (quote(UP_7), book(UP_7, 10, no, 0)),
        (quote(UP_7 + 900), book(UP_7, 10, no, 0)),
        (trade(DOWN_7), trade(DOWN_7)),
        (trade(DOWN_7 - 1), trade(DOWN_7)),
        (trade(UP_7 + 1), trade(UP_7)),
        (book(no, 0, no, 0), book(no, 0, no, 0)),
    ] {
        assert_eq!(floor.shown(night, given), shown, "{given:?}");
        assert_eq!(floor.shown(night, shown), shown, "seen twice: {given:?}");
    }
}

#[test]
fn a_record_that_is_moved_keeps_its_time_contract_and_aggressor() {
    let floor = Floor::after_monday();
    let night = at("2026-03-10 03:00");
    let mut batch = packed(night, quote(DOWN_7 + 7));
    batch.extend(packed(night + 1, trade_of(DOWN_7 - 7, 3)));
    batch[76..80].copy_from_slice(&(-1_i32).to_le_bytes());

    let limited = floor
        .exchange
        .limited(&batch)
        .expect("the records are good");

    let limited = limited.expect("the second is moved");
    let mut expected = batch.clone();
    expected[60..64].copy_from_slice(&DOWN_7.to_le_bytes());
    assert_eq!(limited, expected);
}

#[test]
fn an_exit_at_the_limit_rests_and_fills_when_the_market_comes_back() {
    let mut floor = Floor::after_monday();
    let night = at("2026-03-10 03:00");
    floor.submit(night, Side::Buy, MARKET);
    floor.see(night, quote(DOWN_7 + 50));
    floor.submit(
        night,
        Side::Sell,
        ExchangeOrderKind::Stop {
            stop_ticks: DOWN_7 + 20,
        },
    );

    assert!(
        floor.see(night + 1, quote(DOWN_7 - 400)).is_empty(),
        "no bid to sell to"
    );
    assert_eq!(floor.limits(night + 1).standing, LimitStanding::Down);
    assert!(floor.see(night + 2, trade(DOWN_7 - 400)).is_empty());
    let stages: Vec<OrderStage> = floor
        .exchange
        .orders()
        .iter()
        .map(|order| order.stage)
        .collect();
    assert_eq!(
        stages,
        [OrderStage::Triggered],
        "it has become a market order that waits"
    );

    assert_eq!(
        floor.see(night + 3, quote(DOWN_7 + 2)),
        [(2, DOWN_7)],
        "slipped to the limit"
    );
    assert_eq!(floor.limits(night + 3).standing, LimitStanding::Within);
}

#[test]
fn at_the_lower_limit_a_buy_fills_and_a_large_sell_takes_no_more_than_stands_there() {
    let mut floor = Floor::after_monday();
    let night = at("2026-03-10 03:00");
    floor.submit(night, Side::Buy, limit(DOWN_7));
    assert_eq!(floor.see(night, quote(DOWN_7 - 30)), [(1, DOWN_7)]);

    let mut out = Vec::new();
    floor
        .exchange
        .submit(night, &[order(9, Side::Sell, 40, MARKET)], &mut out);
    let all = floor.see(night + 1, quote(DOWN_7 + 1));

    assert_eq!(
        all,
        [(9, DOWN_7), (9, DOWN_7)],
        "ten at the bid, five a tick below, none beyond"
    );
    assert_eq!(floor.exchange.orders()[0].leaves_quantity, 25);
}

#[test]
fn the_upper_limit_is_the_same_the_other_way_round() {
    let mut floor = Floor::after_monday();
    let night = at("2026-03-10 03:00");
    floor.submit(night, Side::Buy, MARKET);

    assert!(
        floor.see(night, quote(UP_7)).is_empty(),
        "nothing is offered"
    );
    assert_eq!(floor.limits(night).standing, LimitStanding::Up);
    floor.submit(night, Side::Sell, limit(UP_7));
    assert_eq!(
        floor.see(night + 1, quote(UP_7)),
        [(2, UP_7)],
        "a sell at it fills"
    );
    assert_eq!(floor.see(night + 2, quote(UP_7 - 1)), [(1, UP_7)]);
}

#[test]
fn a_limit_price_beyond_the_limits_is_refused_with_both_prices_and_a_trigger_is_kept() {
    let mut floor = Floor::after_monday();
    let night = at("2026-03-10 03:00");
    let stop_limit = |stop_ticks, limit_ticks| ExchangeOrderKind::StopLimit {
        stop_ticks,
        limit_ticks,
    };
    for (side, kind, text) in [
        (
            Side::Sell,
            limit(DOWN_7 - 1),
            Some("The limit price 4649.75 is beyond the daily price limit of 4650 (7 %)."),
        ),
        (
            Side::Buy,
            limit(DOWN_7 - 1),
            Some("The limit price 4649.75 is beyond the daily price limit of 4650 (7 %)."),
        ),
        (
            Side::Buy,
            limit(UP_7 + 2),
            Some("The limit price 5350.5 is beyond the daily price limit of 5350 (7 %)."),
        ),
        (
            Side::Sell,
            stop_limit(DOWN_7 + 9, DOWN_7 - 9),
            Some("The limit price 4647.75 is beyond the daily price limit of 4650 (7 %)."),
        ),
        (Side::Sell, stop_limit(DOWN_7 + 9, DOWN_7), None),
        (
            Side::Sell,
            ExchangeOrderKind::Stop {
                stop_ticks: DOWN_7 - 100,
            },
            None,
        ),
        (
            Side::Buy,
            ExchangeOrderKind::Stop {
                stop_ticks: UP_7 + 100,
            },
            None,
        ),
        (Side::Sell, MARKET, None),
    ] {
        let reports = floor.submit(night, side, kind);
        let expected = text.map(|text| (RejectReason::PriceLimit, text));
        assert_eq!(refusal(&reports), expected, "{side:?} {kind:?}");
    }
}

#[test]
fn a_trigger_beyond_the_limit_is_not_reached_while_the_limit_stands() {
    let mut floor = Floor::after_monday();
    let morning = at("2026-03-10 09:00");
    floor.see(morning, quote(REFERENCE));
    floor.submit(
        morning,
        Side::Sell,
        ExchangeOrderKind::Stop {
            stop_ticks: DOWN_7 - 100,
        },
    );

    floor.see(morning + 1, quote(DOWN_7 - 200));
    assert_eq!(floor.exchange.orders()[0].stage, OrderStage::Working);

    let later = morning + 1 + 15 * MINUTE_MS;
    assert_eq!(floor.see(later, quote(DOWN_7 - 200)), [(1, DOWN_7 - 203)]);
}

#[test]
fn another_limit_price_beyond_the_limits_is_refused_and_the_order_stands() {
    let mut floor = Floor::after_monday();
    let night = at("2026-03-10 03:00");
    floor.submit(night, Side::Buy, limit(DOWN_7));
    floor.see(night, quote(REFERENCE));
    let mut change = |changes: OrderChanges| {
        let mut out = Vec::new();
        floor.exchange.modify(night, 1, changes, &mut out);
        floor.exchange.advance(night, &mut out);
        out.iter()
            .any(|report| matches!(report, ExchangeReport::ModifyRejected { .. }))
    };
    let to = |price| OrderChanges {
        limit_ticks: Some(price),
        ..OrderChanges::default()
    };

    assert!(change(to(DOWN_7 - 1)), "beyond");
    assert!(!change(to(DOWN_7 + 1)), "within");
}

#[test]
fn an_order_from_before_a_limit_moved_may_still_be_made_larger_at_its_price() {
    let mut floor = Floor::after_monday();
    floor.submit(at("2026-03-10 14:30"), Side::Buy, limit(DOWN_20));
    floor.see(at("2026-03-10 14:59:40"), quote(REFERENCE));
    floor.see(at("2026-03-10 14:59:41"), trade(REFERENCE));
    let late = at("2026-03-10 15:10");
    let changes = OrderChanges {
        quantity: Some(2),
        limit_ticks: Some(DOWN_20),
        ..OrderChanges::default()
    };

    let mut out = Vec::new();
    floor.exchange.modify(late, 1, changes, &mut out);
    floor.exchange.advance(late, &mut out);

    assert!(
        matches!(out[..], [ExchangeReport::Modified { quantity: 2, .. }]),
        "{out:?}"
    );
}

#[test]
fn the_reference_is_the_weighted_price_of_the_last_half_minute() {
    let mut floor = Floor::new();
    for (time, price, size) in [
        ("2026-03-09 14:59:29.999", 10_000, 1_000),
        ("2026-03-09 14:59:30", 20_000, 1),
        ("2026-03-09 14:59:59.999", 20_003, 3),
        ("2026-03-09 15:00:00", 21_000, 1_000),
    ] {
        floor.see(at(time), trade_of(price, size));
    }

    let evening = floor.limits(at("2026-03-09 17:00"));
    assert_eq!(evening.reference_ticks, Some(20_002), "20 002.25");
    assert_eq!(evening.fixing_at_ms, at("2026-03-09 15:00"));
    let hundredths_to_the_tick = (20_002 - 1_400, 20_002 + 1_400);
    let ticks = |limit: Option<LimitPrice>| limit.expect("a limit").price_ticks;
    assert_eq!(
        (ticks(evening.down), ticks(evening.up)),
        hundredths_to_the_tick,
        "1 400.14, inwards"
    );
}

#[test]
fn without_a_trade_in_that_half_minute_the_last_one_before_it_stands_for_it() {
    let mut floor = Floor::new();
    floor.see(at("2026-03-09 12:00"), trade(19_000));
    floor.see(at("2026-03-09 13:00"), trade(REFERENCE));
    floor.see(at("2026-03-09 14:59:45"), quote(25_000));

    assert_eq!(floor.limits(at("2026-03-09 14:59")).reference_ticks, None);
    assert_eq!(
        floor.limits(at("2026-03-09 15:00")).reference_ticks,
        Some(REFERENCE)
    );
}

#[test]
fn a_reference_serves_over_a_weekend_and_one_holiday_and_no_longer() {
    for (made, asked, knows) in [
        ("2026-03-06 14:59:45", "2026-03-06 15:30", true),
        ("2026-03-06 14:59:45", "2026-03-08 17:00", true),
        ("2026-03-06 14:59:45", "2026-03-09 10:00", true),
        ("2026-11-26 11:59:00", "2026-11-26 17:00", true),
        ("2026-11-26 11:59:00", "2026-11-27 10:00", true),
        ("2027-03-25 14:59:45", "2027-03-29 10:00", true),
        ("2026-03-09 14:59:45", "2026-03-11 14:59", true),
        ("2026-03-09 14:59:45", "2026-03-11 15:00", false),
        ("2026-03-06 14:59:45", "2026-03-10 15:00", false),
    ] {
        let mut floor = Floor::new();
        floor.see(at(made), trade(REFERENCE));

        let known = floor.limits(at(asked));

        assert_eq!(
            known.reference_ticks,
            knows.then_some(REFERENCE),
            "{made}, {asked}"
        );
        assert_eq!(known.down.is_some(), knows, "{made}, {asked}");
    }
}

#[test]
fn what_trades_between_a_fridays_close_and_mondays_makes_mondays_reference() {
    let mut floor = Floor::new();
    floor.see(at("2026-03-06 14:59:45"), trade(REFERENCE));
    floor.see(at("2026-03-06 15:30"), trade(19_500));
    floor.see(at("2026-03-08 17:00"), trade(19_400));
    assert_eq!(
        floor.limits(at("2026-03-09 14:59")).reference_ticks,
        Some(REFERENCE)
    );

    floor.see(at("2026-03-09 09:00"), trade(19_300));
    assert_eq!(
        floor.limits(at("2026-03-09 15:00")).reference_ticks,
        Some(19_300)
    );
}

#[test]
fn times_are_those_of_chicago_on_both_sides_of_a_clock_change() {
    let utc = |text: &str| {
        let utc = ZonedClock::new("Etc/UTC").expect("the zone");
        let (date, time) = text.split_once(' ').expect("a date and a time");
        let (hour, minute) = time.split_once(':').expect("a time");
        let minutes =
            hour.parse::<u32>().expect("an hour") * 60 + minute.parse::<u32>().expect("a minute");
        utc.at(date.parse().expect("a date"), minutes)
    };
    for (fixing, before_open, open) in [
        ("2026-03-06 20:59", "2026-03-09 13:29", "2026-03-09 13:30"),
        ("2026-10-30 19:59", "2026-11-02 14:29", "2026-11-02 14:30"),
    ] {
        let mut floor = Floor::new();
        floor.see(utc(fixing) + 45_000, trade(REFERENCE));

        assert_eq!(
            floor.band(utc(before_open)),
            (Some(DOWN_7), Some(UP_7)),
            "{before_open}"
        );
        assert_eq!(floor.band(utc(open)), (Some(DOWN_7), None), "{open}");
    }
}

#[test]
fn on_the_first_day_nothing_is_limited_until_a_close_is_known() {
    let mut floor = Floor::new();
    let morning = at("2026-03-09 09:00");
    floor.see(morning, quote(REFERENCE));
    assert_eq!(floor.band(morning), (None, None));
    assert!(refusal(&floor.submit(morning, Side::Buy, limit(1))).is_none());
    assert_eq!(floor.shown(morning, trade(1)), trade(1));

    floor.exchange.set_reference(morning, MES, Some(REFERENCE));
    assert_eq!(floor.band(morning), (Some(DOWN_7), None));

    floor.exchange.set_reference(morning, MES, None);
    assert_eq!(floor.band(morning), (None, None));
}

#[test]
fn before_the_rules_of_2013_nothing_is_limited() {
    for (made, asked, has) in [
        ("2013-04-04 14:59:45", "2013-04-05 10:00", false),
        ("2013-04-05 14:59:45", "2013-04-07 23:59", false),
        ("2013-04-05 14:59:45", "2013-04-08 00:00", true),
    ] {
        let mut floor = Floor::new();
        floor.see(at(made), trade(REFERENCE));
        assert_eq!(floor.limits(at(asked)).down.is_some(), has, "{asked}");
    }
}

#[test]
fn a_level_gives_way_to_the_next_a_quarter_of_an_hour_after_it_was_reached() {
    let mut floor = Floor::after_monday();
    let morning = at("2026-03-10 09:00");
    floor.see(morning - 1, quote(DOWN_7 + 1));
    floor.see(morning - 1, wide(DOWN_7 - 5, DOWN_7 + 1));
    assert_eq!(
        floor.band(morning + 60 * MINUTE_MS).0,
        Some(DOWN_7),
        "it stood above"
    );

    floor.see(morning, quote(DOWN_7 - 1));
    floor.see(morning + MINUTE_MS, quote(REFERENCE));
    let first_gives = morning + 15 * MINUTE_MS;
    assert_eq!(floor.band(first_gives - 1).0, Some(DOWN_7));
    assert_eq!(
        floor.band(first_gives).0,
        Some(DOWN_13),
        "though it had recovered"
    );

    let again = first_gives + MINUTE_MS;
    floor.see(again, trade(DOWN_13));
    let second_gives = again + 15 * MINUTE_MS;
    assert_eq!(floor.band(second_gives - 1).0, Some(DOWN_13));
    assert_eq!(floor.band(second_gives).0, Some(DOWN_20));

    floor.see(second_gives, trade(DOWN_20 - 1));
    assert_eq!(
        floor.band(second_gives + 60 * MINUTE_MS).0,
        Some(DOWN_20),
        "the last one stays"
    );
}

#[test]
fn a_market_that_was_locked_overnight_begins_its_quarter_of_an_hour_at_the_opening() {
    let mut floor = Floor::after_monday();
    floor.see(at("2026-03-10 06:00"), quote(DOWN_7 - 1));
    assert_eq!(floor.band(at("2026-03-10 08:29")).0, Some(DOWN_7));

    floor.see(at("2026-03-10 08:30:01"), quote(DOWN_7 - 1));

    assert_eq!(floor.band(at("2026-03-10 08:45:00.999")).0, Some(DOWN_7));
    assert_eq!(floor.band(at("2026-03-10 08:45:01")).0, Some(DOWN_13));
}

#[test]
fn the_levels_begin_anew_with_each_day() {
    let mut floor = Floor::after_monday();
    floor.see(at("2026-03-10 09:00"), trade(DOWN_7));
    floor.see(at("2026-03-10 14:59:45"), trade(REFERENCE));

    assert_eq!(floor.band(at("2026-03-11 09:00")).0, Some(DOWN_7));
}

#[test]
fn after_the_close_the_lower_limit_is_the_higher_of_7_from_there_and_20_of_the_day() {
    for (close, down, percent) in [
        (17_300, 17_300 - 1_211, 7),
        (17_000, DOWN_20, 20),
        (16_000, DOWN_20, 20),
    ] {
        let mut floor = Floor::after_monday();
        floor.see(at("2026-03-10 14:59:45"), trade(close));

        let late = floor.limits(at("2026-03-10 15:30")).down.expect("a limit");
        assert_eq!(
            (late.price_ticks, late.percent),
            (down, percent),
            "closed at {close}"
        );
        let evening = floor.band(at("2026-03-10 17:00")).0;
        assert_eq!(evening, Some(close - close * 7 / 100), "closed at {close}");
    }
}

#[test]
fn an_exchange_without_limits_has_none() {
    let mut exchange = Exchange::new(settings(None), None).expect("the settings are good");
    let mut out = Vec::new();
    let batch = packed(at("2026-03-09 14:59:45"), trade(REFERENCE));
    exchange
        .market(&batch, &mut out)
        .expect("the record is good");
    exchange.set_reference(at("2026-03-10 03:00"), MES, Some(REFERENCE));

    assert!(exchange.limits(at("2026-03-10 03:00")).is_empty());
    let far = packed(at("2026-03-10 03:00"), trade(1));
    assert_eq!(exchange.limited(&far), Ok(None));
}

#[test]
fn a_snapshot_goes_on_with_its_limits_and_one_from_before_them_is_read() {
    let floor = Floor::after_monday();
    let night = at("2026-03-10 03:00");
    let on = || settings(Some(PriceLimits::EquityIndex));
    let snapshot = floor.exchange.snapshot().expect("a snapshot");

    let restored = Exchange::new(on(), Some(&snapshot)).expect("its own snapshot");
    assert_eq!(restored, floor.exchange);
    assert_eq!(restored.limits(night), floor.exchange.limits(night));

    let mut old: serde_json::Value = serde_json::from_str(&snapshot).expect("JSON");
    old.as_object_mut()
        .expect("an object")
        .remove("limits")
        .expect("limits");
    let before = Exchange::new(on(), Some(&old.to_string())).expect("an older snapshot");
    assert_eq!(before.limits(night)[0].reference_ticks, None);

    let off = Exchange::new(settings(None), Some(&snapshot)).expect("limits switched off");
    assert!(off.limits(night).is_empty());
}

#[derive(Debug, Clone)]
enum Step {
    See(i64, MarketContent),
    Submit(Side, i64, ExchangeOrderKind),
    Modify(i64, i32),
}

fn prices() -> impl Strategy<Value = i32> {
    prop_oneof![
        3 => 15_000..25_000_i32,
        2 => (DOWN_7 - 6)..(DOWN_7 + 6),
        1 => (UP_7 - 6)..(UP_7 + 6),
        1 => (DOWN_20 - 6)..(DOWN_20 + 6),
    ]
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    // Long rests lead through every hour of a week.
    let rest = prop_oneof![4 => 0..90_000_i64, 1 => 0..14_400_000_i64];
    let content = prop_oneof![
        (prices(), 1..20_i32).prop_map(|(price, size)| trade_of(price, size)),
        (prices(), 1..5_i32).prop_map(|(bid, spread)| wide(bid, bid + spread)),
    ];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let kind = prop_oneof![
        Just(MARKET),
        prices().prop_map(limit),
        prices().prop_map(|stop_ticks| ExchangeOrderKind::Stop { stop_ticks }),
        (1..400_i32).prop_map(|trail_ticks| ExchangeOrderKind::Trail {
            trail_ticks,
            stop_ticks: None
        }),
    ];
    let step = prop_oneof![
        5 => (rest, content).prop_map(|(rest, content)| Step::See(rest, content)),
        2 => (side, 1..30_i64, kind).prop_map(|(side, size, kind)| Step::Submit(side, size, kind)),
        1 => (1..20_i64, prices()).prop_map(|(key, price)| Step::Modify(key, price)),
    ];
    prop::collection::vec(step, 1..120)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens, nothing fills beyond the limits of its moment, and what is shown of the market lies within them.
    #[test]
    fn nothing_trades_beyond_the_limits_in_force(steps in steps()) {
        let mut floor = Floor::after_monday();
        let mut plain = Floor::after_monday();
        let mut now_ms = at("2026-03-09 15:00");
        let mut key = 0;
        for step in steps {
            let mut out = Vec::new();
            let mut plainly = Vec::new();
            match step {
                Step::See(rest_ms, content) => {
                    now_ms += rest_ms;
                    let raw = packed(now_ms, content);
                    let limited = floor.exchange.limited(&raw).expect("a good record");
                    let shown = limited.as_deref().unwrap_or(&raw);
                    prop_assert_eq!(shown.len(), RECORD_BYTES);
                    prop_assert!(floor.exchange.limited(shown).expect("a good record").is_none());
                    floor.exchange.market(shown, &mut out).expect("a good record");
                    plain.exchange.market(&raw, &mut plainly).expect("a good record");
                    let record = read_record(shown.try_into().expect("one record")).expect("known");
                    let (down, up) = floor.band(now_ms);
                    let prices = match record.content {
                        MarketContent::Trade { price_ticks, .. } => vec![price_ticks],
                        MarketContent::Quote { bid_ticks, ask_ticks, .. } => vec![bid_ticks, ask_ticks],
                    };
                    for price in prices.into_iter().filter(|price| *price != NO_PRICE) {
                        prop_assert!(down.is_none_or(|down| price >= down));
                        prop_assert!(up.is_none_or(|up| price <= up));
                    }
                }
                Step::Submit(side, quantity, kind) => {
                    key += 1;
                    let orders = [order(key, side, quantity, kind)];
                    floor.exchange.submit(now_ms, &orders, &mut out);
                    plain.exchange.submit(now_ms, &orders, &mut plainly);
                }
                Step::Modify(order_key, price) => {
                    let changes = OrderChanges { limit_ticks: Some(price), ..OrderChanges::default() };
                    floor.exchange.modify(now_ms, order_key, changes.clone(), &mut out);
                    plain.exchange.modify(now_ms, order_key, changes, &mut plainly);
                }
            }
            let (down, up) = floor.band(now_ms);
            for (order_key, price) in fills(&out) {
                prop_assert!(down.is_none_or(|down| price >= down), "{} at {} below {:?}", order_key, price, down);
                prop_assert!(up.is_none_or(|up| price <= up), "{} at {} above {:?}", order_key, price, up);
            }
            prop_assert_eq!(&out, &plainly, "the exchange limits what it is given by itself");
        }
        prop_assert_eq!(floor.exchange, plain.exchange);
    }
}
