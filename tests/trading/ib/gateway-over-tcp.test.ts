// The gateway of production against the simulated one, over TCP.
import { gatewayContract } from "../../gateway-contract.ts";
import { overTcp } from "../../support/roads.ts";

gatewayContract("@stoqey/ib against the simulated gateway", overTcp);
