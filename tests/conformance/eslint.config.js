// The rules that the makers of graphql-eslint recommend for schemas and for Relay. Left out with their reasons:
// strict-id-in-types (payloads, settings and rows of reports have no identity), no-typename-prefix (Product.productType
// would be no clearer without it; the rule takes compound words for prefixes).
import graphql from '@graphql-eslint/eslint-plugin';

const { configs } = graphql;

export default [
  {
    files: ['**/*.graphql'],
    languageOptions: { parser: graphql.parser, parserOptions: { graphQLConfig: { schema: '../../schema.graphql' } } },
    plugins: { '@graphql-eslint': graphql },
    rules: {
      ...configs['flat/schema-recommended'].rules,
      ...configs['flat/schema-relay'].rules,
      '@graphql-eslint/strict-id-in-types': 'off',
      '@graphql-eslint/no-typename-prefix': 'off',
      '@graphql-eslint/relay-edge-types': ['error', { listTypeCanWrapOnlyEdgeType: false }],
    },
  },
];
