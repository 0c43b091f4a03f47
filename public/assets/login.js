// Logs in with the token in the URL's fragment. Removes the token from the address bar and the history first.
const form = document.getElementById("login-form");
const tokenField = document.getElementById("token");

function logInByFragment() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (!(form instanceof HTMLFormElement) || !(tokenField instanceof HTMLInputElement)) return;
  tokenField.value = token;
  form.requestSubmit();
}

logInByFragment();
addEventListener("hashchange", logInByFragment);
