// The frame around the pages: navigation, connection, language, theme, keys.
import { h, put, fill, icon, attr } from './dom.js';
import { t, chooseLanguage, currentLanguage } from './words.js';
import { start, state, watch } from './live.js';
import { overview, device, settings } from './pages.js';
import { actors, actor } from './actors.js';
import { jobs, job } from './jobs.js';
import { avatars, avatar } from './avatars.js';

const pages = [
  { path: '', name: 'Overview', icon: 'overview', show: overview },
  { path: 'actors', name: 'Actors', icon: 'actors', show: actors, one: actor },
  { path: 'jobs', name: 'Jobs', icon: 'jobs', show: jobs, one: job },
  { path: 'avatars', name: 'Avatars', icon: 'avatars', show: avatars, one: avatar },
  { path: 'device', name: 'Device', icon: 'device', show: device },
  { path: 'settings', name: 'Settings', icon: 'settings', show: settings },
];

const kept = {
  get(name) { try { return localStorage.getItem(name); } catch { return null; } },
  set(name, value) { try { localStorage.setItem(name, value); } catch { /* Private windows keep nothing. */ } },
};

let leave = () => {};

function route() {
  const [path, ...rest] = location.hash.replace(/^#\/?/, '').split('/');
  const page = pages.find((x) => x.path === path) ?? pages[0];
  let id = rest.join('/');
  try { id = decodeURIComponent(id); } catch { /* As it came. */ }
  return { page, id };
}

function showPage() {
  const { page, id } = route();
  leave();
  const main = document.getElementById('main');
  main.replaceChildren();
  attr(main, 'data-page', page.path || 'overview');
  leave = (id && page.one ? page.one(main, id) : page.show(main)) ?? (() => {});
  for (const link of document.querySelectorAll('#nav a'))
    attr(link, 'aria-current', link.dataset.path === page.path ? 'page' : null);
  window.scrollTo(0, 0);
}

function frame() {
  const nav = document.getElementById('nav');
  const brand = h('div', { class: 'brand' }, h('span', { class: 'logo', 'aria-hidden': 'true' }, icon('device')), h('strong', {}, 'musetalkd'));
  fill(nav, brand, pages.map((x) => h('a', { href: `#/${x.path}`, 'data-path': x.path }, icon(x.icon), h('span', {}, t(x.name)))),
       h('div', { class: 'nav-foot' }, h('button', { class: 'quiet keys-button', onclick: help }, t('Keys'), ' ', h('kbd', {}, '?'))));
  const link = h('span', { class: 'link' }, h('i', {}), h('span', {}));
  const mode = h('span', { class: 'mode' });
  const language = h('button', { class: 'quiet', 'aria-label': t('Language'), onclick: () => {
    const next = currentLanguage() === 'zh' ? 'en' : 'zh';
    kept.set('language', next);
    chooseLanguage(next);
    frame();
    showPage();
  } }, currentLanguage() === 'zh' ? 'English' : '中文');
  const theme = h('button', { class: 'quiet icon-only', 'aria-label': t('Theme'), title: t('Theme'), onclick: () => {
    const dark = getComputedStyle(document.documentElement).getPropertyValue('--is-dark').trim() === '1';
    const next = dark ? 'light' : 'dark';
    kept.set('theme', next);
    document.documentElement.dataset.theme = next;
  } }, icon('sun'));
  fill(document.getElementById('top'), link, mode, h('span', { class: 'grow' }), language, theme);
  stopHead();
  stopHead = watch((s) => {
    attr(link, 'data-state', s.link);
    put(link.lastChild, t(s.link));
    put(mode, s.health ? [s.health.mode, s.health.device.device, s.health.models?.weights === 'synthetic' ? 'synthetic' : null].filter(Boolean).join(' · ') : '');
  });
}
let stopHead = () => {};

function help() {
  if (document.querySelector('dialog')) return;
  const keys = [['1 – 6', 'pages'], ['/', 'jump to the filter'], ['?', 'this help']];
  const box = h('dialog', { class: 'ask', onclose: () => box.remove() }, h('h2', {}, t('Keys')),
                h('dl', { class: 'keys' }, keys.map(([key, what]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, t(what))])),
                h('div', { class: 'row end' }, h('button', { onclick: () => box.close() }, t('Close'))));
  document.body.append(box);
  box.showModal();
}

document.addEventListener('keydown', (e) => {
  if (e.ctrlKey || e.metaKey || e.altKey || e.target.closest?.('input, textarea, select, dialog')) return;
  if (e.key >= '1' && e.key <= String(pages.length)) location.hash = `#/${pages[e.key - 1].path}`;
  else if (e.key === '/') {
    const filter = document.querySelector('input[type=search]');
    if (filter) { e.preventDefault(); filter.focus(); }
  } else if (e.key === '?') help();
});

chooseLanguage(kept.get('language') ?? (navigator.language?.startsWith('zh') ? 'zh' : 'en'));
const theme = new URLSearchParams(location.search).get('theme') ?? kept.get('theme');
if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
frame();
showPage();
window.addEventListener('hashchange', showPage);
start();
document.documentElement.dataset.ready = '1';
