// What may be written at a place in a document: fields, arguments, values, types, variables and directives.

const TOKEN = /#[^\n]*|"""[\s\S]*?(?:"""|$)|"(?:\\.|[^"\\\n])*"?|\.\.\.|[_A-Za-z]\w*|-?\d[\d.eE+-]*|[{}()[\]:=!$@|&]/g;
const KINDS = ["query", "mutation", "subscription", "fragment"];

/** The tokens of a text, without comments, each `{ text, at }`. */
function lexed(text) {
  return [...text.matchAll(TOKEN)]
    .map(({ 0: found, index }) => ({ text: found, at: index }))
    .filter(({ text: found }) => !found.startsWith("#"));
}

/** The operations of a document: `[{ kind, name, from, to }]`. */
function operations(text) {
  const found = [];
  let depth = 0;
  let current = null;
  for (const { text: token, at } of lexed(text)) {
    if (depth === 0 && KINDS.includes(token))
      found.push((current = { kind: token, name: null, from: at, to: text.length }));
    else if (depth === 0 && token === "{" && !current)
      found.push((current = { kind: "query", name: null, from: at, to: text.length }));
    else if (depth === 0 && current && !current.name && /^\w/.test(token) && !current.isOpen) current.name = token;
    if ("{([".includes(token)) ((depth += 1), current && (current.isOpen = true));
    if ("})]".includes(token)) depth = Math.max(depth - 1, 0);
    if (depth === 0 && token === "}" && current) ((current.to = at + 1), (current = null));
  }
  return found.filter(({ kind }) => kind !== "fragment");
}

/** The suggestions at a position: `{ prefix, entries: [{ name, type, description, insert, deprecated }] }`. */
function completions(schema, text, position) {
  const isInside = lexed(text.slice(0, position) + "\u0000").some(
    ({ text: token, at }) => token.startsWith('"') && at + token.length > position,
  );
  const line = text.slice(text.lastIndexOf("\n", position - 1) + 1, position);
  if (isInside || /^[^"]*#/.test(line)) return { prefix: "", entries: [] };
  const prefix = /[_A-Za-z]\w*$/.exec(text.slice(0, position))?.[0] ?? "";
  const tokens = lexed(text.slice(0, position - prefix.length)).map(({ text: token }) => token);
  const wanted = prefix.toLowerCase();
  const all = offered(schema, text, tokens);
  const starting = all.filter(({ name }) => name.toLowerCase().startsWith(wanted));
  const containing = all.filter(
    ({ name }) => !starting.some((one) => one.name === name) && wanted && name.toLowerCase().includes(wanted),
  );
  return { prefix, entries: [...starting, ...containing] };
}

function offered(schema, text, tokens) {
  const place = placeOf(schema, tokens);
  const [before, last] = [tokens.at(-2), tokens.at(-1)];
  if (last === "@") return schema.directives.map((one) => entry(one, { insert: one.name }));
  if (last === "$") return variables(text).map((name) => ({ name, insert: name }));
  if (!place) {
    if (last === "on") return schema.composites().map((one) => entry(one));
    return KINDS.map((name) => ({ name, insert: name }));
  }
  if (place.kind === "variables")
    return last === ":" || last === "[" ? schema.inputTypes().map((one) => entry(one)) : [];
  if (place.kind === "selection") {
    if (last === "on" && before === "...") return schema.fragmentTypes(place.type).map((one) => entry(one));
    if (last === "...")
      return [{ name: "on", insert: "on " }, ...fragments(text).map((name) => ({ name, insert: name }))];
    const own = schema.fields(place.type).map((one) => entry(one));
    return [
      ...own,
      { name: "__typename", type: "String!", description: "The name of the type.", insert: "__typename" },
    ];
  }
  if (place.kind === "list" || last === ":") {
    const values = schema.values(named(place.expected)).map((one) => entry(one));
    return [...values, ...variables(text).map((name) => ({ name: `$${name}`, insert: `$${name}` }))];
  }
  return place.inputs.filter(({ name }) => !place.used.has(name)).map((one) => entry(one, { insert: `${one.name}: ` }));
}

function entry({ name, type, description, isDeprecated, deprecationReason }, more = {}) {
  const about = isDeprecated ? `Deprecated. ${deprecationReason ?? ""} ${description ?? ""}` : description;
  return {
    name,
    type: type ? written(type) : "",
    description: about ?? "",
    insert: name,
    deprecated: isDeprecated,
    ...more,
  };
}

const variables = (text) => [...new Set([...text.matchAll(/\$(\w+)\s*:/g)].map(([, name]) => name))];
const fragments = (text) => [...text.matchAll(/\bfragment\s+(\w+)\s+on\b/g)].map(([, name]) => name);

/** The innermost selection, arguments, list or variables that the tokens leave open; null between operations. */
function placeOf(schema, tokens) {
  const stack = [];
  let root = null;
  for (const [index, token] of tokens.entries()) {
    const place = stack.at(-1);
    const before = tokens[index - 1];
    const isName = /^[_A-Za-z]/.test(token);
    if (token === "}" || token === ")" || token === "]") stack.pop();
    else if (!place) {
      if (token === "(") stack.push({ kind: "variables" });
      else if (token === "{") (stack.push({ kind: "selection", type: root ?? schema.roots.query }), (root = null));
      else if (isName && before === "on") root = token;
      else if (schema.roots[token] && !tokens[index - 2]?.match(/^(query|mutation|subscription|fragment)$/))
        root = schema.roots[token];
    } else if (place.kind === "selection")
      inSelection(schema, stack, { token, before, earlier: tokens[index - 2], isName });
    else if (place.kind === "variables") {
      if (token === "{" || token === "[" || token === "(") stack.push({ kind: "variables" });
    } else inInputs(schema, stack, { token, before, isName });
  }
  return stack.at(-1) ?? null;
}

function inSelection(schema, stack, { token, before, earlier, isName }) {
  const place = stack.at(-1);
  if (token === "(")
    stack.push({ kind: "arguments", inputs: place.directive?.args ?? place.field?.args ?? [], used: new Set() });
  else if (token === "{") stack.push({ kind: "selection", type: place.next });
  else if (token === "...") Object.assign(place, { field: null, directive: null, next: place.type });
  else if (isName && before === "on" && earlier === "...") place.next = token;
  else if (isName && before === "@") place.directive = schema.directives.find(({ name }) => name === token);
  else if (isName && before !== "...") {
    const field = schema.field(place.type, token);
    Object.assign(place, { field, directive: null, next: named(field?.type) });
  }
}

function inInputs(schema, stack, { token, before, isName }) {
  const place = stack.at(-1);
  if (token === "{") stack.push({ kind: "arguments", inputs: schema.inputs(named(place.expected)), used: new Set() });
  else if (token === "[") stack.push({ kind: "list", expected: place.expected });
  else if (isName && place.kind === "arguments" && before !== ":" && before !== "$") {
    place.used.add(token);
    place.expected = place.inputs.find(({ name }) => name === token)?.type;
  }
}
