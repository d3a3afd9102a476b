// The observer: looks at the page as a person and a screen reader do, every 250 ms and after changes, and reports what
// changed. It lives in a world of its own: the page's scripts cannot see it, and it changes nothing by itself. Its lower
// half finds and prepares elements for the person's acts. CONFIG is put before it.
(() => {
  if (window !== window.top || globalThis.candor) return;
  const PERIOD = 250, SETTLE = 30, BEAT = 2000, MOST_NODES = 30000, MOST_BLOCKS = 1500, MOST_TIME = 80;
  const LIVE = {alert: 'assertive', alertdialog: 'assertive', status: 'polite', log: 'polite'};
  const LANDMARKS = {main: 'main', nav: 'navigation', header: 'banner', footer: 'contentinfo', aside: 'complementary', form: 'form', search: 'search'};
  const INLINE = new Set(('A ABBR ACRONYM B BDI BDO BIG BR BUTTON CITE CODE DATA DFN EM FONT I IMG INPUT INS KBD LABEL MARK METER OUTPUT PROGRESS Q ' +
    'RUBY S SAMP SELECT SMALL SPAN STRIKE STRONG SUB SUP SVG TEXTAREA TIME TT U VAR WBR').split(' '));
  const SKIP = new Set(['SCRIPT', 'STYLE', 'TEMPLATE', 'NOSCRIPT', 'HEAD', 'LINK', 'META', 'OPTION', 'OPTGROUP', 'DATALIST', 'SVG', 'IFRAME', 'OBJECT']);
  const CONTROL_ROLES = new Set(['button', 'link', 'checkbox', 'radio', 'tab', 'menuitem', 'switch', 'textbox', 'searchbox', 'combobox', 'slider', 'spinbutton', 'listbox']);
  const WAITING = /(^|[-_ ])(spinner|skeleton|loading|loader|shimmer|throbber|placeholder)([-_ ]|$)/i;
  const SECRET = /card.?(no|num)|cc-|cvv|cvc|iban|passw|otp|csrf|token|secret|\bpin\b/i;
  const clean = (s, n) => String(s ?? '').replace(/\s+/g, ' ').trim().slice(0, n);
  const upper = (el) => el.tagName.toUpperCase();

  const ids = new WeakMap(), elements = new Map(), containers = new WeakMap(), bornLive = new WeakMap();
  let nextID = 1, last = new Map(), lastRegions = new Map(), lastHead = '', first = true, count = 0;
  let sent = 0, timerAt = 0, cost = 0, worst = 0, ended = 0, pending = 0, gaps = [];

  function idOf(el) {
    let id = ids.get(el);
    if (!id) { ids.set(el, id = nextID++); elements.set(id, new WeakRef(el)); }
    return id;
  }
  function element(id) { const el = elements.get(id)?.deref(); return el?.isConnected ? el : null; }

  function roleOf(el) {
    const own = clean(el.getAttribute('role'), 40).toLowerCase().split(' ')[0];
    if (own) return own;
    const tag = upper(el), type = (el.getAttribute('type') || 'text').toLowerCase();
    switch (tag) {
      case 'A': return el.hasAttribute('href') ? 'link' : '';
      case 'BUTTON': case 'SUMMARY': return 'button';
      case 'SELECT': return el.multiple ? 'listbox' : 'combobox';
      case 'TEXTAREA': return 'textbox';
      case 'INPUT': return {button: 'button', submit: 'button', reset: 'button', image: 'button', checkbox: 'checkbox', radio: 'radio',
        range: 'slider', number: 'spinbutton', search: 'searchbox', hidden: ''}[type] ?? 'textbox';
      case 'H1': case 'H2': case 'H3': case 'H4': case 'H5': case 'H6': return 'heading';
      case 'IMG': return 'img'; case 'PROGRESS': return 'progressbar'; case 'OUTPUT': return 'status'; case 'DIALOG': return 'dialog';
      case 'LI': return 'listitem'; case 'UL': case 'OL': return 'list'; case 'TABLE': return 'table'; case 'TR': return 'row'; case 'TD': return 'cell';
      case 'TH': return 'columnheader'; case 'MAIN': case 'NAV': case 'ASIDE': case 'FORM': case 'HEADER': case 'FOOTER': return LANDMARKS[tag.toLowerCase()];
      case 'P': return 'paragraph';
    }
    return el.isContentEditable && el.hasAttribute('contenteditable') ? 'textbox' : '';
  }
  function byIDs(el, attribute) {
    return (el.getAttribute(attribute) || '').split(/\s+/).filter(Boolean).slice(0, 8)
      .map((id) => el.getRootNode().getElementById?.(id)?.textContent).filter(Boolean).join(' ');
  }
  function labelOf(el) { return el.labels ? [...el.labels].slice(0, 4).map((l) => labelText(l, el)).join(' ') : ''; }
  function labelText(label, field) {
    let text = '';
    const walk = (n) => { for (const c of n.childNodes) { if (c === field || text.length > 400) continue; if (c.nodeType === 3) text += c.data; else if (c.nodeType === 1 && !/^(SELECT|TEXTAREA|SCRIPT|STYLE)$/i.test(c.tagName)) walk(c); } };
    walk(label);
    return text;
  }
  function nameOf(el, role) {
    const type = (el.getAttribute('type') || '').toLowerCase(), tag = upper(el);
    const given = byIDs(el, 'aria-labelledby') || el.getAttribute('aria-label') || labelOf(el) || el.getAttribute('alt');
    if (clean(given, 1)) return clean(given, 200);
    if (tag === 'INPUT') {
      if (/^(button|submit|reset)$/.test(type)) return clean(el.value || {submit: 'Submit', reset: 'Reset'}[type], 200);
      return clean(el.title || el.placeholder, 200);
    }
    if (tag === 'SELECT' || tag === 'TEXTAREA') return clean(el.title || el.placeholder, 200);
    if (role === 'dialog' || role === 'alertdialog' || LANDMARKS[tag.toLowerCase()]) return clean(el.title, 200);
    return clean(el.innerText || [...el.querySelectorAll('img[alt]')].map((i) => i.alt).join(' ') || el.title, 200);
  }
  function isDisabled(el) { return el.matches(':disabled') || el.closest('[aria-disabled="true"]') !== null || el.closest('[inert]') !== null; }
  function masked(el) {
    const type = (el.type || '').toLowerCase();
    return /^(password|hidden|file)$/.test(type) || /cc-|password|one-time-code/.test(el.autocomplete || '') || SECRET.test(el.name || '') || SECRET.test(el.id || '') || SECRET.test(labelOf(el));
  }
  function valueOf(el) {
    if (/^(checkbox|radio)$/.test(el.type)) return el.checked ? 'on' : 'off';
    if (upper(el) === 'SELECT') return clean([...el.selectedOptions].slice(0, 5).map((o) => o.text).join(', '), 300);
    return String(el.value ?? (el.isContentEditable ? el.innerText : '')).slice(0, 300);
  }
  function selectorOf(el) {
    if (el.id && el.id.length < 60) return '#' + CSS.escape(el.id);
    const parts = [];
    for (let e = el; e && parts.length < 4; e = e.parentElement) {
      if (e !== el && e.id && e.id.length < 60) { parts.unshift('#' + CSS.escape(e.id)); break; }
      const tag = e.tagName.toLowerCase();
      if (tag === 'body' || tag === 'html') { parts.unshift(tag); break; }
      let n = 1;
      for (let s = e.previousElementSibling; s && n < 1000; s = s.previousElementSibling) if (s.tagName === e.tagName) n++;
      parts.unshift(n > 1 ? `${tag}:nth-of-type(${n})` : tag);
    }
    return parts.join(' > ').slice(0, 160);
  }
  function boxOf(el) {
    const r = el.getBoundingClientRect();
    return {x: Math.round(r.left + scrollX), y: Math.round(r.top + scrollY), w: Math.round(r.width), h: Math.round(r.height)};
  }
  function shown(el) { return el.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: true}); }
  function isWaiting(el, role) {
    return role === 'progressbar' || WAITING.test(typeof el.className === 'string' ? el.className : '') && !/^(INPUT|TEXTAREA)$/.test(upper(el));
  }

  // A text block is an element with text of its own, all of whose elements are parts of a line.
  function ownsText(el) {
    let text = false;
    for (const c of el.childNodes) {
      if (c.nodeType === 3 && c.data.trim()) { text = true; break; }
    }
    if (text) return true;
    let any = false;
    for (const c of el.children) {
      if (!INLINE.has(upper(c))) return false;
      any = any || !/^(INPUT|IMG|SELECT|TEXTAREA|BR|BUTTON|SVG)$/.test(upper(c));
    }
    return any && clean(el.textContent, 1) !== '';
  }

  function look() {
    const began = performance.now(), blocks = new Map(), regionElements = new Map();
    for (const r of CONFIG.regions) { try { const el = document.querySelector(r.selector); if (el) regionElements.set(el, r.name); } catch { /* not a selector that this browser knows */ } }
    let nodes = 0, cut = '';
    const over = () => cut || (cut = nodes > MOST_NODES ? `more than ${MOST_NODES} elements` : blocks.size >= MOST_BLOCKS ? `more than ${MOST_BLOCKS} pieces` :
      (nodes & 63) === 0 && performance.now() - began > MOST_TIME ? `looking took more than ${MOST_TIME} ms` : '');
    const walk = (el, at) => {
      nodes++;
      if (over()) return;
      const tag = upper(el);
      if (SKIP.has(tag)) return;
      const role = roleOf(el), live = el.getAttribute('aria-live');
      const here = {...at};
      if (el.hasAttribute('aria-live') ? live !== 'off' : LIVE[role]) {
        here.live = el.hasAttribute('aria-live') ? clean(live, 20) : LIVE[role];
        here.container = el;
        if (!containers.has(el)) containers.set(el, count);
      }
      if (el.getAttribute('aria-busy') === 'true') here.busy = true;
      if (role === 'dialog' || role === 'alertdialog') here.dialog = true;
      if (Object.values(LANDMARKS).includes(role)) here.landmark = role;
      if (regionElements.has(el)) here.region = regionElements.get(el);
      if (el.hasAttribute('data-claim')) here.claim = clean(el.getAttribute('data-claim'), 40);
      const control = CONTROL_ROLES.has(role), waiting = isWaiting(el, role), text = !here.within && ownsText(el);
      const container = here.container === el, picture = role === 'img' && el.getAttribute('alt');
      if ((control || waiting || text || container || picture) && shown(el)) {
        const box = boxOf(el), seen = box.w > 1 && box.h > 1;
        if (seen || container || text && here.live) report(el, {tag, role, here, control, waiting, text, seen, box});
      }
      if (text) here.within = true;
      const children = el.shadowRoot ? [...el.shadowRoot.children, ...el.children] : el.children;
      for (const c of children) { if (cut) return; walk(c, here); }
    };
    const report = (el, {tag, role, here, control, waiting, text, seen, box}) => {
      const id = idOf(el), b = {id, selector: selectorOf(el), tag: tag.toLowerCase(), role, box};
      if (control || role === 'img') b.name = nameOf(el, role);
      const input = /^(INPUT|SELECT|TEXTAREA)$/.test(tag) && control || control && el.isContentEditable;
      if ((text || control) && !input) b.text = clean(el.innerText, 500);
      if (tag === 'INPUT' && role === 'button') b.text = b.name;
      if (!seen) b.unseen = true;
      if (here.live) {
        b.live = here.live;
        if (!bornLive.has(el)) bornLive.set(el, !first && containers.get(here.container) === count && !!b.text);
        if (bornLive.get(el)) b.live_born = true;
      }
      if (here.dialog) b.dialog = true;
      if (here.landmark) b.landmark = here.landmark;
      if (here.region) b.region = here.region;
      if (here.busy) b.busy = true;
      if (here.claim) b.data_claim = here.claim;
      if (waiting) b.waiting = true;
      if (role === 'heading') b.heading = Number(el.getAttribute('aria-level')) || Number(tag[1]) || 2;
      if (control) {
        b.control = true;
        if (isDisabled(el)) b.disabled = true;
        const described = byIDs(el, 'aria-describedby') || el.getAttribute('aria-description') || el.title;
        if (described) b.described = clean(described, 300);
      }
      if (el.getAttribute('aria-invalid') === 'true' || input && el.matches(':user-invalid')) b.invalid = true;
      if (input && /^(INPUT|SELECT|TEXTAREA)$/.test(tag) && role !== 'button') {
        if (masked(el)) b.masked = true; else b.value = valueOf(el);
        if (el.placeholder) b.placeholder = clean(el.placeholder, 100);
      }
      blocks.set(id, JSON.stringify(b));
    };
    if (document.body) walk(document.body, {});
    return {blocks, cut, regions: regionsOf(), cost: performance.now() - began};
  }

  function regionsOf() {
    const all = new Map();
    for (const r of CONFIG.regions) {
      const out = {name: r.name};
      try {
        const el = document.querySelector(r.selector), any = (s) => s ? [...el.querySelectorAll(s)].slice(0, 500).filter(shown) : [];
        const box = el && shown(el) ? boxOf(el) : null;
        if (!box || box.w === 0 || box.h === 0) { out.absent = true; all.set(r.name, JSON.stringify(out)); continue; }
        out.box = box;
        if (el.closest('[aria-busy="true"]') || el.querySelector('[aria-busy="true"]')) out.busy = true;
        if (isWaiting(el, roleOf(el)) || [...el.querySelectorAll('[role=progressbar],progress,[class]')].slice(0, 500).some((e) => isWaiting(e, roleOf(e)) && shown(e))) out.waiting = true;
        out.rows = any(r.rows).length || undefined;
        if (any(r.mark).length) out.marked = true;
        if (any(r.live).length) out.live = true;
        const v = r.version ? el.querySelector(r.version) ?? (el.matches(r.version) ? el : null) : null;
        if (v) {
          const attribute = /\[([\w-]+)\]\s*$/.exec(r.version);
          out.version = clean(attribute ? v.getAttribute(attribute[1]) : v.innerText, 100);
        }
        out.text = clean(el.innerText, 1000);
      } catch (e) { out.absent = true; }
      all.set(r.name, JSON.stringify(out));
    }
    return all;
  }

  function active() {
    let el = document.activeElement;
    while (el?.shadowRoot?.activeElement) el = el.shadowRoot.activeElement;
    return !el || el === document.body || el === document.documentElement ? 0 : idOf(el);
  }

  function sample(timer) {
    const now = performance.now();
    if (timer) { if (timerAt) gaps.push(Math.round(now - timerAt)); timerAt = now; }
    if (now - ended < Math.min(2000, 4 * (cost - 10))) return; // a page that is dear to look at is looked at less often
    count++;
    const seen = look();
    cost = seen.cost; worst = Math.max(worst, cost);
    const born = [], gone = [], regions = [];
    for (const [id, json] of seen.blocks) if (last.get(id) !== json) born.push(json);
    if (!seen.cut) for (const id of last.keys()) { if (!seen.blocks.has(id)) gone.push(id); }
    for (const [name, json] of seen.regions) if (lastRegions.get(name) !== json) regions.push(json);
    const head = {url: location.href.slice(0, 500), title: clean(document.title, 200), lang: clean(document.documentElement?.lang, 20), ready: document.readyState, focus: active(), cut: seen.cut};
    const headText = JSON.stringify(head);
    ended = performance.now();
    if (!first && !born.length && !gone.length && !regions.length && headText === lastHead && ended - sent < BEAT) return;
    if (first && !document.body && ended < 1000) return;
    globalThis.candorSeen?.(`{"when":${Date.now()},"first":${first},"head":${headText},"born":[${born}],"gone":[${gone}],"regions":[${regions}],"gaps":[${gaps.slice(-40)}],"cost":${worst.toFixed(1)}}`);
    if (seen.cut) for (const [id, json] of seen.blocks) last.set(id, json); else last = seen.blocks;
    if (last.size > 2 * MOST_BLOCKS) last = seen.blocks;
    lastRegions = seen.regions; lastHead = headText; first = false; sent = ended; gaps = []; worst = 0;
    if (elements.size > 20000) for (const [id, ref] of elements) if (!ref.deref()) elements.delete(id);
  }
  function soon() { if (!pending) pending = setTimeout(() => { pending = 0; sample(false); }, SETTLE); }

  new MutationObserver(soon).observe(document, {subtree: true, childList: true, characterData: true, attributes: true});
  for (const event of ['input', 'change', 'focusin', 'focusout', 'DOMContentLoaded']) document.addEventListener(event, soon, true);
  window.addEventListener('load', soon, true);
  setInterval(() => sample(true), PERIOD);
  soon();

  // From here on: what the person's acts need.
  const same = (a, b) => a.toLowerCase() === b.toLowerCase(), has = (a, b) => a.toLowerCase().includes(b.toLowerCase());
  function* all(root) {
    const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT);
    for (let n = 0, el = walker.nextNode(); el && n < 100000; el = walker.nextNode(), n++) {
      if (SKIP.has(upper(el))) continue;
      yield el;
      if (el.shadowRoot) yield* all(el.shadowRoot);
    }
  }
  function closest(candidates, of, want) {
    const exact = candidates.filter((el) => same(of(el), want));
    return exact.length ? exact : candidates.filter((el) => has(of(el), want));
  }
  function find(l) {
    let found;
    if (l.css) {
      try { found = [...document.querySelectorAll(l.css)]; } catch { return {error: `${l.css} is not a selector`}; }
    } else if (l.test_id) {
      found = [...all(document)].filter((el) => [el.dataset.testid, el.dataset.testId, el.dataset.test].includes(l.test_id));
    } else if (l.label) {
      found = closest([...all(document)].filter((el) => /^(INPUT|SELECT|TEXTAREA)$/.test(upper(el)) || el.isContentEditable && el.hasAttribute('contenteditable')),
        (el) => clean(byIDs(el, 'aria-labelledby') || el.getAttribute('aria-label') || labelOf(el), 400), clean(l.label, 400));
    } else if (l.role) {
      found = [...all(document)].filter((el) => roleOf(el) === l.role && shown(el));
      if (l.name) found = closest(found, (el) => nameOf(el, l.role), clean(l.name, 400));
    } else {
      const want = clean(l.text, 400);
      found = [...all(document)].filter((el) => has(clean(el.textContent, 100000), want) && shown(el) && has(clean(el.innerText, 100000), want));
      found = found.filter((el) => !found.some((other) => other !== el && el.contains(other)));
      const exact = found.filter((el) => same(clean(el.innerText, 400), want));
      if (exact.length) found = exact;
    }
    found = found.filter((el) => shown(el) && (boxOf(el).w > 0 && boxOf(el).h > 0));
    return {count: found.length, first: found.slice(0, 6).map((el) => ({id: idOf(el), box: boxOf(el), selector: selectorOf(el), role: roleOf(el), text: clean(nameOf(el, roleOf(el)) || el.innerText, 80), disabled: isDisabled(el)}))};
  }
  function aim(id) {
    const el = element(id);
    if (!el) return {gone: true};
    el.scrollIntoView({block: 'center', inline: 'center', behavior: 'instant'});
    const r = el.getClientRects()[0] ?? el.getBoundingClientRect(), x = r.left + r.width / 2, y = r.top + r.height / 2;
    let hit = document.elementFromPoint(x, y);
    while (hit?.shadowRoot && hit.shadowRoot.elementFromPoint(x, y) && hit.shadowRoot.elementFromPoint(x, y) !== hit) hit = hit.shadowRoot.elementFromPoint(x, y);
    const ok = hit && (hit === el || el.contains(hit) || hit.contains(el) && hit.tagName === 'LABEL' || hit.closest('label')?.control === el);
    return {x, y, box: boxOf(el), covered: ok ? '' : hit ? selectorOf(hit) : 'the edge of the page', disabled: isDisabled(el)};
  }
  function enter(id, text) {
    const el = element(id);
    if (!el) return 'it is gone';
    if (isDisabled(el)) return 'it is disabled';
    if (el.readOnly) return 'it cannot be changed';
    el.focus();
    if (/^(date|time|datetime-local|month|week|color|range)$/.test(el.type)) {
      el.value = text;
      el.dispatchEvent(new Event('input', {bubbles: true}));
      el.dispatchEvent(new Event('change', {bubbles: true}));
      return 'done';
    }
    if (el.select) el.select(); else if (el.isContentEditable) getSelection().selectAllChildren(el); else return 'nothing can be entered in it';
    return '';
  }
  function choose(id, option) {
    const el = element(id);
    if (!el) return 'it is gone';
    if (isDisabled(el)) return 'it is disabled';
    if (upper(el) !== 'SELECT') return 'it is no list of options';
    const found = closest([...el.options], (o) => clean(o.text, 400), clean(option, 400));
    const fit = found.length ? found : [...el.options].filter((o) => o.value === option);
    if (fit.length !== 1) return fit.length ? `${fit.length} options fit` : 'no option is called so';
    el.focus();
    el.value = fit[0].value;
    el.dispatchEvent(new Event('input', {bubbles: true}));
    el.dispatchEvent(new Event('change', {bubbles: true}));
    return '';
  }
  globalThis.candor = {find, aim, enter, choose, now: () => { sample(false); return true; }};
})();
