import { readFileSync } from 'node:fs';
import type { CodegenConfig } from '@graphql-codegen/cli';

// The configuration that docs/typed-clients.md recommends, for the pages that first clients ask.
const typed = JSON.parse(readFileSync('../clients/typed/codegen.json', 'utf8'));
const [{ config: options }] = Object.values(typed.generates) as [{ config: Record<string, unknown> }];

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: '../graphql/pages/*.graphql',
  generates: { 'generated/operations.ts': { plugins: ['typescript-operations'], config: options } },
};

export default config;
