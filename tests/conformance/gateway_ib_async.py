"""Drives the simulated IB Gateway with ib_async, at server version 178.

usage: gateway_ib_async.py PORT CONTROL_URL MASTER_CLIENT_ID CLOSED_PORT DELAYED_PORT DELAYED_CONTROL_URL
"""

import asyncio
import logging
import math
import sys

from ib_async import (
    IB,
    BarData,
    Contract,
    ContFuture,
    ExecutionFilter,
    Future,
    LimitOrder,
    MarketOrder,
    Order,
    StopLimitOrder,
    StopOrder,
)

from report import Checks, expect, get, post, same, until

PRODUCTS = {
    "MES": ("CME", "5", 0.25),
    "ES": ("CME", "50", 0.25),
    "MNQ": ("CME", "2", 0.25),
    "NQ": ("CME", "20", 0.25),
    "M2K": ("CME", "5", 0.1),
    "RTY": ("CME", "50", 0.1),
    "MYM": ("CBOT", "0.5", 1.0),
    "YM": ("CBOT", "5", 1.0),
}
ENDED = ("Filled", "Cancelled", "Inactive", "ApiCancelled")
UNSET = 1.7e308

checks = Checks("ib_async")
check = checks.check


class Session:
    """One connected client that remembers every error it was told."""

    def __init__(self, port, client_id):
        self.port, self.client_id = port, client_id
        self.ib = IB()
        self.errors = []
        self.ib.errorEvent += lambda req_id, code, text, contract: self.errors.append((req_id, code, text))

    async def connect(self):
        await self.ib.connectAsync("127.0.0.1", self.port, clientId=self.client_id, timeout=10)
        return self

    async def error(self, code, req_id=None):
        """Waits for an error of that code, and of that request or order where one is named."""
        found = await until(
            lambda: [one for one in self.errors if one[1] == code and req_id in (None, one[0])],
            f"error {code}",
        )
        return found[-1]

    def place(self, contract, order):
        return self.ib.placeOrder(contract, order)


async def ended(trade, status):
    """Waits for the end of an order and checks its last status."""
    await until(lambda: trade.orderStatus.status in ENDED, f"the end of order {trade.order.orderId}")
    same(trade.orderStatus.status, status, "the last status")
    return trade


async def stands(trade, *statuses):
    """Waits until the gateway shows an order in one of these states."""
    await until(lambda: trade.orderStatus.status in statuses and trade.orderStatus.permId, f"one of {statuses}")
    return trade


def statuses(trade):
    return [entry.status for entry in trade.log if entry.status]


class Market:
    """Moves the market through the control side."""

    def __init__(self, url):
        self.url = url

    def state(self):
        return get(f"{self.url}/simulate/state")

    async def jump(self, ticks):
        """Moves the market and waits until it has traded there."""
        before = self.state()["book"]["lastTicks"]
        same(post(f"{self.url}/simulate/market", {"jumpTicks": ticks}).get("done"), True, "the jump")
        await until(lambda: abs(self.state()["book"]["lastTicks"] - before - ticks) < abs(ticks) / 2, "a trade there")

    def fault(self, **fault):
        same(post(f"{self.url}/simulate/fault", fault).get("done"), True, "the fault")

    def bid(self):
        return self.state()["book"]["bidTicks"] * 0.25


async def flat(session, mes):
    """Closes whatever position is left, so that each part begins flat."""
    held = [one for one in session.ib.positions() if one.contract.conId == mes.conId and one.position]
    if held:
        size = held[0].position
        trade = session.place(mes, MarketOrder("SELL" if size > 0 else "BUY", abs(size)))
        await ended(trade, "Filled")
        await until(
            lambda: not [one for one in session.ib.positions() if one.position],
            "a flat position",
        )


async def seen_afresh(session, trade):
    """Returns an order as a client that never saw it is told: a client keeps its own copy of what it placed."""
    other = await Session(session.port, 55).connect()
    try:
        (shown,) = [one for one in await other.ib.reqAllOpenOrdersAsync() if one.order.permId == trade.orderStatus.permId]
        return shown
    finally:
        other.ib.disconnect()


