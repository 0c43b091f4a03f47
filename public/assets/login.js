// A token in the address's fragment logs in. It leaves the address and the history before anything else happens.
const form = document.getElementById("login");
const box = document.getElementById("token");

function logIn() {
  const token = new URLSearchParams(location.hash.slice(1)).get("token");
  if (token === null) return;
  history.replaceState(null, "", location.pathname + location.search);
  if (!(form instanceof HTMLFormElement) || !(box instanceof HTMLInputElement)) return;
  box.value = token;
  form.requestSubmit();
}

logIn();
addEventListener("hashchange", logIn);
