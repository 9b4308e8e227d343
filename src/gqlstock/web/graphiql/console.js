// The console that runs without the internet: operations with variables and headers, completed from the schema.

const KEPT = ["query", "variables", "headers"];

class PlainConsole {
  #socket = null;
  #schema = null;
  #asked = null;

  constructor(http, ws, examples) {
    Object.assign(this, { http, ws });
    for (const id of ["query", "variables", "headers", "answer", "run", "operation", "reference", "said"])
      this[id] = document.getElementById(id);
    document.getElementById("graphiql").hidden = true;
    document.getElementById("console").hidden = false;
    this.query.value = examples;
    for (const name of KEPT) this.#keep(this[name], `gqlstock.console.${name}`);
    this.completion = new Completion(this.query, () => this.#schema);
    this.query.addEventListener("input", () => this.#list());
    this.headers.addEventListener("change", () => this.#read());
    for (const field of [this.query, this.variables, this.headers])
      field.addEventListener("keydown", (event) => this.#pressed(event));
    this.run.onclick = () => this.start();
    this.#list();
    this.#read();
  }

  /** Until the window is closed. */
  #keep(field, key) {
    field.value = sessionStorage.getItem(key) ?? field.value;
    field.addEventListener("input", () => sessionStorage.setItem(key, field.value));
  }

  #pressed(event) {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    this.start();
  }

  /** Offers the operations of the document; without a choice, the one at the cursor is run. */
  #list() {
    const found = operations(this.query.value);
    const chosen = this.operation.value;
    const options = found.map(({ kind, name }) =>
      made("option", { value: name ?? "" }, `${kind} ${name ?? "without a name"}`),
    );
    this.operation.replaceChildren(made("option", { value: "\n" }, "The operation at the cursor"), ...options);
    if ([...this.operation.options].some(({ value }) => value === chosen)) this.operation.value = chosen;
    this.operation.parentElement.hidden = found.length < 2;
  }

  /** The operation to run. */
  #chosen() {
    const found = operations(this.query.value);
    const { value } = this.operation;
    if (value !== "\n") return found.find(({ name }) => (name ?? "") === value) ?? found[0];
    const at = this.query.selectionStart;
    return found.find(({ to }) => at <= to) ?? found.at(-1);
  }

  async start() {
    this.#socket?.close();
    try {
      const operation = this.#chosen();
      const variables = parsed(this.variables, "Variables", '{ "sku": "MUG" }');
      const headers = parsed(this.headers, "Headers", '{ "Authorization": "Bearer …" }');
      const request = { query: this.query.value, variables, operationName: operation?.name ?? null };
      this.said.textContent = operation ? `${operation.kind} ${operation.name ?? ""}` : "";
      if (operation?.kind === "subscription") return this.#subscribe(request, headers);
      const began = performance.now();
      const response = await this.#post(request, headers);
      this.#show(response);
      this.said.textContent += ` · ${Math.round(performance.now() - began)} ms`;
    } catch (error) {
      this.answer.textContent = error.message;
    }
  }

  async #post(request, headers) {
    const response = await fetch(this.http, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(request),
    }).catch((error) => {
      throw new Error(`The server is not responding: ${error.message}`);
    });
    return response.json();
  }

  #subscribe(request, headers) {
    const seen = [];
    const socket = (this.#socket = new WebSocket(this.ws, "graphql-transport-ws"));
    socket.onopen = () => socket.send(JSON.stringify({ type: "connection_init", payload: headers }));
    socket.onclose = ({ code, reason }) => code >= 4400 && this.#show({ closed: code, reason });
    socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      if (message.type === "connection_ack") {
        socket.send(JSON.stringify({ id: "1", type: "subscribe", payload: request }));
        this.answer.textContent = "Waiting for events…";
      } else if (message.type === "ping") socket.send(JSON.stringify({ type: "pong" }));
      else if (message.type === "next" || message.type === "error") {
        seen.unshift(message.payload);
        this.#show(seen.slice(0, 20));
      }
    };
  }

  #show(value) {
    this.answer.textContent = JSON.stringify(value, null, 2);
  }

  /** Reads the schema, again when the headers have changed. */
  async #read() {
    if (this.#schema || this.#asked === this.headers.value) return;
    this.#asked = this.headers.value;
    try {
      const { data } = await this.#post({ query: INTROSPECTION }, parsed(this.headers, "Headers", ""));
      if (!data) return;
      this.#schema = new Schema(data);
      new Reference(this.reference, this.#schema);
    } catch {
      // Without the schema, nothing is completed; operations run as well.
    }
  }
}