async def contracts(session):
    ib = session.ib
    for symbol, (exchange, multiplier, tick) in PRODUCTS.items():
        with check(f"contract details of {symbol}: all listed quarterly months"):
            found = await ib.reqContractDetailsAsync(Future(symbol, exchange=exchange))
            expect(len(found) >= 4, f"{len(found)} months")
            months = [one.contractMonth for one in found]
            same(months, sorted(months), "the order of months")
            for one in found:
                expect(one.contractMonth[4:] in ("03", "06", "09", "12"), f"{one.contractMonth} is no quarter")
                same(one.contract.multiplier, multiplier, "the multiplier")
                same(one.minTick, tick, "the tick")
                same(one.contract.tradingClass, symbol, "the trading class")
                same(one.contract.currency, "USD", "the currency")
                same(one.timeZoneId, "US/Central", "the zone")
                expect(one.longName and one.marketName == symbol, "no names")
                expect(one.contract.lastTradeDateOrContractMonth.startswith(one.contractMonth), "an odd last day")
                for order_type in ("LMT", "MKT", "STP", "TRAIL"):
                    expect(order_type in one.orderTypes.split(","), f"{order_type} is not listed")
            hours = found[0].tradingSessions()
            expect(len(hours) >= 4, "no trading hours")
            for session_hours in hours:
                expect(session_hours.start < session_hours.end, "hours run backwards")
            expect(len(found[0].liquidSessions()) >= 3, "no liquid hours")
            rule = await ib.reqMarketRuleAsync(int(found[0].marketRuleIds.split(",")[0]))
            same(rule[0].increment, tick, "the market rule's increment")
    with check("a continuous future is the front month"):
        (front,) = await ib.qualifyContractsAsync(ContFuture("MES", "CME"))
        same(front.conId, (await ib.reqContractDetailsAsync(Future("MES", exchange="CME")))[0].contract.conId, "conId")
    with check("a contract by conId alone, by local symbol, by month and by day is the same one"):
        details = (await ib.reqContractDetailsAsync(Future("MES", exchange="CME")))[1].contract
        for query in (
            Contract(conId=details.conId),
            Future(localSymbol=details.localSymbol, exchange="CME"),
            Future("MES", details.lastTradeDateOrContractMonth[:6], "CME"),
            Future("MES", details.lastTradeDateOrContractMonth, "CME"),
        ):
            (found,) = await ib.reqContractDetailsAsync(query)
            same(found.contract.conId, details.conId, "conId")
    with check("an expired month is found only when asked for"):
        past = Future("MES", "202606", "CME")
        year = int((await ib.reqContractDetailsAsync(Future("MES", exchange="CME")))[0].contractMonth[:4])
        past.lastTradeDateOrContractMonth = f"{year - 1}12"
        session.errors.clear()
        same(await ib.reqContractDetailsAsync(past), [], "an expired month")
        await session.error(200)
        past.includeExpired = True
        same(len(await ib.reqContractDetailsAsync(past)), 1, "the months found")
    with check("an unknown contract is error 200"):
        session.errors.clear()
        same(await ib.reqContractDetailsAsync(Future("NOSUCH", exchange="CME")), [], "details")
        _, _, text = await session.error(200)
        expect(text.startswith("No security definition has been found for the request"), text)


async def market_data(session, mes, other):
    ib = session.ib
    with check("market data: type, bid below ask, last, volume, high, low, open, close"):
        ticker = ib.reqMktData(mes, "233")
        await until(
            lambda: all(
                math.isfinite(value)
                for value in (ticker.bid, ticker.ask, ticker.last, ticker.volume, ticker.high, ticker.low, ticker.open)
            ),
            "a full ticker",
        )
        expect(ticker.bid < ticker.ask, f"bid {ticker.bid}, ask {ticker.ask}")
        expect(ticker.low <= ticker.last <= ticker.high, "last is outside the day's range")
        expect(ticker.bidSize > 0 and ticker.askSize > 0, "no sizes")
        expect(math.isfinite(ticker.close), "no close")
        same(ticker.marketDataType, 1, "the type")
        same(ticker.minTick, 0.25, "the tick")
        await until(lambda: ticker.rtTime, "an RTVolume tick")
        before = ticker.time
        await until(lambda: ticker.time != before, "another tick")
        expect(ib.cancelMktData(mes), "there was nothing to cancel")
    with check("a snapshot ends"):
        ticker = ib.reqMktData(mes, "", snapshot=True)
        await until(lambda: math.isfinite(ticker.bid), "a bid")
        await until(lambda: not ib.wrapper._reqId2Contract or math.isfinite(ticker.ask), "the end")
        (ticker,) = await ib.reqTickersAsync(mes)
        expect(ticker.bid < ticker.ask, "bid is not below ask")
    with check("another month has no market: 354"):
        session.errors.clear()
        ib.reqMktData(other)
        await session.error(354)
    with check("cancelling market data that nobody asked for is error 300"):
        session.errors.clear()
        ib.client.cancelMktData(987_654)
        await session.error(300, 987_654)
    for kind in ("Last", "AllLast", "BidAsk", "MidPoint"):
        with check(f"tick-by-tick {kind}"):
            heard = []
            ticker = ib.reqTickByTickData(mes, kind)
            # One ticker serves all kinds; what is left in it is of the kind before.
            ticker.updateEvent += lambda one, to=heard: to.extend(one.tickByTicks)
            wanted = {"BidAsk": "TickByTickBidAsk", "MidPoint": "TickByTickMidPoint"}.get(kind, "TickByTickAllLast")
            tick = await until(lambda: next((one for one in heard if type(one).__name__ == wanted), None), "a tick")
            if wanted == "TickByTickAllLast":
                tick = await until(
                    lambda: next((one for one in heard if one.tickType == (1 if kind == "Last" else 2)), None), "a tick"
                )
            if kind in ("Last", "AllLast"):
                expect(tick.price > 0 and tick.size > 0 and tick.exchange == "CME", repr(tick))
            elif kind == "BidAsk":
                expect(0 < tick.bidPrice < tick.askPrice and tick.bidSize > 0, repr(tick))
            else:
                expect(tick.midPoint > 0, repr(tick))
            expect(ib.cancelTickByTickData(mes, kind), "there was nothing to cancel")
    for shown in ("TRADES", "BID", "ASK", "MIDPOINT"):
        with check(f"five-second bars of {shown}"):
            bars = ib.reqRealTimeBars(mes, 5, shown, False)
            await until(lambda: len(bars) >= 2, "two bars")
            first, second = bars[0], bars[1]
            same(first.time.timestamp() % 5, 0, "the second a bar begins at, past a multiple of five")
            same((second.time - first.time).total_seconds(), 5, "the time between two bars")
            for bar in bars:
                expect(bar.low <= min(bar.open_, bar.close) <= max(bar.open_, bar.close) <= bar.high, repr(bar))
            expect((first.volume >= 0) if shown == "TRADES" else (first.volume <= 0), "the volume")
            ib.cancelRealTimeBars(bars)


