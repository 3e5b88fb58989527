//! Which trades and quotes are believed, and what the clocks say: each at its limit and one beyond.

use crate::support::*;
use scalper_core::event::Event;
use scalper_core::settings::EngineSettings;
use scalper_core::status::Posture;

const PRICE_TICKS_MAX: i32 = 100_000_000;

fn careful() -> EngineSettings {
    let mut settings = settings();
    settings.risk.bad_tick_ticks = 25;
    settings
}

fn quote(desk: &mut Desk, bid: i32, ask: i32, bid_size: i32, ask_size: i32) {
    desk.tell(Event::Quote {
        exchange_at_ms: desk.at_ms,
        bid_ticks: Some(bid),
        ask_ticks: Some(ask),
        bid_size,
        ask_size,
    });
}

fn trade(desk: &mut Desk, price_ticks: i32) {
    desk.tell(Event::Trade {
        exchange_at_ms: desk.at_ms,
        price_ticks,
        size: 1,
    });
}

#[test]
fn f31_each_figure_of_a_quote_must_be_possible() {
    for (bid, ask, bid_size, ask_size, is_believed) in [
        (1, 2, 0, 0, true),
        (0, 2, 1, 1, false),
        (-1, 2, 1, 1, false),
        (1, 2, -1, 1, false),
        (1, 2, 1, -1, false),
        (PRICE_TICKS_MAX - 1, PRICE_TICKS_MAX, 1, 1, true),
        (PRICE_TICKS_MAX - 1, PRICE_TICKS_MAX + 1, 1, 1, false),
        (PRICE_TICKS_MAX + 1, PRICE_TICKS_MAX + 2, 1, 1, false),
    ] {
        let mut desk = Desk::new(settings());
        desk.link_up();

        quote(&mut desk, bid, ask, bid_size, ask_size);

        assert_eq!(
            desk.status().bid_ticks,
            is_believed.then_some(bid),
            "{bid} {ask} {bid_size} {ask_size}"
        );
    }
}

#[test]
fn d8_a_quote_is_judged_by_its_middle_and_three_in_a_row_are_the_market() {
    // The median of the last five trades is 20 000.
    let mut desk = Desk::ready(careful());
    quote(&mut desk, 20_025, 20_026, 1, 1);
    assert_eq!(desk.status().bid_ticks, Some(20_025));

    for _ in 0..2 {
        quote(&mut desk, 20_026, 20_027, 1, 1);
        quote(&mut desk, 20_026, 20_027, 1, 1);
        assert_eq!(desk.status().bid_ticks, Some(20_025));
        quote(&mut desk, 20_025, 20_026, 1, 1);
    }
    for believed in [20_025, 20_025, 20_026] {
        quote(&mut desk, 20_026, 20_027, 1, 1);
        assert_eq!(desk.status().bid_ticks, Some(believed));
    }
    assert!(desk.controls().contains(&("bad_tick".to_owned(), true)));
}

#[test]
fn d8_prices_older_than_a_minute_judge_no_new_one() {
    for (age_ms, believed) in [(60_000, 20_000), (60_001, 20_800)] {
        let mut desk = Desk::ready(careful());
        desk.pass(age_ms - SECOND_MS);

        trade(&mut desk, 20_800);

        assert_eq!(desk.status().last_ticks, Some(believed), "{age_ms}");
    }
}

#[test]
fn d8_trades_are_judged_only_where_there_are_quotes() {
    let mut desk = Desk::new(careful());
    desk.link_up();
    for _ in 0..5 {
        trade(&mut desk, 20_000);
    }

    trade(&mut desk, 20_800);

    assert_eq!(desk.status().last_ticks, Some(20_800));
}

#[test]
fn d8_after_a_loss_of_the_link_nothing_old_judges_what_comes() {
    let mut desk = Desk::ready(careful());
    desk.link_down();
    assert_eq!(
        (desk.status().bid_ticks, desk.status().ask_ticks),
        (None, None)
    );
    desk.link_up();

    trade(&mut desk, 20_800);

    assert_eq!(desk.status().last_ticks, Some(20_800));
}

#[test]
fn i7_a_quote_or_a_trade_through_the_daily_limit_closes_in_the_same_moment() {
    for is_quote in [true, false] {
        let mut tight = settings();
        tight.risk.daily_loss_cents = 10_000;
        let mut desk = Desk::ready(tight);
        desk.sink();
        desk.broker.hold(true);
        let before = desk.effects.len();
        if is_quote {
            quote(&mut desk, 19_810, 19_811, 1, 1);
        } else {
            desk.tell(Event::Quote {
                exchange_at_ms: desk.at_ms,
                bid_ticks: None,
                ask_ticks: Some(19_811),
                bid_size: 0,
                ask_size: 1,
            });
            trade(&mut desk, 19_810);
        }

        assert_eq!(desk.posture(), Posture::Flattening);
        let acts = desk.effects[before..].iter().any(|effect| {
            matches!(
                effect,
                scalper_core::effect::Effect::Intent { .. }
                    | scalper_core::effect::Effect::AskBroker(_)
            )
        });
        assert!(acts, "quote: {is_quote}");
    }
}

#[test]
fn d27_the_clocks_are_told_as_they_stand() {
    for (skew_ms, word) in [(3_600_000, "ahead of"), (-3_600_000, "behind")] {
        let mut desk = Desk::new(settings());
        desk.link_up();
        assert_eq!(desk.gate("clock").detail, "the clocks agree");
        desk.broker.skew_ms = skew_ms;
        desk.pass(61_000);
        let detail = desk.gate("clock").detail;
        assert!(detail.contains(word), "{detail}");

        desk.broker.skew_ms = 0;
        desk.pass(3_000);
        assert_eq!(
            desk.gate("clock").detail,
            "the clocks agree again, not yet for a minute"
        );
        desk.pass(61_000);
        assert_eq!(desk.gate("clock").detail, "the clocks agree");
    }
}
