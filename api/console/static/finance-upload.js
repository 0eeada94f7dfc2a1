// Sends a form's file as it is, with progress, and shows what came of it. The form's data-address is
// where to; its other fields go into the address.
function financeUpload(form) {
  const said = form.querySelector("[data-said]");
  const bar = form.querySelector("progress");
  const button = form.querySelector("button[type=submit]");
  const file = form.querySelector("input[type=file]").files[0];
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === "string" && value) query.append(name, value);
  const say = (lines, bad) => {
    said.replaceChildren(...lines.map(line => {
      const shown = document.createElement("p");
      shown.textContent = line;
      if (bad) shown.className = "bad";
      return shown;
    }));
  };
  if (!file) { say(["Choose a file first."], true); return false; }
  if (form.dataset.needs && !query.has(form.dataset.needs)) { say(["Choose at least one " + form.dataset.needs + "."], true); return false; }
  const limit = Number(form.dataset.limit);
  if (file.size > limit) { say([file.name + " has " + file.size + " bytes; at most " + limit + " can be uploaded here."], true); return false; }
  query.append("name", file.name);
  const request = new XMLHttpRequest();
  request.open("POST", form.dataset.address + "?" + query);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  request.responseType = "json";
  request.upload.onprogress = event => { if (event.lengthComputable) { bar.max = event.total; bar.value = event.loaded; } };
  const done = () => { button.disabled = false; bar.hidden = true; };
  request.onerror = () => { done(); say(["The file did not arrive: the switch can't be reached. Try again."], true); };
  request.onload = () => {
    done();
    const answer = request.response || {};
    if (request.status !== 200) {
      const details = (answer.details || []).map(one => one.where + ": " + one.what);
      say([answer.error || "It failed with status " + request.status + ".", ...details], true);
      return;
    }
    say(answer.said || []);
    form.querySelector("input[type=file]").value = "";
  };
  bar.hidden = false;
  bar.removeAttribute("value");
  button.disabled = true;
  say(["Sending " + file.name + " …"]);
  request.send(file);
  return false;
}