async def history(session, mes, cont):
    ib = session.ib
    ask = ib.reqHistoricalDataAsync
    found = {}
    for shown in ("TRADES", "BID", "ASK", "MIDPOINT"):
        with check(f"historical bars of {shown}"):
            bars = await ask(mes, "", "1800 S", "1 min", shown, False)
            expect(len(bars) >= 25, f"{len(bars)} bars")
            times = [bar.date for bar in bars]
            same(times, sorted(set(times)), "the order of bars")
            for bar in bars:
                expect(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high, repr(bar))
            if shown == "TRADES":
                expect(all(bar.volume > 0 and bar.barCount > 0 for bar in bars), "no volume")
                expect(all(bar.low <= bar.average <= bar.high for bar in bars), "the average is outside the bar")
            else:
                expect(all(bar.volume <= 0 and bar.barCount == -1 for bar in bars), "volume of quotes")
            found[shown] = {bar.date: bar for bar in bars}
    with check("historical bid is below ask at each close, the midpoint between them"):
        bid, offer, mid = found["BID"], found["ASK"], found["MIDPOINT"]
        # The last bar still grows between two requests.
        shared = sorted(set(bid) & set(offer) & set(mid))[:-1]
        expect(len(shared) >= 20, f"{len(shared)} shared bars")
        for at in shared:
            expect(bid[at].close < offer[at].close, f"{at}: bid {bid[at].close}, ask {offer[at].close}")
            expect(bid[at].close <= mid[at].close <= offer[at].close, f"{at}: {mid[at].close}")
            expect(bid[at].high <= offer[at].high and bid[at].low <= offer[at].low, f"{at}: crossed")
    for size in ("1 secs", "5 secs", "30 secs", "2 mins", "1 hour", "1 day"):
        with check(f"historical bars of {size}"):
            duration = "60 S" if "secs" in size else "5 D" if size == "1 day" else "1 D"
            bars = await ask(mes, "", duration, size, "TRADES", False)
            expect(len(bars) >= (3 if size == "1 day" else 2), f"{len(bars)} bars")
            expect(isinstance(bars[0], BarData), "no bars")
    with check("historical bars as epoch seconds, and only of regular hours"):
        bars = await ask(mes, "", "2 D", "30 mins", "TRADES", True, formatDate=2)
        expect(bars, "no bars")
        for bar in bars:
            local = bar.date.astimezone(__import__("zoneinfo").ZoneInfo("US/Central"))
            expect((8, 30) <= (local.hour, local.minute) < (15, 0), f"{local} is no regular hour")
    with check("historical bars up to a past moment end there"):
        last = (await ask(mes, "", "3600 S", "5 mins", "TRADES", False))[-3].date
        bars = await ask(mes, last, "1800 S", "5 mins", "TRADES", False)
        expect(bars and bars[-1].date < last, "bars after the end")
    with check("bars that are kept up to date grow and are followed by new ones"):
        bars = await ask(mes, "", "300 S", "5 secs", "TRADES", False, keepUpToDate=True)
        news = []
        bars.updateEvent += lambda _, has_new: news.append(has_new)
        count = len(bars)
        await until(lambda: any(news) and len(bars) > count, "a new bar")
        expect(bars[-1].date > bars[-2].date, "the order of bars")
        ib.cancelHistoricalData(bars)
    with check("midpoint bars that are kept up to date"):
        bars = await ask(mes, "", "300 S", "5 secs", "MIDPOINT", False, keepUpToDate=True)
        count = len(bars)
        await until(lambda: len(bars) > count + 1, "a new bar")
        expect((bars[-2].close * 8) % 1 == 0, f"{bars[-2].close} is no half tick")
        ib.cancelHistoricalData(bars)
    # 321 is a warning to ib_async, which would wait for bars until its time-out: asked without waiting.
    for what, end, size in (
        ("an end together with keepUpToDate", "20260105 10:00:00 US/Central", "5 secs"),
        ("a bar size that does not exist", "", "7 secs"),
    ):
        with check(f"{what} is refused with 321"):
            session.errors.clear()
            req_id = ib.client.getReqId()
            ib.client.reqHistoricalData(req_id, mes, end, "300 S", size, "TRADES", False, 1, bool(end), [])
            await session.error(321, req_id)
    with check("a continuous future has history, but none with an end: 10339"):
        expect(await ask(cont, "", "300 S", "1 min", "TRADES", False), "no bars")
        session.errors.clear()
        same(await ask(cont, "20260105 10:00:00 US/Central", "300 S", "1 min", "TRADES", False), [], "bars")
        await session.error(10339)
    with check("head timestamp"):
        expect(await ib.reqHeadTimeStampAsync(mes, "TRADES", False, 2), "none")
    for shown in ("TRADES", "BID_ASK", "MIDPOINT"):
        with check(f"historical ticks of {shown}"):
            # Later than any clock: the newest ones.
            ticks = await ib.reqHistoricalTicksAsync(mes, "", "20991231 23:59:59 UTC", 50, shown, False)
            expect(len(ticks) >= 50, f"{len(ticks)} ticks")
            times = [tick.time for tick in ticks]
            same(times, sorted(times), "the order of ticks")
            if shown == "TRADES":
                expect(all(tick.price > 0 and tick.size > 0 for tick in ticks), "an empty tick")
            elif shown == "BID_ASK":
                expect(all(0 < tick.priceBid < tick.priceAsk for tick in ticks), "a crossed tick")
            else:
                expect(all(tick.price > 0 for tick in ticks), "an empty tick")


