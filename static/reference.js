/* The control plane's reference: copies commands, and opens the operation that the address names. */
(function () {
  'use strict';

  var said = document.getElementById('said');

  function say(button, word) {
    var label = button.textContent;
    button.textContent = word;
    said.textContent = word;
    window.setTimeout(function () {
      button.textContent = label;
      said.textContent = '';
    }, 2000);
  }

  // Off https and localhost there is no clipboard object: what is selected can still be copied by hand.
  function select(element) {
    var range = document.createRange();
    range.selectNodeContents(element);
    window.getSelection().removeAllRanges();
    window.getSelection().addRange(range);
  }

  function open() {
    var named = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (named && named.tagName === 'DETAILS') named.open = true;
  }

  Array.prototype.forEach.call(document.querySelectorAll('[data-copy]'), function (button) {
    button.hidden = false;
    button.addEventListener('click', function () {
      var element = document.getElementById(button.getAttribute('data-copy'));
      var copied = navigator.clipboard ? navigator.clipboard.writeText(element.textContent) : Promise.reject();
      copied.then(
        function () { say(button, said.getAttribute('data-done')); },
        function () {
          select(element);
          say(button, said.getAttribute('data-failed'));
        }
      );
    });
  });

  window.addEventListener('hashchange', open);
  open();
})();
