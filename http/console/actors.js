// Actors: who works, who waits, who is stuck; one of them in detail.
import { h, put, fill, attr, mark, keyed, bar, badge, panel, duration, count, percent, clock, ago, shortId } from './dom.js';
import { t } from './words.js';
import { ask, watch } from './live.js';
import { chart } from './chart.js';

const columns = [
  { name: 'Name', key: (x) => x.name, text: true },
  { name: 'State', key: (x) => ({ stuck: 0, starting: 1, working: 2, idle: 3 })[x.state], first: 1 },
  { name: 'Mailbox', key: (x) => x.depth, number: true },
  { name: 'Oldest', key: (x) => x.oldest_ms, number: true },
  { name: 'Messages/s', key: (x) => x.messages_per_s, number: true, wide: true },
  { name: 'Busy', key: (x) => x.busy, number: true },
  { name: 'Now', key: (x) => x.current?.ms ?? -1 },
  { name: 'Handled', key: (x) => x.handled, number: true, wide: true },
  { name: 'Errors', key: (x) => x.errors, number: true, wide: true },
  { name: 'Restarts', key: (x) => x.restarts, number: true, wide: true },
  { name: 'Thread', key: (x) => x.thread, wide: true },
];

function aboutLink() {
  const el = h('a', { class: 'id' });
  return { el, set(about) {
    el.hidden = !about;
    if (!about) return;
    attr(el, 'href', `#/jobs/${encodeURIComponent(about)}`);
    attr(el, 'title', about);
    put(el, shortId(about));
  } };
}

export function actorHref(id) { return `#/actors/${id}`; }

function actorRow() {
  const name = h('a', { class: 'strong' });
  const about = aboutLink();
  const state = badge();
  const depth = h('span', {});
  const most = h('span', { class: 'dim' });
  const oldest = h('td', { class: 'num' });
  const rate = h('td', { class: 'num wide' });
  const busy = bar();
  const busyText = h('span', { class: 'num' });
  const now = h('td', { class: 'now' }, h('span', { class: 'mono' }), ' ', h('span', { class: 'num dim' }));
  const cells = ['handled', 'errors', 'restarts', 'thread'].map((x) => h('td', { class: x === 'thread' ? 'wide' : 'num wide' }));
  const indent = h('td', { class: 'name' }, name, ' ', about.el);
  const el = h('tr', {}, indent, h('td', {}, state.el), h('td', { class: 'num' }, depth, ' ', most), oldest, rate,
               h('td', { class: 'busy num' }, busy.el, busyText), now, cells);
  return {
    el,
    update(x) {
      attr(name, 'href', actorHref(x.id));
      put(name, x.name);
      about.set(x.about);
      state.set(x.state);
      put(depth, count(x.depth));
      put(most, x.max_depth > 1 ? `/ ${count(x.max_depth)}` : '');
      attr(most, 'title', t('most'));
      mark(depth, 'hot', x.over.includes('mailbox'));
      put(oldest, x.oldest_ms > 0 ? duration(x.oldest_ms) : '–');
      mark(oldest, 'hot', x.over.includes('waiting'));
      put(rate, x.messages_per_s > 0 ? count(x.messages_per_s) : '–');
      busy.set(x.busy);
      put(busyText, percent(x.busy));
      put(now.firstChild, x.current ? x.current.type : '');
      put(now.lastChild, x.current && x.current.ms > 0 ? duration(x.current.ms) : '');
      mark(now, 'hot', x.over.includes('handler'));
      put(cells[0], count(x.handled));
      put(cells[1], x.errors || '–');
      attr(cells[1], 'title', x.last_error?.text);
      mark(cells[1], 'warm', x.errors > 0);
      put(cells[2], x.restarts || '–');
      mark(cells[2], 'warm', x.restarts > 0);
      put(cells[3], t(x.thread));
      mark(el, 'alarm', x.state === 'stuck');
      indent.style.setProperty('--deep', x.deep ?? 0);
      mark(indent, 'branch', x.deep > 0);
    },
  };
}

/** In the order of a tree, each with its depth. */
export function treeOf(all) {
  const known = new Set(all.map((x) => x.id));
  const children = new Map();
  for (const x of all) {
    const parent = known.has(x.parent) ? x.parent : 0;
    children.set(parent, [...(children.get(parent) ?? []), x]);
  }
  const result = [];
  const walk = (parent, deep) => {
    for (const x of (children.get(parent) ?? []).sort((a, b) => (a.name < b.name ? -1 : 1))) {
      result.push({ ...x, deep });
      if (deep < 20) walk(x.id, deep + 1);
    }
  };
  walk(0, 0);
  return result;
}

