/* Draws the sign-in button below the form, as the form's fields say. Shown by this script alone: it follows what is chosen. */
(function (doc) {
  'use strict';

  var preview = doc.getElementById('preview');
  var button = preview.firstElementChild;

  function draw() {
    var theme = doc.getElementById('theme').value;
    preview.setAttribute('data-theme', theme);
    button.setAttribute('data-theme', theme);
    button.setAttribute('data-size', doc.getElementById('size').value);
  }

  ['theme', 'size'].forEach(function (name) {
    doc.getElementById(name).addEventListener('change', draw);
  });
  draw();
  preview.hidden = false;
})(document);
