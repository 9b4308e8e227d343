import type { CodegenConfig } from '@graphql-codegen/cli';

const config: CodegenConfig = {
  schema: '../../schema.graphql',
  documents: '../graphql/pages/*.graphql',
  generates: {
    'generated/operations.ts': {
      plugins: ['typescript-operations'],
      config: {
        strictScalars: true,
        scalars: { Quantity: 'number', DateTime: 'string', JSON: 'unknown', ID: 'string' },
      },
    },
  },
};

export default config;
