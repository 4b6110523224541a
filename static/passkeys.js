// Passkeys and security keys. A form with data-passkey="create" or "get" asks the device before it is sent; the
// options stand in data-passkey-options, or come from data-passkey-from, and the answer goes into its field "credential".
"use strict";
(() => {
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));
  const text = (buffer) => buffer
    ? btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")
    : null;
  const known = (list) => (list || []).map((one) => ({ ...one, id: bytes(one.id) }));

  const asked = (kind, options, passwordless) => {
    const key = { ...options.publicKey, challenge: bytes(options.publicKey.challenge) };
    if (kind === "get") return { publicKey: { ...key, allowCredentials: known(key.allowCredentials) } };
    key.user = { ...key.user, id: bytes(key.user.id) };
    key.excludeCredentials = known(key.excludeCredentials);
    key.authenticatorSelection = {
      ...key.authenticatorSelection,
      residentKey: passwordless ? "required" : "discouraged",
      requireResidentKey: passwordless,
      ...(passwordless ? { userVerification: "required" } : {}),
    };
    return { publicKey: key };
  };

  const answer = (credential) => {
    const given = credential.response;
    const response = { clientDataJSON: text(given.clientDataJSON) };
    if (given.attestationObject) {
      response.attestationObject = text(given.attestationObject);
      response.transports = given.getTransports ? given.getTransports() : [];
    } else {
      response.authenticatorData = text(given.authenticatorData);
      response.signature = text(given.signature);
      response.userHandle = text(given.userHandle);
    }
    return {
      type: credential.type,
      id: credential.id,
      rawId: text(credential.rawId),
      authenticatorAttachment: credential.authenticatorAttachment,
      response,
      clientExtensionResults: credential.getClientExtensionResults(),
    };
  };

  const ask = async (form) => {
    const kind = form.dataset.passkey;
    let options;
    if (form.dataset.passkeyFrom) {
      const page = await fetch(form.dataset.passkeyFrom, { headers: { Accept: "application/json" } });
      options = (await page.json()).request_options;
    } else {
      options = JSON.parse(form.dataset.passkeyOptions);
    }
    const passwordless = Boolean(form.elements.passwordless && form.elements.passwordless.checked);
    const wanted = asked(kind, options, passwordless);
    return kind === "create" ? navigator.credentials.create(wanted) : navigator.credentials.get(wanted);
  };

  const say = (form, words) => {
    const place = form.querySelector("[data-passkey-says]");
    if (place) place.textContent = words;
  };

  document.addEventListener("submit", async (event) => {
    const form = event.target.closest("form[data-passkey]");
    if (!form || form.elements.credential.value) return;
    event.preventDefault();
    if (!window.PublicKeyCredential) return say(form, "This browser knows no passkeys.");
    try {
      say(form, "Your device asks you now.");
      form.elements.credential.value = JSON.stringify(answer(await ask(form)));
      form.submit();
    } catch (problem) {
      say(form, problem.name === "InvalidStateError"
        ? "This key is one of yours already."
        : "No key was used. Press the button to try again.");
    }
  });
})();