async def account(session):
    ib = session.ib
    with check("account summary: the tags that were asked for"):
        rows = await ib.accountSummaryAsync()
        tags = {row.tag: row for row in rows}
        for tag in ("NetLiquidation", "TotalCashValue", "AvailableFunds", "InitMarginReq", "MaintMarginReq", "Cushion"):
            expect(tag in tags, f"{tag} is missing")
        same(tags["NetLiquidation"].currency, "USD", "the currency")
        same(tags["AccountType"].value, "INDIVIDUAL", "the type of account")
        same({row.account for row in rows}, set(ib.managedAccounts()), "the account")
    with check("account values came with the connection"):
        values = {value.tag: value.value for value in ib.accountValues()}
        for tag in ("AccountCode", "NetLiquidation", "TotalCashBalance", "UnrealizedPnL", "RealizedPnL", "ExcessLiquidity"):
            expect(tag in values, f"{tag} is missing")
        expect(float(values["NetLiquidation"]) > 0, "no money")
    with check("account updates for one model (multi)"):
        await ib.reqAccountUpdatesMultiAsync(ib.managedAccounts()[0], "")
    with check("current time"):
        expect((await ib.reqCurrentTimeAsync()).year >= 2026, "the year")


async def simple_orders(session, mes, market):
    ib = session.ib
    with check("a what-if order tells margin and commission, and is no order"):
        before = len(ib.openTrades())
        state = await ib.whatIfOrderAsync(mes, MarketOrder("BUY", 1))
        for name in ("initMarginChange", "maintMarginChange", "equityWithLoanAfter", "initMarginAfter", "initMarginBefore"):
            expect(math.isfinite(float(getattr(state, name))) and float(getattr(state, name)) < UNSET, name)
        expect(float(state.initMarginChange) > 0, "no margin")
        expect(0 < state.commission < 10, f"commission {state.commission}")
        same(len(await ib.reqAllOpenOrdersAsync()), before, "open orders")
    with check("a market order fills with execution, commission and position"):
        pnl = ib.reqPnL(ib.managedAccounts()[0])
        single = ib.reqPnLSingle(ib.managedAccounts()[0], "", mes.conId)
        trade = session.place(mes, MarketOrder("BUY", 2))
        await ended(trade, "Filled")
        same((trade.filled(), trade.remaining()), (2, 0), "filled and remaining")
        await until(lambda: trade.fills and all(fill.commissionReport.execId for fill in trade.fills), "commissions")
        same(sum(fill.execution.shares for fill in trade.fills), 2, "the executed quantity")
        fill = trade.fills[-1]
        same(fill.execution.side, "BOT", "the side")
        same(fill.execution.cumQty, 2, "the cumulative quantity")
        same(fill.execution.permId, trade.orderStatus.permId, "permId")
        same(fill.execution.acctNumber, ib.managedAccounts()[0], "the account")
        expect(fill.execution.execId.count(".") == 3, fill.execution.execId)
        expect(0 < fill.commissionReport.commission < 10, "the commission")
        same(fill.commissionReport.currency, "USD", "the commission's currency")
        expect("Submitted" in statuses(trade) or "PreSubmitted" in statuses(trade), str(statuses(trade)))
        held = await until(lambda: [one for one in ib.positions() if one.position == 2], "a position")
        expect(abs(held[0].avgCost / 5 - trade.orderStatus.avgFillPrice) < 1, f"average cost {held[0].avgCost}")
        await until(lambda: [one for one in ib.portfolio() if one.position == 2], "a portfolio row")
        row = ib.portfolio()[0]
        expect(abs(row.marketValue - row.marketPrice * 5 * 2) < 0.01, repr(row))
        await until(lambda: math.isfinite(pnl.dailyPnL) and math.isfinite(pnl.unrealizedPnL), "profit and loss")
        await until(lambda: single.position == 2 and math.isfinite(single.value), "profit and loss of the position")
        await flat(session, mes)
        await until(lambda: single.position == 0, "a flat position")
        report = await until(
            lambda: [
                one.commissionReport
                for one in ib.fills()
                if one.execution.side == "SLD" and one.commissionReport.execId
            ],
            "the closing commission",
        )
        expect(math.isfinite(report[-1].realizedPNL) and report[-1].realizedPNL < UNSET, "realised profit and loss")
        ib.cancelPnL(ib.managedAccounts()[0])
        ib.cancelPnLSingle(ib.managedAccounts()[0], "", mes.conId)
    with check("a limit order rests, is modified under the same permId, and cancelled with 202"):
        price = market.bid() - 100
        trade = session.place(mes, LimitOrder("BUY", 1, price, tif="GTC", orderRef="resting"))
        await stands(trade, "Submitted")
        perm = trade.orderStatus.permId
        expect(any(one.order.permId == perm for one in await ib.reqOpenOrdersAsync()), "it is no open order")
        trade.order.lmtPrice = price - 1
        trade.order.totalQuantity = 3
        session.place(mes, trade.order)
        await until(lambda: trade.orderStatus.remaining == 3, "the modification")
        same(trade.orderStatus.permId, perm, "permId")
        shown = await seen_afresh(session, trade)
        same((shown.order.lmtPrice, shown.order.totalQuantity, shown.order.tif), (price - 1, 3, "GTC"), "the order")
        same(shown.order.orderRef, "resting", "the reference")
        session.errors.clear()
        ib.cancelOrder(trade.order)
        await ended(trade, "Cancelled")
        await session.error(202, trade.order.orderId)
    with check("a limit order at the market fills at its price or better"):
        trade = session.place(mes, LimitOrder("BUY", 1, market.bid() + 5))
        await ended(trade, "Filled")
        expect(trade.orderStatus.avgFillPrice <= trade.order.lmtPrice, "filled above its limit")
        await flat(session, mes)
    with check("IOC: what can't fill at once is cancelled"):
        order = LimitOrder("BUY", 1, market.bid() - 100, tif="IOC")
        await ended(session.place(mes, order), "Cancelled")


