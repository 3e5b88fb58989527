"""Drives the simulated IB Gateway with the vendor's own client: `ibapi` of 2020 at server version 157, and today's at 178.

usage: gateway_ibapi.py PORT CONTROL_URL MASTER_CLIENT_ID CLOSED_PORT
"""

import inspect
import logging
import sys
import threading
import time

import ibapi
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.wrapper import EWrapper

from report import Checks, expect, get, post, same, until_blocking

try:
    from ibapi.order_cancel import OrderCancel
except ImportError:
    OrderCancel = None

IS_OLD = OrderCancel is None
SERVER_VERSION = 157 if IS_OLD else 178
UNSET = 1.7e308
PRODUCTS = {"MES": "CME", "ES": "CME", "MNQ": "CME", "NQ": "CME", "M2K": "CME", "RTY": "CME", "MYM": "CBOT", "YM": "CBOT"}
TICKS = {"MES": 0.25, "ES": 0.25, "MNQ": 0.25, "NQ": 0.25, "M2K": 0.1, "RTY": 0.1, "MYM": 1.0, "YM": 1.0}

checks = Checks(f"ibapi {ibapi.get_version_string()}")
check = checks.check


class Client(EWrapper, EClient):
    """A client that writes down every callback with its arguments."""

    def __init__(self, port, client_id):
        EClient.__init__(self, self)
        self.port, self.client_id = port, client_id
        self.told = []
        self.next_id = 0

    def start(self):
        self.connect("127.0.0.1", self.port, self.client_id)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()
        self.next_id = self.wait("nextValidId")[0]
        return self

    def stop(self):
        self.disconnect()
        self.thread.join(5)

    def id(self):
        self.next_id += 1
        return self.next_id - 1

    def all(self, name, claim=lambda *_: True):
        """Returns the arguments of every callback of a name that the claim accepts."""
        return [args for told, args in list(self.told) if told == name and claim(*args)]

    def wait(self, name, claim=lambda *_: True, what=None):
        """Waits for a callback and returns its latest arguments."""
        return until_blocking(lambda: self.all(name, claim), what or name)[-1]

    def errors(self, req_id, code):
        # Today's client is told the time of an error as well.
        at = 1 if IS_OLD else 2
        return [args for args in self.all("error") if args[0] == req_id and args[at] == code]

    def wait_error(self, req_id, code):
        return until_blocking(lambda: self.errors(req_id, code), f"error {code} of {req_id}")[-1]

    def place(self, contract, order, order_id=None):
        order_id = self.id() if order_id is None else order_id
        self.placeOrder(order_id, contract, order)
        return order_id

    def cancel(self, order_id):
        if IS_OLD:
            self.cancelOrder(order_id)
        else:
            self.cancelOrder(order_id, OrderCancel())

    def cancel_all(self):
        if IS_OLD:
            self.reqGlobalCancel()
        else:
            self.reqGlobalCancel(OrderCancel())

    def status(self, order_id):
        told = self.all("orderStatus", lambda one, *_: one == order_id)
        return told[-1] if told else None

    def ended(self, order_id, status):
        until_blocking(
            lambda: self.status(order_id) and self.status(order_id)[1] in ("Filled", "Cancelled", "Inactive"),
            f"the end of order {order_id}",
        )
        same(self.status(order_id)[1], status, "the last status")
        return self.status(order_id)

    def stands(self, order_id, *statuses):
        until_blocking(
            lambda: self.status(order_id) and self.status(order_id)[1] in statuses, f"one of {statuses}: {order_id}"
        )
        return self.status(order_id)


def recorder(name):
    def record(self, *args):
        self.told.append((name, args))

    return record


for callback, _ in inspect.getmembers(EWrapper, inspect.isfunction):
    if not callback.startswith("_") and callback not in ("logAnswer",):
        setattr(Client, callback, recorder(callback))


def future(symbol="MES", month="", **fields):
    contract = Contract()
    contract.symbol, contract.secType, contract.currency = symbol, "FUT", "USD"
    contract.exchange = PRODUCTS.get(symbol, "CME")
    contract.lastTradeDateOrContractMonth = month
    for name, value in fields.items():
        setattr(contract, name, value)
    return contract


def order(action, quantity, order_type, **fields):
    made = Order()
    made.action, made.totalQuantity, made.orderType, made.tif = action, quantity, order_type, "DAY"
    # The client of 2020 sets these by default, and the broker refuses them today.
    made.eTradeOnly = made.firmQuoteOnly = False
    for name, value in fields.items():
        setattr(made, name, value)
    return made


