// Logs in with the token in the URL's fragment. Removes the token from the address bar and the history first.
// Without one, a browser with a session that opens everything is led on.
const form = document.getElementById("login-form");
const tokenField = document.getElementById("token");
const next = document.getElementById("next");

function logInByFragment() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return false;
  history.replaceState(null, "", location.pathname + location.search);
  if (!(form instanceof HTMLFormElement) || !(tokenField instanceof HTMLInputElement)) return true;
  tokenField.value = token;
  form.requestSubmit();
  return true;
}

if (!logInByFragment() && next instanceof HTMLAnchorElement) location.replace(next.href);
addEventListener("hashchange", logInByFragment);