async def triggered_orders(session, mes, market):
    ib = session.ib
    with check("a stop waits as PreSubmitted and fills when the market comes to it"):
        trade = session.place(mes, StopOrder("BUY", 1, market.bid() + 50))
        await stands(trade, "PreSubmitted", "Submitted")
        await until(lambda: trade.orderStatus.whyHeld == "trigger", "whyHeld trigger")
        await market.jump(300)
        await ended(trade, "Filled")
        expect(trade.orderStatus.avgFillPrice >= trade.order.auxPrice, "filled below its trigger")
        await market.jump(-300)
        await flat(session, mes)
    with check("a stop-limit beyond its limit rests at the limit"):
        at = market.bid() + 50
        trade = session.place(mes, StopLimitOrder("BUY", 1, at + 1, at))
        await stands(trade, "PreSubmitted")
        await market.jump(300)
        await until(lambda: trade.orderStatus.status == "Submitted", "the trigger")
        await market.jump(-300)
        await ended(trade, "Filled")
        expect(trade.orderStatus.avgFillPrice <= at + 1, "filled above its limit")
        await flat(session, mes)
    with check("a trailing stop by amount follows and fires"):
        order = Order(action="SELL", totalQuantity=1, orderType="TRAIL", auxPrice=20)
        trade = session.place(mes, order)
        await stands(trade, "PreSubmitted", "Submitted")
        # Up with the market, then down by more than the trail: the stop has moved up.
        await market.jump(200)
        await asyncio.sleep(0.3)
        top = market.bid()
        await market.jump(-100)
        await ended(trade, "Filled")
        expect(trade.orderStatus.avgFillPrice > top - 40, f"filled at {trade.orderStatus.avgFillPrice}, top {top}")
        await market.jump(-100)
        await flat(session, mes)
    with check("a trailing stop by percent, with its first stop price, follows and fires"):
        first = math.floor(market.bid() - 60)
        order = Order(action="SELL", totalQuantity=1, orderType="TRAIL", trailingPercent=1.0, trailStopPrice=first)
        trade = session.place(mes, order)
        await stands(trade, "PreSubmitted", "Submitted")
        shown = await seen_afresh(session, trade)
        same((shown.order.trailingPercent, shown.order.trailStopPrice), (1.0, first), "what the order shows")
        await market.jump(-300)
        await ended(trade, "Filled")
        expect(trade.orderStatus.avgFillPrice <= first, "filled above its trigger")
        await market.jump(300)
        await flat(session, mes)
    with check("a good-till-date order is taken, shown with its date, and cancelled when its time comes"):
        now = await ib.reqCurrentTimeAsync()
        local = now.astimezone(__import__("zoneinfo").ZoneInfo("US/Central"))
        till = local + __import__("datetime").timedelta(seconds=40)
        text = f"{till:%Y%m%d %H:%M:%S} US/Central"
        trade = session.place(mes, LimitOrder("BUY", 1, market.bid() - 100, tif="GTD", goodTillDate=text))
        await stands(trade, "Submitted")
        shown = await seen_afresh(session, trade)
        same((shown.order.tif, shown.order.goodTillDate), ("GTD", text), "what the order shows")
        await ended(trade, "Cancelled")


