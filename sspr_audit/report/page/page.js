"use strict";
// Everything that a record says is put in by textContent: it is shown, never read as markup.
(() => {
  const $ = (id) => document.getElementById(id);
  const el = (tag, text, name) => {
    const one = document.createElement(tag);
    if (text !== undefined) one.textContent = text;
    if (name) one.className = name;
    return one;
  };
  const number = (count) => count.toLocaleString("en-US");
  for (const one of document.querySelectorAll("[data-copy], .filter, #theme, #controls, #list")) {
    one.hidden = false;
  }

  // Light and dark
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (dark.matches ? "dark" : "light")) === "dark";
  const nameTheme = () => { $("theme").textContent = isDark() ? "Light" : "Dark"; };
  $("theme").addEventListener("click", () => {
    document.documentElement.dataset.theme = isDark() ? "light" : "dark";
    nameTheme();
  });
  dark.addEventListener("change", nameTheme);
  nameTheme();

  // Copy
  const select = (node) => {
    const range = document.createRange();
    range.selectNodeContents(node);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  const copy = async (button) => {
    const code = button.parentElement.querySelector("code");
    let done = true;
    try {
      await navigator.clipboard.writeText(code.textContent);
    } catch {
      select(code);  // the reader can press Ctrl+C where even this is not allowed
      done = document.execCommand("copy");
    }
    const word = done ? "Copied" : "Selected";
    $("said").textContent = word;
    const label = button.firstChild;
    label.nodeValue = word;
    setTimeout(() => { label.nodeValue = "Copy"; $("said").textContent = ""; }, 2000);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
  });

  // Sort and filter the tables that stand in the page
  const key = (text) => {
    const plain = text.replaceAll(",", "");
    return plain !== "" && isFinite(plain) ? Number(plain) : text.toLowerCase();
  };
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const sortable = (heading, sort) => {
    const button = el("button", heading.textContent);
    button.type = "button";
    heading.replaceChildren(button);
    heading.setAttribute("aria-sort", "none");
    button.addEventListener("click", () => {
      const now = heading.getAttribute("aria-sort");
      const numbers = heading.classList.contains("n");
      const up = now === "none" ? !numbers : now === "descending";
      for (const one of heading.parentElement.children) one.setAttribute("aria-sort", "none");
      heading.setAttribute("aria-sort", up ? "ascending" : "descending");
      sort(heading.cellIndex, up ? 1 : -1);
    });
  };
  for (const table of document.querySelectorAll("table[data-sort]")) {
    const body = table.tBodies[0];
    for (const heading of [...table.tHead.rows[0].cells]) {
      sortable(heading, (column, sign) => {
        const rows = [...body.rows].map((row, place) => [key(row.cells[column].textContent), place, row]);
        rows.sort((a, b) => sign * compare(a[0], b[0]) || a[1] - b[1]);
        body.append(...rows.map((one) => one[2]));
      });
    }
  }
  // A long table is short until somebody wants all of it, or looks for something in it
  for (const button of document.querySelectorAll("[data-all]")) {
    const table = $(button.dataset.all).querySelector("table");
    table.classList.add("short");
    button.hidden = false;
    button.addEventListener("click", () => { table.classList.remove("short"); button.hidden = true; });
  }
  document.addEventListener("input", (event) => {
    const id = event.target.dataset.filter;
    if (!id) return;
    const all = $(id).querySelector("[data-all]");
    if (!all.hidden) all.click();
    const wish = event.target.value.trim().toLowerCase();
    let shown = 0;
    for (const row of $(id).querySelector("tbody").rows) {
      row.hidden = !row.textContent.toLowerCase().includes(wish);
      shown += !row.hidden;
    }
    $("said").textContent = `${number(shown)} rows`;
  });

  // On paper everything is open
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });

  // Flows
  if (!$("list")) return;
  const data = JSON.parse($("flows-data").textContent);
  const PAGE = 50;
  const text = (list, code, none) => (code < 0 ? none : list[code]);
  const uuid = (code) => {
    if (typeof code !== "string") return code[0];
    const hex = Array.from(atob(code), (one) => one.charCodeAt(0).toString(16).padStart(2, "0")).join("");
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  };
  const flow = ([id, start, length, person, address, kind, [pattern, ...gaps], found = []]) => {
    const [outcome, client, site, step, reason, type] = data.kinds[kind];
    const name = text(data.people, person, "(not recorded)");
    let since = 0;
    const steps = gaps.map((gap, place) => [since += gap, ...data.said[data.patterns[pattern][place]]]);
    return {
      id: uuid(id), second: data.base + start, length, found, steps,
      person: name.endsWith("@") ? name + data.domain : name,
      outcome: data.outcomes[outcome],
      site: text(data.sites, site, "(no named site)"),
      address: text(data.addresses, address, "(none recorded)"),
      client: text(data.clients, client, "not-recorded"),
      step: text(data.steps, step, ""),
      reason: text(data.reasons, reason, ""),
      type: text(data.types, type, ""),
    };
  };
  const zone = (second) => data.zones.findLast((one) => one[0] <= second) || data.zones[0];
  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const moment = (second, offset) => {
    const time = new Date((second + offset) * 1000);
    return [DAYS[time.getUTCDay()], time.toISOString().slice(0, 10), time.toISOString().slice(11, 19)];
  };
  const local = (second) => moment(second, zone(second)[1]);
  const rows = data.rows.map(flow).sort((a, b) => b.second - a.second);
  for (const row of rows) row.start = local(row.second).join(" ");
  const columns = ["start", "person", "outcome", "reason", "site", "address", "client"];
  let found = rows;
  let until = PAGE;

  const cell = (value, place, row) => {
    if (place === 0) {
      const head = el("th");
      head.scope = "row";
      const button = el("button", value, "unfold");
      button.type = "button";
      button.setAttribute("aria-expanded", "false");
      button.dataset.place = row;
      head.append(button);
      return head;
    }
    const one = el("td");
    if (place === 2) one.append(el("span", undefined, `dot of-${value}`));
    one.append(value);
    return one;
  };
  const line = (row, place) => {
    const one = el("tr");
    one.append(...columns.map((column, at) => cell(row[column], at, place)));
    return one;
  };
  const draw = (from) => {
    const body = $("list").tBodies[0];
    const wanted = found.slice(from, until).map((row, place) => line(row, from + place));
    if (from) body.append(...wanted);
    else body.replaceChildren(...wanted);
    $("next").hidden = until >= found.length;
    $("next").textContent = `Show ${number(Math.min(PAGE, found.length - until))} more`;
    const left = data.left ? ` ${number(data.left)} of ${number(data.all)} flows did not fit into this file, those that ended well first; --format csv has all.` : "";
    const first = Math.min(until, found.length);
    $("count").textContent = `${number(first)} of ${number(found.length)} flows shown${found.length < rows.length ? `, out of ${number(rows.length)}` : ""}.${left}`;
  };

  const chosen = () => {
    const wish = $("search").value.trim().toLowerCase();
    const fits = (row) =>
      ["outcome", "client", "site"].every((one) => $(one).value === "" || $(one).value === `=${row[one]}`) &&
      ($("finding").value === "" || row.found.includes(Number($("finding").value))) &&
      (wish === "" || ["id", "step", ...columns].some((one) => row[one].toLowerCase().includes(wish)));
    found = rows.filter(fits);
    sorted();
  };
  let order = [0, -1];
  const sorted = () => {
    const [column, sign] = order;
    const by = column === 0 ? "second" : columns[column];
    found = [...found].sort((a, b) => sign * compare(a[by], b[by]) || b.second - a.second);
    until = PAGE;
    draw(0);
  };
  for (const heading of [...$("list").tHead.rows[0].cells]) {
    sortable(heading, (column, sign) => { order = [column, sign]; sorted(); });
  }
  $("list").tHead.rows[0].cells[0].setAttribute("aria-sort", "descending");

  const choices = (id, pairs) => {
    $(id).append(new Option("all", ""), ...pairs.map(([value, label]) => new Option(label, value)));
  };
  for (const id of ["outcome", "client", "site"]) {
    const used = [...new Set(rows.map((row) => row[id]))].sort();
    choices(id, used.map((one) => [`=${one}`, one]));
  }
  const numbers = new Map();
  for (const one of rows.flatMap((row) => row.found)) numbers.set(one, (numbers.get(one) || 0) + 1);
  choices("finding", [...numbers.keys()].sort((a, b) => a - b).map((one) => [one, $(`title-${one}`).textContent.slice(0, 60)]));
  $("controls").addEventListener("input", chosen);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("next").addEventListener("click", () => { const from = until; until += PAGE; draw(from); });
  for (const place of document.querySelectorAll(".more")) {
    const [link, elsewhere] = place.children;
    const here = numbers.get(Number(place.dataset.finding)) || 0;
    const all = Number(place.dataset.flows);
    link.textContent = here < all ? `Show ${number(here)} of its ${number(all)} flows` : all > 1 ? `Show its ${number(all)} flows` : "Show its flow";
    link.hidden = here === 0;
    elsewhere.hidden = here > 0;
    place.hidden = false;
    link.addEventListener("click", () => {
      for (const id of ["search", "outcome", "client", "site"]) $(id).value = "";
      $("finding").value = place.dataset.finding;
      chosen();
    });
  }

  // One flow as a time line
  const steps = (row) => {
    const list = el("ol");
    for (const [since, said, wrote] of row.steps) {
      const one = el("li");
      const told = el("span", said);
      if (wrote) told.append(" ", el("q", wrote));
      one.append(el("span", local(row.second + since)[2], "when"), el("span", `+${number(since)} s`, "when"), told);
      list.append(one);
    }
    if (row.outcome === "abandoned") {
      const one = el("li");
      one.append(el("span"), el("span"), el("span", "did nothing more that was recorded"));
      list.append(one);
    }
    return list;
  };
  const moments = (row) => {
    const name = zone(row.second)[2];
    const [, day, time] = moment(row.second, 0);
    const date = day === local(row.second)[1] ? "" : `${day} `;
    return `${row.start} ${name}${name === "UTC" ? "" : ` (${date}${time} UTC)`}`;
  };
  const story = (row) => {
    const code = el("div", undefined, "code");
    const pre = el("pre");
    pre.tabIndex = 0;
    pre.append(el("code", row.id));
    const button = el("button", "Copy", "copy");
    button.type = "button";
    button.dataset.copy = "";
    button.append(el("span", " flow id", "sr"));
    code.append(pre, button);
    const box = el("td");
    box.colSpan = columns.length;
    const type = row.type && `; ClientType “${row.type}”`;
    const step = row.step && `; furthest step: ${row.step}`;
    box.append(el("p", `${moments(row)}, lasted ${number(row.length)} s${step}${type}`));
    box.append(el("p", `Person: ${row.person}${row.reason && `; reason: ${row.reason}`}`));
    if (row.steps.length) box.append(steps(row));
    box.append(code);
    const one = el("tr", undefined, "story");
    one.append(box);
    return one;
  };
  $("list").addEventListener("click", (event) => {
    const button = event.target.closest(".unfold");
    if (!button) return;
    const line = button.closest("tr");
    const open = button.getAttribute("aria-expanded") === "true";
    button.setAttribute("aria-expanded", String(!open));
    if (open) line.nextElementSibling.remove();
    else line.after(story(found[Number(button.dataset.place)]));
  });
  sorted();
})();
