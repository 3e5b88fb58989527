// The gateway of the tests keeps the contract that it stands in for.
import { gatewayContract } from "../gateway-contract.ts";
import { inProcess } from "../support/roads.ts";

gatewayContract("the in-process exchange", inProcess);
