// What the command graphql-codegen makes of typed/codegen.json: the same core and plugins, without its hundred packages.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { codegen } from '@graphql-codegen/core';
import { parse } from 'graphql';

const home = fileURLToPath(new URL('typed', import.meta.url));
const read = (file) => readFileSync(resolve(home, file), 'utf8');
const config = JSON.parse(read('codegen.json'));

for (const [filename, { plugins, config: options }] of Object.entries(config.generates)) {
  const made = await codegen({
    filename,
    schema: parse(read(config.schema)),
    documents: [{ location: config.documents, document: parse(read(config.documents)) }],
    config: options,
    plugins: plugins.map((name) => ({ [name]: {} })),
    pluginMap: Object.fromEntries(
      await Promise.all(plugins.map(async (name) => [name, await import(`@graphql-codegen/${name}`)])),
    ),
  });
  mkdirSync(dirname(resolve(home, filename)), { recursive: true });
  writeFileSync(resolve(home, filename), made);
}