async def families(session, mes, market):
    ib = session.ib
    with check("a bracket waits for its last leg, then works; the target's fill cancels the stop"):
        price = market.bid() + 2
        parent, target, stop = ib.bracketOrder("BUY", 1, price, price + 30, price - 30)
        trades = [session.place(mes, leg) for leg in (parent, target)]
        await asyncio.sleep(0.3)
        same(trades[0].filled(), 0, "what the parent filled before the last leg")
        trades.append(session.place(mes, stop))
        await ended(trades[0], "Filled")
        await stands(trades[1], "Submitted")
        await stands(trades[2], "PreSubmitted", "Submitted")
        groups = {(await seen_afresh(session, trade)).order.ocaGroup for trade in trades[1:]}
        expect(len(groups) == 1 and groups != {""}, f"the children's groups are {groups}")
        session.errors.clear()
        await market.jump(200)
        await ended(trades[1], "Filled")
        await ended(trades[2], "Cancelled")
        await session.error(202, stop.orderId)
        await market.jump(-200)
        await until(lambda: not [one for one in ib.positions() if one.position], "a flat position")
    with check("children wait with whyHeld child; cancelling the parent cancels them"):
        price = market.bid() - 100
        legs = ib.bracketOrder("BUY", 1, price, price + 30, price - 30)
        trades = [session.place(mes, leg) for leg in legs]
        await stands(trades[0], "Submitted")
        await stands(trades[1], "PreSubmitted")
        same([trade.orderStatus.whyHeld for trade in trades[1:]], ["child", "child"], "why they are held")
        ib.cancelOrder(legs[0])
        for trade in trades:
            await ended(trade, "Cancelled")
    with check("one order of an OCA group fills, the other is cancelled"):
        bid = market.bid()
        orders = ib.oneCancelsAll(
            [LimitOrder("BUY", 1, bid - 50), LimitOrder("SELL", 1, bid + 150)], f"group-{session.ib.client.getReqId()}", 1
        )
        trades = [session.place(mes, order) for order in orders]
        for trade in trades:
            await stands(trade, "Submitted")
        session.errors.clear()
        await market.jump(-300)
        await ended(trades[0], "Filled")
        await ended(trades[1], "Cancelled")
        await session.error(202, orders[1].orderId)
        await market.jump(300)
        await flat(session, mes)
    with check("a group's name is not used again once a member has filled"):
        session.errors.clear()
        again = session.place(mes, LimitOrder("BUY", 1, market.bid() - 100, ocaGroup=orders[0].ocaGroup, ocaType=1))
        await ended(again, "Cancelled")
        await session.error(201, again.order.orderId)


async def refusals(session, mes, other, market):
    ib = session.ib

    async def refused(what, code, order, contract=mes, statuses_=("Cancelled", "Inactive")):
        with check(f"{what}: {code}"):
            session.errors.clear()
            trade = session.place(contract, order)
            req_id, _, text = await session.error(code, order.orderId)
            expect(text, "no text")
            await until(lambda: trade.orderStatus.status in statuses_, f"one of {statuses_}")

    bid = market.bid()
    await refused("a price off the grid", 110, LimitOrder("BUY", 1, bid - 100.1))
    await refused("a stop price off the grid", 110, StopOrder("BUY", 1, bid + 100.1))
    await refused("an order for an unknown contract", 200, LimitOrder("BUY", 1, bid), Future("NOSUCH", "202603", "CME"))
    await refused("more than the account can carry", 201, MarketOrder("BUY", 500), statuses_=("Inactive",))
    await refused("an order for a month without a market", 201, LimitOrder("BUY", 1, bid), other)
    await refused("a type that is not offered here", 387, Order(action="BUY", totalQuantity=1, orderType="MIT", auxPrice=bid - 100))
    await refused("a lifetime that does not exist", 10052, LimitOrder("BUY", 1, bid - 100, tif="XYZ"))
    await refused("an unknown parent", 10006, LimitOrder("BUY", 1, bid - 100, parentId=987_654))
    await refused("an account that is not ours", 321, LimitOrder("BUY", 1, bid - 100, account="DU0000001"), statuses_=("Cancelled", "Inactive", "PendingSubmit", "ValidationError"))
    with check("an order id that was used already: 103"):
        session.errors.clear()
        order = LimitOrder("BUY", 1, bid - 100)
        order.orderId = 1
        ib.client.placeOrder(1, mes, order)
        await session.error(103, 1)
    with check("an order of nothing: 434"):
        session.errors.clear()
        order_id = ib.client.getReqId()
        ib.client.placeOrder(order_id, mes, LimitOrder("BUY", 0, bid - 100))
        await session.error(434, order_id)
    with check("a filled order can't be modified: 104"):
        trade = session.place(mes, MarketOrder("BUY", 1))
        await ended(trade, "Filled")
        session.errors.clear()
        ib.client.placeOrder(trade.order.orderId, mes, MarketOrder("BUY", 2))
        await session.error(104, trade.order.orderId)
        with check("a filled order can't be cancelled: 10148"):
            ib.client.cancelOrder(trade.order.orderId, "")
            await session.error(10148, trade.order.orderId)
        await flat(session, mes)
    with check("another side or type is no modification: 105, 329"):
        trade = session.place(mes, LimitOrder("BUY", 1, market.bid() - 100))
        await stands(trade, "Submitted")
        session.errors.clear()
        ib.client.placeOrder(trade.order.orderId, mes, LimitOrder("SELL", 1, market.bid() + 100))
        await session.error(105, trade.order.orderId)
        ib.client.placeOrder(trade.order.orderId, mes, StopOrder("BUY", 1, market.bid() + 100))
        await session.error(329, trade.order.orderId)
        same(len([one for one in await ib.reqAllOpenOrdersAsync() if one.order.permId == trade.orderStatus.permId]), 1, "open")
        ib.cancelOrder(trade.order)
        await ended(trade, "Cancelled")
    with check("cancelling an order that never was: 10147"):
        session.errors.clear()
        ib.client.cancelOrder(876_543, "")
        await session.error(10147, 876_543)
    with check("a what-if order must transmit: 413"):
        session.errors.clear()
        order = MarketOrder("BUY", 1, whatIf=True, transmit=False)
        order_id = ib.client.getReqId()
        ib.client.placeOrder(order_id, mes, order)
        await session.error(413, order_id)
    with check("a duplicate market-data id: 102, and an unsupported request is answered, not left hanging"):
        session.errors.clear()
        ib.client.reqMktData(555_001, mes, "", False, False, [])
        ib.client.reqMktData(555_001, mes, "", False, False, [])
        await session.error(102, 555_001)
        ib.client.cancelMktData(555_001)
        ib.client.reqMktDepth(555_002, mes, 5, False, [])
        await session.error(321, 555_002)


