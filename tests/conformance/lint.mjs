// The exported schema under the rules of graphql-eslint; prints what is wrong and ends with 1 if anything is.
import { readFileSync } from 'node:fs';
import { ESLint } from 'eslint';

// Each with its reason.
const EXCEPTIONS = [
  // Rows of reports and entries of feeds are worked out: there is nothing to ask for again by an id.
  ['relay-edge-types', /^type (ItemDemand|LowStockItem|InventoryChange)Edge /],
  // The specification's own directive: its description is the specification's.
  ['require-description', /^directive @oneOf /],
];

const [file] = process.argv.slice(2);
const text = readFileSync(file, 'utf8');
const lines = text.split('\n');
const [result] = await new ESLint().lintText(text, { filePath: 'schema.graphql' });

function excepted({ ruleId, line }) {
  let start = line - 1;
  while (start > 0 && !/^(type|directive|interface|input|enum|union|scalar) /.test(lines[start])) start -= 1;
  return EXCEPTIONS.some(([rule, where]) => ruleId === `@graphql-eslint/${rule}` && where.test(lines[start]));
}

const wrong = result.messages.filter((message) => !excepted(message));
for (const { line, ruleId, message } of wrong) console.log(`schema.graphql:${line} ${ruleId}: ${message}`);
console.log(`${wrong.length} problems, ${result.messages.length - wrong.length} exceptions`);
process.exit(wrong.length ? 1 : 0);
