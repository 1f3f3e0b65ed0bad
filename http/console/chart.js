// Lines over time, drawn as SVG: a band of seconds, a soft area, the value under the pointer.
import { h, put, attr } from './dom.js';

const width = 600;
const height = 120;

function niceTop(x, least) {
  const top = Math.max(x, least);
  const power = 10 ** Math.floor(Math.log10(top));
  for (const step of [1, 2, 2.5, 5, 10]) if (top <= step * power + 1e-9) return step * power;
  return top;
}

/**
 * chart({title, show: (value) => text, least, top}): {el, set(values, endMs, stepMs)}. `least` is the least top of the
 * scale; `top` fixes it.
 */
export function chart({ title, show, least = 1, top = null, small = false }) {
  const area = h('path', { class: 'area' });
  const line = h('path', { class: 'line' });
  const cross = h('line', { class: 'cross', y1: 0, y2: height });
  const grid = small ? [] : [.25, .5, .75].map((y) => h('line', { class: 'grid', x1: 0, x2: width, y1: y * height, y2: y * height }));
  const svg = h('svg', { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: 'none', 'aria-hidden': 'true' },
                grid, area, line, cross);
  const now = h('span', { class: 'chart-now' });
  const upper = h('span', { class: 'chart-top' });
  const from = h('span', {});
  const to = h('span', {});
  const el = h('figure', { class: small ? 'chart small' : 'chart' },
               h('figcaption', {}, h('span', {}, title), now),
               h('div', { class: 'chart-box' }, svg, small ? null : upper),
               small ? null : h('div', { class: 'chart-axis' }, from, to));
  let shown = { values: [], end: 0, step: 1000 };
  let pointed = null;

  const tell = () => {
    const { values, end, step } = shown;
    if (pointed === null || !values.length) {
      put(now, values.length ? show(values[values.length - 1]) : '–');
      cross.style.opacity = 0;
      return;
    }
    const i = Math.round(pointed * (values.length - 1));
    const x = values.length > 1 ? i / (values.length - 1) * width : 0;
    attr(cross, 'x1', x); attr(cross, 'x2', x);
    cross.style.opacity = 1;
    const at = new Date(end - (values.length - 1 - i) * step);
    put(now, `${at.toLocaleTimeString([], { hour12: false })}  ${show(values[i])}`);
  };
  svg.addEventListener('pointermove', (e) => {
    const box = svg.getBoundingClientRect();
    pointed = Math.max(0, Math.min(1, (e.clientX - box.left) / box.width));
    tell();
  });
  svg.addEventListener('pointerleave', () => { pointed = null; tell(); });

  return {
    el,
    set(values, end = Date.now(), step = 1000) {
      shown = { values, end, step };
      const scale = top ?? niceTop(Math.max(0, ...values), least);
      const points = values.map((v, i) => {
        const x = values.length > 1 ? i / (values.length - 1) * width : width;
        const y = height - Math.min(1, v / scale) * (height - 3) - 1;
        return `${x.toFixed(1)} ${y.toFixed(1)}`;
      });
      attr(line, 'd', points.length ? `M${points.join('L')}` : '');
      attr(area, 'd', points.length ? `M0 ${height}L${points.join('L')}L${width} ${height}Z` : '');
      if (!small) {
        put(upper, show(scale));
        put(from, new Date(end - values.length * step).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false }));
        put(to, new Date(end).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit', hour12: false }));
      }
      tell();
    },
  };
}

/** Bars of counts by upper bound. */
export function histogram() {
  const el = h('div', { class: 'histogram', role: 'img' });
  return {
    el,
    set(bounds, counts, name) {
      const most = Math.max(1, ...counts);
      const last = counts.reduce((found, n, i) => (n > 0 ? i : found), 0);
      const shown = counts.slice(0, Math.max(last + 1, 5));
      while (el.children.length > shown.length) el.lastChild.remove();
      while (el.children.length < shown.length)
        el.append(h('div', { class: 'histo-bar' }, h('span', { class: 'histo-count' }), h('span', { class: 'histo-fill' }), h('span', { class: 'histo-name' })));
      shown.forEach((n, i) => {
        const [number, column, label] = el.children[i].children;
        put(number, n || '');
        column.style.height = `${Math.round(n / most * 56) + (n ? 2 : 1)}px`;
        put(label, i < bounds.length ? bounds[i] : `>${bounds[bounds.length - 1]}`);
      });
      attr(el, 'aria-label', `${name}: ${shown.map((n, i) => `${bounds[i] ?? 'more'}: ${n}`).join(', ')}`);
    },
  };
}
