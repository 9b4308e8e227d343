// Names what breaks clients between two versions of the schema, by the rules of docs/deprecation.md, and ends with 1 if
// anything does: breaking_changes.mjs RELEASED SCHEMA ALLOWED VERSION. RELEASED is the last release's schema; ALLOWED is a
// JSON file of the breaking changes that are meant, each message with its reason; VERSION is the one being built.
import { readFileSync } from 'node:fs';
import { diff } from '@graphql-inspector/core';
import { buildSchema, isEnumType, isInputObjectType, isInterfaceType, isObjectType } from 'graphql';

const REASON = /^Use \S.*\. Deprecated in (\d+)\.(\d+)\.\d+, removed in (\d+)\.(\d+)\.\d+\.$/;
// Compatible for a validator, but the same request does something else.
const CHANGED_DEFAULTS = ['FIELD_ARGUMENT_DEFAULT_CHANGED', 'INPUT_FIELD_DEFAULT_VALUE_CHANGED'];

const [released, current] = process.argv.slice(2, 4).map((file) => buildSchema(readFileSync(file, 'utf8')));
const allowed = JSON.parse(readFileSync(process.argv[4], 'utf8'));
const version = process.argv[5].split('.').map(Number);

// Every field, argument, input field and enum value, by its path.
function* elements(schema) {
  for (const type of Object.values(schema.getTypeMap())) {
    if (isEnumType(type)) for (const value of type.getValues()) yield [`${type.name}.${value.name}`, value];
    if (isInputObjectType(type) || isObjectType(type) || isInterfaceType(type)) {
      for (const field of Object.values(type.getFields())) {
        yield [`${type.name}.${field.name}`, field];
        for (const argument of field.args ?? []) yield [`${type.name}.${field.name}.${argument.name}`, argument];
      }
    }
  }
}

const wasDeprecated = new Map([...elements(released)].map(([path, { deprecationReason }]) => [path, deprecationReason]));
const isDue = (path) => {
  const [, , , major, minor] = (REASON.exec(wasDeprecated.get(path) ?? '') ?? []).map(Number);
  return version[0] > major || (version[0] === major && version[1] >= minor);
};
const isBreaking = ({ type, path, criticality }) => {
  if (type.endsWith('_REMOVED') && wasDeprecated.get(path)) return !isDue(path);
  return criticality.level === 'BREAKING' || CHANGED_DEFAULTS.includes(type);
};

const breaking = (await diff(released, current)).filter(isBreaking).map(({ message }) => message);
const problems = [
  ...breaking.filter((message) => !(message in allowed)),
  ...Object.keys(allowed)
    .filter((message) => !breaking.includes(message))
    .map((message) => `Allowed, but no change: ${message}`),
  ...[...elements(current)]
    .filter(([, { deprecationReason }]) => deprecationReason && !REASON.test(deprecationReason))
    .map(([path, { deprecationReason }]) => `${path}: "${deprecationReason}" is not "Use …. Deprecated in x.y.z, removed in x.y.z."`),
];
for (const problem of problems) console.log(problem);
process.exitCode = problems.length ? 1 : 0;
