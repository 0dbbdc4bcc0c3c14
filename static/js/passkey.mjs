/* A form that a passkey fills: the browser is asked as the server says, and what it answers is sent. */
const said = {
  NotAllowedError: "No passkey was used, or it took too long. Try again.",
  InvalidStateError: "This device keeps a passkey for you already. Use that one, or another device.",
  SecurityError: "Passkeys need the site to be opened by its name, not by a number. Ask the operator for the address.",
};

for (const form of document.querySelectorAll("form[data-passkey]")) {
  const field = form.elements[form.dataset.field], problem = form.querySelector("[data-problem]");
  const ask = async () => {
    const options = JSON.parse(form.dataset.options), create = form.dataset.passkey === "create";
    const publicKey = create ? PublicKeyCredential.parseCreationOptionsFromJSON(options)
      : PublicKeyCredential.parseRequestOptionsFromJSON(options);
    const credential = await navigator.credentials[create ? "create" : "get"]({ publicKey });
    field.value = JSON.stringify(credential);
  };
  const begin = async () => {
    problem.hidden = true;
    try {
      await ask();
      form.submit();
    } catch (error) {
      problem.textContent = said[error.name] ?? "This browser cannot use passkeys here. Sign in another way.";
      problem.hidden = false;
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    begin();
  });
  if ("now" in form.dataset) begin();
}
