// What the pages of the lying shop do: each lie is the honest page with one thing changed, while the shop says that it fits.
(() => {
  const honest = {...shop};
  let now = [];
  const on = (id) => now.includes(id);
  const marker = (form) => form.elements.note?.value || form.elements.number?.value || '';
  // The shop hears of it later, so that hearing of it is no part of what happened.
  function told(id, form) {
    const tell = () => fetch(`/told?lie=${id}&note=${encodeURIComponent(form ? note : '')}`, {keepalive: true});
    const note = form ? marker(form) : '';
    let open = true;
    const once = () => { if (open) { open = false; tell(); } };
    setTimeout(once, 3 * shop.every);
    addEventListener('pagehide', once);
  }

  shop.part = (part, answer) => {
    const bends = answer.bend.split(',').map((id) => id.trim());
    if (part.id === 'notice') {
      now = shop.bent = bends;
      const button = document.querySelector('form[action="/checkout"] button');
      if (on('ST-09') && button && !button.disabled) { button.disabled = button.grey = true; told('ST-09'); }
      if (!on('ST-09') && button?.grey) button.disabled = button.grey = false;
      if (on('IN-04') && location.pathname === '/') for (const key of Object.keys(localStorage)) if (key.startsWith('draft ')) localStorage.removeItem(key);
      if (on('AX-06') && answer.status && part.innerHTML.trim() && !answer.html.trim()) {
        part.removeAttribute('role');
        part.innerHTML = part.shown = '';
        told('AX-06');
        return;
      }
    }
    if (bends.includes('ST-07')) {
      document.querySelector('main').innerHTML = '';
      JSON.parse(answer.html).books.map((book) => book.title);
    }
    honest.part(part, answer);
    if (bends.includes('AX-03')) part.setAttribute('aria-busy', 'true');
    if (bends.includes('RC-02')) return false;
  };

  shop.send = async (form) => {
    if (on('CL-07') && form.action.endsWith('/checkout')) { told('CL-07', form); return; }
    if (on('IN-06') && !form.busy) {
      told('IN-06', form);
      const cover = document.createElement('div');
      cover.style = 'position: fixed; inset: 0; background: #0003; z-index: 9';
      cover.setAttribute('role', 'progressbar');
      document.body.append(cover);
      const swallow = (event) => { event.preventDefault(); event.stopImmediatePropagation(); };
      for (const kind of ['click', 'keydown', 'mousedown', 'submit']) addEventListener(kind, swallow, true);
      history.pushState(null, '');
      addEventListener('popstate', () => history.pushState(null, ''));
    }
    if (on('IN-05')) {
      const body = new URLSearchParams(new FormData(form));
      if (form.busy) return;
      if (form.sent === marker(form)) told('IN-05', form);
      form.sent = marker(form);
      honest.begin(form);
      shop.wait(shop.every / 10).then(() => shop.busy(form, false));
      const answer = await shop.post(form, body);
      shop.busy(form, false);
      shop.end(form, answer);
      return;
    }
    await honest.send(form);
  };

  shop.begin = (form) => {
    if (on('ST-11')) { form.busy = true; told('ST-11', form); return; }
    honest.begin(form);
    if (on('CL-08')) shop.say(form, 'success', '<div class="notice success"><h2>Order placed</h2><p>Thank you for your order.</p></div>');
  };

  shop.end = (form, answer, body) => {
    const said = shop.box(form);
    if (on('CL-08') && answer.claim !== 'success') { told('CL-08', form); return; }
    switch (answer.bend) {
      case 'TX-10':
        shop.say(form, 'failed', '<div class="notice failed"><h2>Your order was not placed</h2><p>Your card was not charged. <a href="/">Go back to the shop</a></p></div>');
        return;
      case 'AX-01': {
        const plain = document.createElement('div');
        plain.dataset.claim = answer.claim;
        plain.innerHTML = answer.html;
        said.innerHTML = '';
        said.removeAttribute('role'); said.removeAttribute('aria-live');
        form.after(plain);
        form.querySelector('button').focus();
        return;
      }
      case 'AX-02': {
        const born = document.createElement('div');
        born.setAttribute('role', 'alert');
        born.dataset.claim = answer.claim;
        born.innerHTML = answer.html;
        said.innerHTML = '';
        said.after(born);
        form.querySelector('button').focus();
        return;
      }
      case 'AX-04':
        said.innerHTML = '';
        said.dataset.claim = answer.claim;
        form.elements.card.style.borderColor = 'red';
        form.elements.card.focus();
        return;
      case 'AX-05': {
        honest.end(form, answer, body);
        const again = form.cloneNode(true);
        for (const field of form.elements) if (field.name && field.type !== 'hidden') again.elements[field.name].value = field.value;
        form.replaceWith(again);
        again.addEventListener('submit', (event) => { event.preventDefault(); shop.send(again); });
        again.addEventListener('input', () => shop.keep(again));
        document.activeElement?.blur();
        return;
      }
    }
    honest.end(form, answer, body);
    switch (answer.bend) {
      case 'IN-01':
        shop.forget(form);
        for (const field of form.elements) if (field.name && field.type !== 'hidden') field.value = '';
        break;
      case 'IN-02':
        shop.forget(form);
        shop.keep = () => {};
        form.autocomplete = 'off';
        break;
      case 'ST-14':
        shop.wait(shop.every * 0.3).then(() => { said.innerHTML = ''; said.dataset.claim = ''; });
    }
  };
})();
