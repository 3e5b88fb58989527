// What moves the market: pause, speed, steps, a jump, a position.
const $ = (id) => document.getElementById(id);

const SPEEDS = [0.1, 1, 5, 10, 20, 50, 200, "max"];
const STEPS = [
  [1_000, "1 s"],
  [10_000, "10 s"],
  [60_000, "1 min"],
  [600_000, "10 min"],
];

/** Returns the controls; `attempt` does a command and says how it went. */
export function createControls(attempt) {
  let isPaused = false;
  const pause = $("pause");
  pause.addEventListener("click", () =>
    attempt(
      "market",
      { [isPaused ? "resume" : "pause"]: true },
      isPaused ? "The market goes on." : "The market stands.",
    ),
  );

  const speeds = SPEEDS.map((speed) => {
    const button = segment($("speeds"), speed === "max" ? "max" : `×${speed}`);
    button.addEventListener("click", () =>
      attempt("market", { speed }, speed === "max" ? "As fast as the clients read." : `${speed} times real time.`),
    );
    return [speed, button];
  });
  for (const [step, label] of STEPS) {
    segment($("steps"), label).addEventListener("click", async () => {
      if (!isPaused) await attempt("market", { pause: true }, "The market stands.");
      await attempt("market", { step }, `${label} further.`);
    });
  }

  $("jump").addEventListener("submit", (event) => {
    event.preventDefault();
    const ticks = Number($("jump-ticks").value) * Number(event.submitter?.value ?? 1);
    void attempt("market", { jumpTicks: ticks }, `The market jumps by ${ticks} ticks at its next record.`);
  });
  $("hold").addEventListener("submit", (event) => {
    event.preventDefault();
    const position = Number($("hold-contracts").value);
    void attempt("market", { position }, `The account holds ${position} now; no order explains it.`);
  });

  return {
    show: (view) => {
      isPaused = view.speed === 0;
      pause.disabled = false;
      pause.textContent = isPaused ? "Resume" : "Pause";
      pause.classList.toggle("paused", isPaused);
      for (const [speed, button] of speeds) button.setAttribute("aria-pressed", String(speed === view.speed));
      $("market-state").textContent = stateText(view);
      $("price-limits").textContent = view.priceLimits ?? "";
    },
  };
}

function stateText(view) {
  if (view.speed === "max" && view.clients.length === 0)
    return "At full speed the market waits until a client is connected.";
  if (view.isEnded) return "The recording has ended; the market stays closed.";
  return view.isOpen ? `Open until ${view.turns}` : `Closed; opens ${view.turns}`;
}

function segment(parent, label) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  parent.append(button);
  return button;
}
