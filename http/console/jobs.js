// Jobs: where each stands, what took how long, what went wrong.
import { h, put, fill, attr, keyed, bar, badge, panel, ask as sure, toast, duration, clock, ago, shortId, percent } from './dom.js';
import { t } from './words.js';
import { ask, post, state, watch, onJobEvent, jobsNewestFirst } from './live.js';

export const isFinal = (x) => ['completed', 'failed', 'cancelled'].includes(x.status);
const order = ['validate', 'convert', 'prepare', 'verify', 'publish'];

/** What a job is at, in words. */
export function where(x) {
  if (x.status === 'queued') return x.position === 0 || x.position === null ? t('queued') : t('{n} ahead', { n: x.position });
  if (x.status === 'failed') return x.error?.detail ?? '';
  if (isFinal(x)) return duration(new Date(x.finished_at) - new Date(x.started_at ?? x.created_at));
  const parts = [x.stage ? t(x.stage) : t(x.status)];
  if (x.frames_total) parts.push(`${x.frames_done} / ${x.frames_total} ${t('frames')}`);
  if (x.eta_s !== null && x.eta_s !== undefined) parts.push(t('about {time} left', { time: duration(x.eta_s * 1000) }));
  return parts.join(' · ');
}

/** The stages of a job as parts of one bar. */
export function stageBar() {
  const el = h('span', { class: 'stages', role: 'img' });
  return {
    el,
    set(x) {
      const times = order.filter((name) => x.timings_ms?.[name] > 0).map((name) => [name, x.timings_ms[name]]);
      const key = JSON.stringify(times);
      if (el.dataset.key === key) return;
      el.dataset.key = key;
      const total = times.reduce((sum, [, ms]) => sum + ms, 0);
      fill(el, times.map(([name, ms]) => {
        const part = h('span', { class: `stage stage-${name}`, title: `${t(name)} ${duration(ms)}` });
        part.style.flexGrow = Math.max(ms / total, .02);
        return part;
      }));
      attr(el, 'aria-label', times.map(([name, ms]) => `${t(name)} ${duration(ms)}`).join(', '));
    },
  };
}

async function act(path, done) {
  try {
    const job = await post(path);
    if (job.job_id) state.jobs.set(job.job_id, job);
    done?.();
  } catch (e) { toast([e.message, e.hint].filter(Boolean).join(' '), true); }
}

/** The buttons that a job's state allows. */
export function jobButtons() {
  const el = h('span', { class: 'row tight' });
  let shown = '';
  return {
    el,
    set(x) {
      const key = `${x.job_id} ${x.status}`;
      if (key === shown) return;
      shown = key;
      const path = `/mgmt/v1/jobs/${encodeURIComponent(x.job_id)}`;
      const cancel = async () => { if (await sure(t('Cancel this job?'), t('Cancel the job'))) act(`${path}/cancel`); };
      if (x.status === 'queued' || x.status === 'running') fill(el, h('button', { class: 'small', onclick: cancel }, t('Cancel')));
      else if (x.status === 'failed' || x.status === 'cancelled') fill(el, h('button', { class: 'small', onclick: () => act(`${path}/retry`) }, t('Retry')));
      else fill(el);
    },
  };
}

/** One job as a row of a list. */
export function jobRow(x) {
  const name = h('a', { class: 'strong', href: `#/avatars/${encodeURIComponent(x.avatar_id)}` }, x.avatar_id);
  const id = h('a', { class: 'id', href: `#/jobs/${encodeURIComponent(x.job_id)}`, title: x.job_id }, shortId(x.job_id));
  const status = badge();
  const progress = bar('wide');
  const share = h('span', { class: 'num dim' });
  const stages = stageBar();
  const words = h('span', { class: 'where' });
  const at = h('time', { class: 'dim num' });
  const buttons = jobButtons();
  const el = h('li', { class: 'job' },
               h('div', { class: 'job-head' }, name, id, status.el, h('span', { class: 'grow' }), at, buttons.el),
               h('div', { class: 'job-body' }, progress.el, stages.el, words, share));
  return {
    el,
    update(x) {
      status.set(x.status);
      attr(el, 'data-state', x.status);
      progress.set(x.fraction);
      progress.el.hidden = isFinal(x) || x.status === 'queued';
      stages.set(x);
      stages.el.hidden = !isFinal(x) || !stages.el.firstChild;
      put(share, isFinal(x) || x.status === 'queued' ? '' : percent(x.fraction));
      put(words, where(x));
      put(at, ago(x.finished_at ?? x.started_at ?? x.created_at));
      attr(at, 'title', x.created_at);
      buttons.set(x);
    },
  };
}

