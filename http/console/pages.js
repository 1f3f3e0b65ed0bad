// The overview, the device, the settings.
import { h, put, fill, attr, mark, keyed, bar, badge, panel, duration, bytes, count, percent, round, ago } from './dom.js';
import { t } from './words.js';
import { ask, watch, metric, trail, jobsNewestFirst } from './live.js';
import { chart, histogram } from './chart.js';
import { jobRow, isFinal } from './jobs.js';
import { actorHref } from './actors.js';

// -- what is the matter ------------------------------------------------------------

/** Everything that needs a person, the worst first: [{level: 'bad' or 'warn', text, why, href}]. */
export function troubles(s) {
  const found = [];
  const add = (level, text, href, why) => found.push({ level, text, href, why });
  for (const x of s.actors?.actors ?? []) {
    const actor = x.about ? `${x.name} (${x.about.slice(-6)})` : x.name;
    const href = actorHref(x.id);
    if (x.over.includes('handler')) add('bad', t('{actor} has worked on “{type}” for {time}', { actor, type: x.current?.type ?? '', time: duration(x.current?.ms) }), href, x.last_error?.text);
    if (x.over.includes('waiting')) add('bad', t('A message to {actor} has waited for {time}', { actor, time: duration(x.oldest_ms) }), href, x.current && `${t('now')}: ${x.current.type}, ${duration(x.current.ms)}`);
    if (x.over.includes('mailbox')) add('warn', t('{actor} has {n} messages waiting', { actor, n: count(x.depth) }), href);
    if (x.restarts > 0) add('warn', t('{actor} was restarted {n} times', { actor, n: x.restarts }), href, s.actors.ended.find((e) => e.name === x.name && e.reason)?.reason);
  }
  const health = s.health;
  if (health && health.mode !== 'mock') {
    if (!health.models.ready) add('bad', t('Avatars cannot be made: weights are missing'), '#/device', health.models.problems?.[0]);
    else if (!health.device.ready) add('warn', t('The networks are still being loaded'), '#/device');
    if (health.models.weights === 'synthetic') add('note', t('Weights are synthetic: what is made is for trying only'), '#/settings');
  }
  if (health && health.queue.queued >= health.queue.limit) add('warn', t('The queue is full: {n} jobs wait', { n: health.queue.queued }), '#/jobs');
  const free = metric('musetalkd_storage_free_bytes');
  const size = metric('musetalkd_storage_size_bytes');
  if (size && free / size < .05) add(free / size < .02 ? 'bad' : 'warn', t('The disk is nearly full: {free} left', { free: bytes(free) }), '#/');
  for (const x of jobsNewestFirst())
    if (x.status === 'failed' && Date.now() - new Date(x.finished_at) < 3600e3)
      add('warn', t('Job for {avatar} failed', { avatar: x.avatar_id }), `#/jobs/${encodeURIComponent(x.job_id)}`, x.error?.detail);
  const rank = { bad: 0, warn: 1, note: 2 };
  return found.sort((a, b) => rank[a.level] - rank[b.level]);
}

// -- overview ----------------------------------------------------------------------

const path = [
  ['front-end', 'receives'], ['upload-receiver', 'receives'], ['registry', 'decides'], ['musetalk-runner', 'conducts'],
  ['preprocessor', 'decodes'], ['gpu-scheduler', 'computes'], ['storage-writer', 'writes'],
];