class Market:
    def __init__(self, url):
        self.url = url

    def bid(self):
        return get(f"{self.url}/simulate/state")["book"]["bidTicks"] * 0.25

    def jump(self, ticks):
        before = get(f"{self.url}/simulate/state")["book"]["lastTicks"]
        same(post(f"{self.url}/simulate/market", {"jumpTicks": ticks}).get("done"), True, "the jump")
        until_blocking(
            lambda: abs(get(f"{self.url}/simulate/state")["book"]["lastTicks"] - before - ticks) < abs(ticks) / 2,
            "a trade there",
        )


def contracts(client):
    for symbol in PRODUCTS:
        with check(f"contract details of {symbol}"):
            req_id = client.id()
            client.reqContractDetails(req_id, future(symbol))
            client.wait("contractDetailsEnd", lambda one: one == req_id)
            found = [details for one, details in client.all("contractDetails", lambda one, _: one == req_id)]
            expect(len(found) >= 4, f"{len(found)} months")
            for details in found:
                same(details.minTick, TICKS[symbol], "the tick")
                same(details.contract.exchange, PRODUCTS[symbol], "the exchange")
                expect(details.contract.conId > 0 and details.tradingHours and details.liquidHours, "a field is missing")
                expect(details.contractMonth[4:] in ("03", "06", "09", "12"), details.contractMonth)
                same(details.realExpirationDate[:6], details.contractMonth, "the month it really expires in")
    with check("an unknown contract is error 200"):
        req_id = client.id()
        client.reqContractDetails(req_id, future("NOSUCH"))
        client.wait_error(req_id, 200)


def market_data(client, mes):
    with check("market data: bid, ask, last, sizes, volume, time of the last trade"):
        req_id = client.id()
        client.reqMarketDataType(1)
        client.reqMktData(req_id, mes, "", False, False, [])
        prices = lambda kind: client.all("tickPrice", lambda one, tick, *_: one == req_id and tick == kind)
        for kind in (1, 2, 4, 6, 7, 9):
            until_blocking(lambda: prices(kind), f"tick {kind}")
        expect(prices(1)[-1][2] < prices(2)[-1][2], "bid is not below ask")
        for kind in (0, 3, 5, 8):
            client.wait("tickSize", lambda one, tick, size: one == req_id and tick == kind and size > 0)
        client.wait("tickString", lambda one, tick, text: one == req_id and tick == 45 and int(text) > 1_700_000_000)
        same(client.wait("marketDataType", lambda one, _: one == req_id)[1], 1, "the type of data")
        same(client.wait("tickReqParams", lambda one, *_: one == req_id)[1], 0.25, "the tick")
        client.cancelMktData(req_id)
    with check("a snapshot ends"):
        req_id = client.id()
        client.reqMktData(req_id, mes, "", True, False, [])
        client.wait("tickSnapshotEnd", lambda one: one == req_id)
    for kind, callback in (("Last", "tickByTickAllLast"), ("AllLast", "tickByTickAllLast"), ("BidAsk", "tickByTickBidAsk"), ("MidPoint", "tickByTickMidPoint")):
        with check(f"tick-by-tick {kind}"):
            req_id = client.id()
            client.reqTickByTickData(req_id, mes, kind, 0, False)
            client.wait(callback, lambda one, *_: one == req_id)
            client.cancelTickByTickData(req_id)
    with check("five-second bars"):
        req_id = client.id()
        client.reqRealTimeBars(req_id, mes, 5, "TRADES", False, [])
        bars = until_blocking(
            lambda: (lambda told: told if len(told) >= 2 else None)(client.all("realtimeBar", lambda one, *_: one == req_id)),
            "two bars",
        )
        same((bars[0][1] % 5, bars[1][1] - bars[0][1]), (0, 5), "the times of bars")
        client.cancelRealTimeBars(req_id)


