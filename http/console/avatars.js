// Avatars: what was made, with pictures and versions; and making one.
import { h, put, fill, attr, keyed, bar, badge, panel, icon, ask as sure, toast, bytes, ago, clock, duration } from './dom.js';
import { t } from './words.js';
import { ask, post, freshKey, state, watch, onJobEvent } from './live.js';
import { where, isFinal } from './jobs.js';

const idRule = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;
const base = (id) => `/mgmt/v1/avatars/${encodeURIComponent(id)}`;

/** A file's name as an id that the service takes. */
export function idFrom(name) {
  const plain = name.replace(/\.[^.]*$/, '').normalize('NFKD').replace(/[^A-Za-z0-9_-]+/g, '-').replace(/^[-_]+|[-_]+$/g, '');
  return plain.slice(0, 64);
}

/** Sends a form and tells how far it is; fetch cannot. */
function send(form, told) {
  return new Promise((resolve, reject) => {
    const x = new XMLHttpRequest();
    x.open('POST', '/mgmt/v1/avatars/upload');
    x.setRequestHeader('Idempotency-Key', freshKey());
    x.responseType = 'json';
    x.upload.onprogress = (e) => { if (e.lengthComputable) told(e.loaded / e.total, e.loaded); };
    x.onload = () => (x.status < 300 ? resolve(x.response) : reject(new Error([x.response?.detail ?? `HTTP ${x.status}`, x.response?.hint].filter(Boolean).join(' '))));
    x.onerror = () => reject(new Error(t('The connection broke.')));
    x.send(form);
  });
}

function uploader(made) {
  const id = h('input', { name: 'avatar_id', required: true, maxlength: 64, pattern: '[A-Za-z0-9][A-Za-z0-9_\\-]{0,63}', title: t('Letters, digits, - and _; at most 64.'), autocomplete: 'off', spellcheck: 'false' });
  const tutor = h('input', { name: 'tutor_id', maxlength: 128, placeholder: t('optional'), autocomplete: 'off' });
  const blur = h('input', { type: 'checkbox', name: 'apply_blur' });
  const file = h('input', { type: 'file', accept: 'video/*,.mp4,.mov,.mkv,.webm,.avi', class: 'hidden-file', id: 'video' });
  const what = h('span', { class: 'strong' }, t('Drop a video here'));
  const how = h('span', { class: 'dim' }, t('or choose a file'));
  const drop = h('label', { class: 'drop', for: 'video' }, icon('upload'), what, how, file);
  const go = h('button', { class: 'primary', type: 'submit', disabled: true }, t('Upload'));
  const progress = bar('wide tall');
  const words = h('p', { class: 'where', role: 'status' });
  const after = h('div', { class: 'row', hidden: true });
  const moving = h('div', { class: 'moving', hidden: true }, progress.el, words, after);
  let chosen = null;
  let stop = () => {};
  const choose = (x) => {
    chosen = x;
    if (!x) return;
    put(what, x.name);
    put(how, bytes(x.size));
    if (!id.value) id.value = idFrom(x.name);
    go.disabled = false;
  };
  file.addEventListener('change', () => choose(file.files[0]));
  for (const name of ['dragenter', 'dragover']) drop.addEventListener(name, (e) => { e.preventDefault(); drop.classList.add('over'); });
  for (const name of ['dragleave', 'drop']) drop.addEventListener(name, () => drop.classList.remove('over'));
  drop.addEventListener('drop', (e) => { e.preventDefault(); choose(e.dataTransfer.files[0]); });
  const follow = (job_id, avatar_id) => {
    stop();
    stop = watch((s) => {
      const x = s.jobs.get(job_id);
      if (!x) return;
      progress.set(x.status === 'completed' ? 1 : x.fraction);
      attr(progress.el, 'data-state', x.status);
      put(words, x.status === 'completed' ? t('Ready') : `${t('Making the avatar')} · ${where(x)}`);
      if (!isFinal(x)) return;
      after.hidden = false;
      if (!after.firstChild) fill(after, x.status === 'completed' ? h('a', { class: 'button', href: `#/avatars/${encodeURIComponent(avatar_id)}` }, t('Show it')) : null, h('button', { onclick: reset }, t('Another one')));
      made();
    });
  };
  const reset = () => {
    stop();
    form.reset();
    chosen = null;
    fill(after);
    after.hidden = true;
    moving.hidden = true;
    form.hidden = false;
    put(what, t('Drop a video here'));
    put(how, t('or choose a file'));
    go.disabled = true;
  };
  const form = h('form', { class: 'upload', onsubmit: async (e) => {
    e.preventDefault();
    if (!chosen || !idRule.test(id.value)) return;
    const data = new FormData();
    data.append('avatar_id', id.value);
    if (tutor.value) data.append('tutor_id', tutor.value);
    data.append('apply_blur', blur.checked ? 'true' : 'false');
    data.append('video_file', chosen);
    form.hidden = true;
    moving.hidden = false;
    progress.set(0);
    try {
      const job = await send(data, (x, sent) => { progress.set(x); put(words, `${t('Sending')} · ${bytes(sent)} / ${bytes(chosen.size)}`); });
      follow(job.job_id, job.avatar_id);
    } catch (problem) {
      form.hidden = false;
      moving.hidden = true;
      toast(problem.message, true);
    }
  } }, drop, h('div', { class: 'fields' }, h('label', {}, h('span', {}, t('Avatar id')), id), h('label', {}, h('span', {}, t('Tutor id')), tutor),
               h('label', { class: 'check' }, blur, h('span', {}, t('Blur the background'))), go));
  return { el: panel(t('Upload a video'), form, moving), stop: () => stop() };
}

