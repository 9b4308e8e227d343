// The reference beside the console: types, their fields and what they mean. Names of types lead to them.

class Reference {
  constructor(place, schema) {
    this.schema = schema;
    this.search = made("input", {
      type: "search",
      placeholder: "Find a field or type",
      "aria-label": "Find a field or type",
    });
    this.body = made("div", {});
    this.search.oninput = () =>
      this.search.value.trim() ? this.#find(this.search.value.trim().toLowerCase()) : this.open();
    place.replaceChildren(this.search, this.body);
    this.open();
  }

  /** Shows a type, or where everything starts. */
  open(name = null) {
    const type = this.schema.types.get(name);
    if (!type) {
      const roots = Object.entries(this.schema.roots).filter(([, root]) => root);
      const links = roots.map(([kind, root]) => made("li", {}, made("span", {}, `${kind}: `), this.#link(root)));
      return this.body.replaceChildren(made("h2", {}, "Schema"), made("ul", {}, ...links));
    }
    const back = made("button", { type: "button", onclick: () => this.open() }, "← Schema");
    const parts = [back, made("h2", { tabIndex: -1 }, type.name), made("p", {}, type.description ?? "")];
    const values = (type.enumValues ?? []).map((one) => made("li", {}, made("code", {}, one.name), about(one)));
    const fields = [...(type.fields ?? []), ...(type.inputFields ?? [])].map((field) => this.#field(field));
    const kinds = (type.possibleTypes ?? []).map((one) => made("li", {}, this.#link(one.name)));
    this.body.replaceChildren(...parts, made("ul", {}, ...values, ...fields, ...kinds));
    this.body.querySelector("h2").focus();
  }

  #field(field, owner = null) {
    const inputs = (field.args ?? []).map((one) =>
      made("li", {}, made("code", {}, `${one.name}: `), this.#link(named(one.type), written(one.type)), about(one)),
    );
    const head = made(
      "div",
      {},
      owner ? this.#link(owner) : "",
      made("code", {}, `${owner ? "." : ""}${field.name}: `),
      this.#link(named(field.type), written(field.type)),
    );
    return made("li", {}, head, about(field), inputs.length ? made("ul", {}, ...inputs) : "");
  }

  #link(name, text = name) {
    return made("button", { type: "button", className: "type", onclick: () => this.open(name) }, text);
  }

  #find(wanted) {
    const types = [...this.schema.types.values()].filter(({ name }) => !name.startsWith("__"));
    const matches = types
      .filter(({ name }) => name.toLowerCase().includes(wanted))
      .map(({ name }) => made("li", {}, this.#link(name)));
    const fields = types.flatMap((type) =>
      (type.fields ?? [])
        .filter(({ name }) => name.toLowerCase().includes(wanted))
        .map((field) => this.#field(field, type.name)),
    );
    const found = [...matches, ...fields];
    const most = 50;
    const rest =
      found.length > most
        ? `${found.length - most} more. Type more of the name.`
        : found.length
          ? ""
          : "Nothing has this name.";
    this.body.replaceChildren(made("ul", {}, ...found.slice(0, most)), made("p", {}, rest));
  }
}

const about = ({ description, isDeprecated, deprecationReason }) =>
  made("p", {}, isDeprecated ? `Deprecated. ${deprecationReason ?? ""} ` : "", description ?? "");

function made(name, properties, ...children) {
  const node = Object.assign(document.createElement(name), properties);
  for (const [key, value] of Object.entries(properties)) if (key.includes("-")) node.setAttribute(key, value);
  node.append(...children);
  return node;
}
