/* The button doctor: says, in the console and in the server's journal, what keeps the button from working on this page.
   A sandbox serves it in front of the button's script, and calls it with the server's address and the texts. No token,
   query or fragment leaves the page. ES5. */
(function (win, doc, server) {
  'use strict';

  var SCRIPT = '/js/le-app-button.js';
  var SETTLED = 5000; // after the page has loaded: what is missing by then, is missing
  var CALLBACK = 10000; // as long as the script looks for the callback
  var MOST = 40; // reports of one page

  var script = doc.currentScript || doc.querySelector('script[src*="' + SCRIPT + '"]');
  var origin = server.issuer.split('/').slice(0, 3).join('/');
  var texts = server.texts[/^es/i.test(navigator.language) ? 'es' : 'en'];
  var told = {}, count = 0;
  var waiting = []; // results whose callback has not returned
  var inlineBlocked = false;
  var shadowed = win.leButton; // by a script that did not bring the doctor

  /* Telling */

  // What looks like a token may be one.
  function masked(text) {
    return String(text).replace(/[\w.~+=-]{20,}/g, '…').slice(0, 200);
  }

  function page() {
    return /^https?:/.test(location.href) ? location.href.split(/[?#]/)[0].slice(0, 500) : location.protocol;
  }

  // By the way that the page's policy leaves open: connect-src, else script-src, else img-src.
  function send(report) {
    var url = server.issuer + '/button/report';
    function byElement(name) {
      var el = doc.createElement(name);
      el.onload = el.onerror = function (event) {
        if (el.parentNode) el.parentNode.removeChild(el);
        if (event.type === 'error' && name === 'script') byElement('img');
      };
      if (script) el.nonce = script.nonce || '';
      el.src = url + '?report=' + encodeURIComponent(report);
      if (name === 'script') doc.documentElement.appendChild(el);
    }
    function byScript() {
      byElement('script');
    }
    if (told.csp_connect) byScript();
    // Without cookies and without a pre-flight: what any page may send to anybody.
    else win.fetch(url, { method: 'POST', mode: 'no-cors', credentials: 'omit', keepalive: true, body: report })['catch'](byScript);
  }

  // Each problem once for a button; each fact once for a button and what was seen of it.
  function tell(code, button, detail) {
    var words = texts[code], report = { page: page() };
    var key = code + (button ? ' ' + button : '') + (detail && !words ? ' ' + detail : '');
    if (told[key] || count === MOST) return;
    told[key] = 1;
    count++;
    report[words ? 'problem' : 'fact'] = code;
    if (button) report.btn = String(button).slice(0, 64);
    if (detail) report.detail = masked(detail);
    if (words) {
      if (button) words += ' [' + report.btn + ']';
      if (detail) words += ' [' + report.detail + ']';
      console.warn('[Leadgate] ' + code + ': ' + words + ' ' + server.issuer + '/doctor#' + code);
    }
    if (code !== 'server_unreachable') send(JSON.stringify(report));
  }

  // The doctor must not make a page worse.
  function attempt(act, argument) {
    try {
      act(argument);
    } catch (e) {
      console.info('[Leadgate] the doctor failed: ' + masked(e));
    }
  }

  function later(act, after, argument) {
    setTimeout(attempt, after, act, argument);
  }

  function on(type, act) {
    doc.addEventListener(type, function (event) {
      attempt(act, event);
    }, true);
  }

  /* What there is to find at once */

  function lookAround() {
    if (!script || !script.src) tell('script_detached');
    else if (script.src.split(SCRIPT)[0] !== server.issuer) tell('script_host', null, script.src.split(SCRIPT)[0]);
    if (shadowed) tell('script_shadowed');
    if (win.top !== win.self) tell('framed');
    if (win.origin === 'null' || !/^http/.test(location.protocol)) tell('opaque_origin');
    else if (!win.isSecureContext) tell('insecure_page', null, location.origin);
  }

  /* What the page's policy blocks */

  function onViolation(violation) {
    var directive = violation.effectiveDirective, uri = violation.blockedURI || violation.blockedURL || '';
    var ours = uri === origin || uri.indexOf(origin + '/') === 0;
    if (violation.disposition === 'report') return;
    if (/^connect/.test(directive) && ours) tell('csp_connect');
    if (/^script/.test(directive) && uri === 'inline') inlineBlocked = true;
    if (/^style/.test(directive) && (ours || /^data/.test(uri) && doc.querySelector('link[href^="data:"][href*="le-app-button.css"]'))) {
      tell('csp_style', null, ours ? origin : 'data:');
    }
  }

  // Also what was blocked before the script came.
  function watchPolicy() {
    on('securitypolicyviolation', onViolation);
    if (!win.ReportingObserver) return;
    new ReportingObserver(function (reports) {
      reports.forEach(function (report) {
        attempt(onViolation, report.body);
      });
    }, { types: ['csp-violation'], buffered: true }).observe();
  }

  /* What the script's events say */

  function onReady(event) {
    var id = event.detail.buttonId;
    if (id.trim()) tell('button_found', id);
    else tell('empty_button_id');
  }

  function onError(error, id) {
    if (error === 'invalid_button' && id.trim()) tell('unknown_button', id);
    if (error === 'origin_not_allowed') tell('origin_not_listed', id, location.origin);
    if (error === 'return_not_registered') tell('return_not_registered', id);
    if (error === 'popup_blocked') tell('popup_blocked', id);
    if (error === 'popup_severed') tell('opener_severed', id);
    // A policy that blocks the way looks the same at first.
    if (error === 'network_error') later(function () { if (!told.csp_connect) tell('server_unreachable'); }, 500);
  }

  function onRedirect(event) {
    if (event.target.getAttribute('data-mode') !== 'redirect') tell('popup_redirected', event.detail.buttonId);
  }

  /* The callback */

  function callbackType() {
    try {
      // Bare: a const is no property of window, and throws until it is set.
      return typeof AuthorizeResult;
    } catch (e) {
      return 'undefined';
    }
  }

  function onResult(event) {
    var result = event.detail;
    onError(result.error, result.buttonId);
    waiting.push({
      id: result.buttonId,
      fact: result.valid ? 'callback_valid' : result.error === 'access_denied' ? 'callback_denied' : 'callback_failed',
      how: result.error || (result.auto ? 'auto' : 'click'),
      end: Date.now() + CALLBACK
    });
    later(awaitCallback, 150, waiting[waiting.length - 1]);
  }

  // The script looks every 50 ms and calls at once, so what a callback throws is known by now.
  function awaitCallback(call) {
    var type = callbackType();
    if (call.threw) return;
    if (type !== 'function' && Date.now() < call.end) return later(awaitCallback, 150, call);
    waiting.splice(waiting.indexOf(call), 1);
    if (type === 'function') return tell(call.fact, call.id, call.how);
    if (type !== 'undefined') return tell('callback_not_function', call.id, type);
    if (inlineBlocked) tell('csp_script');
    tell('no_callback', call.id);
  }

  function onThrown(event) {
    var call = waiting.shift();
    if (call) call.threw = 1;
    tell('callback_threw', call && call.id, event.detail);
  }

  /* What is missing in the end */

  function nearMiss() {
    var el = doc.querySelector('#leAppButton, .le-app-button, [data-btn-id], [data-buttonid], [data-button-id]');
    return el && '<' + [el.tagName.toLowerCase()].concat([].map.call(el.attributes, function (a) { return a.name; })).join(' ') + '>';
  }

  function lookAgain() {
    var buttons = [].slice.call(doc.querySelectorAll('[data-btnid]'));
    var styled = buttons.filter(function (el) { return getComputedStyle(el).getPropertyValue('--le-face'); });
    if (!buttons.length) tell('no_button', null, nearMiss());
    else if (styled.length) tell('stylesheet_loaded', buttons[0].getAttribute('data-btnid'));
    else if (!told.csp_style) tell('stylesheet_missing', null, /\ble-app-button\b/.test(buttons[0].className) ? '' : 'class');
    if (callbackType() === 'function') tell('callback_found', buttons[0] && buttons[0].getAttribute('data-btnid'));
  }

  function begin() {
    lookAround();
    watchPolicy();
    on('leappbutton:ready', onReady);
    on('leappbutton:idle', function (event) { onError(event.detail.error, event.detail.buttonId); });
    on('leappbutton:redirect', onRedirect);
    on('leappbutton:severed', function (event) { tell('opener_severed', event.detail.buttonId); });
    on('leappbutton:result', onResult);
    on('leappbutton:error', onThrown);
    if (doc.readyState === 'complete') later(lookAgain, SETTLED);
    else win.addEventListener('load', function () { later(lookAgain, SETTLED); });
  }

  if (win.leDoctor) return win.leDoctor();
  win.leDoctor = function () {
    attempt(tell, 'script_twice');
  };
  if (doc.prerendering) on('prerenderingchange', begin);
  else attempt(begin);
})
