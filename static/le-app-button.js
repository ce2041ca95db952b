/* Wires every [data-btnid], signs returning users in, calls AuthorizeResult once for each attempt. ES5, 5 KiB gzipped.
   Tokens come in one CORS answer, never in a URL, a message or storage. */
(function (win, doc) {
  'use strict';

  if (win.leButton) return;
  win.leButton = 1;

  var SCRIPT = '/js/le-app-button.js';
  var NAME = 'leappbutton';
  var REFUSED = /^(invalid_button|origin_not_allowed)$/;

  var script = doc.currentScript || doc.querySelector('script[src*="' + SCRIPT + '"]');
  var issuer = script.src.split(SCRIPT)[0];
  var origin = issuer.split('/').slice(0, 3).join('/');
  var framed = win.top !== win.self;
  var pending = {}; // attempts by state
  var seen = {}; // refresh tokens that the page has
  var status, timer;

  var TEXTS = {
    open: ['Sign-in window opened.', 'Ventana de inicio de sesión abierta.'],
    done: ['Signed in.', 'Sesión iniciada.'],
    access_denied: ['Access was denied.', 'Acceso denegado.'],
    popup_closed: ['The sign-in window was closed.', 'Ventana de inicio de sesión cerrada.'],
    popup_blocked: ['The browser blocked the sign-in window.', 'Ventana de inicio de sesión bloqueada.'],
    popup_timeout: ['Sign-in took too long.', 'El inicio de sesión tardó demasiado.'],
    popup_severed: ['Cross-Origin-Opener-Policy cut off the sign-in window.', 'Cross-Origin-Opener-Policy separó la ventana.'],
    origin_not_allowed: ['This origin is not registered.', 'Este origen no está registrado.'],
    invalid_button: ['There is no such button.', 'Este botón no existe.'],
    return_not_registered: ['This return address is not registered.', 'Esta dirección de retorno no está registrada.'],
    invalid_grant: ['The sign-in has expired.', 'El inicio de sesión caducó.'],
    network_error: ['The server cannot be reached.', 'No se puede contactar con el servidor.'],
    server_error: ['The server failed.', 'El servidor falló.'],
    rate_limited: ['Too many attempts.', 'Demasiados intentos.']
  };

  function buttonId(el) {
    return el.getAttribute('data-btnid');
  }

  function language(el) {
    return el.getAttribute('data-lang') || doc.documentElement.lang || navigator.language;
  }

  function text(el, key) {
    return TEXTS[key][/^es/i.test(language(el)) ? 1 : 0];
  }

  function pageUrl() {
    return location.href.split(/[?#]/)[0];
  }

  function emit(el, type, detail) {
    var event = doc.createEvent('CustomEvent');
    event.initCustomEvent(NAME + ':' + type, true, false, detail);
    el.dispatchEvent(event);
  }

  function announce(words) {
    if (!status) {
      status = doc.createElement('div');
      status.className = 'le-app-button-status';
      status.setAttribute('role', 'status');
      doc.body.appendChild(status);
    }
    status.textContent = words;
  }

  /* PKCE */

  function base64url(bytes) {
    return btoa(String.fromCharCode.apply(null, bytes)).replace(/\+/g, '-').replace(/\//g, '_').slice(0, 43);
  }

  function random() {
    return base64url(crypto.getRandomValues(new Uint8Array(32)));
  }

  // crypto.subtle is missing on http pages, and too late for a pop-up.
  function sha256(ascii) {
    var h = [], k = [], w = [], out = [], i, n, a, b, c;
    function root(power) {
      a = Math.pow(n, power);
      return (a - Math.floor(a)) * 4294967296 | 0;
    }
    function turn(x, by) {
      return x >>> by | x << 32 - by;
    }
    function mix(x, p, q, r) {
      return turn(x, p) ^ turn(x, q) ^ turn(x, r);
    }
    for (n = 2; k.length < 64; n++) {
      for (i = 2; n % i; i++);
      if (i === n) {
        h.push(root(1 / 2));
        k.push(root(1 / 3));
      }
    }
    n = h.slice(0, 8);
    ascii += '\x80';
    for (i = 0; i < 64; i++) {
      w[i >> 2] |= ascii.charCodeAt(i) << 24 - i % 4 * 8;
    }
    w[15] = 43 * 8;
    for (i = 0; i < 64; i++) {
      a = w[i - 15];
      b = w[i - 2];
      if (i > 15) w[i] = w[i - 16] + w[i - 7] + (turn(a, 7) ^ turn(a, 18) ^ a >>> 3) + (turn(b, 17) ^ turn(b, 19) ^ b >>> 10) | 0;
      a = n[0];
      b = n[4];
      c = n.pop() + mix(b, 6, 11, 25) + (b & n[5] ^ ~b & n[6]) + k[i] + w[i] | 0;
      n[3] = n[3] + c | 0;
      n.unshift(c + mix(a, 2, 13, 22) + (a & n[1] ^ a & n[2] ^ n[1] & n[2]) | 0);
    }
    for (i = 0; i < 32; i++) out[i] = h[i >> 2] + n[i >> 2] >>> 24 - i % 4 * 8 & 255;
    return out;
  }

  /* The server */

  function send(method, url, body, done) {
    var xhr = new XMLHttpRequest();
    xhr.open(method, url);
    xhr.timeout = 30000;
    if (body) {
      xhr.withCredentials = true;
      xhr.setRequestHeader('Content-Type', 'application/json');
    }
    xhr.onloadend = function () {
      done(xhr);
    };
    xhr.send(body);
  }

  function post(path, body, done) {
    send('POST', issuer + path, JSON.stringify(body), function (xhr) {
      var code = xhr.status, answer;
      try {
        answer = code === 200 && JSON.parse(xhr.responseText);
      } catch (e) {}
      if (code) return done(answer || { error: code === 429 ? 'rate_limited' : code === 403 ? 'origin_not_allowed' : 'server_error' });
      // Without CORS an unlisted origin looks like a broken network; the script is for anyone.
      send('HEAD', issuer + SCRIPT + '?' + Date.now(), null, function (probe) {
        done({ error: probe.status ? 'origin_not_allowed' : 'network_error' });
      });
    });
  }

  // done(the result of a button, whether this page may be returned to)
  function resume(ids, done) {
    post('/button/resume', { btns: ids, return_to: pageUrl() }, function (body) {
      done(function (id) {
        return body.results && body.results[id] || { error: body.error || 'server_error' };
      }, body.return_registered);
    });
  }

  function ask(a, done) {
    resume([a.id], function (of, registered) {
      var error = of(a.id).error;
      if (!a.settled) done((registered == null || REFUSED.test(error)) && error, registered);
    });
  }

  /* Results */

  function call(result, tries) {
    var found;
    try {
      // Bare: a const is no property of window, and throws until it is set.
      found = typeof AuthorizeResult === 'function';
    } catch (e) {}
    try {
      if (found) AuthorizeResult(result);
      else if (tries) setTimeout(call, 50, result, tries - 1);
      else console.warn('No global AuthorizeResult');
    } catch (e) {
      emit(doc, 'error', e);
      setTimeout(function () { throw e; });
    }
  }

  function deliver(el, id, answer, auto) {
    var valid = answer.valid === true;
    var code = valid ? null : TEXTS[answer.error] ? answer.error : 'server_error';
    var result = { valid: valid, error: code, errorMessage: valid ? null : answer.errorMessage || text(el, code), buttonId: id, auto: auto };
    ['refreshToken', 'authToken', 'expireDate'].forEach(function (key) {
      result[key] = valid ? answer[key] : null;
    });
    if (valid) seen[result.refreshToken] = 1;
    announce(result.errorMessage || text(el, 'done'));
    emit(el, 'result', result);
    call(result, 200);
  }

  /* An attempt: from the click to its one result */

  function release(a) {
    a.settled = 1;
    a.el.leAttempt = null;
    a.el.removeAttribute('aria-busy');
    delete pending[a.state];
    clearInterval(a.poll);
    if (a.channel) a.channel.close();
  }

  function finish(a, answer) {
    release(a);
    deliver(a.el, a.id, answer, false);
  }

  function fail(a, code, words) {
    finish(a, { error: code, errorMessage: words });
  }

  function settle(a, said) {
    if (a.settled) return;
    a.settled = 1;
    clearInterval(a.poll);
    if (a.popup) a.popup.close();
    if (said.iss !== issuer) return fail(a, 'server_error', 'The server is ' + said.iss + '.');
    if (said.error) return fail(a, said.error, said.error_description);
    post('/button/token', { btn: a.id, code: said.code, code_verifier: a.verifier }, function (body) {
      finish(a, body);
    });
  }

  function onMessage(event) {
    var said = event.data, a = event.origin === origin && said && said.le === 1 && pending[said.state];
    if (!a || !a.popup || event.source !== a.popup) return;
    if (said.type === 'ready') a.ready = 1;
    if (said.type === 'result') settle(a, said);
  }

  function onClosed(a) {
    if (a.settled) return;
    if (a.ready) return fail(a, 'popup_closed');
    // No dialog: refused, closed, or cut off by this page's policy.
    send('HEAD', location.href, null, function (own) {
      ask(a, function (error, registered) {
        if (!/^same-origin(-plus-coep)?\s*(;|$)/i.test(own.getResponseHeader('Cross-Origin-Opener-Policy'))) {
          return fail(a, error || 'popup_closed');
        }
        a.severed = 1;
        emit(a.el, 'severed', { buttonId: a.id });
        if (!registered || !a.channel) fail(a, error || 'popup_severed');
      });
    });
  }

  function watch(a) {
    var end = Date.now() + 6e5; // as long as a dialog lives
    a.poll = setInterval(function () {
      if (Date.now() > end) {
        a.popup.close();
        fail(a, 'popup_timeout');
      } else if (a.popup.closed && !a.gone) {
        a.gone = 1;
        // A result may still be on its way.
        setTimeout(onClosed, 300, a);
      }
    }, 250);
    try {
      a.channel = new BroadcastChannel(NAME);
      a.channel.onmessage = function (event) {
        if (event.data.state !== a.state) return;
        a.channel.postMessage({ ack: a.state });
        settle(a, event.data);
      };
    } catch (e) {}
  }

  function redirect(a, url, code) {
    ask(a, function (error, registered) {
      try {
        if (!error && registered && !framed) {
          sessionStorage.setItem(NAME, JSON.stringify({ id: a.id, state: a.state, verifier: a.verifier }));
          emit(a.el, 'redirect', { buttonId: a.id });
          release(a);
          return location.assign(url);
        }
      } catch (e) {}
      fail(a, error || code);
    });
  }

  function onClick(event) {
    var el = event.currentTarget, a = el.leAttempt, encode = encodeURIComponent, url;
    event.preventDefault();
    if (a && a.severed && !a.settled) fail(a, 'popup_closed');
    else if (a) return a.popup && a.popup.focus();

    a = el.leAttempt = { el: el, id: buttonId(el), state: random(), verifier: random() };
    pending[a.state] = a;
    el.setAttribute('aria-busy', 'true');
    url = issuer + '/button/authorize?btn=' + encode(a.id) + '&origin=' + encode(location.origin) + '&state=' + a.state +
      '&code_challenge=' + base64url(sha256(a.verifier)) + '&return_to=' + encode(pageUrl()) + '&lang=' + encode(language(el)) + '&mode=';
    if (el.getAttribute('data-mode') === 'redirect') return redirect(a, url + 'redirect', 'return_not_registered');
    a.popup = win.open(url + 'popup', '_blank', 'popup,width=480,height=640');
    if (!a.popup) return redirect(a, url + 'redirect', 'popup_blocked');
    announce(text(el, 'open'));
    watch(a);
    // The pop-up stays, because it says why.
    if (el.leRefused) {
      ask(a, function (error) {
        if (error && !a.ready) fail(a, error);
      });
    }
  }

  /* Back from the dialog */

  function takeReturn() {
    var said = {}, saved, hash = location.hash;
    try {
      saved = JSON.parse(sessionStorage.getItem(NAME));
      sessionStorage.removeItem(NAME);
    } catch (e) {}
    if (!/^#le_state=/.test(hash)) return;
    history.replaceState(history.state, '', pageUrl() + location.search);
    new URLSearchParams(hash.slice(1)).forEach(function (value, key) {
      said[key.slice(3)] = value;
    });
    said.attempt = saved && saved.state === said.state && saved;
    return said;
  }

  // In a pop-up that was cut off. An answer that nobody waits for is dropped: it may be an attacker's.
  function handOver(said) {
    try {
      var channel = new BroadcastChannel(NAME);
      channel.onmessage = function (event) {
        if (event.data.ack === said.state) win.close();
      };
      channel.postMessage(said);
    } catch (e) {}
    setTimeout(start, 1000);
  }

  /* The page */

  function buttons() {
    return [].slice.call(doc.querySelectorAll('[data-btnid]'));
  }

  function wire() {
    buttons().forEach(function (el) {
      if (el.leWired) return;
      el.leWired = 1;
      if (el.tagName === 'BUTTON') el.type = 'button';
      el.addEventListener('click', onClick);
      emit(el, 'ready', { buttonId: buttonId(el) });
    });
  }

  function idle(el, error) {
    var a = el.leAttempt;
    el.leRefused = REFUSED.test(error);
    if (el.leRefused) {
      console.warn(el.leAsked + ': ' + text(el, error));
      // Clicked too soon.
      if (a && !a.ready && !a.settled) {
        a.settled = 1;
        fail(a, error);
      }
    }
    emit(el, 'idle', { buttonId: el.leAsked, error: error || null });
  }

  // One call for all the new buttons.
  function autoSignIn() {
    wire();
    var ids = [], fresh = buttons().filter(function (el) {
      var id = buttonId(el);
      if (el.leAsked === id) return;
      el.leAsked = id;
      return ids.indexOf(id) < 0 ? ids.push(id) : 1;
    });
    timer = 0;
    if (framed) fresh.forEach(function (el) { idle(el); });
    else if (ids.length) resume(ids, function (of) {
      fresh.forEach(function (el) {
        var own = of(el.leAsked);
        if (own.valid === true && !seen[own.refreshToken] && !el.leAttempt) deliver(el, el.leAsked, own, true);
        else idle(el, own.error);
      });
    });
  }

  function start() {
    autoSignIn();
    new MutationObserver(function () {
      timer = timer || setTimeout(autoSignIn);
    }).observe(doc, { childList: true, subtree: true, attributes: true, attributeFilter: ['data-btnid'] });
  }

  function begin() {
    var a = back && back.attempt;
    if (back && !a) return handOver(back);
    if (a) {
      a.el = buttons().filter(function (el) { return buttonId(el) === a.id; })[0] || doc.body;
      // Not asked as well: the page would be called twice.
      a.el.leAsked = a.id;
      settle(a, back);
    }
    start();
  }

  function whenParsed() {
    wire();
    if (doc.readyState !== 'loading') return begin();
    doc.addEventListener('DOMContentLoaded', begin);
  }

  var back = takeReturn();
  win.addEventListener('message', onMessage);
  if (doc.prerendering) doc.addEventListener('prerenderingchange', whenParsed);
  else whenParsed();
})(window, document);
