//! How the exchange behaves, order kind by order kind, and the laws that hold whatever happens.

use proptest::prelude::*;
use scalper_core::exchange::record::{MarketContent, MarketRecord, NO_PRICE, write_record};
use scalper_core::exchange::words::*;
use scalper_core::exchange::{Exchange, ExchangeError};
use scalper_core::status::Side;

const MES: i64 = 7;
const TICK_VALUE: i64 = 125;
const FEE: i64 = 57;
const START_CASH: i64 = 10_000_000;

fn settings() -> ExchangeSettings {
    ExchangeSettings {
        accounts: vec!["DU1".to_string()],
        latency_ms: 5,
        extra_slippage_ticks: 0,
        level_size: 5,
        resting: Resting::Through,
        start_cash_cents: START_CASH,
        instruments: vec![ExchangeInstrument {
            instrument_id: MES,
            symbol: "MESZ6".to_string(),
            tick_size_e4: 2_500,
            tick_value_cents: TICK_VALUE,
            fee_cents: FEE,
            init_margin_cents: 118_800,
            maint_margin_cents: 108_000,
            price_limits: None,
        }],
    }
}

fn exchange() -> Exchange {
    Exchange::new(settings(), None).expect("the settings are good")
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

fn stop(stop_ticks: i32) -> ExchangeOrderKind {
    ExchangeOrderKind::Stop { stop_ticks }
}

fn quote_of(bid_ticks: i32, bid_size: i32, ask_ticks: i32, ask_size: i32) -> MarketContent {
    MarketContent::Quote {
        bid_ticks,
        ask_ticks,
        bid_size,
        ask_size,
    }
}

fn quote(bid_ticks: i32, ask_ticks: i32) -> MarketContent {
    quote_of(bid_ticks, 10, ask_ticks, 10)
}

fn trade(price_ticks: i32) -> MarketContent {
    MarketContent::Trade {
        price_ticks,
        size: 1,
    }
}

/// Drives an exchange and says what came of it in short lines.
struct Floor {
    exchange: Exchange,
    reports: Vec<ExchangeReport>,
}

impl Floor {
    fn new(settings: ExchangeSettings) -> Floor {
        Floor {
            exchange: Exchange::new(settings, None).expect("the settings are good"),
            reports: Vec::new(),
        }
    }

    fn see(&mut self, at_ms: i64, content: MarketContent) -> Vec<String> {
        let mut batch = Vec::new();
        write_record(
            &mut batch,
            &MarketRecord {
                at_ms,
                instrument_id: MES,
                content,
            },
        );
        let mut out = Vec::new();
        self.exchange
            .market(&batch, &mut out)
            .expect("the record is good");
        self.keep(out)
    }

    fn submit(&mut self, at_ms: i64, orders: &[NewOrder]) -> Vec<String> {
        let mut out = Vec::new();
        self.exchange.submit(at_ms, orders, &mut out);
        self.keep(out)
    }

    fn tell(&mut self, call: impl FnOnce(&mut Exchange, &mut Vec<ExchangeReport>)) -> Vec<String> {
        let mut out = Vec::new();
        call(&mut self.exchange, &mut out);
        self.keep(out)
    }

    fn keep(&mut self, out: Vec<ExchangeReport>) -> Vec<String> {
        let lines = out.iter().map(line).collect();
        self.reports.extend(out);
        lines
    }
}

fn line(report: &ExchangeReport) -> String {
    match report {
        ExchangeReport::Accepted { order_key, .. } => format!("{order_key} accepted"),
        ExchangeReport::Held {
            order_key, reason, ..
        } => format!("{order_key} held {reason:?}"),
        ExchangeReport::Activated { order_key, at_ms } => format!("{order_key} activated @{at_ms}"),
        ExchangeReport::Triggered { order_key, .. } => format!("{order_key} triggered"),
        ExchangeReport::Fill { fill } => {
            format!(
                "{} {:?} {} at {} {:?}",
                fill.order_key, fill.side, fill.quantity, fill.price_ticks, fill.liquidity
            )
        }
        ExchangeReport::Reduced {
            order_key,
            leaves_quantity,
            ..
        } => format!("{order_key} reduced to {leaves_quantity}"),
        ExchangeReport::Cancelled {
            order_key, reason, ..
        } => format!("{order_key} cancelled {reason:?}"),
        ExchangeReport::Rejected {
            order_key, reason, ..
        } => format!("{order_key} rejected {reason:?}"),
        ExchangeReport::Modified { order_key, .. } => format!("{order_key} modified"),
        ExchangeReport::ModifyRejected { order_key, .. } => format!("{order_key} modify rejected"),
        ExchangeReport::CancelRejected { order_key, .. } => format!("{order_key} cancel rejected"),
    }
}

#[test]
fn a_market_order_acts_after_the_latency_and_fills_on_the_next_record() {
    let mut floor = Floor::new(settings());
    floor.see(1_000, quote(100, 101));
    floor.submit(1_000, &[order(1, Side::Buy, 1, MARKET)]);

    assert!(
        floor.see(1_004, quote(200, 201)).is_empty(),
        "one millisecond too early"
    );
    assert_eq!(
        floor.tell(|exchange, out| exchange.advance(1_005, out)),
        ["1 activated @1005"]
    );
    assert_eq!(
        floor.see(1_005, quote(102, 103)),
        ["1 Buy 1 at 103 Removed"]
    );
}

#[test]
fn a_large_market_order_pays_one_tick_more_at_each_level() {
    let mut floor = Floor::new(settings());
    floor.submit(0, &[order(1, Side::Sell, 8, MARKET)]);

    let lines = floor.see(10, quote_of(100, 2, 101, 2));

    let expected = [
        "1 activated @5",
        "1 Sell 2 at 100 Removed",
        "1 Sell 5 at 99 Removed",
        "1 Sell 1 at 98 Removed",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn extra_slippage_worsens_market_orders_and_not_limits() {
    let mut floor = Floor::new(ExchangeSettings {
        extra_slippage_ticks: 2,
        ..settings()
    });
    floor.submit(
        0,
        &[
            order(1, Side::Buy, 1, MARKET),
            order(2, Side::Buy, 1, limit(101)),
        ],
    );

    let lines = floor.see(10, quote(100, 101));

    assert_eq!(
        lines[2..],
        ["1 Buy 1 at 103 Removed", "2 Buy 1 at 101 Removed"]
    );
}

#[test]
fn a_limit_crosses_at_the_market_rests_at_its_own_price_and_needs_more_than_a_touch_of_trades() {
    let mut floor = Floor::new(settings());
    floor.submit(0, &[order(1, Side::Buy, 12, limit(101))]);
    assert_eq!(
        floor.see(10, quote_of(99, 9, 100, 3))[1..],
        ["1 Buy 3 at 100 Removed", "1 Buy 5 at 101 Removed"]
    );

    assert!(floor.see(20, quote(101, 102)).is_empty());
    assert!(
        floor.see(21, trade(101)).is_empty(),
        "others stand before us at the same price"
    );
    assert_eq!(
        floor.see(30, quote_of(99, 9, 100, 1)),
        ["1 Buy 4 at 101 Added"]
    );
}

#[test]
fn a_trade_through_fills_a_resting_limit_whole() {
    let mut floor = Floor::new(settings());
    floor.submit(0, &[order(1, Side::Sell, 30, limit(105))]);
    floor.see(10, quote(100, 101));

    assert_eq!(floor.see(20, trade(106)), ["1 Sell 30 at 105 Added"]);
}

#[test]
fn stops_trigger_by_the_last_trade_or_where_the_market_stands_beyond() {
    let rows = [
        (Side::Sell, trade(95), true),
        (Side::Sell, trade(96), false),
        (Side::Sell, quote(94, 95), true),
        (Side::Sell, quote(90, 101), false),
        (Side::Buy, trade(105), true),
        (Side::Buy, trade(104), false),
        (Side::Buy, quote(105, 106), true),
        (Side::Buy, quote(100, 110), false),
    ];
    for (side, content, triggers) in rows {
        let mut floor = Floor::new(settings());
        floor.see(0, quote(100, 101));
        floor.submit(
            0,
            &[order(
                1,
                side,
                1,
                stop(if side == Side::Sell { 95 } else { 105 }),
            )],
        );
        floor.tell(|exchange, out| exchange.advance(10, out));

        let lines = floor.see(10, content);

        assert_eq!(
            lines.first().is_some_and(|line| line == "1 triggered"),
            triggers,
            "{side:?} {content:?}: {lines:?}"
        );
        if triggers {
            assert_eq!(lines.len(), 2, "a triggered stop is a market order");
        }
    }
}

#[test]
fn a_stop_that_the_market_jumps_over_fills_where_the_market_is() {
    let mut floor = Floor::new(settings());
    floor.see(0, quote(100, 101));
    floor.submit(0, &[order(1, Side::Sell, 1, stop(95))]);

    assert_eq!(
        floor.see(10, trade(90))[1..],
        ["1 triggered", "1 Sell 1 at 90 Removed"]
    );
}

#[test]
fn a_stop_limit_rests_where_the_market_has_jumped_past_its_limit() {
    let mut floor = Floor::new(settings());
    floor.submit(
        0,
        &[order(
            1,
            Side::Sell,
            1,
            ExchangeOrderKind::StopLimit {
                stop_ticks: 95,
                limit_ticks: 94,
            },
        )],
    );

    assert_eq!(floor.see(10, quote(89, 90))[1..], ["1 triggered"]);
    assert_eq!(floor.see(20, quote(94, 95)), ["1 Sell 1 at 94 Added"]);
}

#[test]
fn a_trailing_stop_follows_the_best_trade_and_never_goes_back() {
    let mut floor = Floor::new(settings());
    floor.see(0, quote(100, 101));
    floor.submit(
        0,
        &[order(
            1,
            Side::Sell,
            1,
            ExchangeOrderKind::Trail {
                trail_ticks: 4,
                stop_ticks: None,
            },
        )],
    );
    floor.see(10, trade(101));
    floor.see(20, quote(109, 110));
    floor.see(21, trade(110));

    assert!(floor.see(30, trade(107)).is_empty());
    assert_eq!(floor.exchange.orders()[0].trail_stop_ticks, Some(106));
    assert_eq!(
        floor.see(40, trade(106)),
        ["1 triggered", "1 Sell 1 at 106 Removed"]
    );
}

#[test]
fn a_trail_by_percent_keeps_its_share_of_the_price_in_whole_ticks() {
    let mut floor = Floor::new(settings());
    floor.see(0, quote(1_000, 1_001));
    // 0.25 % of 1 000 ticks is 2.5 ticks: three.
    let kind = ExchangeOrderKind::TrailPercent {
        percent_e4: 2_500,
        stop_ticks: None,
    };
    floor.submit(0, &[order(1, Side::Sell, 1, kind)]);
    floor.see(10, trade(1_000));
    assert_eq!(floor.exchange.orders()[0].trail_stop_ticks, Some(997));

    floor.see(20, quote(1_999, 2_000));
    floor.see(21, trade(2_000));
    assert_eq!(floor.exchange.orders()[0].trail_stop_ticks, Some(1_995));
    assert_eq!(
        floor.see(30, trade(1_995)),
        ["1 triggered", "1 Sell 1 at 1995 Removed"]
    );
}

#[test]
fn a_trailing_stop_stands_where_it_is_told_to_at_first_and_then_follows() {
    let mut floor = Floor::new(settings());
    floor.see(0, quote(100, 101));
    let kind = ExchangeOrderKind::Trail {
        trail_ticks: 4,
        stop_ticks: Some(90),
    };
    floor.submit(0, &[order(1, Side::Sell, 1, kind)]);

    assert_eq!(floor.see(10, trade(91)), ["1 activated @5"]);
    assert_eq!(floor.exchange.orders()[0].trail_stop_ticks, Some(90));
    floor.see(20, trade(100));
    assert_eq!(floor.exchange.orders()[0].trail_stop_ticks, Some(96));
}

#[test]
fn a_change_of_quantity_leaves_a_trailing_stop_where_it_is() {
    let mut floor = Floor::new(settings());
    floor.see(0, quote(100, 101));
    let kind = ExchangeOrderKind::Trail {
        trail_ticks: 4,
        stop_ticks: None,
    };
    floor.submit(0, &[order(1, Side::Sell, 1, kind)]);
    floor.see(10, trade(110));
    floor.see(20, trade(108));
    let same_trail = |quantity, trail_ticks, stop_ticks| OrderChanges {
        quantity: Some(quantity),
        trail_ticks: Some(trail_ticks),
        stop_ticks,
        ..OrderChanges::default()
    };

    floor.tell(|exchange, out| exchange.modify(30, 1, same_trail(2, 4, None), out));
    floor.see(40, quote(107, 108));
    assert_eq!(floor.exchange.orders()[0].trail_stop_ticks, Some(106));
    floor.tell(|exchange, out| exchange.modify(50, 1, same_trail(2, 4, Some(100)), out));
    floor.see(60, quote(102, 103));
    assert_eq!(floor.exchange.orders()[0].trail_stop_ticks, Some(104));
}

fn bracket(quantity: i64) -> [NewOrder; 3] {
    let child = |key, kind| NewOrder {
        parent_key: Some(1),
        ..order(key, Side::Sell, quantity, kind)
    };
    [
        order(1, Side::Buy, quantity, limit(101)),
        child(2, stop(90)),
        child(3, limit(110)),
    ]
}

#[test]
fn a_brackets_children_wait_for_the_fill_and_end_each_other() {
    let mut floor = Floor::new(settings());
    let lines = floor.submit(0, &bracket(2));
    assert_eq!(
        lines,
        [
            "1 accepted",
            "2 accepted",
            "2 held Child",
            "3 accepted",
            "3 held Child"
        ]
    );

    let lines = floor.see(10, quote(100, 101));
    let expected = [
        "1 activated @5",
        "1 Buy 2 at 101 Removed",
        "2 activated @10",
        "3 activated @10",
    ];
    assert_eq!(lines, expected);
    assert_eq!(
        floor.see(20, quote_of(110, 1, 111, 9)),
        ["3 Sell 1 at 110 Removed", "2 reduced to 1"]
    );
    assert_eq!(
        floor.see(30, quote(110, 111)),
        ["3 Sell 1 at 110 Added", "2 cancelled Oca"]
    );
}

/// A buyer at 100 comes to a best bid of 100 that shows 3; what then trades, and when it is filled.
#[test]
fn a_resting_limit_fills_by_the_line_that_is_assumed_before_it() {
    let sized = |price_ticks, size| MarketContent::Trade { price_ticks, size };
    let cases: [(Resting, &[MarketContent], Option<usize>); 8] = [
        (Resting::Touch, &[sized(100, 1)], Some(0)),
        (Resting::Touch, &[sized(101, 9), sized(100, 1)], Some(1)),
        (Resting::Queue, &[sized(100, 3)], None),
        (Resting::Queue, &[sized(100, 3), sized(100, 1)], Some(1)),
        // The book shows that two before it have gone.
        (
            Resting::Queue,
            &[quote_of(100, 1, 101, 9), sized(100, 2)],
            Some(1),
        ),
        // More behind it do not lengthen its way.
        (
            Resting::Queue,
            &[quote_of(100, 50, 101, 9), sized(100, 4)],
            Some(1),
        ),
        (Resting::Through, &[sized(100, 50)], None),
        (Resting::Through, &[sized(100, 50), sized(99, 1)], Some(1)),
    ];
    for (resting, records, filled_at) in cases {
        let mut floor = Floor::new(ExchangeSettings {
            resting,
            ..settings()
        });
        floor.submit(0, &[order(1, Side::Buy, 1, limit(100))]);
        floor.see(10, quote_of(100, 3, 101, 9));

        let found = records
            .iter()
            .position(|record| !floor.see(20, *record).is_empty());

        assert_eq!(found, filled_at, "{resting:?} {records:?}");
    }
}

#[test]
fn a_line_that_is_not_shown_is_as_long_as_a_level() {
    let mut floor = Floor::new(ExchangeSettings {
        resting: Resting::Queue,
        ..settings()
    });
    floor.submit(0, &[order(1, Side::Sell, 2, limit(105))]);
    floor.see(10, quote_of(100, 3, 101, 9));
    let trade_of = |size| MarketContent::Trade {
        price_ticks: 105,
        size,
    };

    assert!(floor.see(20, quote_of(103, 3, 106, 9)).is_empty());
    assert_eq!(floor.see(30, trade_of(5)), Vec::<String>::new());
    assert_eq!(floor.see(40, trade_of(1)), ["1 Sell 1 at 105 Added"]);
    assert_eq!(floor.see(50, trade_of(9)), ["1 Sell 1 at 105 Added"]);
}

#[test]
fn children_never_exit_more_than_the_parent_has_entered() {
    let mut floor = Floor::new(ExchangeSettings {
        level_size: 1,
        ..settings()
    });
    floor.submit(0, &bracket(5));
    floor.see(10, quote_of(100, 9, 101, 2));

    let lines = floor.see(20, trade(90));
    assert_eq!(
        lines[0], "1 Buy 3 at 101 Added",
        "a trade at 90 fills the rest of the entry at 101"
    );
    let exits: Vec<&ExchangeReport> = floor
        .reports
        .iter()
        .filter(|report| line(report).starts_with("2 Sell"))
        .collect();
    assert!(!exits.is_empty());
    assert!(floor.exchange.positions()[0].position >= 0);
}

#[test]
fn a_parent_that_goes_takes_its_children_but_for_what_they_have_to_exit() {
    let mut unfilled = Floor::new(settings());
    unfilled.submit(0, &bracket(2));
    unfilled.tell(|exchange, out| exchange.cancel(10, 1, out));
    let lines = unfilled.tell(|exchange, out| exchange.advance(15, out));
    assert_eq!(
        lines,
        [
            "1 cancelled User",
            "2 cancelled Parent",
            "3 cancelled Parent"
        ]
    );

    let mut partly = Floor::new(settings());
    partly.submit(0, &bracket(8));
    partly.see(10, quote_of(100, 9, 101, 3));
    partly.tell(|exchange, out| exchange.cancel(20, 1, out));
    let lines = partly.tell(|exchange, out| exchange.advance(25, out));
    assert_eq!(
        lines,
        ["1 cancelled User", "2 reduced to 3", "3 reduced to 3"]
    );
}

#[test]
fn a_cancelled_child_leaves_its_sibling_working() {
    let mut floor = Floor::new(settings());
    floor.submit(0, &bracket(1));
    floor.see(10, quote(100, 101));

    floor.tell(|exchange, out| exchange.cancel(20, 3, out));

    assert_eq!(floor.see(30, quote(100, 101)), ["3 cancelled User"]);
    assert_eq!(floor.exchange.orders().len(), 1);
}

#[test]
fn oca_types_cancel_or_reduce_and_a_spent_group_is_not_taken_again() {
    for (oca_type, expected) in [
        (1, "2 cancelled Oca"),
        (2, "2 reduced to 3"),
        (3, "2 reduced to 3"),
    ] {
        let mut floor = Floor::new(settings());
        let member = |key, price| NewOrder {
            oca_group: Some("pair".to_string()),
            oca_type,
            ..order(key, Side::Buy, 5, limit(price))
        };
        floor.submit(0, &[member(1, 101), member(2, 90)]);

        let lines = floor.see(10, quote_of(100, 9, 101, 2));

        assert_eq!(
            lines[2..],
            ["1 Buy 2 at 101 Removed", expected],
            "type {oca_type}"
        );
        assert_eq!(floor.submit(20, &[member(3, 80)]), ["3 rejected Oca"]);
    }
}

#[test]
fn while_closed_orders_are_held_and_nothing_fills() {
    let mut floor = Floor::new(settings());
    floor.tell(|exchange, out| exchange.set_open(0, false, out));

    assert_eq!(
        floor.submit(0, &[order(1, Side::Buy, 1, MARKET)]),
        ["1 accepted", "1 held Closed"]
    );
    assert!(floor.see(100, quote(100, 101)).is_empty());
    assert_eq!(
        floor.tell(|exchange, out| exchange.set_open(200, true, out)),
        ["1 activated @200"]
    );
    assert_eq!(floor.see(201, quote(100, 101)), ["1 Buy 1 at 101 Removed"]);
}

#[test]
fn the_end_of_a_session_expires_day_orders_and_the_next_opening_begins_new_figures() {
    let mut floor = Floor::new(settings());
    let day = NewOrder {
        tif: ExchangeTif::Day,
        ..order(2, Side::Buy, 1, limit(90))
    };
    floor.submit(
        0,
        &[
            order(1, Side::Buy, 1, MARKET),
            day,
            order(3, Side::Buy, 1, limit(80)),
        ],
    );
    floor.see(10, quote(100, 101));
    floor.tell(|exchange, out| exchange.set_open(20, false, out));

    assert_eq!(
        floor.tell(|exchange, out| exchange.session_ends(20, out)),
        ["2 cancelled Expired"]
    );
    assert_eq!(floor.exchange.fills().count(), 1);
    floor.tell(|exchange, out| exchange.set_open(30, true, out));
    let account = floor.exchange.account("").expect("it exists");
    assert_eq!(
        (
            floor.exchange.fills().count(),
            account.fees_cents,
            account.cash_cents
        ),
        (0, 0, START_CASH - FEE)
    );
}

#[test]
fn immediate_or_cancel_gives_up_the_rest() {
    let mut floor = Floor::new(settings());
    floor.submit(
        0,
        &[NewOrder {
            tif: ExchangeTif::Ioc,
            ..order(1, Side::Buy, 4, limit(101))
        }],
    );

    assert_eq!(
        floor.see(10, quote_of(100, 9, 101, 3))[1..],
        ["1 Buy 3 at 101 Removed", "1 cancelled Ioc"]
    );
}

#[test]
fn a_change_acts_after_the_latency_and_comes_too_late_for_a_fill() {
    let mut floor = Floor::new(settings());
    floor.submit(
        0,
        &[
            order(1, Side::Buy, 1, limit(90)),
            order(2, Side::Buy, 1, limit(91)),
        ],
    );
    floor.see(10, quote(100, 101));
    let to = |limit_ticks| OrderChanges {
        limit_ticks: Some(limit_ticks),
        ..OrderChanges::default()
    };

    floor.tell(|exchange, out| exchange.modify(20, 1, to(101), out));
    assert_eq!(
        floor.see(25, quote(100, 101)),
        ["1 modified", "1 Buy 1 at 101 Removed"]
    );
    floor.tell(|exchange, out| exchange.modify(30, 2, to(80), out));
    assert_eq!(floor.see(34, quote(89, 90)), ["2 Buy 1 at 91 Added"]);
    assert_eq!(floor.see(35, quote(89, 90)), ["2 modify rejected"]);
    assert_eq!(
        floor.tell(|exchange, out| exchange.modify(40, 2, to(80), out)),
        ["2 modify rejected"]
    );
    assert_eq!(
        floor.tell(|exchange, out| exchange.cancel(40, 2, out)),
        ["2 cancel rejected"]
    );
}

#[test]
fn orders_that_can_not_be_taken_are_rejected_with_their_reason() {
    let known = order(1, Side::Buy, 1, limit(90));
    let rows: Vec<(NewOrder, RejectReason)> = vec![
        (known.clone(), RejectReason::Duplicate),
        (
            NewOrder {
                order_key: 2,
                instrument_id: 8,
                ..known.clone()
            },
            RejectReason::Instrument,
        ),
        (
            NewOrder {
                order_key: 2,
                account: "DU2".to_string(),
                ..known.clone()
            },
            RejectReason::Account,
        ),
        (order(2, Side::Buy, 0, MARKET), RejectReason::Quantity),
        (order(2, Side::Buy, 10_001, MARKET), RejectReason::Quantity),
        (order(2, Side::Buy, 1, stop(0)), RejectReason::Price),
        (
            NewOrder {
                order_key: 2,
                parent_key: Some(9),
                ..known.clone()
            },
            RejectReason::Parent,
        ),
        (
            NewOrder {
                order_key: 2,
                parent_key: Some(1),
                ..known.clone()
            },
            RejectReason::Parent,
        ),
        (
            NewOrder {
                order_key: 2,
                oca_group: Some("g".to_string()),
                oca_type: 4,
                ..known.clone()
            },
            RejectReason::Oca,
        ),
        (order(2, Side::Buy, 84, MARKET), RejectReason::Margin),
    ];
    for (refused, reason) in rows {
        let mut floor = Floor::new(settings());
        floor.submit(0, std::slice::from_ref(&known));
        floor.see(10, quote(100, 101));

        let lines = floor.submit(20, std::slice::from_ref(&refused));

        assert_eq!(
            lines,
            [format!("{} rejected {reason:?}", refused.order_key)]
        );
    }
}

#[test]
fn margin_allows_the_last_contract_that_equity_covers_and_any_exit() {
    let mut floor = Floor::new(ExchangeSettings {
        start_cash_cents: 118_800,
        ..settings()
    });
    assert_eq!(
        floor.submit(0, &[order(1, Side::Buy, 2, MARKET)]),
        ["1 rejected Margin"]
    );
    assert_eq!(
        floor.submit(0, &[order(2, Side::Buy, 1, MARKET)]),
        ["2 accepted"]
    );
    floor.see(10, quote(100, 101));

    assert_eq!(
        floor.submit(20, &[order(3, Side::Buy, 1, MARKET)]),
        ["3 rejected Margin"]
    );
    assert_eq!(
        floor.submit(20, &[order(4, Side::Sell, 1, MARKET)]),
        ["4 accepted"]
    );
}

#[test]
fn broken_batches_are_refused_with_their_place() {
    let mut exchange = exchange();
    let mut out = Vec::new();
    assert_eq!(
        exchange.market(&[0; 39], &mut out),
        Err(ExchangeError::BatchLength(39))
    );
    assert_eq!(
        exchange.market(&[0; 40], &mut out),
        Err(ExchangeError::Record(0))
    );
    let mut batch = Vec::new();
    for at_ms in [10, 9] {
        write_record(
            &mut batch,
            &MarketRecord {
                at_ms,
                instrument_id: MES,
                content: trade(100),
            },
        );
    }
    let expected = ExchangeError::TimeWentBack {
        index: 1,
        from_ms: 10,
        to_ms: 9,
    };
    assert_eq!(exchange.market(&batch, &mut out), Err(expected));
}

#[test]
fn a_snapshot_of_another_version_is_refused() {
    let text = exchange()
        .snapshot()
        .expect("it prints")
        .replace("\"version\":1", "\"version\":2");

    assert!(matches!(
        Exchange::new(settings(), Some(&text)),
        Err(ExchangeError::Snapshot(_))
    ));
}

/// One thing that happens at the exchange, some milliseconds after the one before.
#[derive(Debug, Clone)]
enum Step {
    See(MarketContent),
    Submit(Vec<NewOrder>),
    Modify(i64, OrderChanges),
    Cancel(i64),
    Open(bool),
    SessionEnds,
}

fn steps() -> impl Strategy<Value = Vec<(i64, Step)>> {
    let price = 90..110_i32;
    let content = prop_oneof![
        price.clone().prop_map(trade),
        (price.clone(), 1..3_i32, 1..6_i32, 1..6_i32)
            .prop_map(|(bid, spread, bids, asks)| quote_of(bid, bids, bid + spread, asks)),
        Just(quote_of(NO_PRICE, 0, 100, 2)),
    ];
    let kind = prop_oneof![
        Just(MARKET),
        price.clone().prop_map(limit),
        price.clone().prop_map(stop),
        (price.clone(), price.clone()).prop_map(|(stop_ticks, limit_ticks)| {
            ExchangeOrderKind::StopLimit {
                stop_ticks,
                limit_ticks,
            }
        }),
        (1..5_i32, proptest::option::of(price.clone())).prop_map(|(trail_ticks, stop_ticks)| {
            ExchangeOrderKind::Trail {
                trail_ticks,
                stop_ticks,
            }
        }),
        (1..50_000_i32, proptest::option::of(price.clone())).prop_map(
            |(percent_e4, stop_ticks)| ExchangeOrderKind::TrailPercent {
                percent_e4,
                stop_ticks,
            }
        ),
    ];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let tif = prop_oneof![
        Just(ExchangeTif::Day),
        Just(ExchangeTif::Gtc),
        Just(ExchangeTif::Ioc)
    ];
    let group =
        prop_oneof![3 => Just(None), 1 => (0..3_u8).prop_map(|name| Some(name.to_string()))];
    let parent = (1..60_i64, side, 1..7_i64, kind, tif, group, 1..4_u8);
    let submit = (parent, any::<bool>(), price.clone(), price.clone()).prop_map(
        |(parent, is_bracket, low, high)| {
            let (key, side, quantity, kind, tif, oca_group, oca_type) = parent;
            let mut orders = vec![NewOrder {
                tif,
                oca_group,
                oca_type,
                ..order(key * 10, side, quantity, kind)
            }];
            if is_bracket {
                for (child, kind) in [(1, stop(low)), (2, limit(high))] {
                    let exit = order(key * 10 + child, side.opposite(), quantity, kind);
                    orders.push(NewOrder {
                        parent_key: Some(key * 10),
                        ..exit
                    });
                }
            }
            Step::Submit(orders)
        },
    );
    let key = (1..60_i64, 0..3_i64).prop_map(|(key, child)| key * 10 + child);
    let modify = (
        key.clone(),
        proptest::option::of(1..9_i64),
        proptest::option::of(price),
    )
        .prop_map(|(key, quantity, limit_ticks)| {
            Step::Modify(
                key,
                OrderChanges {
                    quantity,
                    limit_ticks,
                    ..OrderChanges::default()
                },
            )
        });
    let step = prop_oneof![
        12 => content.prop_map(Step::See),
        5 => submit,
        1 => modify,
        1 => key.prop_map(Step::Cancel),
        1 => prop_oneof![3 => Just(true), 1 => Just(false)].prop_map(Step::Open),
        1 => Just(Step::SessionEnds),
    ];
    proptest::collection::vec((0..8_i64, step), 1..120)
}

fn take(exchange: &mut Exchange, at_ms: i64, step: &Step) -> Vec<ExchangeReport> {
    let mut out = Vec::new();
    match step {
        Step::See(content) => {
            let mut batch = Vec::new();
            write_record(
                &mut batch,
                &MarketRecord {
                    at_ms,
                    instrument_id: MES,
                    content: *content,
                },
            );
            exchange
                .market(&batch, &mut out)
                .expect("the record is good");
        }
        Step::Submit(orders) => exchange.submit(at_ms, orders, &mut out),
        Step::Modify(key, changes) => exchange.modify(at_ms, *key, changes.clone(), &mut out),
        Step::Cancel(key) => exchange.cancel(at_ms, *key, &mut out),
        Step::Open(is_open) => exchange.set_open(at_ms, *is_open, &mut out),
        Step::SessionEnds => exchange.session_ends(at_ms, &mut out),
    }
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn fills_add_up_and_no_order_breaks_its_terms(steps in steps()) {
        let mut exchange = exchange();
        let mut at_ms = 0;
        let (mut position, mut cash_flow, mut fees, mut is_open) = (0_i64, 0_i64, 0_i64, true);
        let mut came: std::collections::BTreeMap<i64, (i64, i64)> = Default::default();
        let mut parents: std::collections::BTreeMap<i64, (i64, i64)> = Default::default();
        // Brackets whose quantities were changed, or whose children came to another parent: they may exit more.
        let mut uneven: std::collections::BTreeSet<i64> = Default::default();
        let mut is_over = false;
        for (wait_ms, step) in &steps {
            at_ms += wait_ms;
            let reports = take(&mut exchange, at_ms, step);
            for report in &reports {
                match report {
                    ExchangeReport::Accepted { order_key, at_ms } => { came.insert(*order_key, (*at_ms, 0)); }
                    ExchangeReport::Fill { fill } => {
                        prop_assert!(matches!(step, Step::See(_)), "a fill without a market record");
                        prop_assert!(is_open, "a fill while closed");
                        let (since_ms, filled) = came[&fill.order_key];
                        prop_assert!(fill.at_ms >= since_ms + 5, "a fill before the latency had passed");
                        prop_assert!(fill.quantity > 0 && fill.leaves_quantity >= 0);
                        prop_assert_eq!(fill.cum_quantity, filled + fill.quantity);
                        came.insert(fill.order_key, (since_ms, fill.cum_quantity));
                        position += fill.side.sign() * fill.quantity;
                        cash_flow -= fill.side.sign() * fill.quantity * i64::from(fill.price_ticks) * TICK_VALUE;
                        fees += fill.fee_cents;
                        prop_assert_eq!(fill.position_after, position);
                        let of = parents.entry(fill.order_key / 10).or_default();
                        if fill.order_key % 10 == 0 { of.0 += fill.quantity } else { of.1 += fill.quantity }
                        let is_even = !uneven.contains(&(fill.order_key / 10));
                        prop_assert!(!is_even || fill.order_key % 10 == 0 || of.1 <= of.0, "an exit beyond its entry");
                    }
                    ExchangeReport::Modified { order_key, .. } | ExchangeReport::Rejected { order_key, .. } => {
                        uneven.insert(*order_key / 10);
                    }
                    ExchangeReport::Held { .. } | ExchangeReport::Activated { .. } | ExchangeReport::Triggered { .. }
                    | ExchangeReport::Reduced { .. } | ExchangeReport::Cancelled { .. } | ExchangeReport::ModifyRejected { .. }
                    | ExchangeReport::CancelRejected { .. } => {}
                }
            }
            match step {
                Step::Open(open) => { is_open = *open; if is_open && is_over { is_over = false; came.clear(); restore_counts(&exchange, &mut came); } }
                Step::SessionEnds => { if is_open { came.clear(); restore_counts(&exchange, &mut came); } else { is_over = true; } }
                Step::See(_) | Step::Submit(_) | Step::Modify(..) | Step::Cancel(_) => {}
            }
            let account = exchange.account("").expect("it exists");
            let held = exchange.positions().first().map_or(0, |held| held.position);
            prop_assert_eq!(held, position);
            let last = exchange.positions().first().map_or(0, |held| held.unrealised_cents);
            prop_assert_eq!(account.equity_cents, account.cash_cents + last);
            if position == 0 {
                prop_assert_eq!(account.cash_cents, START_CASH + cash_flow - fees);
            }
        }
    }

    #[test]
    fn a_restored_exchange_goes_on_as_the_first_one_would(steps in steps(), cut in 0..120_usize) {
        let mut first = exchange();
        let mut second = exchange();
        let mut at_ms = 0;
        for (index, (wait_ms, step)) in steps.iter().enumerate() {
            at_ms += wait_ms;
            if index == cut {
                let text = first.snapshot().expect("it prints");
                second = Exchange::new(settings(), Some(&text)).expect("the snapshot is good");
                prop_assert_eq!(second.snapshot().expect("it prints"), text);
            }
            prop_assert_eq!(take(&mut first, at_ms, step), take(&mut second, at_ms, step));
        }
        prop_assert_eq!(first.snapshot().expect("it prints"), second.snapshot().expect("it prints"));
    }
}

/// After a new day a key may come again; what still works keeps its count.
fn restore_counts(exchange: &Exchange, came: &mut std::collections::BTreeMap<i64, (i64, i64)>) {
    for order in exchange.orders() {
        came.insert(
            order.order_key,
            (i64::MIN / 2, order.quantity - order.leaves_quantity),
        );
    }
}