function eventRow() {
  const at = h('time', { class: 'num dim' });
  const actor = h('a', {});
  const what = h('span', {});
  const el = h('li', {}, at, actor, what);
  return { el, update(x) {
    put(at, clock(x.began_at));
    attr(actor, 'href', actorHref(x.actor_id));
    put(actor, x.actor);
    const value = x.kind === 'mailbox' ? count(x.value) : duration(x.value * 1000);
    const limit = x.kind === 'mailbox' ? count(x.limit) : duration(x.limit * 1000);
    put(what, [t(x.kind), value, t('limit {n}', { n: limit }), x.message, x.ended_at ? `→ ${clock(x.ended_at)}` : t('now')].filter(Boolean).join(' · '));
    mark(el, 'lasting', !x.ended_at);
  } };
}

function endedRow() {
  const el = h('li', {});
  return { el, update(x) {
    if (el.firstChild) return;
    fill(el, h('time', { class: 'num dim' }, clock(x.at)), h('span', { class: 'strong' }, x.name),
         h('span', { class: x.reason ? '' : 'dim' }, [x.about && shortId(x.about), x.reason ?? t('as planned')].filter(Boolean).join(' · ')));
  } };
}

export function actors(main) {
  let sorted = { by: 1, down: false };
  let tree = false;
  const filter = h('input', { type: 'search', placeholder: t('Filter'), 'aria-label': t('Filter actors'), oninput: () => show() });
  const heads = columns.map((column, i) => h('th', { class: [column.number && 'num', column.wide && 'wide'].filter(Boolean).join(' '), scope: 'col' },
    h('button', { class: 'sort', title: t('Sort'), onclick: () => {
      sorted = { by: i, down: sorted.by === i ? !sorted.down : Boolean(column.number) };
      tree = false;
      show();
    } }, t(column.name))));
  const body = h('tbody', {});
  const put_all = keyed(body, actorRow);
  const events = h('ul', { class: 'log' });
  const put_events = keyed(events, eventRow);
  const noEvents = h('p', { class: 'empty' }, t('No limit was passed.'));
  const ended = h('ul', { class: 'log' });
  const put_ended = keyed(ended, endedRow);
  const noEnded = h('p', { class: 'empty' }, t('None.'));
  const asTable = h('button', { class: 'chip', onclick: () => { tree = false; show(); } }, t('Table'));
  const asTree = h('button', { class: 'chip', onclick: () => { tree = true; show(); } }, t('Tree'));
  fill(main, h('h1', {}, t('Actors')), h('div', { class: 'tools' }, h('div', { class: 'chips' }, asTable, asTree), filter),
       h('section', { class: 'panel flush scroll' }, h('table', { class: 'actors' }, h('thead', {}, h('tr', {}, heads)), body)),
       h('div', { class: 'columns' }, panel(t('Limits passed'), events, noEvents), panel(t('Ended lately'), ended, noEnded)));
  let last = null;
  const show = (state) => {
    last = state ?? last;
    if (!last?.actors) return;
    const text = filter.value.trim().toLowerCase();
    let all = last.actors.actors.filter((x) => !text || `${x.name} ${x.kind} ${x.about ?? ''} ${x.state} ${x.current?.type ?? ''}`.toLowerCase().includes(text));
    if (tree) all = treeOf(all);
    else {
      const { key } = columns[sorted.by];
      const sign = sorted.down ? -1 : 1;
      all = [...all].sort((a, b) => (key(a) < key(b) ? -sign : key(a) > key(b) ? sign : a.name < b.name ? -1 : a.name > b.name ? 1 : a.id - b.id));
    }
    put_all(all.slice(0, 500), (x) => x.id);
    heads.forEach((el, i) => attr(el, 'aria-sort', !tree && sorted.by === i ? (sorted.down ? 'descending' : 'ascending') : null));
    attr(asTable, 'aria-pressed', !tree);
    attr(asTree, 'aria-pressed', tree);
    put_events(last.actors.events.slice(0, 30), (x) => `${x.began_at} ${x.actor_id} ${x.kind}`);
    noEvents.hidden = last.actors.events.length > 0;
    put_ended(last.actors.ended.slice(0, 12), (x) => x.id);
    noEnded.hidden = last.actors.ended.length > 0;
  };
  return watch(show);
}

