// Shows /openapi.json and /asyncapi.json. Text goes in as text, never as markup.
'use strict';

const by = id => document.getElementById(id);

function make(name, text, ...children) {
  const node = document.createElement(name);
  if (text !== null && text !== undefined) node.textContent = text;
  node.append(...children);
  return node;
}

function classed(name, kind, text, ...children) {
  const node = make(name, text, ...children);
  node.className = kind;
  return node;
}

function table(heads, rows) {
  const head = make('tr', null, ...heads.map(x => make('th', x)));
  const body = rows.map(row => make('tr', null, ...row.map(x => x instanceof Node ? make('td', null, x) : make('td', x))));
  return make('table', null, make('thead', null, head), make('tbody', null, ...body));
}

// A schema as short text: names of shapes stay names.
function short(schema, indent = '') {
  if (!schema) return 'bytes';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.allOf) return schema.allOf.filter(x => x.$ref).map(x => short(x)).join(' & ');
  if (schema.anyOf) return schema.anyOf.map(x => short(x, indent)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (schema.enum) return schema.enum.map(x => JSON.stringify(x)).join(' | ');
  const type = [].concat(schema.type || 'anything');
  const words = type.map(kind => {
    if (kind === 'array') return `[ ${short(schema.items, indent)}, … ]`;
    if (kind === 'object' && schema.properties && Object.keys(schema.properties).length) {
      const needed = new Set(schema.required || []);
      const inner = indent + '  ';
      const lines = Object.entries(schema.properties).map(([name, x]) =>
        `${inner}${name}${needed.has(name) ? '' : '?'}: ${short(x, inner)}${x.description ? `    // ${x.description}` : ''}`);
      return `{\n${lines.join('\n')}\n${indent}}`;
    }
    if (kind === 'object' && schema.additionalProperties) return `{ name: ${short(schema.additionalProperties, indent)} }`;
    return kind;
  });
  return words.join(' | ');
}

function section(title, ...children) {
  return make('section', null, make('h3', title), ...children);
}

function shown(content) {
  return Object.entries(content || {}).map(([type, x]) => make('div', null, make('code', type), make('pre', short(x.schema))));
}

function answers(responses) {
  return table(['status', 'meaning', 'body'], Object.entries(responses).map(([status, x]) => {
    const problem = x.content && x.content['application/problem+json'];
    const codes = problem && problem.schema.allOf[1].properties.code.enum;
    const body = codes ? make('code', codes.join(', '))
                       : make('code', Object.entries(x.content || {}).map(([type, c]) => c.schema ? short(c.schema) : type).join(', '));
    return [status, x.description, body];
  }));
}

function operation(path, method, x) {
  const head = make('summary', null, classed('span', 'method', method.toUpperCase()), make('code', path), classed('span', 'what', ' ' + x.summary));
  const node = make('details', null, head);
  node.id = x.operationId;
  node.dataset.words = `${method} ${path} ${x.summary} ${x.operationId}`.toLowerCase();
  if (x.parameters)
    node.append(section('Parameters', table(['name', 'in', 'type', ''], x.parameters.map(p =>
      [make('code', p.name), p.in, make('code', short(p.schema)), p.description || '']))));
  if (x.requestBody)
    node.append(section('Body', ...shown(x.requestBody.content)));
  node.append(section('Answers', answers(x.responses)));
  return node;
}

function folded(title, text) {
  const node = make('details', null, make('summary', null, make('code', title)), make('pre', text));
  node.id = 'shape-' + title;
  node.dataset.words = title.toLowerCase();
  return node;
}

function add(title, nodes) {
  const id = 'of-' + title.toLowerCase().replace(/[^a-z]+/g, '-');
  const heading = make('h2', title);
  heading.id = id;
  by('calls').append(make('section', null, heading, ...nodes));
  const link = make('a', title);
  link.href = '#' + id;
  by('tags').append(link);
}

function find() {
  const words = by('find').value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const node of document.querySelectorAll('main details'))
    node.classList.toggle('hidden', !words.every(x => node.dataset.words.includes(x)));
}

async function load(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.json();
}

async function main() {
  const [open, async] = await Promise.all([load('/openapi.json'), load('/asyncapi.json')]);
  by('title').textContent = `${open.info.title} ${open.info.version}`;
  by('about').textContent = open.info.description;
  const tags = new Map();
  for (const [path, methods] of Object.entries(open.paths))
    for (const [method, x] of Object.entries(methods))
      tags.set(x.tags[0], [...(tags.get(x.tags[0]) || []), operation(path, method, x)]);
  for (const [tag, nodes] of tags) add(tag, nodes);
  add('Messages', Object.entries(async.components.messages).map(([name, x]) => folded(name, `${x.summary}\n\n${short(x.payload)}`)));
  add('Shapes', Object.entries(open.components.schemas).map(([name, x]) => folded(name, short(x))));
  by('state').remove();
  by('find').addEventListener('input', find);
  const wanted = location.hash && document.getElementById(location.hash.slice(1));
  if (wanted) { wanted.open = true; wanted.scrollIntoView(); }
}

main().catch(x => { by('state').textContent = `Cannot show the interface: ${x.message}`; });
