// What is known of the service, kept up to date: events as they come, the rest looked at once a second.

export class Refused extends Error {
  constructor(status, problem) {
    super(problem?.detail || problem?.title || `HTTP ${status}`);
    this.status = status;
    this.hint = problem?.hint ?? '';
  }
}

/** Asks the service. Throws `Refused` with its own words, or TypeError when it cannot be reached. */
export async function ask(path, options = {}) {
  const answer = await fetch(path, { cache: 'no-store', ...options });
  const json = (answer.headers.get('Content-Type') ?? '').includes('json');
  const body = json ? await answer.json() : await answer.text();
  if (!answer.ok) throw new Refused(answer.status, json ? body : null);
  return body;
}

/** A key for a request that must have one effect. */
export function freshKey() {
  const raw = crypto.getRandomValues(new Uint8Array(16));
  return `"${[...raw].map((x) => x.toString(16).padStart(2, '0')).join('')}"`;
}

export function post(path) {
  return ask(path, { method: 'POST', headers: { 'Idempotency-Key': freshKey() } });
}

export const state = {
  link: 'connecting', // 'live', 'lost'
  health: null,
  actors: null,
  jobs: new Map(),
  metrics: null,
  device: null,
  since: Date.now(),
};

const listeners = new Set();

/** Calls f(state) now and after each change, at most once a frame. @returns how to stop it. */
export function watch(f) {
  listeners.add(f);
  f(state);
  return () => listeners.delete(f);
}

let asked = false;
function changed() {
  if (asked) return;
  asked = true;
  // Also where no frame is painted, such as in a window behind others.
  setTimeout(() => {
    asked = false;
    for (const f of [...listeners]) f(state);
  }, 16);
}

// -- events ------------------------------------------------------------------------

/** Cuts a stream of server-sent events into {type, id, data}. */
export function eventParser(found) {
  let rest = '';
  let event = { type: 'message', data: [] };
  return (text) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop();
    for (const raw of lines) {
      const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
      if (line === '') {
        if (event.data.length) found({ type: event.type, id: event.id, data: event.data.join('\n') });
        event = { type: 'message', data: [] };
        continue;
      }
      const colon = line.indexOf(':');
      if (colon === 0) continue;
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
      if (field === 'event') event.type = value;
      else if (field === 'id') event.id = value;
      else if (field === 'data') event.data.push(value);
    }
  };
}

let lastEventId = null;
const followers = new Set();

/** Calls f(event) with each change of a job's state. */
export function onJobEvent(f) {
  followers.add(f);
  return () => followers.delete(f);
}

function take(event) {
  if (event.id) lastEventId = event.id;
  const data = JSON.parse(event.data);
  if (event.type === 'snapshot') {
    for (const job of data.jobs) state.jobs.set(job.job_id, job);
  } else if (event.type === 'progress') {
    state.jobs.set(data.job_id, data);
  } else if (event.type === 'state') {
    const known = state.jobs.get(data.job_id);
    if (known) Object.assign(known, { status: data.status, attempt: data.attempt });
    refresh(data.job_id);
    for (const f of followers) f(data);
  }
  changed();
}

const refreshing = new Set();
async function refresh(id) {
  if (refreshing.has(id)) return;
  refreshing.add(id);
  try {
    state.jobs.set(id, await ask(`/mgmt/v1/jobs/${encodeURIComponent(id)}`));
    // Of old ones the list is asked for where it is shown.
    const final = [...state.jobs.values()].filter((x) => x.finished_at);
    final.sort((a, b) => (a.created_at < b.created_at ? -1 : 1));
    for (const x of final.slice(0, Math.max(0, final.length - 300))) state.jobs.delete(x.job_id);
    changed();
  } catch { /* The next event or the next list tells. */ } finally { refreshing.delete(id); }
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

// A page that the browser keeps for the way back must not keep a connection: there are six for each host.
let stream = new AbortController();
window.addEventListener('pagehide', () => stream.abort());

async function followEvents() {
  let wait = 300;
  for (;;) {
    try {
      const headers = lastEventId === null ? {} : { 'Last-Event-ID': lastEventId };
      stream = new AbortController();
      const answer = await fetch('/mgmt/v1/events', { headers, cache: 'no-store', signal: stream.signal });
      if (!answer.ok) throw new Refused(answer.status);
      state.link = 'live';
      wait = 300;
      await reloadJobs();
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      const parse = eventParser(take);
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        parse(value);
      }
    } catch { /* Tried again below. */ }
    state.link = 'lost';
    changed();
    await sleep(wait);
    wait = Math.min(wait * 1.7, 5000);
  }
}

async function reloadJobs() {
  const page = await ask('/mgmt/v1/jobs?limit=200');
  for (const job of page.jobs) state.jobs.set(job.job_id, job);
  changed();
}

// -- what has no events ------------------------------------------------------------

/** Looks at a path again and again while the page is seen. */
function poll(path, ms, put) {
  const turn = async () => {
    if (!document.hidden) {
      try { put(await ask(path)); changed(); } catch { put(null); }
    }
    setTimeout(turn, ms);
  };
  turn();
}

/** `name{a="b"} 1` lines as [{name, labels, value}]. */
export function parseMetrics(text) {
  const result = [];
  for (const line of text.split('\n')) {
    const found = /^([a-z_]+)(?:\{(.*)\})? ([-+.\w]+)$/.exec(line);
    if (!found) continue;
    const labels = {};
    for (const [, key, value] of (found[2] ?? '').matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) labels[key] = value;
    result.push({ name: found[1], labels, value: Number(found[3]) });
  }
  return result;
}

export function metric(name, labels = {}) {
  const fits = (x) => x.name === name && Object.entries(labels).every(([k, v]) => x.labels[k] === v);
  return state.metrics?.find(fits)?.value;
}

// The last five minutes of a few figures, for the pictures of the overview.
export const trail = { cpu: [], memory: [], busy: [], messages: [] };
let lastCpu = null;

function follow(list, value) {
  list.push(value);
  if (list.length > 300) list.shift();
}

export function start() {
  followEvents();
  poll('/mgmt/v1/actors', 1000, (x) => {
    state.actors = x ?? state.actors;
    if (!x) { state.link = 'lost'; changed(); return; }
    const gpu = x.actors.find((a) => a.kind === 'gpu-scheduler');
    follow(trail.busy, gpu ? gpu.busy : Math.max(0, ...x.actors.map((a) => a.busy)));
    follow(trail.messages, x.actors.reduce((sum, a) => sum + a.messages_per_s, 0));
  });
  poll('/health', 2000, (x) => { state.health = x ?? state.health; });
  poll('/mgmt/v1/device', 1000, (x) => { state.device = x ?? state.device; });
  poll('/metrics', 2000, (x) => {
    if (!x) return;
    state.metrics = parseMetrics(x);
    const cpu = metric('process_cpu_seconds_total');
    const now = performance.now() / 1000;
    if (lastCpu) follow(trail.cpu, Math.max(0, (cpu - lastCpu.cpu) / (now - lastCpu.now)));
    lastCpu = { cpu, now };
    follow(trail.memory, metric('process_resident_memory_bytes'));
  });
}

// -- what it means -----------------------------------------------------------------

export function jobsNewestFirst() {
  return [...state.jobs.values()].sort((a, b) => (a.created_at < b.created_at ? 1 : -1));
}
