/* The "Try it" page: AuthorizeResult as a partner would write it, and each step after it as a live call
   whose whole exchange is shown. Tokens stay in this page's memory. */
(function (global) {
  'use strict';

  var config = JSON.parse(document.getElementById('try-it').textContent);
  var text = config.text;
  var tokens = null;

  function find(selector, within) {
    return (within || document).querySelector(selector);
  }

  function each(selector, act, within) {
    Array.prototype.forEach.call((within || document).querySelectorAll(selector), act);
  }

  function readableTime(rfc3339) {
    var at = new Date(rfc3339);
    if (isNaN(at)) return String(rfc3339);
    return at.toLocaleTimeString(document.documentElement.lang, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  }

  // --- Signing in ---------------------------------------------------------------------------------

  function showOutcome(state, title, detail, hint) {
    var box = document.getElementById('outcome');
    var hintLine = find('.outcome-hint', box);
    box.setAttribute('data-state', state);
    find('.outcome-title', box).textContent = title;
    find('.outcome-text', box).textContent = detail;
    hintLine.textContent = hint || '';
    hintLine.hidden = !hint;
  }

  function showResult(result) {
    var details = document.getElementById('result');
    details.hidden = false;
    highlight(find('code', details), JSON.stringify(result, null, 2));
  }

  function openSteps() {
    each('[data-step] .run button', function (button) { button.disabled = false; });
    each('.needs', function (line) { line.hidden = true; });
  }

  function authorizeResult(result) {
    showResult(result);
    if (!result.valid) {
      showOutcome('failure', text.failureTitle + ': ' + result.error, result.errorMessage || '', text.hints[result.error]);
      return;
    }
    tokens = { refreshToken: result.refreshToken, authToken: result.authToken };
    var sentence = result.auto ? text.successAuto : text.successText;
    showOutcome('success', text.successTitle, sentence.replace('{}', readableTime(result.expireDate)));
    find('.step').classList.add('done');
    openSteps();
  }

  // A declaration at the top level of a page's script becomes a global function; this file keeps
  // everything else to itself, so it says so outright.
  global.AuthorizeResult = authorizeResult;

  // Before the button is ready a click opens nothing, and there is nothing to wait for.
  document.addEventListener('leappbutton:ready', function (event) {
    event.target.addEventListener('click', function () {
      showOutcome('pending', text.pendingTitle, text.pendingText);
    });
  });

  global.addEventListener('error', function (event) {
    var source = event.target && event.target.src;
    // Under another address the page says that, and a second reason would be a wrong one.
    if (source && source.slice(-20) === '/js/le-app-button.js' && global.location.origin === config.origin) {
      showOutcome('failure', text.failureTitle, text.scriptFailed, text.hints.network_error);
    }
  }, true);

  if (global.location.origin !== config.origin) {
    document.getElementById('wrong-origin').hidden = false;
  }

  // --- The steps ----------------------------------------------------------------------------------

  var steps = {
    refresh: {
      call: function () {
        var path = '/authorize/refreshaccesstoken/' + encodeURIComponent(tokens.refreshToken);
        return { path: path + '?appid=' + encodeURIComponent(config.appId), headers: { Accept: 'application/json' } };
      },
      done: function (body) {
        if (!body) return;
        if (body.valid) tokens.authToken = body.authToken;
        else showGone();
      }
    },
    call: {
      call: function () {
        return { path: '/v1/me', headers: { Accept: 'application/json', Authorization: 'Bearer ' + tokens.authToken } };
      }
    },
    disconnect: {
      call: function () {
        var path = '/authorize/disconnectapplicationtoken/' + encodeURIComponent(tokens.refreshToken);
        return { path: path, headers: { Accept: 'application/json' } };
      },
      done: function (body) {
        if (body && body.valid) showGone();
      }
    }
  };

  // Ended here, on the account page or elsewhere: the outcome above must not go on saying "Success".
  function showGone() {
    showOutcome('idle', text.goneTitle, text.goneText);
    each('.step.done', function (step) { step.classList.remove('done'); });
  }

  function run(section, step) {
    var request = step.call();
    var url = config.issuer + request.path;
    var button = find('.run button', section);
    var started = performance.now();
    button.setAttribute('aria-busy', 'true');
    return fetch(url, { headers: request.headers, credentials: 'omit', cache: 'no-store' })
      .then(function (response) {
        return response.text().then(function (body) {
          var parsed = parse(body);
          show(section, request, url, {
            status: response.status,
            line: 'HTTP/1.1 ' + response.status + ' ' + response.statusText,
            headers: response.headers,
            body: parsed === undefined ? body : JSON.stringify(parsed, null, 2),
            refused: !response.ok || (parsed && parsed.valid === false),
            took: performance.now() - started
          });
          section.classList.toggle('done', response.ok && !(parsed && parsed.valid === false));
          if (step.done) step.done(parsed);
        });
      })
      .catch(function () {
        show(section, request, url, { status: '—', line: text.unreachable, body: '', refused: true, took: performance.now() - started });
      })
      .then(function () { button.removeAttribute('aria-busy'); });
  }

  function parse(body) {
    try {
      return JSON.parse(body);
    } catch (notJson) {
      return undefined;
    }
  }

  each('[data-step]', function (section) {
    var step = steps[section.getAttribute('data-step')];
    find('.run button', section).addEventListener('click', function () { run(section, step); });
  });

  // --- Showing an exchange ------------------------------------------------------------------------

  function show(section, request, url, answer) {
    var exchange = document.importNode(document.getElementById('exchange-template').content, true);
    var badge = find('.badge', exchange);
    badge.textContent = answer.status;
    badge.classList.toggle('bad', Boolean(answer.refused));
    var took = Math.round(answer.took) + ' ' + text.milliseconds;
    find('.took', exchange).textContent = took;
    // Only this much is spoken: a live region around the exchange would read every header aloud.
    document.getElementById('said').textContent = answer.status + ', ' + took;
    highlight(find('.request', exchange), requestText(request, url));
    highlight(find('.response', exchange), responseText(answer));
    var curl = curlLine(request, url);
    find('.copy', exchange).addEventListener('click', function () { copy(this, curl); });
    var place = find('.exchange', section);
    place.textContent = '';
    place.appendChild(exchange);
  }

  function requestText(request, url) {
    var target = new URL(url);
    var lines = ['GET ' + target.pathname + target.search + ' HTTP/1.1', 'host: ' + target.host];
    Object.keys(request.headers).forEach(function (name) {
      lines.push(name.toLowerCase() + ': ' + request.headers[name]);
    });
    return lines.join('\n');
  }

  function responseText(answer) {
    var lines = [answer.line];
    if (answer.headers) {
      answer.headers.forEach(function (value, name) { lines.push(name + ': ' + value); });
    }
    return answer.body ? lines.join('\n') + '\n\n' + answer.body : lines.join('\n');
  }

  function quote(word) {
    return "'" + word.replace(/'/g, "'\\''") + "'";
  }

  function curlLine(request, url) {
    var words = ['curl', '-i', quote(url)];
    Object.keys(request.headers).forEach(function (name) {
      words.push('-H', quote(name + ': ' + request.headers[name]));
    });
    return words.join(' ');
  }

  // Names of headers and of JSON members stand out; all of it is set as text, never as markup.
  function highlight(element, content) {
    element.textContent = '';
    content.split('\n').forEach(function (line, index) {
      var named = /^(\s*"[^"]*"(?=:)|[a-z][a-z0-9-]*(?=: ))(.*)$/.exec(line);
      if (index) element.appendChild(document.createTextNode('\n'));
      if (!named) {
        element.appendChild(document.createTextNode(line));
        return;
      }
      var name = document.createElement('span');
      name.className = 'k';
      name.textContent = named[1];
      element.appendChild(name);
      element.appendChild(document.createTextNode(named[2]));
    });
  }

  // --- Copying ------------------------------------------------------------------------------------

  function copy(button, content) {
    var write = navigator.clipboard ? navigator.clipboard.writeText(content) : Promise.reject();
    write.catch(function () { return copyBySelection(content); })
      .then(function () { say(button, text.copied); }, function () { say(button, text.copyFailed); });
  }

  // Off https and localhost there is no clipboard object; a selection can still be copied.
  function copyBySelection(content) {
    var area = document.createElement('textarea');
    area.className = 'sr';
    area.value = content;
    document.body.appendChild(area);
    area.select();
    var copied = document.execCommand('copy');
    area.remove();
    return copied ? Promise.resolve() : Promise.reject();
  }

  function say(button, word) {
    var label = button.getAttribute('data-label') || button.textContent;
    button.setAttribute('data-label', label);
    button.textContent = word;
    document.getElementById('said').textContent = word;
    clearTimeout(button.timer);
    button.timer = setTimeout(function () {
      button.textContent = label;
      document.getElementById('said').textContent = '';
    }, 1600);
  }

  each('[data-copy]', function (button) {
    button.addEventListener('click', function () {
      copy(button, document.getElementById(button.getAttribute('data-copy')).textContent);
    });
  });
})(window);
