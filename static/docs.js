/* The documentation: on a small screen the list of pages is closed until it is asked for; and what the buttons of its
   previews end with is shown below them, as a partner's page would get it. */
(function (global, doc) {
  'use strict';

  var pages = doc.querySelector('.docs-pages');
  if (global.matchMedia('(max-width: 60rem)').matches) pages.open = false;
  var current = pages.querySelector('[aria-current]');
  if (current && pages.open) {
    pages.scrollTop = current.offsetTop - pages.offsetTop - pages.clientHeight / 2;
  }

  var pressed = null;
  doc.addEventListener('leappbutton:result', function (event) { pressed = event.target.closest('.live'); });

  global.AuthorizeResult = function (result) {
    var live = pressed || doc.querySelector('.live');
    var box = live && live.querySelector('.outcome');
    if (!box) return;
    var title = doc.createElement('p');
    title.className = 'outcome-title';
    title.textContent = result.valid ? 'AuthorizeResult: valid' : 'AuthorizeResult: ' + result.error;
    var listing = doc.createElement('pre');
    listing.className = 'outcome-text';
    listing.textContent = JSON.stringify(result, null, 2);
    box.setAttribute('data-state', result.valid ? 'success' : 'failure');
    box.replaceChildren(title, listing);
    box.hidden = false;
  };
})(window, document);
