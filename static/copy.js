/* Buttons that copy: data-copy is the id of what, data-copied and data-failed are what they say then. Shown by this script
   alone, because without it they do nothing. */
(function (doc) {
  'use strict';

  // Off https and localhost there is no clipboard object; a selection can still be copied.
  function bySelection(source) {
    getSelection().selectAllChildren(source);
    return doc.execCommand('copy') ? Promise.resolve() : Promise.reject();
  }

  function say(button, word) {
    var label = button.getAttribute('data-label') || button.textContent;
    button.setAttribute('data-label', label);
    button.textContent = word;
    clearTimeout(button.timer);
    button.timer = setTimeout(function () { button.textContent = label; }, 1600);
  }

  doc.querySelectorAll('[data-copy]').forEach(function (button) {
    var source = doc.getElementById(button.getAttribute('data-copy'));
    button.hidden = false;
    button.addEventListener('click', function () {
      var write = navigator.clipboard ? navigator.clipboard.writeText(source.textContent) : Promise.reject();
      write.catch(function () { return bySelection(source); }).then(
        function () { say(button, button.getAttribute('data-copied')); },
        function () { say(button, button.getAttribute('data-failed')); }
      );
    });
  });
})(document);
