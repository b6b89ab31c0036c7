// What the buttons do. Works the same with a coordinator that is in the page.

import { auth } from "./auth.js";

const element = (id) => document.getElementById(id);

auth.subscribe(show);
show();

element("sign-in").onsubmit = (event) => {
  event.preventDefault();
  // Your app has a sign-in of its own: what the token endpoint replied goes here.
  tell(auth.setTokens({ refresh_token: element("sign-in").elements.token.value }).then(() => "signed in"));
};
element("ask").onclick = () => tell(auth.getAccessToken());
element("sign-out").onclick = () => tell(auth.signOut().then(() => "signed out"));

function show() {
  element("status").textContent = auth.getSnapshot().status;
}

async function tell(promise) {
  element("told").textContent = "…";
  element("told").textContent = await promise.catch((error) => `${error.name}: ${error.message}`);
}

// For the console.
globalThis.auth = auth;