function parsed(field, label, example) {
  if (!field.value.trim()) return {};
  try {
    const value = JSON.parse(field.value);
    if (value === null || typeof value !== "object" || Array.isArray(value)) throw new Error("it is no object");
    return value;
  } catch (error) {
    throw new Error(`${label} must be a JSON object such as ${example}: ${error.message}`);
  }
}

/** The list of suggestions below the cursor of the editor. */
class Completion {
  #entries = [];
  #prefix = "";
  #at = 0;

  constructor(editor, schema) {
    Object.assign(this, { editor, schema });
    this.list = document.getElementById("completions");
    editor.addEventListener("input", ({ inputType }) =>
      inputType?.startsWith("insert") ? this.#open() : this.#close(),
    );
    editor.addEventListener("keydown", (event) => this.#pressed(event));
    editor.addEventListener("blur", () => this.#close());
    editor.addEventListener("scroll", () => this.#close());
    window.addEventListener("resize", () => this.#close());
    // The editor keeps the focus.
    this.list.addEventListener("mousedown", (event) => event.preventDefault());
  }

  #open(isAsked = false) {
    const { value, selectionStart, selectionEnd } = this.editor;
    if (!this.schema() || selectionStart !== selectionEnd) return this.#close();
    const { prefix, entries } = completions(this.schema(), value, selectionStart);
    const isDone = entries.length === 1 && entries[0].name === prefix;
    if (!entries.length || isDone || (!prefix && !isAsked && !/[$@]$/.test(value.slice(0, selectionStart))))
      return this.#close();
    [this.#entries, this.#prefix, this.#at] = [entries, prefix, 0];
    this.list.replaceChildren(...entries.map((one, index) => this.#option(one, index)));
    this.#place(value.slice(0, selectionStart - prefix.length));
    this.#mark();
  }

  #option(entry, index) {
    const type = entry.type ? made("span", { className: "of-type" }, entry.type) : "";
    const about = made("span", { className: "about" }, entry.description ?? "");
    const onclick = () => this.#take(index);
    return made(
      "div",
      { id: `completion-${index}`, className: entry.deprecated ? "deprecated" : "", onclick, role: "option" },
      made("span", {}, entry.name),
      type,
      about,
    );
  }

  /** Below the word: the editor does not wrap, and its letters have one width. */
  #place(before) {
    const lines = before.split("\n");
    const style = getComputedStyle(this.editor);
    const height = Number.parseFloat(style.lineHeight);
    const canvas = document.createElement("canvas").getContext("2d");
    canvas.font = style.font;
    const { offsetLeft, offsetTop, scrollLeft, scrollTop } = this.editor;
    const left =
      offsetLeft + Number.parseFloat(style.paddingLeft) + canvas.measureText(lines.at(-1)).width - scrollLeft;
    this.list.hidden = false;
    this.list.style.setProperty("--left", `${left}px`);
    this.list.style.top = `${offsetTop + Number.parseFloat(style.paddingTop) + lines.length * height - scrollTop}px`;
    this.editor.setAttribute("aria-expanded", "true");
  }

  #mark() {
    [...this.list.children].forEach((option, index) =>
      option.setAttribute("aria-selected", String(index === this.#at)),
    );
    this.list.children[this.#at].scrollIntoView({ block: "nearest" });
    this.editor.setAttribute("aria-activedescendant", `completion-${this.#at}`);
  }

  #pressed(event) {
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      return this.#open(true);
    }
    if (this.list.hidden || event.ctrlKey || event.metaKey) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#at = (this.#at + step + this.#entries.length) % this.#entries.length;
    if (step) this.#mark();
    else if (event.key === "Enter" || event.key === "Tab") this.#take(this.#at);
    else if (event.key === "Escape") this.#close();
    else return;
    event.preventDefault();
  }

  #take(index) {
    const { insert } = this.#entries[index];
    const { selectionStart } = this.editor;
    this.editor.setRangeText(insert, selectionStart - this.#prefix.length, selectionStart, "end");
    this.editor.dispatchEvent(new InputEvent("input"));
    this.#close();
  }

  #close() {
    this.list.hidden = true;
    this.editor.setAttribute("aria-expanded", "false");
    this.editor.removeAttribute("aria-activedescendant");
  }
}
