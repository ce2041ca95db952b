// The link in the server's start message has the sandbox token behind its `#`, where no server sees it: it is taken out
// of the address before anything else, and signs in.
const given = /^#token=(.+)$/.exec(location.hash);
const form = document.getElementById('sign-in');

if (given) {
  history.replaceState(null, '', location.pathname + location.search);
  if (form) {
    form.elements.token.value = decodeURIComponent(given[1]);
    form.submit();
  }
}