/** One kind of actor on the path of a job: how busy, what waits, what it does now. */
function station(kind, does) {
  const dot = h('i', { class: 'dot' });
  const name = h('span', { class: 'strong' }, ({ 'upload-receiver': 'uploads', 'musetalk-runner': 'runner', 'gpu-scheduler': 'device', 'storage-writer': 'storage' })[kind] ?? kind);
  const many = h('span', { class: 'dim num' });
  const load = bar();
  const now = h('span', { class: 'mono now' });
  const waiting = h('span', { class: 'num' });
  const el = h('a', { class: 'station', href: '#/actors' }, h('span', { class: 'row' }, dot, name, many), h('span', { class: 'dim does' }, t(does)), load.el,
               h('span', { class: 'row' }, now, h('span', { class: 'grow' }), waiting));
  return { el, set(all) {
    const own = all.filter((x) => x.kind === kind);
    const state = own.some((x) => x.state === 'stuck') ? 'stuck' : own.some((x) => x.state === 'working' || x.busy > .05) ? 'working' : own.some((x) => x.state === 'starting') ? 'starting' : own.length ? 'idle' : 'none';
    attr(el, 'data-state', state);
    const busiest = [...own].sort((a, b) => (b.current?.ms ?? -1) - (a.current?.ms ?? -1) || b.busy - a.busy)[0];
    attr(el, 'href', busiest ? actorHref(busiest.id) : '#/actors');
    put(many, own.length > 1 ? `× ${own.length}` : '');
    load.set(Math.max(0, ...own.map((x) => x.busy)));
    const depth = own.reduce((sum, x) => sum + x.depth, 0);
    put(waiting, depth ? `${count(depth)} ✉` : '');
    put(now, busiest?.current ? `${busiest.current.type}${busiest.current.ms >= 1000 ? ` ${duration(busiest.current.ms)}` : ''}` : own.length ? t(state) : t('none'));
  } };
}

