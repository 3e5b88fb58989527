// Reads placeOrder, field by field, for server versions 157 to 178 (order of fields: protocol note, section 5).
// What the simulated exchange can't do is named, so that the server refuses it instead of trading something else.
import { type ContractQuery, readContract } from "./contract.ts";
import { type FieldReader, readFields } from "./fields.ts";

/** Is an order as a client sends it. Prices are in points; undefined is "not set". */
export type OrderRequest = {
  readonly orderId: number;
  readonly contract: ContractQuery;
  readonly action: string;
  readonly quantity: number;
  readonly orderType: string;
  readonly limitPrice: number | undefined;
  readonly auxPrice: number | undefined;
  readonly tif: string;
  readonly ocaGroup: string;
  readonly ocaType: number;
  readonly account: string;
  readonly orderRef: string;
  readonly transmit: boolean;
  readonly parentId: number;
  readonly outsideRth: boolean;
  readonly goodTillDate: string;
  readonly trailStopPrice: number | undefined;
  readonly trailingPercent: number | undefined;
  readonly whatIf: boolean;
  /** Names what was asked for and can't be had here; empty when all can be. */
  readonly unsupported: readonly string[];
};

/** Returns the order in a placeOrder message. Throws a FieldProblem when a field is missing or not what it must be. */
export function readPlaceOrder(message: readonly string[], serverVersion: number): OrderRequest {
  const fields = readFields(message, 1);
  const unsupported: string[] = [];
  const refuse = (when: boolean, what: string): void => {
    if (when) unsupported.push(what);
  };

  const orderId = fields.integer("orderId");
  const contract = readContract(fields);
  fields.skip(2); // secIdType, secId
  const action = fields.text("action").toUpperCase();
  const quantity = fields.decimalOrUnset("totalQuantity") ?? 0;
  const orderType = fields.text("orderType").toUpperCase();
  const limitPrice = fields.decimalOrUnset("lmtPrice");
  const auxPrice = fields.decimalOrUnset("auxPrice");
  const tif = fields.text("tif").toUpperCase() || "DAY";
  const ocaGroup = fields.text("ocaGroup");
  const account = fields.text("account");
  fields.skip(2); // openClose, origin
  const orderRef = fields.text("orderRef");
  const transmit = fields.flag("transmit");
  const parentId = fields.integer("parentId");
  fields.skip(4); // blockOrder, sweepToFill, displaySize, triggerMethod
  const outsideRth = fields.flag("outsideRth");
  fields.skip(1); // hidden
  const base = {
    orderId,
    contract,
    action,
    quantity,
    orderType,
    limitPrice,
    auxPrice,
    tif,
    ocaGroup,
    account,
    orderRef,
    transmit,
    parentId,
    outsideRth,
  };
  const rest = { ocaType: 0, goodTillDate: "", trailStopPrice: undefined, trailingPercent: undefined, whatIf: false };
  if (contract.secType === "BAG") return { ...base, ...rest, unsupported: ["combination orders (BAG)"] };

  fields.skip(2); // sharesAllocation, discretionaryAmt
  refuse(fields.text("goodAfterTime") !== "", "goodAfterTime");
  const goodTillDate = fields.text("goodTillDate");
  fields.skip(3 + (serverVersion < 177 ? 1 : 0)); // faGroup, faMethod, faPercentage, faProfile
  fields.skip(4); // modelCode, shortSaleSlot, designatedLocation, exemptCode
  const ocaType = fields.integer("ocaType");
  fields.skip(2); // rule80A, settlingFirm
  refuse(fields.flag("allOrNone"), "allOrNone");
  refuse((fields.integerOrUnset("minQty") ?? 0) > 0, "minQty");
  fields.skip(10); // percentOffset … stockRangeUpper
  fields.skip(3); // overridePercentageConstraints, volatility, volatilityType
  const deltaNeutralOrderType = fields.text("deltaNeutralOrderType");
  fields.skip(1); // deltaNeutralAuxPrice
  const hasDeltaNeutral = deltaNeutralOrderType !== "" && deltaNeutralOrderType.toUpperCase() !== "NONE";
  refuse(hasDeltaNeutral, "delta-neutral orders");
  if (deltaNeutralOrderType !== "") fields.skip(8);
  fields.skip(2); // continuousUpdate, referencePriceType
  const trailStopPrice = fields.decimalOrUnset("trailStopPrice");
  const trailingPercent = fields.decimalOrUnset("trailingPercent");
  fields.skip(2); // scaleInitLevelSize, scaleSubsLevelSize
  const scalePriceIncrement = fields.decimalOrUnset("scalePriceIncrement");
  if (scalePriceIncrement !== undefined && scalePriceIncrement > 0) {
    refuse(true, "scale orders");
    fields.skip(7);
  }
  fields.skip(3); // scaleTable, activeStartTime, activeStopTime
  const hedgeType = fields.text("hedgeType");
  refuse(hedgeType !== "", "hedge orders");
  if (hedgeType !== "") fields.skip(1);
  fields.skip(4); // optOutSmartRouting, clearingAccount, clearingIntent, notHeld
  if (fields.flag("deltaNeutralContract")) {
    refuse(!hasDeltaNeutral, "delta-neutral contracts");
    fields.skip(3);
  }
  const algoStrategy = fields.text("algoStrategy");
  refuse(algoStrategy !== "", "algorithmic orders");
  if (algoStrategy !== "") fields.skip(2 * fields.integer("algoParamsCount"));
  fields.skip(1); // algoId
  const whatIf = fields.flag("whatIf");
  fields.skip(4); // orderMiscOptions, solicited, randomizeSize, randomizePrice
  readConditions(fields, orderType, refuse);
  return { ...base, ocaType, goodTillDate, trailStopPrice, trailingPercent, whatIf, unsupported };
}

/** What follows the conditions (adjusted stops, soft dollars, MiFID, ATS) has no meaning for a future here. */
function readConditions(fields: FieldReader, orderType: string, refuse: (when: boolean, what: string) => void): void {
  if (orderType.startsWith("PEG")) {
    refuse(true, "pegged orders");
    return;
  }
  refuse(fields.integer("conditionsCount") > 0, "conditions");
}