def history(client, mes):
    for shown in ("TRADES", "BID", "ASK", "MIDPOINT"):
        with check(f"historical bars of {shown}, kept up to date"):
            req_id = client.id()
            client.reqHistoricalData(req_id, mes, "", "1800 S", "1 min", shown, 0, 1, False, [])
            client.wait("historicalDataEnd", lambda one, *_: one == req_id)
            bars = [bar for _, bar in client.all("historicalData", lambda one, _: one == req_id)]
            expect(len(bars) >= 25, f"{len(bars)} bars")
            expect(all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars), "a bar")
            req_id = client.id()
            client.reqHistoricalData(req_id, mes, "", "300 S", "5 secs", shown, 0, 2, True, [])
            client.wait("historicalDataEnd", lambda one, *_: one == req_id)
            client.wait("historicalDataUpdate", lambda one, bar: one == req_id and int(bar.date) > 1_700_000_000)
            client.cancelHistoricalData(req_id)
    for shown, callback in (("TRADES", "historicalTicksLast"), ("BID_ASK", "historicalTicksBidAsk"), ("MIDPOINT", "historicalTicks")):
        with check(f"historical ticks of {shown}"):
            req_id = client.id()
            client.reqHistoricalTicks(req_id, mes, "", "20991231 23:59:59 UTC", 20, shown, 0, True, [])
            _, ticks, done = client.wait(callback, lambda one, *_: one == req_id)
            same((len(ticks), done), (20, True), "ticks and whether they are all")
    with check("head timestamp, market rule, current time"):
        req_id = client.id()
        client.reqHeadTimeStamp(req_id, mes, "TRADES", 0, 1)
        client.wait("headTimestamp", lambda one, _: one == req_id)
        client.reqMarketRule(67)
        same(client.wait("marketRule", lambda one, _: one == 67)[1][0].increment, 0.25, "the increment")
        client.reqCurrentTime()
        client.wait("currentTime")


def account(client):
    with check("account summary, positions, account updates, profit and loss"):
        name = client.wait("managedAccounts")[0]
        req_id = client.id()
        client.reqAccountSummary(req_id, "All", "NetLiquidation,InitMarginReq")
        client.wait("accountSummaryEnd", lambda one: one == req_id)
        same({row[2] for row in client.all("accountSummary", lambda one, *_: one == req_id)}, {"NetLiquidation", "InitMarginReq"}, "the tags")
        client.cancelAccountSummary(req_id)
        client.reqPositions()
        client.wait("positionEnd")
        client.reqAccountUpdates(True, name)
        client.wait("accountDownloadEnd", lambda one: one == name)
        expect(client.all("updateAccountValue", lambda key, *_: key == "NetLiquidation"), "no net liquidation")
        for single in (False, True):
            req_id = client.id()
            client.reqAccountUpdatesMulti(req_id, name, "", single)
            client.wait("accountUpdateMultiEnd", lambda one: one == req_id)
        req_id = client.id()
        client.reqPositionsMulti(req_id, name, "")
        client.wait("positionMultiEnd", lambda one: one == req_id)
        client.cancelPositionsMulti(req_id)
        client.reqManagedAccts()
        until_blocking(lambda: len(client.all("managedAccounts")) >= 2, "the accounts again")
        before = len(client.all("nextValidId"))
        client.reqIds(-1)
        until_blocking(lambda: len(client.all("nextValidId")) > before, "the next order id again")
        req_id = client.id()
        client.reqPnL(req_id, name, "")
        client.wait("pnl", lambda one, *_: one == req_id)
        client.cancelPnL(req_id)