export function overview(main) {
  const verdict = h('section', { class: 'verdict' }, h('i', { class: 'dot big' }), h('div', {}, h('h1', {}), h('p', {})));
  const stations = path.map(([kind, does]) => station(kind, does));
  const list = h('ul', { class: 'troubles' });
  const calm = h('p', { class: 'empty' }, t('Nothing needs you.'));
  const put_troubles = keyed(list, () => {
    const text = h('span', { class: 'strong' });
    const why = h('span', { class: 'dim' });
    const link = h('a', {}, h('i', { class: 'dot' }), h('span', {}, text, why));
    return { el: h('li', {}, link), update(x) { attr(link, 'href', x.href); attr(link, 'data-level', x.level); put(text, x.text); put(why, x.why ?? ''); } };
  });
  const running = h('ul', { class: 'jobs' });
  const put_running = keyed(running, jobRow);
  const idle = h('p', { class: 'empty' }, t('Nothing to do right now.'));
  const latest = h('ul', { class: 'jobs' });
  const put_latest = keyed(latest, jobRow);
  const none = h('p', { class: 'empty' }, t('No jobs yet.'));
  const figures = {};
  const figure = (name) => { figures[name] = h('dd', { class: 'num' }); return h('div', {}, h('dt', {}, t(name)), figures[name]); };
  const charts = {
    cpu: chart({ title: t('Processor'), show: (x) => `${round(x, 1)} ${t('cores')}`, least: 1, small: true }),
    busy: chart({ title: t('Device busy'), show: percent, top: 1, small: true }),
    messages: chart({ title: t('Messages/s'), show: (x) => count(x), least: 10, small: true }),
    memory: chart({ title: t('Memory'), show: bytes, least: 1e8, small: true }),
  };
  fill(main, verdict,
       h('section', { class: 'panel flush path', 'aria-label': t('Where the work is') }, stations.map((x) => x.el)),
       h('div', { class: 'columns lead' },
         h('div', {}, panel(t('Running now'), running, idle),
           h('section', { class: 'panel' }, h('div', { class: 'row' }, h('h2', {}, t('Latest jobs')), h('span', { class: 'grow' }), h('a', { href: '#/jobs' }, t('See all'))), latest, none)),
         h('div', {}, panel(t('Attention'), list, calm),
           h('section', { class: 'panel' }, h('div', { class: 'row' }, h('h2', {}, t('Machine')), h('span', { class: 'grow' }), h('span', { class: 'dim' }, t('Last five minutes'))),
             h('div', { class: 'small-charts' }, Object.values(charts).map((x) => x.el)),
             h('dl', { class: 'figures' }, ['Queue', 'Device', 'Free disk', 'Up for'].map(figure))))));
  return watch((s) => {
    const wrong = troubles(s);
    const worst = s.link === 'lost' ? 'lost' : wrong.find((x) => x.level !== 'note')?.level ?? (s.health ? 'good' : 'lost');
    const jobs = jobsNewestFirst();
    const active = jobs.filter((x) => !isFinal(x));
    const run = active.filter((x) => x.status !== 'queued').length;
    const wait = s.health ? s.health.queue.queued : active.length - run;
    attr(verdict, 'data-level', worst);
    put(verdict.querySelector('h1'), s.link === 'lost' ? t('No connection to the service') : !s.health ? t('Loading') : worst === 'bad' ? t('Something is stuck') : worst === 'warn' ? t('Needs attention') : t('All is well'));
    const facts = run || wait ? `${t('{n} running', { n: run })}, ${t('{n} waiting', { n: wait })}` : t('Nothing to do right now.');
    put(verdict.querySelector('p'), s.link === 'lost' ? t('Trying again; what you see is from before.') : worst === 'good' ? facts : `${wrong[0]?.text ?? ''}. ${facts}`);
    document.title = `${worst === 'bad' ? '● ' : ''}${run ? `${run} ▸ ` : ''}musetalkd`;
    if (s.actors) for (const x of stations) x.set(s.actors.actors);
    put_troubles(wrong.slice(0, 8), (x) => x.text.replace(/[\d.]+/g, '') + x.href);
    calm.hidden = wrong.length > 0;
    put_running([...active].sort((a, b) => (a.status === 'queued') - (b.status === 'queued') || (a.created_at < b.created_at ? -1 : 1)).slice(0, 8), (x) => x.job_id);
    idle.hidden = active.length > 0;
    const past = jobs.filter(isFinal).sort((a, b) => (a.finished_at < b.finished_at ? 1 : -1)).slice(0, 6);
    put_latest(past, (x) => x.job_id);
    none.hidden = past.length > 0;
    charts.cpu.set(trail.cpu, Date.now(), 2000);
    charts.memory.set(trail.memory, Date.now(), 2000);
    charts.busy.set(trail.busy);
    charts.messages.set(trail.messages);
    if (s.health) {
      put(figures.Queue, `${s.health.queue.queued} ${t('of {n}', { n: s.health.queue.limit })}`);
      put(figures.Device, s.health.mode === 'mock' ? 'mock' : s.health.device.device ?? t('Loading'));
    }
    const free = metric('musetalkd_storage_free_bytes');
    put(figures['Free disk'], free === undefined ? '–' : bytes(free));
    const begun = metric('process_start_time_seconds');
    put(figures['Up for'], begun ? duration(Date.now() - begun * 1000) : '–');
  });
}

// -- device ------------------------------------------------------------------------

