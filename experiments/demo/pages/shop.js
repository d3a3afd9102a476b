// What the shop's pages do by themselves. Without it they work too, one page after the other.
const shop = (() => {
  const every = Number(document.body.dataset.every), patience = Number(document.body.dataset.patience);
  const wait = (ms) => new Promise((done) => setTimeout(done, ms));
  const escape = (text) => { const p = document.createElement('p'); p.textContent = text; return p.innerHTML; };

  // Parts: each asks for itself again and again, so that what is out of order recovers without a reload.
  async function fetchPart(part) {
    try {
      const answer = await fetch(part.dataset.part, {signal: AbortSignal.timeout(patience), headers: {Part: '1'}});
      return {status: answer.status, bend: answer.headers.get('Bend') || '', html: await answer.text()};
    } catch {
      return {status: 0, bend: '', html: ''};
    }
  }
  function lost(part) {
    if (part.id === 'notice') return '<p class="warning"><strong>The shop does not answer right now.</strong> This is our fault, and this page keeps trying. You can call us on 01632 960 042.</p>';
    return '<p class="old">This part cannot be shown right now, and this page keeps trying.</p>';
  }
  function showPart(part, answer) {
    if (answer.status === 401) { location.href = '/sign-in?next=' + encodeURIComponent(location.pathname); return; }
    const html = (answer.status ? answer.html : lost(part)).trim();
    if (part.id === 'notice') showNotice(part, html);
    else if (part.shown !== html) part.innerHTML = part.shown = html;
    part.removeAttribute('aria-busy');
  }
  // What was out of order and is not any more is said once, and then goes away.
  function showNotice(part, html) {
    if (part.shown === undefined) part.shown = part.innerHTML.trim();
    if (part.shown === html) return;
    part.innerHTML = html || '<p class="well">Everything works again.</p>';
    part.shown = html;
    if (!html) wait(Math.max(10000, every)).then(() => { if (part.shown === '') part.innerHTML = ''; });
  }
  async function keepFresh(part) {
    for (;;) {
      const answer = await fetchPart(part);
      if (shop.part(part, answer) === false) return;
      await wait(every * (0.9 + Math.random() / 5));
    }
  }

  // Forms: what is sent is sent once, what is typed is kept, and what became of it is said where a screen reader hears it.
  const box = (form) => form.parentElement.querySelector('.said');
  function say(form, claim, html) {
    const said = box(form);
    said.setAttribute('role', claim === 'failed' || claim === 'unknown' ? 'alert' : 'status');
    said.dataset.claim = claim;
    said.innerHTML = html;
    if (claim) said.focus();
  }
  async function post(form, body) {
    try {
      const answer = await fetch(form.action, {method: 'POST', body, signal: AbortSignal.timeout(patience), headers: {Part: '1'}});
      return {status: answer.status, claim: answer.headers.get('Claim') || '', bend: answer.headers.get('Bend') || '', html: await answer.text()};
    } catch {
      return {status: 0, claim: 'unknown', bend: '', html: `<div class="notice unknown"><h2>${escape(form.dataset.unknown)}</h2><p>The shop gave no answer. What you typed is kept. ` +
        'Nothing happens twice if you press again. You can check <a href="/orders">your orders</a>, or call us on 01632 960 042.</p></div>'};
    }
  }
  function busy(form, is) {
    form.busy = is;
    form.setAttribute('aria-busy', String(is));
    const button = form.querySelector('button');
    button.disabled = is;
    if (is) button.title = form.dataset.send; else button.removeAttribute('title');
  }
  async function send(form) {
    if (form.busy) return;
    const body = new URLSearchParams(new FormData(form));
    shop.begin(form);
    const answer = await post(form, body);
    busy(form, false);
    shop.end(form, answer, body);
  }
  function begin(form) {
    busy(form, true);
    say(form, '', `<p>${escape(form.dataset.send)}</p>`);
  }
  function end(form, answer) {
    say(form, answer.claim || 'unknown', answer.html);
    if (answer.claim !== 'success' && answer.claim !== 'pending') return;
    forget(form);
    const number = form.elements.number;
    if (number) number.value = Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'[b % 32]).join('');
  }

  // Drafts: what is typed stays in this browser until it was sent, but for the card.
  const drafted = (form) => [...form.elements].filter((field) => field.name && field.type !== 'hidden' && field.name !== 'card');
  const draft = (form) => 'draft ' + form.dataset.draft + location.search;
  function keep(form) { localStorage.setItem(draft(form), JSON.stringify(drafted(form).map((field) => [field.name, field.value]))); }
  function restore(form) {
    for (const [name, value] of JSON.parse(localStorage.getItem(draft(form)) || '[]')) {
      const field = form.elements[name];
      if (field && field.value === field.defaultValue) field.value = value;
    }
  }
  function forget(form) { localStorage.removeItem(draft(form)); }

  function start() {
    for (const form of document.querySelectorAll('form[data-send]')) {
      shop.restore(form);
      form.addEventListener('input', () => shop.keep(form));
      form.addEventListener('submit', (event) => { event.preventDefault(); shop.send(form); });
    }
    for (const part of document.querySelectorAll('[data-part]')) keepFresh(part);
  }
  document.addEventListener('DOMContentLoaded', start);
  return {part: showPart, send, begin, end, busy, say, keep, restore, forget, post, box, wait, escape, every};
})();