def orders(client, mes, market):
    with check("a what-if order tells margin and commission"):
        order_id = client.place(mes, order("BUY", 1, "MKT", whatIf=True))
        _, _, _, state = client.wait("openOrder", lambda one, *_: one == order_id)
        expect(0 < float(state.initMarginChange) < UNSET, f"margin {state.initMarginChange}")
        cost = state.commission if IS_OLD else state.commissionAndFees
        expect(0 < float(cost) < 10, f"commission {cost}")
    with check("a market order fills: openOrder before its first status, execution, commission, position"):
        order_id = client.place(mes, order("BUY", 2, "MKT", orderRef="by ibapi"))
        ended = client.ended(order_id, "Filled")
        same((float(ended[2]), float(ended[3])), (2.0, 0.0), "filled and remaining")
        names = [name for name, args in client.told if name in ("openOrder", "orderStatus") and args[0] == order_id]
        same(names[0], "openOrder", "what came first")
        fills = client.all("execDetails", lambda _, __, execution: execution.orderId == order_id)
        same(sum(float(execution.shares) for _, _, execution in fills), 2.0, "executed")
        execution = fills[-1][2]
        same((execution.side, execution.orderRef, execution.clientId), ("BOT", "by ibapi", client.client_id), "the execution")
        report = "commissionReport" if IS_OLD else "commissionAndFeesReport"
        client.wait(report, lambda one: one.execId == execution.execId)
        client.wait("position", lambda _, contract, held, __: contract.conId == mes.conId and float(held) == 2.0)
        client.wait("updatePortfolio", lambda contract, held, *_: float(held) == 2.0)
        client.ended(client.place(mes, order("SELL", 2, "MKT")), "Filled")
        client.wait("position", lambda _, contract, held, __: contract.conId == mes.conId and float(held) == 0.0)
    with check("a limit order rests, is modified under the same permId, and cancelled with 202"):
        price = market.bid() - 100
        order_id = client.place(mes, order("BUY", 1, "LMT", lmtPrice=price, tif="GTC"))
        perm = client.stands(order_id, "Submitted")[5]
        client.place(mes, order("BUY", 3, "LMT", lmtPrice=price - 1, tif="GTC"), order_id)
        client.wait("openOrder", lambda one, _, shown, __: one == order_id and float(shown.totalQuantity) == 3.0)
        shown = client.all("openOrder", lambda one, *_: one == order_id)[-1][2]
        same((shown.lmtPrice, shown.permId, shown.tif), (price - 1, perm, "GTC"), "the modified order")
        client.cancel(order_id)
        client.ended(order_id, "Cancelled")
        client.wait_error(order_id, 202)
    with check("stop, stop-limit and trailing stop wait as PreSubmitted, and the stop fires"):
        bid = market.bid()
        stop = client.place(mes, order("BUY", 1, "STP", auxPrice=bid + 50))
        stop_limit = client.place(mes, order("SELL", 1, "STP LMT", auxPrice=bid - 200, lmtPrice=bid - 201))
        trail = client.place(mes, order("SELL", 1, "TRAIL", auxPrice=150, trailStopPrice=bid - 180))
        for order_id in (stop, stop_limit, trail):
            client.stands(order_id, "PreSubmitted")
        shown = client.all("openOrder", lambda one, *_: one == trail)[-1][2]
        same((shown.auxPrice, shown.trailStopPrice), (150.0, bid - 180), "the trail")
        market.jump(300)
        client.ended(stop, "Filled")
        for order_id in (stop_limit, trail):
            client.cancel(order_id)
            client.ended(order_id, "Cancelled")
        market.jump(-300)
        client.ended(client.place(mes, order("SELL", 1, "MKT")), "Filled")
    with check("a bracket by transmit flags: the target's fill cancels the stop"):
        price = market.bid() + 2
        parent = client.place(mes, order("BUY", 1, "LMT", lmtPrice=price, transmit=False))
        target = client.place(mes, order("SELL", 1, "LMT", lmtPrice=price + 30, parentId=parent, transmit=False))
        time.sleep(0.2)
        expect(client.status(parent) is None or client.status(parent)[1] == "PreSubmitted", "it worked before its last leg")
        stop = client.place(mes, order("SELL", 1, "STP", auxPrice=price - 30, parentId=parent))
        client.ended(parent, "Filled")
        client.stands(target, "Submitted")
        market.jump(200)
        client.ended(target, "Filled")
        client.ended(stop, "Cancelled")
        market.jump(-200)
    with check("an OCA group: one fills, the other is cancelled"):
        bid = market.bid()
        group = f"ibapi {client.next_id}"
        low = client.place(mes, order("BUY", 1, "LMT", lmtPrice=bid - 50, ocaGroup=group, ocaType=1))
        high = client.place(mes, order("SELL", 1, "LMT", lmtPrice=bid + 150, ocaGroup=group, ocaType=1))
        client.stands(low, "Submitted")
        client.stands(high, "Submitted")
        market.jump(-300)
        client.ended(low, "Filled")
        client.ended(high, "Cancelled")
        market.jump(300)
        client.ended(client.place(mes, order("SELL", 1, "MKT")), "Filled")


def refusals(client, mes, market):
    bid = market.bid()
    for what, code, contract, wrong in (
        ("a price off the grid", 110, mes, order("BUY", 1, "LMT", lmtPrice=bid - 100.1)),
        ("an unknown contract", 200, future("NOSUCH", "202603"), order("BUY", 1, "MKT")),
        ("more than the account can carry", 201, mes, order("BUY", 500, "MKT")),
        ("an order of nothing", 434, mes, order("BUY", 0, "MKT")),
        ("an order type that is not offered", 387, mes, order("BUY", 1, "LIT", lmtPrice=bid, auxPrice=bid)),
        ("an unknown parent", 10006, mes, order("BUY", 1, "LMT", lmtPrice=bid - 100, parentId=987_654)),
    ):
        with check(f"{what}: {code}"):
            order_id = client.place(contract, wrong)
            client.wait_error(order_id, code)
    with check("duplicate id 103, filled order 104, unknown order 10147"):
        order_id = client.place(mes, order("BUY", 1, "MKT"))
        client.ended(order_id, "Filled")
        client.place(mes, order("BUY", 2, "MKT"), order_id)
        client.wait_error(order_id, 104)
        cancelled = client.place(mes, order("BUY", 1, "LMT", lmtPrice=bid - 100))
        client.stands(cancelled, "Submitted")
        client.cancel(cancelled)
        client.ended(cancelled, "Cancelled")
        client.place(mes, order("BUY", 1, "LMT", lmtPrice=bid - 100), cancelled)
        client.wait_error(cancelled, 103)
        client.cancel(987_654)
        client.wait_error(987_654, 10147)
        client.ended(client.place(mes, order("SELL", 1, "MKT")), "Filled")