export function jobs(main) {
  let wanted = 'all';
  const states = ['all', 'running', 'queued', 'completed', 'failed', 'cancelled'];
  const chips = states.map((name) => h('button', { class: 'chip', onclick: () => { wanted = name; show(); } }, h('span', {}, t(name)), ' ', h('span', { class: 'num dim' })));
  const filter = h('input', { type: 'search', placeholder: t('Filter'), 'aria-label': t('Filter'), oninput: () => show() });
  const list = h('ul', { class: 'jobs' });
  const none = h('p', { class: 'empty' });
  const put_all = keyed(list, jobRow);
  fill(main, h('h1', {}, t('Jobs')), h('div', { class: 'tools' }, h('div', { class: 'chips' }, chips), filter), h('section', { class: 'panel flush' }, list, none));
  const fits = (x, name) => name === 'all' || x.status === name || (name === 'running' && x.status === 'cancelling');
  const show = () => {
    const all = jobsNewestFirst();
    chips.forEach((chip, i) => {
      put(chip.lastChild, all.filter((x) => fits(x, states[i])).length);
      attr(chip, 'aria-pressed', states[i] === wanted);
    });
    const text = filter.value.trim().toLowerCase();
    const some = all.filter((x) => fits(x, wanted) && (!text || `${x.avatar_id} ${x.job_id} ${x.error?.code ?? ''}`.toLowerCase().includes(text)));
    put_all(some.slice(0, 200), (x) => x.job_id);
    put(none, some.length ? '' : all.length ? t('No such jobs.') : t('No jobs yet.'));
    none.hidden = some.length > 0;
  };
  return watch(show);
}

export function job(main, id) {
  const title = h('h1', {});
  const status = badge();
  const buttons = jobButtons();
  const progress = bar('wide tall');
  const words = h('p', { class: 'where' });
  const facts = h('dl', { class: 'facts' });
  const trouble = h('section', { class: 'panel trouble', hidden: true });
  const timeline = h('ol', { class: 'timeline' });
  const stages = stageBar();
  const parts = h('table', { class: 'plain' });
  const spent = panel(t('Where the time went'), stages.el, parts);
  fill(main, h('p', { class: 'crumbs' }, h('a', { href: '#/jobs' }, t('Jobs')), ' / ', h('span', { class: 'mono' }, id)),
       h('div', { class: 'row wrap' }, title, status.el, h('span', { class: 'grow' }), buttons.el),
       h('section', { class: 'panel' }, progress.el, words, facts), trouble,
       h('div', { class: 'columns' }, panel(t('What happened'), timeline), spent));
  let history = null;
  const path = `/mgmt/v1/jobs/${encodeURIComponent(id)}`;
  const load = async () => {
    try {
      history = await ask(`${path}?history=true`);
      const { events, ...now } = history;
      state.jobs.set(id, now);
      fill(timeline, [...events].reverse().map((e) => h('li', { 'data-state': e.status },
        h('time', { class: 'num', title: e.at }, clock(e.at)), h('strong', {}, t(e.status)),
        h('span', { class: 'dim' }, [e.reason, `${t('by')} ${e.actor}`].filter(Boolean).join(' · ')))));
      show();
    } catch (e) { fill(main, h('h1', {}, t('Not found')), h('p', {}, e.message), h('p', {}, h('a', { href: '#/jobs' }, t('Back')))); }
  };
  const fact = (name, value) => h('div', {}, h('dt', {}, t(name)), h('dd', {}, value ?? '–'));
  let factsKey = '';
  const show = () => {
    const x = state.jobs.get(id);
    if (!x || !history) return;
    put(title, x.avatar_id);
    status.set(x.status);
    buttons.set(x);
    progress.set(x.status === 'completed' ? 1 : x.fraction);
    attr(progress.el, 'data-state', x.status);
    put(words, x.status === 'failed' ? '' : where(x));
    const key = JSON.stringify([x.attempt, x.created_at, x.started_at, x.finished_at, x.weights, x.error, x.timings_ms]);
    if (key === factsKey) return;
    factsKey = key;
    fill(facts, fact('Avatar', h('a', { href: `#/avatars/${encodeURIComponent(x.avatar_id)}` }, x.avatar_id)), fact('Attempt', x.attempt),
         fact('Made', clock(x.created_at)), fact('Begun', clock(x.started_at)), fact('Ended', clock(x.finished_at)), fact('Weights', x.weights && t(x.weights)));
    trouble.hidden = !x.error;
    if (x.error) fill(trouble, h('h2', {}, x.error.code), h('p', {}, x.error.detail), h('p', { class: 'dim' }, x.error.hint));
    stages.set(x);
    const rows = Object.entries(x.timings_ms ?? {}).sort(([a], [b]) => (a < b ? -1 : 1));
    spent.hidden = !rows.length;
    fill(parts, h('tbody', {}, rows.map(([name, ms]) => h('tr', { class: name.includes('.') ? 'part' : '' },
      h('th', {}, h('i', { class: `stage-dot stage-${name}` }), name.includes('.') ? name.split('.')[1] : t(name)), h('td', { class: 'num' }, duration(ms))))));
  };
  load();
  const stop = [watch(show), onJobEvent((e) => { if (e.job_id === id) load(); })];
  return () => stop.forEach((f) => f());
}
