/* Dialog pages: hands the outcome to the page that asked for it, and guards the Allow button.
   Everything it acts on comes from the server, in #le-dialog; nothing from the URL, the referrer or a message. */
(function () {
  'use strict';

  var FOCUS_MS = 500;          // double click-jacking: a second click that was already on its way lands before this
  var UNTOUCHED_MS = 3000;     // voice and switch control press a button without any pointer or key event
  var CLOSE_MS = 1000;         // the opener closes us as soon as it has read the result; it cannot read it from a closed window

  function dialogData() {
    var element = document.getElementById('le-dialog');
    if (!element) return null;
    try {
      return JSON.parse(element.textContent);
    } catch (e) {
      return null;
    }
  }

  function opener() {
    try {
      return window.opener && !window.opener.closed ? window.opener : null;
    } catch (e) {
      return null;
    }
  }

  function post(target, message) {
    // The browser drops the message when the opener is not at the registered origin.
    var to = opener();
    if (to) to.postMessage(message, target);
  }

  function fragment(state, result) {
    var pairs = { le_state: state, le_iss: result.iss };
    if (result.error) {
      pairs.le_error = result.error;
      pairs.le_error_description = result.error_description || '';
    } else {
      pairs.le_code = result.code;
    }
    return Object.keys(pairs).map(function (key) {
      return key + '=' + encodeURIComponent(pairs[key]);
    }).join('&');
  }

  function resultMessage(state, result) {
    var message = { le: 1, type: 'result', state: state, iss: result.iss };
    if (result.error) {
      message.error = result.error;
      message.error_description = result.error_description;
    } else {
      message.code = result.code;
    }
    return message;
  }

  function handOver(data) {
    var inPopup = data.mode === 'popup' && opener();
    if (inPopup) post(data.target, { le: 1, type: 'ready', state: data.state });
    if (!data.result) return;
    if (inPopup) {
      post(data.target, resultMessage(data.state, data.result));
      setTimeout(function () { window.close(); }, CLOSE_MS);
    } else if (data.return_to) {
      // replace: the address with the code must not stay behind in the history.
      location.replace(data.return_to + '#' + fragment(data.state, data.result));
    } else {
      window.close();
    }
  }

  /* Where there is something to read first, the result waits for a press. */
  function handOverLater(data, button) {
    handOver({ mode: data.mode, target: data.target, state: data.state });
    button.addEventListener('click', function () { handOver(data); }, { once: true });
  }

  function guardAllow(allow) {
    var touched = false;
    var focusedAt = document.hasFocus() ? Date.now() : 0;
    var locked = true;
    var timer;

    function update() {
      var wait = focusedAt + (touched ? FOCUS_MS : UNTOUCHED_MS) - Date.now();
      clearTimeout(timer);
      locked = !focusedAt || wait > 0;
      // Not `disabled`: that would take it out of the tab order, and Tab would land on Cancel.
      allow.setAttribute('aria-disabled', String(locked));
      if (focusedAt && wait > 0) timer = setTimeout(update, wait);
    }

    allow.addEventListener('click', function (event) {
      if (locked) event.preventDefault();
    });

    function onInput(event) {
      if (!event.isTrusted) return;
      // A window that opens under a resting pointer gets a move event without a movement.
      if (event.type === 'pointermove' && !event.movementX && !event.movementY) return;
      touched = true;
      focusedAt = focusedAt || Date.now();
      update();
    }

    ['pointermove', 'pointerdown', 'keydown', 'touchstart', 'wheel'].forEach(function (type) {
      document.addEventListener(type, onInput, { capture: true, passive: true });
    });
    window.addEventListener('focus', function () {
      focusedAt = Date.now();
      update();
    });
    window.addEventListener('blur', function () {
      focusedAt = 0;
      update();
    });
    update();
  }

  function submitOnce(form) {
    var sent = false;
    form.addEventListener('submit', function (event) {
      if (sent) event.preventDefault();
      sent = true;
    });
    window.addEventListener('pageshow', function (event) {
      if (event.persisted) sent = false;
    });
  }

  var data = dialogData();
  var allow = document.querySelector('form[data-consent] button[name=decision][value=allow]');
  if (allow) guardAllow(allow);
  Array.prototype.forEach.call(document.forms, submitOnce);
  var later = document.querySelector('[data-hand-over]');
  if (data && later) handOverLater(data, later);
  else if (data) handOver(data);
})();
