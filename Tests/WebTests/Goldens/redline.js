"use strict";
(() => {
  const REFRESH_MS = 10000;
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];

  // Beside each time in UTC the same where the reader is.
  const localTimes = () => all("time[datetime]").forEach(time => {
    const moment = new Date(time.dateTime);
    if (isNaN(moment) || moment.getTimezoneOffset() === 0) return;
    time.title = moment.toLocaleString();
  });

  const copyButtons = () => all("pre").forEach(pre => {
    if (!navigator.clipboard || pre.parentElement.classList.contains("copied-from")) return;
    const box = document.createElement("div"), button = document.createElement("button");
    box.className = "copied-from";
    button.type = "button";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(pre.textContent); button.textContent = "Copied"; }
      catch { button.textContent = "Not copied"; }
      setTimeout(() => button.textContent = "Copy", 2000);
    });
    pre.replaceWith(box);
    box.append(button, pre);
  });

  // As one types, lines with another name go; Enter asks the server for the same.
  const filter = () => {
    const field = document.querySelector("input[data-filter]");
    if (!field) return;
    const wanted = field.value.trim().toLowerCase();
    all("[data-name]").forEach(line => line.hidden = !line.dataset.name.toLowerCase().includes(wanted));
  };

  // What is folded is known by its place, since texts change.
  const place = details => details.id || place.of(details);
  place.of = details => {
    const owner = details.parentElement.closest("details, main");
    return `${owner.id}/${all("details", owner).indexOf(details)}`;
  };

  const take = text => {
    const next = new DOMParser().parseFromString(text, "text/html");
    const main = document.querySelector("main"), fresh = next.querySelector("main");
    if (!main || !fresh) return;
    const folds = new Map(all("details", main).filter(one => one.dataset.touched).map(one => [place(one), one.open]));
    const focused = document.activeElement, field = document.querySelector("input[data-filter]");
    if (field && (focused === field || field.value)) {
      const newField = fresh.querySelector("input[data-filter]");
      if (newField) newField.replaceWith(field);
    }
    main.replaceChildren(...fresh.childNodes);
    all("details", main).forEach(one => {
      if (!folds.has(place(one))) return;
      one.open = folds.get(place(one));
      one.dataset.touched = "yes";
    });
    if (field && focused === field) field.focus();
    document.title = next.title;
    const icon = document.querySelector("link[rel=icon]"), newIcon = next.querySelector("link[rel=icon]");
    if (icon && newIcon && icon.href !== newIcon.href) icon.href = newIcon.href;
    dress();
  };

  let failedSince = null;
  const update = async () => {
    if (document.hidden || getSelection().type === "Range") return;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) throw new Error(answer.status);
      take(await answer.text());
      failedSince = null;
      document.querySelector(".outdated")?.remove();
    } catch {
      failedSince ??= new Date();
      const note = document.querySelector(".outdated") ?? document.createElement("p");
      note.className = "outdated banner bad";
      note.setAttribute("role", "alert");
      note.textContent = `Redline does not answer: this page is as of ${failedSince.toLocaleTimeString()}.`;
      document.querySelector("main").prepend(note);
    }
  };

  const dress = () => { localTimes(); copyButtons(); filter(); };
  document.addEventListener("input", event => { if (event.target.matches("input[data-filter]")) filter(); });
  // A fold that the reader opens or closes stays so.
  document.addEventListener("click", event => {
    const summary = event.target.closest("summary");
    if (summary) summary.parentElement.dataset.touched = "yes";
  });
  dress();
  if (document.documentElement.dataset.live) {
    setInterval(update, REFRESH_MS);
    document.addEventListener("visibilitychange", update);
  }
})();