async def records(session, mes):
    ib = session.ib
    with check("executions: all of them, and by side"):
        # A client links commissions to the executions that it heard of first: one that has heard of none asks.
        other = await Session(session.port, 55).connect()
        fills = other.ib.fills()
        other.ib.disconnect()
        expect(len(fills) >= 4, f"{len(fills)} fills")
        expect(all(fill.commissionReport.execId == fill.execution.execId for fill in fills), "a commission is missing")
        same(len({fill.execution.execId for fill in fills}), len(fills), "distinct execution ids")
        sold = await ib.reqExecutionsAsync(ExecutionFilter(side="SELL"))
        same({fill.execution.side for fill in sold}, {"SLD"}, "the sides")
        same(await ib.reqExecutionsAsync(ExecutionFilter(symbol="ES")), [], "executions of ES")
        expect(all(fill.execution.time.tzinfo for fill in fills), "a time without zone")
    with check("completed orders: filled and cancelled ones with their end"):
        done = await ib.reqCompletedOrdersAsync(False)
        states = {trade.orderStatus.status for trade in done}
        expect({"Filled", "Cancelled"} <= states, str(states))
        expect(all(trade.contract.conId == mes.conId for trade in done), "another contract")
    with check("no open order is left"):
        same(await ib.reqAllOpenOrdersAsync(), [], "open orders")


async def clients(session, port, master_id, mes, market):
    ib = session.ib
    others = []
    try:
        with check("several clients at once"):
            second = await Session(port, 7).connect()
            master = await Session(port, master_id).connect()
            zero = await Session(port, 0).connect()
            others = [second, master, zero]
        with check("a client id that is in use: 326, and the holder stays connected"):
            intruder = Session(port, 7)
            try:
                await intruder.ib.connectAsync("127.0.0.1", port, clientId=7, timeout=1)
            except (ConnectionError, asyncio.TimeoutError, OSError):
                pass
            expect(not intruder.ib.isConnected(), "it was let in")
            expect(any(code == 326 for _, code, _ in intruder.errors), f"told {intruder.errors}")
            expect((await second.ib.reqCurrentTimeAsync()).year > 2000, "the holder was thrown out")
        with check("only the placing client and the master hear of an order; everybody hears of the position"):
            heard = {one.client_id: [] for one in (session, second, zero)}
            for one in (session, second, zero):
                one.ib.openOrderEvent += lambda trade, to=heard[one.client_id]: to.append(trade.order.orderRef)
            at_master = []
            master.ib.openOrderEvent += lambda trade: at_master.append(trade.order.orderRef)
            trade = second.place(mes, MarketOrder("BUY", 1, orderRef="of the second"))
            await ended(trade, "Filled")
            await until(lambda: "of the second" in at_master, "the master hearing of it")
            await until(lambda: [one for one in ib.positions() if one.position == 1], "the position at another client")
            expect("of the second" in heard[7], "its own client did not hear of it")
            expect("of the second" not in heard[session.client_id] + heard[0], "another client heard of it")
            expect(all(fill.execution.clientId == 7 for fill in trade.fills), "the client's id in the execution")
            await flat(second, mes)
        with check("open orders are one's own; all open orders are everybody's; others' can't be cancelled"):
            mine = second.place(mes, LimitOrder("BUY", 1, market.bid() - 100))
            await stands(mine, "Submitted")
            same(await ib.reqOpenOrdersAsync(), [], "open orders of the first client")
            same(len(await ib.reqAllOpenOrdersAsync()), 1, "all open orders")
            session.errors.clear()
            ib.client.cancelOrder(mine.order.orderId, "")
            await until(lambda: [one for one in session.errors if one[1] in (10147, 10148)], "a refusal")
            same(len(await ib.reqAllOpenOrdersAsync()), 1, "all open orders")
        with check("client 0 hears of orders placed by hand; only it may bind them: 327"):
            by_hand = []
            zero.ib.openOrderEvent += lambda trade: by_hand.append(trade)
            market.fault(fault="order_by_hand", action="BUY", quantity=1, limitPrice=market.bid() - 120)
            await until(lambda: by_hand, "the order at client 0")
            session.errors.clear()
            ib.client.reqAutoOpenOrders(True)
            await session.error(327)
        with check("a client that comes back finds its open orders"):
            second.ib.disconnect()
            second = await Session(port, 7).connect()
            others[0] = second
            (trade,) = second.ib.openTrades()
            same(trade.orderStatus.status, "Submitted", "the status")
        with check("a global cancel ends everybody's orders"):
            ib.reqGlobalCancel()
            await until(lambda: not market.state()["orders"], "the end of all orders")
            await until(lambda: not second.ib.openTrades(), "the second client hearing of it")
    finally:
        for one in others:
            one.ib.disconnect()


