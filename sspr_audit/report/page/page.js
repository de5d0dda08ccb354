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
  for (const one of document.querySelectorAll("[data-copy], .filter, .to-flows, #theme, #controls, #list")) {
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
  const [ID, START, LENGTH, OUTCOME, PERSON, CLIENT, SITE, IP, STEP, REASON, TYPE, FOUND, TOLD] = Array(13).keys();
  const text = (list, code, none) => (code < 0 ? none : list[code]);
  const zone = (second) => data.zones.findLast((one) => one[0] <= second) || data.zones[0];
  const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
  const moment = (second, offset) => {
    const time = new Date((second + offset) * 1000);
    return [DAYS[time.getUTCDay()], time.toISOString().slice(0, 10), time.toISOString().slice(11, 19)];
  };
  const local = (second) => moment(second, zone(second)[1]);
  const shown = {
    start: (row) => local(data.base + row[START]).join(" "),
    person: (row) => text(data.people, row[PERSON], "(not recorded)"),
    outcome: (row) => data.outcomes[row[OUTCOME]],
    reason: (row) => text(data.reasons, row[REASON], ""),
    site: (row) => text(data.sites, row[SITE], "(no named site)"),
    address: (row) => text(data.addresses, row[IP], "(none recorded)"),
    client: (row) => text(data.clients, row[CLIENT], "not-recorded"),
    step: (row) => text(data.steps, row[STEP], ""),
  };
  const columns = Object.values(shown);
  const rows = data.rows.sort((a, b) => b[START] - a[START]);
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
    one.append(...columns.map((column, at) => cell(column(row), at, place)));
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
    const is = (id, value) => $(id).value === "" || $(id).value === String(value);
    found = rows.filter((row) =>
      is("outcome", row[OUTCOME]) && is("client", row[CLIENT]) && is("site", row[SITE]) &&
      ($("finding").value === "" || (row[FOUND] && row[FOUND].includes(Number($("finding").value)))) &&
      (wish === "" || [row[ID], ...columns.map((column) => column(row))].some((one) => one.toLowerCase().includes(wish))));
    sorted();
  };
  let order = [0, -1];
  const sorted = () => {
    const [column, sign] = order;
    const by = column === 0 ? (row) => row[START] : columns[column];
    found = [...found].sort((a, b) => sign * compare(by(a), by(b)) || b[START] - a[START]);
    until = PAGE;
    draw(0);
  };
  for (const heading of [...$("list").tHead.rows[0].cells]) {
    sortable(heading, (column, sign) => { order = [column, sign]; sorted(); });
  }
  $("list").tHead.rows[0].cells[0].setAttribute("aria-sort", "descending");

  const choices = (id, all, pairs) => {
    $(id).append(new Option(all, ""));
    for (const [value, label] of pairs) $(id).append(new Option(label, value));
  };
  const used = (column) => new Set(rows.map((row) => row[column]));
  const named = (list, column, none) => {
    const codes = used(column);
    const pairs = list.map((one, code) => [code, one]).filter((one) => codes.has(one[0]));
    if (codes.has(-1)) pairs.push([-1, none]);
    return pairs;
  };
  choices("outcome", "all", named(data.outcomes, OUTCOME));
  choices("client", "all", named(data.clients, CLIENT, "not-recorded"));
  choices("site", "all", named(data.sites, SITE, "(no named site)"));
  const numbers = new Set(rows.flatMap((row) => row[FOUND] || []));
  choices("finding", "all", [...numbers].sort((a, b) => a - b).map((one) => [one, $(`title-${one}`).textContent.slice(0, 60)]));
  $("controls").addEventListener("input", chosen);
  $("controls").addEventListener("submit", (event) => event.preventDefault());
  $("next").addEventListener("click", () => { const from = until; until += PAGE; draw(from); });
  for (const link of document.querySelectorAll(".to-flows")) {
    link.hidden = !numbers.has(Number(link.dataset.finding));
    link.addEventListener("click", () => {
      for (const id of ["search", "outcome", "client", "site"]) $(id).value = "";
      $("finding").value = link.dataset.finding;
      chosen();
    });
  }

  // One flow as a time line
  const steps = (row) => {
    const list = el("ol");
    for (let place = 0; place < row[TOLD].length; place += 2) {
      const since = row[TOLD][place];
      const [said, wrote] = data.said[row[TOLD][place + 1]];
      const one = el("li");
      const told = el("span", said);
      if (wrote) told.append(" ", el("q", wrote));
      one.append(el("span", local(data.base + row[START] + since)[2], "when"), el("span", `+${number(since)} s`, "when"), told);
      list.append(one);
    }
    if (data.outcomes[row[OUTCOME]] === "abandoned") {
      const one = el("li");
      one.append(el("span"), el("span"), el("span", "did nothing more that was recorded"));
      list.append(one);
    }
    return list;
  };
  const story = (row) => {
    const second = data.base + row[START];
    const name = zone(second)[2];
    const utc = moment(second, 0);
    const both = name === "UTC" ? "" : ` (${utc[1] === local(second)[1] ? "" : `${utc[1]} `}${utc[2]} UTC)`;
    const type = row[TYPE] < 0 ? "" : `; ClientType “${data.types[row[TYPE]]}”`;
    const code = el("div", undefined, "code");
    const pre = el("pre");
    pre.tabIndex = 0;
    pre.append(el("code", row[ID]));
    const button = el("button", "Copy", "copy");
    button.type = "button";
    button.dataset.copy = "";
    button.append(el("span", " flow id", "sr"));
    code.append(pre, button);
    const box = el("td");
    box.colSpan = columns.length;
    box.append(el("p", `${local(second).join(" ")} ${name}${both}, lasted ${number(row[LENGTH])} s${type}`), steps(row), code);
    if (row[REASON] >= 0) box.firstChild.after(el("p", `Reason: ${data.reasons[row[REASON]]}`));
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