def records(client, mes):
    with check("executions with their end"):
        req_id = client.id()
        client.reqExecutions(req_id, ExecutionFilter())
        client.wait("execDetailsEnd", lambda one: one == req_id)
        expect(len(client.all("execDetails", lambda one, *_: one == req_id)) >= 4, "executions are missing")
    with check("profit and loss of one contract"):
        req_id = client.id()
        client.reqPnLSingle(req_id, client.wait("managedAccounts")[0], "", mes.conId)
        same(float(client.wait("pnlSingle", lambda one, *_: one == req_id)[1]), 0.0, "the position")
        client.cancelPnLSingle(req_id)
    with check("cancelling history that nobody asked for: 366"):
        client.cancelHistoricalData(987_654)
        client.wait_error(987_654, 366)
    with check("completed orders"):
        client.reqCompletedOrders(False)
        client.wait("completedOrdersEnd")
        states = {state.status for _, _, state in client.all("completedOrder")}
        expect({"Filled", "Cancelled"} <= states, str(states))


def clients(client, port, master_id, mes, market):
    second, master = Client(port, 31), Client(port, master_id)
    with check("a new client begins at order id 1; a taken client id is told 326 and closed"):
        second.start()
        same(second.all("nextValidId")[0][0], 1, "the first order id")
        intruder = Client(port, 31)
        intruder.connect("127.0.0.1", port, 31)
        threading.Thread(target=intruder.run, daemon=True).start()
        intruder.wait_error(-1, 326)
        until_blocking(lambda: not intruder.isConnected(), "the end of its connection")
        second.reqCurrentTime()
        second.wait("currentTime")
    with check("the master hears of another client's order; a global cancel ends it"):
        master.start()
        order_id = second.place(mes, order("BUY", 1, "LMT", lmtPrice=market.bid() - 100, orderRef="for the master"))
        second.stands(order_id, "Submitted")
        master.wait("openOrder", lambda _, __, shown, ___: shown.orderRef == "for the master")
        expect(not client.all("openOrder", lambda _, __, shown, ___: shown.orderRef == "for the master"), "all hear of it")
        client.reqAllOpenOrders()
        client.wait("openOrder", lambda _, __, shown, ___: shown.orderRef == "for the master")
        client.wait("openOrderEnd")
        client.cancel_all()
        second.ended(order_id, "Cancelled")
    second.stop()
    master.stop()


def closed_market(port):
    client = Client(port, 30 + IS_OLD).start()
    with check("market closed: a market order is held with warning 399"):
        req_id = client.id()
        client.reqContractDetails(req_id, future())
        client.wait("contractDetailsEnd")
        mes = client.all("contractDetails")[0][1].contract
        order_id = client.place(mes, order("BUY", 1, "MKT"))
        client.wait_error(order_id, 399)
        client.stands(order_id, "PreSubmitted")
        client.cancel(order_id)
        client.ended(order_id, "Cancelled")
    client.stop()


def main(port, url, master_id, closed_port):
    logging.disable(logging.CRITICAL)
    market = Market(url)
    client = Client(port, 30)
    with check(f"connects at server version {SERVER_VERSION}"):
        client.start()
        same(client.serverVersion(), SERVER_VERSION, "the version")
        until_blocking(lambda: client.errors(-1, 2104), "a farm notice")
    req_id = client.id()
    client.reqContractDetails(req_id, future())
    client.wait("contractDetailsEnd", lambda one: one == req_id)
    mes = client.all("contractDetails")[0][1].contract
    contracts(client)
    market_data(client, mes)
    history(client, mes)
    account(client)
    orders(client, mes, market)
    refusals(client, mes, market)
    records(client, mes)
    clients(client, port, master_id, mes, market)
    with check("every message was understood"):
        same(client.all("error", lambda *args: any(one in (501, 507, 508, 509, 320) for one in args[1:3])), [], "errors")
        expect(client.isConnected(), "the connection is gone")
    client.stop()
    closed_market(closed_port)
    checks.end()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
