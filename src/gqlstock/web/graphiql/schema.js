// What the schema has: asked for once, then looked up by name. Descriptions are the server's.

const TYPE_REF = `kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } }`;
const INPUT = `name description defaultValue type { ${TYPE_REF} }`;
const INTROSPECTION = `query ConsoleSchema {
  __schema {
    queryType { name } mutationType { name } subscriptionType { name }
    directives { name description locations args { ${INPUT} } }
    types {
      kind name description
      fields(includeDeprecated: true) {
        name description isDeprecated deprecationReason args { ${INPUT} } type { ${TYPE_REF} }
      }
      inputFields { ${INPUT} }
      enumValues(includeDeprecated: true) { name description isDeprecated }
      possibleTypes { name }
    }
  }
}`;

class Schema {
  constructor({ __schema }) {
    this.types = new Map(__schema.types.map((type) => [type.name, type]));
    this.directives = __schema.directives;
    this.roots = {
      query: __schema.queryType?.name,
      mutation: __schema.mutationType?.name,
      subscription: __schema.subscriptionType?.name,
    };
  }

  field(typeName, name) {
    return this.fields(typeName).find((field) => field.name === name);
  }

  fields(typeName) {
    return this.types.get(typeName)?.fields ?? [];
  }

  inputs(typeName) {
    return this.types.get(typeName)?.inputFields ?? [];
  }

  values(typeName) {
    if (typeName === "Boolean") return [{ name: "true" }, { name: "false" }];
    return this.types.get(typeName)?.enumValues ?? [];
  }

  /** The types that a fragment on this type may be on. */
  fragmentTypes(typeName) {
    const type = this.types.get(typeName);
    const names = [typeName, ...(type?.possibleTypes ?? []).map(({ name }) => name)];
    return names.filter(Boolean).map((name) => this.types.get(name));
  }

  composites() {
    return [...this.types.values()].filter(
      ({ kind, name }) => ["OBJECT", "INTERFACE", "UNION"].includes(kind) && !name.startsWith("__"),
    );
  }

  inputTypes() {
    return [...this.types.values()].filter(
      ({ kind, name }) => ["SCALAR", "ENUM", "INPUT_OBJECT"].includes(kind) && !name.startsWith("__"),
    );
  }
}

/** A type as it is written, such as [Order!]!. */
function written(type) {
  if (type.kind === "NON_NULL") return `${written(type.ofType)}!`;
  return type.kind === "LIST" ? `[${written(type.ofType)}]` : type.name;
}

/** The name inside lists and exclamation marks. */
function named(type) {
  let inner = type;
  while (inner?.ofType) inner = inner.ofType;
  return inner?.name;
}
