// A load test of the WebSocket server, for k6: https://grafana.com/docs/k6/latest/
// Written by rustci where it was absent; yours from then on.
//
//   k6 run tests/load/websocket.js                        against a server that runs already
//   USERS=500 DURATION=120 k6 run tests/load/websocket.js
//
// Each user connects, joins a room, types and says something every second, hears the others, falls
// silent while pings go back and forth, hangs up, and connects once more.

import { Counter, Rate, Trend } from "k6/metrics";
import { WebSocket } from "k6/websockets";

// --- The conversation: make it that of your server. ----------------------------------------------

// Read off the server's code: what a user sends after connecting, while writing, and then.
const JOIN = (room, user) => ({ type: "join", room, user });
const TYPING = (room, user) => ({ type: "typing", room, active: true });
const MESSAGE = (room, user, text) => ({ type: "message", room, text });

// What stands in every message with which the server refuses something.
const REFUSED = '"type":"error"';

// How many users hear one another.
const ROOM_SIZE = 10;

// --- The load: what the environment sets. --------------------------------------------------------

const BASE_URL = __ENV.BASE_URL || "http://127.0.0.1:8080";
const URL = BASE_URL.replace(/^http/, "ws") + (__ENV.LOAD_PATH || "/ws");
const USERS = Number(__ENV.USERS || 10);
const RAMP = Number(__ENV.RAMP || 10); // seconds until all users are there
const DURATION = Number(__ENV.DURATION || 20); // seconds with all of them

// Milliseconds of one connection in which its user talks, then is silent; and between two messages.
const TALK = 5000;
const IDLE = 5000;
const EVERY = 1000;

export const options = {
  scenarios: {
    users: {
      executor: "ramping-vus",
      stages: [
        { duration: `${RAMP}s`, target: USERS },
        { duration: `${DURATION}s`, target: USERS },
        { duration: "1s", target: 0 },
      ],
      // Whoever is connected may say goodbye.
      gracefulRampDown: "30s",
    },
  },
  // A failed threshold makes k6 end with an error. Those of time leave a shared runner room: many
  // times what a healthy server takes there. Narrow them once you know yours.
  thresholds: {
    // TCP and the upgrade: a healthy server takes a few milliseconds.
    ws_connecting: ["p(95)<1000"],
    // From sending a message until a user of the room has it; without messages, from ping to pong.
    round_trip: ["p(95)<500"],
    // Connections that failed, messages that were refused, and what never came back. There is no
    // use in going on where a tenth fails.
    errors: ["rate<0.01", { threshold: "rate<0.1", abortOnFail: true, delayAbortEval: "10s" }],
    // The server hangs up on nobody, and connections last as long as their users want.
    kept: ["rate>0.99"],
    ws_session_duration: [`p(5)>${0.9 * (TALK + IDLE)}`],
  },
};

const roundTrip = new Trend("round_trip", true);
const errors = new Rate("errors");
const kept = new Rate("kept");
const heard = new Counter("heard");

export default function () {
  connect(() => connect(() => {})); // the second time is the reconnect
}

/** One connection; calls `next` when it has ended. */
function connect(next) {
  const room = `room-${Math.floor((__VU - 1) / ROOM_SIZE)}`;
  const user = `user-${__VU}`;
  const awaited = new Set(); // texts that were sent and have not come back
  let ping = 0; // when a ping was sent whose pong is awaited
  let joined = 0;
  let leaving = false;
  let speaking;
  let ending;

  const socket = new WebSocket(URL);
  const send = (message) => socket.send(JSON.stringify(message));

  socket.addEventListener("open", () => {
    joined = Date.now();
    if (JOIN) send(JOIN(room, user));
    speaking = setInterval(() => (talks() ? talk() : pingOnce()), EVERY);
    ending = setTimeout(leave, TALK + IDLE);
  });

  const talks = () => MESSAGE && Date.now() - joined < TALK;

  function talk() {
    if (TYPING) send(TYPING(room, user));
    const text = `${user} at ${Date.now()}!`;
    awaited.add(text);
    send(MESSAGE(room, user, text));
  }

  function pingOnce() {
    if (ping) return;
    ping = Date.now();
    socket.ping();
  }

  socket.addEventListener("pong", () => {
    if (!MESSAGE) roundTrip.add(Date.now() - ping);
    ping = 0;
    errors.add(false);
  });

  socket.addEventListener("message", ({ data }) => {
    heard.add(1);
    if (REFUSED && data.includes(REFUSED)) errors.add(true);
    // Whoever hears a text knows when it was sent: all users share one clock.
    const [text, sent] = /user-\d+ at (\d+)!/.exec(data) || [];
    if (!text) return;
    roundTrip.add(Date.now() - Number(sent));
    if (awaited.delete(text)) errors.add(false);
  });

  function leave() {
    leaving = true;
    clearInterval(speaking);
    socket.close();
  }

  socket.addEventListener("error", () => errors.add(true));

  socket.addEventListener("close", () => {
    clearInterval(speaking);
    clearTimeout(ending);
    kept.add(leaving);
    // The last pong may still be under way.
    const unanswered = ping && Date.now() - ping > 2 * EVERY ? 1 : 0;
    for (let lost = awaited.size + unanswered; lost > 0; lost -= 1) errors.add(true);
    // Whom the server turned away does not storm it.
    setTimeout(next, leaving ? 0 : 1000);
  });
}