export function actor(main, id) {
  let span = 300;
  const title = h('h1', {});
  const state = badge();
  const about = aboutLink();
  const facts = h('dl', { class: 'facts' });
  const trouble = h('section', { class: 'panel trouble', hidden: true });
  const charts = {
    busy: chart({ title: t('Share of time at work'), show: percent, top: 1 }),
    messages_per_s: chart({ title: t('Messages per second'), show: (x) => count(x), least: 5 }),
    depth: chart({ title: t('Messages in the mailbox'), show: (x) => count(x), least: 5 }),
    oldest_ms: chart({ title: t('Oldest message'), show: duration, least: 10 }),
  };
  const spans = [[300, 'five minutes'], [3600, 'an hour']].map(([s, name]) => h('button', { class: 'chip', onclick: () => { span = s; load(); } }, t(name)));
  const types = h('tbody', {});
  const heads = ['Type', 'Count', 'Mean', 'p50', 'p99', 'Max'].map((x, i) => h('th', { class: i ? 'num' : '', scope: 'col' }, t(x)));
  fill(main, h('p', { class: 'crumbs' }, h('a', { href: '#/actors' }, t('Actors')), ' / ', h('span', { class: 'mono' }, id)),
       h('div', { class: 'row wrap' }, title, state.el, about.el, h('span', { class: 'grow' }), h('div', { class: 'chips' }, spans)),
       h('section', { class: 'panel' }, facts), trouble,
       h('div', { class: 'charts' }, Object.values(charts).map((x) => x.el)),
       h('section', { class: 'panel flush scroll' }, h('h2', {}, t('Messages by type')), h('table', {}, h('thead', {}, h('tr', {}, heads)), types)));
  const put_types = keyed(types, () => {
    const cells = [h('td', { class: 'mono' }), ...[1, 2, 3, 4, 5].map(() => h('td', { class: 'num' }))];
    return { el: h('tr', {}, cells), update(x) {
      put(cells[0], x.type);
      put(cells[1], count(x.count));
      ['mean_us', 'p50_us', 'p99_us', 'max_us'].forEach((key, i) => put(cells[i + 2], duration(x[key] / 1000)));
    } };
  });
  const values = {};
  const fact = (name) => { values[name] = h('dd', {}); return h('div', {}, h('dt', {}, t(name)), values[name]); };
  fill(facts, ['Now', 'Mailbox', 'Oldest', 'Handled', 'Busy', 'Errors', 'Restarts', 'Thread', 'Parent'].map(fact));
  let timer = null;
  let gone = false;
  const load = async () => {
    clearTimeout(timer);
    try {
      const x = await ask(`/mgmt/v1/actors/${encodeURIComponent(id)}?seconds=${span}`);
      if (gone) return;
      put(title, x.name);
      state.set(x.state);
      about.set(x.about);
      put(values.Now, x.current ? `${x.current.type} · ${duration(x.current.ms)}` : t('idle'));
      put(values.Mailbox, `${count(x.depth)} (${t('most')} ${count(x.max_depth)})`);
      put(values.Oldest, x.oldest_ms ? duration(x.oldest_ms) : '–');
      put(values.Handled, count(x.handled));
      put(values.Busy, percent(x.busy));
      put(values.Errors, x.errors);
      put(values.Restarts, x.restarts);
      put(values.Thread, t(x.thread));
      if (!values.Parent.firstChild) fill(values.Parent, x.parent ? h('a', { href: actorHref(x.parent) }, x.parent) : t('the service'));
      trouble.hidden = !x.last_error;
      if (x.last_error) fill(trouble, h('h2', {}, t('Last error')), h('p', {}, x.last_error.text), h('p', { class: 'dim' }, ago(Date.now() - x.last_error.ms_ago)));
      const end = new Date(x.history.begin).getTime() + x.history.depth.length * 1000;
      for (const [key, one] of Object.entries(charts)) one.set(x.history[key], end, 1000);
      spans.forEach((el, i) => attr(el, 'aria-pressed', [300, 3600][i] === span));
      put_types(x.types, (y) => y.type);
    } catch (e) {
      if (e.status === 404 && !gone) { state.set('ended'); put(title, title.textContent || t('This actor is no more.')); return; }
    }
    if (!gone) timer = setTimeout(load, span > 300 ? 5000 : 1000);
  };
  load();
  return () => { gone = true; clearTimeout(timer); };
}