function card() {
  const picture = h('img', { alt: '', loading: 'lazy' });
  const shade = h('span', { class: 'no-picture', 'aria-hidden': 'true' }, icon('avatars'));
  picture.addEventListener('error', () => { picture.hidden = true; shade.hidden = false; });
  picture.addEventListener('load', () => { picture.hidden = false; shade.hidden = true; });
  const name = h('strong', {});
  const tutor = h('span', { class: 'dim' });
  const status = badge();
  const about = h('span', { class: 'dim num' });
  const el = h('a', { class: 'card' }, h('span', { class: 'shot' }, picture, shade), h('span', { class: 'card-text' }, h('span', { class: 'row' }, name, h('span', { class: 'grow' }), status.el), h('span', { class: 'row' }, tutor, h('span', { class: 'grow' }), about)));
  return { el, update(x) {
    attr(el, 'href', `#/avatars/${encodeURIComponent(x.avatar_id)}`);
    put(name, x.avatar_id);
    put(tutor, x.tutor_id ?? '');
    status.set(x.status);
    const current = x.versions.find((v) => v.version === x.current_version);
    put(about, current ? [duration(current.duration_s * 1000), x.versions.length > 1 ? `${x.versions.length} ${t('versions')}` : null].filter(Boolean).join(' · ') : ago(x.created_at));
    attr(picture, 'src', x.links.preview ? `${x.links.preview}?v=${x.current_version}` : null);
    if (!x.links.preview) picture.hidden = true;
  } };
}

export function avatars(main) {
  const filter = h('input', { type: 'search', placeholder: t('Filter'), 'aria-label': t('Filter'), oninput: () => show() });
  const grid = h('div', { class: 'cards' });
  const none = h('p', { class: 'empty', hidden: true }, t('No avatars yet. Upload a video to make the first.'));
  const put_all = keyed(grid, card);
  let all = [];
  const show = () => {
    const text = filter.value.trim().toLowerCase();
    put_all(all.filter((x) => !text || `${x.avatar_id} ${x.tutor_id ?? ''}`.toLowerCase().includes(text)), (x) => x.avatar_id);
    none.hidden = all.length > 0;
  };
  const load = async () => {
    try { all = (await ask('/mgmt/v1/avatars?detail=true&limit=500')).avatars; show(); } catch { /* The next event asks again. */ }
  };
  const form = uploader(load);
  fill(main, h('h1', {}, t('Avatars')), form.el, h('div', { class: 'tools' }, h('span', { class: 'grow' }), filter), grid, none);
  load();
  const stop = onJobEvent(load);
  return () => { stop(); form.stop(); };
}

