[% set seed = cookiecutter._plan.seeds.get("tests/load/websocket.cjs") %]
[% if seed %]
// The steps of websocket.yml: what a user does. Written by rustci where it was absent; yours from
// then on.
"use strict";

// --- The conversation: make it that of your server. ----------------------------------------------

[% if seed.message %]
// Read off the server's code: what a user sends after connecting, while writing, and then.
[% else %]
// What a user sends after connecting, while writing, and then. rustci does not know what your server
// understands, so users only connect and ping. The name of a room and a user, and the text, go where
// they belong, for instance:
//   const JOIN = (room, user) => ({ type: "join", room, user });
//   const MESSAGE = (room, user, text) => ({ type: "message", room, text });
[% endif %]
const JOIN = [= seed.join or "null" =];
const TYPING = [= seed.typing or "null" =];
const MESSAGE = [= seed.message or "null" =];

// What stands in every message with which the server refuses something.
const REFUSED = [= seed.refused or "null" =];

// How many users hear one another.
const ROOM_SIZE = 10;

// Rounds of one connection in which its user talks, then is silent; and milliseconds of a round.
const TALK = 5;
const IDLE = 5;
const EVERY = 1000;

// --- The steps. ----------------------------------------------------------------------------------

const { BASE_URL, LOAD_PATH, DURATION } = process.env;
const wait = (milliseconds) => new Promise((done) => setTimeout(done, milliseconds));
let users = 0;

module.exports = { target, join, talk, idle, reconnect, stays };

/** Says where to connect, and notes the time. */
function target(socket, context, done) {
  socket.target = BASE_URL.replace(/^http/, "ws") + LOAD_PATH;
  context.vars.began = Date.now();
  // Artillery has a process for each core: only chance makes names that differ in all of them.
  context.vars.user = `user-${Math.floor(Math.random() * 1e12)}`;
  context.vars.room = `room-${Math.floor(users / ROOM_SIZE)}`;
  users += 1;
  done();
}

/** Joins the room, on a connection that has just been made. */
async function join(context, events) {
  const { began, room, user } = context.vars;
  context.vars.began ??= Date.now();
  context.vars.arrived ??= Date.now();
  events.emit("histogram", "connecting", Date.now() - began);
  context.vars.awaited = new Set();
  context.ws.on("message", (data) => hear(context, events, String(data)));
  if (JOIN) send(context, JOIN(room, user));
}

/** Takes in what anybody says: all users share one clock. */
function hear(context, events, data) {
  events.emit("counter", "heard", 1);
  if (REFUSED && data.includes(REFUSED)) events.emit("counter", "lost", 1);
  const [text, sent] = /user-\d+ at (\d+)!/.exec(data) || [];
  if (!text) return;
  events.emit("histogram", "round_trip", Date.now() - Number(sent));
  context.vars.awaited.delete(text);
}

/** Types and says something, once a round. */
async function talk(context, events) {
  const { awaited, room, user } = context.vars;
  for (let round = 0; MESSAGE && round < TALK; round += 1) {
    if (TYPING) send(context, TYPING(room, user));
    const text = `${user} at ${Date.now()}!`;
    awaited.add(text);
    send(context, MESSAGE(room, user, text));
    events.emit("counter", "sent", 1);
    await wait(EVERY);
  }
}

/** Pings, once a round. */
async function idle(context, events) {
  for (let round = MESSAGE ? TALK : 0; round < TALK + IDLE; round += 1) {
    const began = Date.now();
    events.emit("counter", "sent", 1);
    const answered = await Promise.race([pong(context), wait(EVERY)]);
    if (!answered) events.emit("counter", "lost", 1);
    else if (!MESSAGE) events.emit("histogram", "round_trip", Date.now() - began);
    await wait(Math.max(0, began + EVERY - Date.now()));
  }
}

const pong = ({ ws }) =>
  new Promise((done) => {
    ws.once("pong", () => done(true));
    ws.ping();
  });

/** Hangs up, and connects anew. */
async function reconnect(context, events) {
  events.emit("counter", "lost", context.vars.awaited.size);
  const old = context.ws;
  alive(context);
  await new Promise((done) => old.once("close", done).close());
  context.vars.began = Date.now();
  context.ws = new old.constructor(old.url);
  await new Promise((done, fail) => context.ws.once("open", done).once("error", fail));
}

function send(context, message) {
  alive(context).send(JSON.stringify(message));
}

/** Returns the connection; fails the user on whom the server hung up. */
function alive({ ws }) {
  if (ws.readyState !== ws.OPEN) throw new Error("the server hung up");
  return ws;
}

/** Whether the user has not been here for long enough. */
function stays(context, done) {
  done(Date.now() - context.vars.arrived < DURATION * 1000);
}
[% endif %]
