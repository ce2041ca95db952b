// Partner pages: the published snippet's forms around a page that records what reaches it.

/** Records events and results; the callback itself is a parameter, because its form is what some tests are about. */
export const CALLBACK = 'function AuthorizeResult(result) { results.push(result); }';

const RECORDER = `
  var results = [], events = [];
  ['ready', 'idle', 'redirect', 'severed', 'result'].forEach(function (type) {
    document.addEventListener('leappbutton:' + type, function (event) {
      events.push({ type: type, on: event.target.id, detail: event.detail, resultsSoFar: results.length });
    });
  });`;

/** The published form: an asynchronous script made by script, and a style sheet that a data: URL imports. */
export function asyncSnippet(issuer) {
  return `(function () {
    var script = document.createElement('script');
    script.type = 'text/javascript';
    script.async = true;
    script.src = '${issuer}/js/le-app-button.js';
    var first = document.getElementsByTagName('script')[0];
    first.parentNode.insertBefore(script, first);
    var sheet = document.createElement('link');
    sheet.rel = 'stylesheet';
    sheet.href = 'data:text/css,' + escape("@import url('${issuer}/css/le-app-button.css');");
    document.getElementsByTagName('head')[0].appendChild(sheet);
  })();`;
}

export function plainTags(issuer) {
  return `<link rel="stylesheet" href="${issuer}/css/le-app-button.css"><script src="${issuer}/js/le-app-button.js"></script>`;
}

export function button(id, attributes = 'id="leAppButton"') {
  return `<button ${attributes} class="le-app-button" data-btnId="${id}">Sign in with LeadExec</button>`;
}

/**
 * `body` stands for the button's place; `script` runs first of all; `tags` replaces the snippet by markup.
 */
export function partnerPage(world, options = {}) {
  const { body = button(world.buttons.main), callback = CALLBACK, script = '', tags, lang = 'en', nonce } = options;
  const attribute = nonce ? ` nonce="${nonce}"` : '';
  const snippet = tags ?? `<script${attribute}>${asyncSnippet(world.issuer)}</script>`;
  return `<!doctype html>
<html${lang ? ` lang="${lang}"` : ''}>
<head><meta charset="utf-8"><title>Partner</title><script${attribute}>${RECORDER}${script}</script>
<script${attribute}>${callback}</script></head>
<body>${body}${snippet}</body>
</html>`;
}
