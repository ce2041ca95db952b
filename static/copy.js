/* Buttons that copy: data-copy is the id of what. The page's #said has the words for how it went, and tells them to who
   listens. Shown by this script alone, because without it they do nothing. */
(function (doc) {
  'use strict';

  var said = doc.getElementById('said');

  // Off https and localhost there is no clipboard object; a selection can still be copied.
  function bySelection(source) {
    getSelection().selectAllChildren(source);
    return doc.execCommand('copy') ? Promise.resolve() : Promise.reject();
  }

  function say(button, word) {
    var label = button.getAttribute('data-label') || button.textContent;
    button.setAttribute('data-label', label);
    button.textContent = said.textContent = word;
    clearTimeout(button.timer);
    button.timer = setTimeout(function () {
      button.textContent = label;
      said.textContent = '';
    }, 1600);
  }

  doc.querySelectorAll('[data-copy]').forEach(function (button) {
    var source = doc.getElementById(button.getAttribute('data-copy'));
    button.hidden = false;
    button.addEventListener('click', function () {
      var write = navigator.clipboard ? navigator.clipboard.writeText(source.textContent) : Promise.reject();
      write.catch(function () { return bySelection(source); }).then(
        function () { say(button, said.getAttribute('data-copied')); },
        function () { say(button, said.getAttribute('data-failed')); }
      );
    });
  });
})(document);
