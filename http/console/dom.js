// Elements without markup: everything from outside becomes text or a checked attribute, never HTML.
import { t } from './words.js';

const svgNames = new Set(['svg', 'path', 'line', 'circle', 'g', 'rect']);

/** h('a', {class: 'x', href: '#/', onclick: f}, 'text', node, …): an element. */
export function h(tag, props = {}, ...children) {
  const el = svgNames.has(tag) ? document.createElementNS('http://www.w3.org/2000/svg', tag)
                               : document.createElement(tag);
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith('on')) el.addEventListener(key.slice(2), value);
    else if (key === 'value' || key === 'checked' || key === 'disabled') el[key] = value;
    else el.setAttribute(key, value === true ? '' : value);
  }
  append(el, children);
  return el;
}

function append(el, children) {
  for (const child of children.flat(Infinity)) {
    if (child === undefined || child === null || child === false) continue;
    el.append(child instanceof Node ? child : document.createTextNode(String(child)));
  }
}

/** Replaces what an element holds. */
export function fill(el, ...children) {
  el.replaceChildren();
  append(el, children);
  return el;
}

/** Sets a text, and touches the page only when it is another. */
export function put(el, text) {
  const wanted = text === undefined || text === null ? '' : String(text);
  if (el.textContent !== wanted) el.textContent = wanted;
  return el;
}

export function mark(el, name, on) {
  if (el.classList.contains(name) !== Boolean(on)) el.classList.toggle(name, Boolean(on));
}

export function attr(el, name, value) {
  if (value === null || value === undefined) { if (el.hasAttribute(name)) el.removeAttribute(name); }
  else if (el.getAttribute(name) !== String(value)) el.setAttribute(name, value);
}

/**
 * Keeps one child for each item: made once, updated after, moved when the order changes. What has the focus keeps it.
 * make(item) returns {el, update(item)}.
 */
export function keyed(parent, make) {
  const known = new Map();
  return (items, keyOf) => {
    const wanted = new Set();
    let place = parent.firstChild;
    for (const item of items) {
      const key = keyOf(item);
      wanted.add(key);
      let part = known.get(key);
      if (!part) known.set(key, part = make(item));
      part.update(item);
      if (part.el === place) place = place.nextSibling;
      else parent.insertBefore(part.el, place);
    }
    for (const [key, part] of known) {
      if (wanted.has(key)) continue;
      part.el.remove();
      known.delete(key);
    }
  };
}

// -- how things are written --------------------------------------------------------

export function duration(ms) {
  if (ms === null || ms === undefined) return '–';
  if (ms < 1) return `${Math.round(ms * 1000)} µs`;
  if (ms < 1000) return `${ms < 10 ? round(ms, 1) : Math.round(ms)} ms`;
  const s = ms / 1000;
  if (s < 60) return `${s < 10 ? round(s, 1) : Math.round(s)} s`;
  const m = Math.floor(s / 60);
  if (m < 60) return `${m} min ${Math.round(s % 60)} s`;
  const hours = Math.floor(m / 60);
  return hours < 48 ? `${hours} h ${m % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

export function bytes(n) {
  if (n === null || n === undefined) return '–';
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let i = 0;
  while (n >= 1000 && i < units.length - 1) { n /= 1000; ++i; }
  return `${n < 10 && i > 0 ? round(n, 1) : Math.round(n)} ${units[i]}`;
}

export function count(n) {
  if (n === null || n === undefined) return '–';
  return n >= 1e6 ? `${round(n / 1e6, 1)} M` : n >= 1e4 ? `${round(n / 1e3, 1)} k` : String(round(n, 1));
}

export function percent(x) { return `${Math.round(x * 100)} %`; }

export function round(x, digits) { return Number(x.toFixed(digits)); }

export function clock(iso) {
  if (!iso) return '–';
  const at = new Date(iso);
  const today = new Date().toDateString() === at.toDateString();
  const time = at.toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
  return today ? time : `${at.toLocaleDateString([], { month: 'short', day: 'numeric' })} ${time.slice(0, 5)}`;
}

export function ago(iso) {
  if (!iso) return '–';
  const s = (Date.now() - new Date(iso)) / 1000;
  if (s < 5) return t('just now');
  if (s < 60) return t('{n} s ago', { n: Math.round(s) });
  if (s < 3600) return t('{n} min ago', { n: Math.round(s / 60) });
  if (s < 86400) return t('{n} h ago', { n: Math.round(s / 3600) });
  return t('{n} d ago', { n: Math.round(s / 86400) });
}

/** 01m828mz879eysh9ksc5hykqt5 → 01m8…kqt5: enough for people, the whole is in the title. */
export function shortId(id) { return id && id.length > 14 ? `${id.slice(0, 4)}…${id.slice(-6)}` : id ?? ''; }

// -- small parts -------------------------------------------------------------------

const iconPaths = {
  overview: 'M4 13h6V4H4zM14 20h6v-9h-6zM14 8h6V4h-6zM4 20h6v-4H4z',
  actors: 'M12 3v4M6 17v-3h12v3M12 7v7M4 17h4v4H4zM10 17h4v4h-4zM16 17h4v4h-4z',
  jobs: 'M4 6h10M4 12h16M4 18h7M18 4v4M15 16v4',
  avatars: 'M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21c1-4 4-6 8-6s7 2 8 6',
  device: 'M7 7h10v10H7zM10 3v4M14 3v4M10 17v4M14 17v4M3 10h4M3 14h4M17 10h4M17 14h4',
  settings: 'M4 7h9M17 7h3M15 5v4M4 17h3M11 17h9M9 15v4M4 12h16',
  upload: 'M12 16V5M7 10l5-5 5 5M5 20h14',
  sun: 'M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM12 2v2M12 20v2M2 12h2M20 12h2M5 5l1.5 1.5M17.5 17.5L19 19M5 19l1.5-1.5M17.5 6.5L19 5',
  close: 'M6 6l12 12M18 6L6 18',
};

export function icon(name) {
  return h('svg', { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true' }, h('path', { d: iconPaths[name] }));
}

export function bar(cls = '') {
  const inner = h('span', { class: 'bar-in' });
  const el = h('span', { class: `bar ${cls}` }, inner);
  return { el, set(x) { inner.style.transform = `scaleX(${Math.max(0, Math.min(1, x || 0))})`; } };
}

/** A word with a coloured dot: never by colour alone. */
export function badge() {
  const el = h('span', { class: 'badge' });
  return { el, set(state) { put(el, t(state)); attr(el, 'data-state', state); } };
}

export function panel(title, ...children) {
  return h('section', { class: 'panel' }, title ? h('h2', {}, title) : null, ...children);
}

export function toast(text, bad = false) {
  const el = h('div', { class: bad ? 'toast bad' : 'toast' }, text);
  document.getElementById('toasts').append(el);
  setTimeout(() => el.remove(), bad ? 9000 : 4000);
}

/** Asks before something that cannot be taken back. Resolves to true or false. */
export function ask(question, verb) {
  return new Promise((resolve) => {
    const done = (x) => { box.close(); box.remove(); resolve(x); };
    const yes = h('button', { class: 'danger', onclick: () => done(true) }, verb);
    const box = h('dialog', { class: 'ask', oncancel: () => done(false) },
                  h('p', {}, question),
                  h('div', { class: 'row end' }, h('button', { onclick: () => done(false) }, t('Keep it')), yes));
    document.body.append(box);
    box.showModal();
  });
}
