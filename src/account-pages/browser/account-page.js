// Runs in the pages of the links in mails. It sends the token in the fragment of the URL to the API, when the user has confirmed that.
// A program that only follows links, such as a mail filter, therefore does not use the token up.
(() => {
  'use strict';

  const ROUTES = {
    'reset-password': 'password-resets/confirm',
    'verify-email': 'email-verifications',
  };

  const form = document.querySelector('form');
  const status = document.querySelector('[role=status]');
  const { page, api, done, noToken, invalid, refused, failed } = form.dataset;
  const token = new URLSearchParams(window.location.hash.slice(1)).get('token');
  // The token must not stay in the history of the browser.
  window.history.replaceState(null, '', window.location.pathname);
  status.textContent = token === null ? noToken : '';
  form.hidden = token === null;

  form.addEventListener('submit', (event) => {
    event.preventDefault();
    void send();
  });

  async function send() {
    const button = form.querySelector('button');
    button.disabled = true;
    const fields = Object.fromEntries(new FormData(form));
    try {
      const response = await fetch(`${api}/${ROUTES[page]}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ token, ...fields }),
      });
      form.hidden = response.ok;
      status.textContent = response.ok ? done : await reasonIn(response);
    } catch {
      status.textContent = failed;
    }
    button.disabled = false;
  }

  /** The text of a problem document, in the language of the browser. */
  async function reasonIn(response) {
    const { code, detail, errors = [] } = await response.json();
    if (code === 'invalid-one-time-token') {
      return invalid;
    }
    return errors.length > 0 ? refused + errors.map((error) => error.detail).join(' ') : detail;
  }
})();
