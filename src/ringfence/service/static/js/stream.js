// The public stream: snapshots, then deltas in sequence; resumes after a lost connection.
//
// A topic is one subscription, shared by all who ask for the same. Tables are Maps of rows by
// key, feeds are arrays; listeners get (topic, change) after each message.

const PING_MS = 3000;
const STALE_MS = 8000;
const LOST_AFTER = 4; // attempts in a row
const LINGER_MS = 4000; // a topic outlives its last listener this long, for a quick way back
const FEED_MAX = 500;

class Topic {
  constructor(request) {
    this.request = request;
    this.listeners = new Set();
    this.id = null;
    this.key = null;
    this.run = null;
    this.seq = null;
    this.rows = null;
    this.items = null;
    this.timeMs = null;
    this.error = null;
  }

  get isReady() {
    return this.rows !== null || this.items !== null;
  }

  /** The one row of a channel that has one. */
  get only() {
    return this.rows?.get("") ?? this.rows?.values().next().value ?? null;
  }

  take(message) {
    this.seq = message.seq;
    this.timeMs = message.time_ms;
    if (message.type === "snapshot") return this.takeSnapshot(message.data);
    if (message.data.add) {
      this.items.push(...message.data.add);
      if (this.items.length > FEED_MAX) this.items.splice(0, this.items.length - FEED_MAX);
      return { kind: "delta", added: message.data.add };
    }
    for (const [key, fields] of Object.entries(message.data.set ?? {})) {
      this.rows.set(key, { ...this.rows.get(key), ...fields });
    }
    for (const key of message.data.gone ?? []) this.rows.delete(key);
    return { kind: "delta", set: message.data.set ?? {}, gone: message.data.gone ?? [] };
  }

  takeSnapshot(data) {
    if (Array.isArray(data.items)) this.items = data.items;
    else this.rows = new Map(Object.entries(data));
    return { kind: "snapshot", set: data, added: this.items ?? [], gone: [] };
  }

  tell(change) {
    for (const listener of [...this.listeners]) listener(this, change);
  }
}

export class Stream extends EventTarget {
  constructor(url) {
    super();
    this.url = url;
    this.topics = new Map();
    this.byKey = new Map();
    this.byId = new Map();
    this.state = "connecting";
    this.attempts = 0;
    this.run = null;
    this.lastId = 0;
    this.heardAt = performance.now();
    this.retryAt = 0;
    setInterval(() => this.watch(), 1000);
    addEventListener("online", () => this.connect());
    this.connect();
  }

  connect() {
    if (this.socket && this.socket.readyState < WebSocket.CLOSING) return;
    clearTimeout(this.timer);
    const socket = new WebSocket(this.url);
    this.socket = socket;
    socket.onmessage = (event) => this.socket === socket && this.hear(JSON.parse(event.data));
    socket.onclose = () => this.socket === socket && this.lose();
  }

  lose() {
    this.socket = null;
    this.attempts += 1;
    this.become(this.attempts > LOST_AFTER ? "lost" : "reconnecting");
    const delay = Math.min(500 * 2 ** Math.min(this.attempts, 4), 8000) * (0.75 + Math.random() / 2);
    this.retryAt = performance.now() + delay;
    this.timer = setTimeout(() => this.connect(), delay);
  }

  become(state) {
    if (this.state === state) return;
    this.state = state;
    this.dispatchEvent(new Event("state"));
  }

  /** Tell a silent connection from a calm venue: pings are answered, whatever the market does. */
  watch() {
    if (!this.socket || this.socket.readyState !== WebSocket.OPEN) return;
    const silence = performance.now() - this.heardAt;
    if (silence > STALE_MS) this.become("stale");
    if (silence > 3 * STALE_MS) this.socket.close();
    else if (silence > PING_MS) this.send({ op: "ping", id: "watch" });
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  subscribe(request, listener) {
    const name = JSON.stringify(request);
    let topic = this.topics.get(name);
    if (!topic) {
      topic = new Topic(request);
      this.topics.set(name, topic);
      this.ask(topic);
    }
    clearTimeout(topic.ending);
    topic.listeners.add(listener);
    if (topic.isReady) listener(topic, { kind: "snapshot", set: {}, added: topic.items ?? [], gone: [] });
    else if (topic.error) listener(topic, { kind: "error" });
    return () => {
      topic.listeners.delete(listener);
      if (!topic.listeners.size) topic.ending = setTimeout(() => this.drop(name, topic), LINGER_MS);
    };
  }

  ask(topic) {
    if (!this.run || this.socket?.readyState !== WebSocket.OPEN) return;
    this.lastId += 1;
    topic.id = `s${this.lastId}`;
    topic.error = null;
    this.byId.set(topic.id, topic);
    const canResume = topic.seq !== null && topic.run === this.run && topic.isReady;
    const resume = canResume ? { resume: { run: topic.run, seq: topic.seq } } : {};
    this.send({ op: "subscribe", id: topic.id, ...topic.request, ...resume });
  }

  drop(name, topic) {
    this.topics.delete(name);
    if (topic.key === null) return;
    this.byKey.delete(topic.key);
    this.send({ op: "unsubscribe", key: topic.key });
  }

  hear(message) {
    this.heardAt = performance.now();
    this.attempts = 0;
    if (message.type === "hello") this.greet(message);
    else if (message.type === "subscribed") this.bind(message);
    else if (message.type === "error") this.fail(message);
    else if (message.type === "snapshot" || message.type === "delta") this.pass(message);
    if (message.type !== "bye") this.become("live");
  }

  greet(message) {
    this.run = message.run;
    this.byKey.clear();
    this.byId.clear();
    for (const topic of this.topics.values()) this.ask(topic);
  }

  bind(message) {
    const topic = this.byId.get(message.id);
    if (!topic) return;
    this.byId.delete(message.id);
    topic.key = message.key;
    topic.run = this.run;
    this.byKey.set(message.key, topic);
  }

  fail(message) {
    const topic = this.byId.get(message.id);
    if (!topic) return;
    topic.error = message;
    topic.tell({ kind: "error" });
  }

  pass(message) {
    const topic = this.byKey.get(message.key);
    if (!topic) return;
    if (message.type === "delta" && (!topic.isReady || message.seq !== topic.seq + 1)) {
      if (topic.isReady && message.seq <= topic.seq) return;
      topic.seq = null; // a gap: what is missing comes with a new snapshot
      this.byKey.delete(message.key);
      this.ask(topic);
      return;
    }
    topic.tell(topic.take(message));
  }
}

const scheme = location.protocol === "https:" ? "wss" : "ws";
export const stream = new Stream(`${scheme}://${location.host}/v1/stream`);