async def closed_market(port):
    session = await Session(port, 1).connect()
    try:
        (mes,) = await session.ib.qualifyContractsAsync(ContFuture("MES", "CME"))
        mes = Contract(conId=mes.conId, exchange="CME")
        with check("market closed: a market order is held with warning 399, and can be cancelled"):
            trade = session.place(mes, MarketOrder("BUY", 1))
            _, _, text = await session.error(399, trade.order.orderId)
            expect("will not be placed at the exchange until" in text, text)
            await stands(trade, "PreSubmitted")
            session.ib.cancelOrder(trade.order)
            await ended(trade, "Cancelled")
        with check("market closed: no quote, history as ever"):
            ticker = session.ib.reqMktData(mes)
            await until(lambda: math.isfinite(ticker.close), "a close")
            expect(not (ticker.bid > 0), f"bid {ticker.bid}")
            expect(await session.ib.reqHistoricalDataAsync(mes, "", "2 D", "1 hour", "TRADES", False), "no bars")
    finally:
        session.ib.disconnect()


async def delayed_data(port, url):
    session = await Session(port, 1).connect()
    try:
        (mes,) = await session.ib.qualifyContractsAsync(ContFuture("MES", "CME"))
        mes = Contract(conId=mes.conId, exchange="CME")
        with check("an account without a subscription: 10168, and delayed data on request with 10167"):
            session.ib.reqMktData(mes)
            await session.error(10168)
            session.ib.cancelMktData(mes)
            session.ib.reqMarketDataType(3)
            ticker = session.ib.reqMktData(mes)
            await session.error(10167)
            # Over a quarter of an hour of the market in a second.
            same(post(f"{url}/simulate/market", {"speed": 1000}).get("done"), True, "the speed")
            await until(lambda: ticker.bid > 0 and ticker.ask > 0 and ticker.last > 0, "delayed prices")
            same(ticker.marketDataType, 3, "the type")
            post(f"{url}/simulate/market", {"speed": 1})
        with check("an account without a subscription: no single ticks (10189) and no history (162)"):
            session.ib.reqTickByTickData(mes, "Last")
            await session.error(10189)
            same(await session.ib.reqHistoricalDataAsync(mes, "", "300 S", "1 min", "TRADES", False), [], "bars")
            await session.error(162)
    finally:
        session.ib.disconnect()


async def main(port, url, master_id, closed_port, delayed_port, delayed_url):
    market = Market(url)
    session = Session(port, 1)
    with check("connects and synchronises at server version 178"):
        await session.connect()
        same(session.ib.client.serverVersion(), 178, "the version")
        expect(session.ib.managedAccounts()[0].startswith("DU"), "no paper account")
        for code in (2104, 2106, 2158):
            await session.error(code)
    (mes,) = await session.ib.qualifyContractsAsync(ContFuture("MES", "CME"))
    cont = ContFuture(conId=mes.conId, symbol="MES", exchange="CME", currency="USD")
    months = await session.ib.reqContractDetailsAsync(Future("MES", exchange="CME"))
    mes, other = months[0].contract, months[1].contract
    await contracts(session)
    await market_data(session, mes, other)
    await history(session, mes, cont)
    await account(session)
    await simple_orders(session, mes, market)
    await triggered_orders(session, mes, market)
    await families(session, mes, market)
    await refusals(session, mes, other, market)
    await records(session, mes)
    await clients(session, port, master_id, mes, market)
    session.ib.disconnect()
    await closed_market(closed_port)
    await delayed_data(delayed_port, delayed_url)
    checks.end()


if __name__ == "__main__":
    logging.getLogger("ib_async").setLevel(logging.CRITICAL)
    _, port, url, master_id, closed_port, delayed_port, delayed_url = sys.argv
    asyncio.run(main(int(port), url, int(master_id), int(closed_port), int(delayed_port), delayed_url))