export function avatar(main, id) {
  const title = h('h1', {}, id);
  const status = badge();
  const tutor = h('span', { class: 'dim' });
  const moving = h('section', { class: 'panel', hidden: true });
  const video = h('video', { controls: true, muted: true, loop: true, playsinline: true, preload: 'metadata' });
  const sheet = h('img', { alt: t('Contact sheet') });
  const rows = h('tbody', {});
  const heads = ['version', 'Made', 'Length', 'Picture', 'Size', 'Weights', ''].map((x, i) => h('th', { class: i > 1 && i < 5 ? 'num' : '', scope: 'col' }, x && t(x)));
  const remove = h('button', { class: 'danger', onclick: async () => {
    if (!await sure(t('Delete {id} with all its versions?', { id }), t('Delete'))) return;
    try { await ask(base(id), { method: 'DELETE' }); location.hash = '#/avatars'; } catch (e) { toast(e.message, true); }
  } }, t('Delete avatar'));
  const seen = h('div', { class: 'columns media' }, h('section', { class: 'panel' }, h('h2', {}, t('Video')), video),
                 h('section', { class: 'panel' }, h('h2', {}, t('Contact sheet')), sheet, h('p', { class: 'dim' }, t('What the networks see: face box, landmarks, blending mask.'))));
  sheet.addEventListener('error', () => { sheet.parentNode.hidden = true; });
  sheet.addEventListener('load', () => { sheet.parentNode.hidden = false; });
  fill(main, h('p', { class: 'crumbs' }, h('a', { href: '#/avatars' }, t('Avatars')), ' / ', id),
       h('div', { class: 'row wrap' }, title, status.el, tutor, h('span', { class: 'grow' }), remove), moving, seen,
       h('section', { class: 'panel flush scroll' }, h('h2', {}, t('Versions')), h('table', {}, h('thead', {}, h('tr', {}, heads)), rows)));
  const progress = bar('wide tall');
  const words = h('p', { class: 'where' });
  fill(moving, progress.el, words);
  let jobId = null;
  let shown = '';
  const change = (path, options) => async () => {
    if (options?.method === 'DELETE' && !await sure(t('Delete version {v}?', { v: path.split('/').pop() }), t('Delete'))) return;
    try { await (options ? ask(path, options) : post(path)); load(); } catch (e) { toast(e.message, true); }
  };
  const load = async () => {
    try {
      const x = await ask(base(id));
      status.set(x.status);
      put(tutor, x.tutor_id ?? '');
      jobId = x.job?.job_id ?? null;
      if (x.job) state.jobs.set(jobId, x.job);
      seen.hidden = !x.current_version;
      if (x.current_version && shown !== x.current_version) {
        shown = x.current_version;
        attr(video, 'src', `${base(id)}/video.mp4?v=${shown}`);
        attr(video, 'poster', `${base(id)}/preview.jpg?v=${shown}`);
        attr(sheet, 'src', `${base(id)}/contact_sheet.jpg?v=${shown}`);
      }
      fill(rows, [...x.versions].reverse().map((v) => h('tr', {}, h('td', { class: 'mono' }, v.version), h('td', { title: v.created_at }, clock(v.created_at)),
        h('td', { class: 'num' }, duration(v.duration_s * 1000)), h('td', { class: 'num' }, `${v.width} × ${v.height}`), h('td', { class: 'num' }, bytes(v.bytes)), h('td', {}, v.weights && t(v.weights)),
        h('td', { class: 'end' }, v.version === x.current_version ? h('span', { class: 'tag' }, t('Current'))
          : h('span', { class: 'row tight end' }, h('button', { class: 'small', onclick: change(`${base(id)}/versions/${v.version}/activate`) }, t('Make current')),
              h('button', { class: 'small', onclick: change(`${base(id)}/versions/${v.version}`, { method: 'DELETE' }) }, t('Delete')))))));
      show();
    } catch (e) {
      if (e.status === 404) fill(main, h('h1', {}, t('Not found')), h('p', {}, e.message), h('p', {}, h('a', { href: '#/avatars' }, t('Back'))));
    }
  };
  const show = () => {
    const x = jobId && state.jobs.get(jobId);
    moving.hidden = !x || x.status === 'completed' || x.status === 'cancelled';
    if (!x) return;
    progress.set(x.fraction);
    attr(progress.el, 'data-state', x.status);
    put(words, where(x));
  };
  load();
  const stop = [watch(show), onJobEvent((e) => { if (e.avatar_id === id) load(); })];
  return () => stop.forEach((f) => f());
}