export function device(main) {
  const facts = h('dl', { class: 'facts' });
  const state = badge();
  const none = h('p', { class: 'empty' });
  const use = chart({ title: t('Utilisation'), show: percent, top: 1 });
  const queue = chart({ title: t('Messages in the mailbox'), show: (x) => count(x), least: 5 });
  const classes = h('div', { class: 'classes' });
  const put_classes = keyed(classes, () => {
    const name = h('span', {}); const n = h('strong', { class: 'num' });
    return { el: h('div', { class: 'class' }, n, name), update([key, value]) { put(name, t(key)); put(n, value); } };
  });
  const kinds = h('div', { class: 'kinds' });
  const put_kinds = keyed(kinds, () => {
    const title = h('h3', { class: 'mono' });
    const words = h('p', { class: 'dim num' });
    const sizes = histogram();
    return { el: h('div', { class: 'kind' }, title, words, sizes.el), update(x) {
      put(title, x.kind);
      put(words, [`${count(x.count)} ${t('Executions')}`, `${t('Mean batch')} ${round(x.batch.sum / Math.max(1, x.count), 1)}`, `${t('Mean time')} ${duration(x.seconds.sum / Math.max(1, x.count) * 1000)}`, x.failed ? `${x.failed} ${t('failed')}` : null].filter(Boolean).join(' · '));
      sizes.set(x.batch.bounds, x.batch.counts, t('Batch sizes'));
    } };
  });
  fill(main, h('div', { class: 'row wrap' }, h('h1', {}, t('Device')), state.el), h('section', { class: 'panel' }, facts),
       h('div', { class: 'charts' }, use.el, queue.el), panel(t('Waiting by class'), classes), panel(t('Batch sizes'), none, kinds));
  let timer = null;
  let gone = false;
  let gpu = null;
  const load = async () => {
    try {
      if (gpu) {
        const x = await ask(`/mgmt/v1/actors/${gpu}?seconds=300`);
        const end = new Date(x.history.begin).getTime() + x.history.depth.length * 1000;
        use.set(x.history.busy, end);
        queue.set(x.history.depth, end);
      }
    } catch { /* Tried again. */ }
    if (!gone) timer = setTimeout(load, 1000);
  };
  let key = '';
  const stop = watch((s) => {
    gpu = s.actors?.actors.find((x) => x.kind === 'gpu-scheduler')?.id ?? null;
    if (s.health) {
      const d = s.health.device;
      state.set(s.health.mode === 'mock' ? 'none' : d.ready ? 'ready' : 'Not ready');
      const wanted = [['Device', d.device], ['Name', d.name], ['Precision', d.dtype], ['Memory', d.memory_bytes ? bytes(d.memory_bytes) : '–'], ['Weights', s.health.models.weights], ['Executions', count(d.executions)], ['Inputs', count(d.frames)]];
      if (key !== JSON.stringify(wanted)) {
        key = JSON.stringify(wanted);
        fill(facts, wanted.map(([name, value]) => h('div', {}, h('dt', {}, t(name)), h('dd', {}, value ?? '–'))));
      }
      put(none, s.health.mode === 'mock' ? t('No device: mock mode computes nothing.') : t('Nothing has run on the device yet.'));
    }
    if (!s.device) return;
    const waiting = Object.entries({ speak: 0, create: 0, ...s.device.waiting });
    put_classes(waiting, ([name]) => name);
    put_kinds(s.device.executions, (x) => x.kind);
    none.hidden = s.device.executions.length > 0;
  });
  load();
  return () => { gone = true; clearTimeout(timer); stop(); };
}

// -- settings ----------------------------------------------------------------------

export function settings(main) {
  const filter = h('input', { type: 'search', placeholder: t('Filter'), 'aria-label': t('Filter'), oninput: () => show() });
  const only = h('input', { type: 'checkbox', onchange: () => show() });
  const box = h('div', {});
  fill(main, h('h1', {}, t('Settings')), h('div', { class: 'tools' }, h('label', { class: 'check' }, only, h('span', {}, t('only changed ones'))), h('span', { class: 'grow' }), filter), box);
  let all = [];
  const show = () => {
    const text = filter.value.trim().toLowerCase();
    const some = all.filter((x) => (!only.checked || x.origin !== 'default') && (!text || `${x.key} ${x.value} ${x.meaning}`.toLowerCase().includes(text)));
    const sections = [...new Set(some.map((x) => x.section))];
    fill(box, sections.map((name) => h('section', { class: 'panel flush' }, h('h2', {}, name), h('dl', { class: 'settings' }, some.filter((x) => x.section === name).map((x) => [
      h('dt', { class: 'mono' }, x.key),
      h('dd', {}, h('span', { class: 'mono value' }, x.value === '' ? '–' : x.value, x.unit ? h('span', { class: 'dim' }, ` ${x.unit}`) : null), h('span', { class: 'tag', 'data-origin': x.origin, title: x.where }, t(x.origin))),
      h('dd', { class: 'dim meaning' }, x.meaning)])))));
  };
  ask('/mgmt/v1/settings').then((x) => { all = x.settings; show(); }, (e) => fill(box, h('p', { class: 'empty' }, e.message)));
}
