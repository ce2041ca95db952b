/* The control plane's reference: opens the operation that the address names. */
(function () {
  'use strict';

  function open() {
    var named = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named && named.tagName === 'DETAILS') named.open = true;
  }

  window.addEventListener('hashchange', open);
  open();
})();
