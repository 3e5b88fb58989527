// getUpdates and the webhook methods: this server delivers by polling only.
import { badRequest } from "../refusal.ts";
import { POLL_TIMEOUT_SECONDS_MAX, POLL_UPDATES_MAX } from "../update-queue.ts";
import type { Call, Method } from "./call.ts";

export const getUpdates: Method = async ({ account, parameters, signal }) => ({
  result: await account.updates.poll(
    {
      offset: parameters.integer("offset", 0),
      limit: parameters.integer("limit", POLL_UPDATES_MAX, 1, POLL_UPDATES_MAX),
      timeoutSeconds: parameters.integer("timeout", 0, 0, POLL_TIMEOUT_SECONDS_MAX),
      allowed: readAllowed(parameters),
    },
    signal,
  ),
});

function readAllowed(parameters: Call["parameters"]): string[] | undefined {
  const parsed = parameters.json("allowed_updates");
  // The real server, too, keeps the list of before when it can't read the new one.
  if (!parsed.ok || !Array.isArray(parsed.value)) return undefined;
  return parsed.value.filter((kind) => typeof kind === "string");
}

/** Refused on purpose: a local server has nobody to deliver to; an empty url means deleteWebhook, as in the real one. */
export const setWebhook: Method = (call) => {
  if (call.parameters.text("url").trim() === "") return deleteWebhook(call);
  throw badRequest("bad webhook: this local server delivers updates by getUpdates only");
};

export const deleteWebhook: Method = ({ account, parameters }) => {
  if (parameters.flag("drop_pending_updates")) account.updates.dropAll();
  return { result: true, description: "Webhook is already deleted" };
};

export const getWebhookInfo: Method = ({ account }) => {
  const { allowed } = account.updates.state;
  return {
    result: {
      url: "",
      has_custom_certificate: false,
      pending_update_count: account.updates.pending(),
      ...(allowed === null ? {} : { allowed_updates: allowed }),
    },
  };
};
