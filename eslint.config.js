import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

const processEnvIsReadOnce = {
  selector: "MemberExpression[object.name='process'][property.name='env']",
  message: 'Settings are read once, in src/config. Inject them instead.',
};
const noMathRandom = {
  selector: "MemberExpression[object.name='Math'][property.name='random']",
  message: 'Math.random is not for tokens or ids. Use node:crypto.',
};

export default tseslint.config(
  // docker/services are projects with packages of their own.
  {
    ignores: [
      'dist',
      'src/console/page',
      'docker/services',
      'node_modules',
      '.data',
      '.cache',
      'bench/results',
      'coverage',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.json' } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-extraneous-class': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'error',
      'no-implicit-coercion': ['error', { boolean: true }],
      'no-restricted-syntax': ['error', processEnvIsReadOnce, noMathRandom],
      eqeqeq: 'error',
    },
  },
  {
    files: ['src/console/app/**/*.{ts,tsx}'],
    languageOptions: { parserOptions: { project: './src/console/app/tsconfig.json' } },
  },
  {
    // The loader; what hands only PATH on to redis-server; and tests, which start programs.
    files: ['src/config/**/*.ts', 'src/embedded-cluster/redis-node.ts', 'test/**/*.ts'],
    rules: { 'no-restricted-syntax': ['error', noMathRandom] },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      // Jest's asymmetric matchers are typed as any.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // What runs before the packages are there is plain JavaScript.
    files: ['**/*.js', '**/*.cjs', '**/*.mjs'],
    languageOptions: { globals: globals.node },
  },
  {
    // Served to browsers.
    files: ['src/{account-pages,api-docs}/browser/*.js'],
    languageOptions: { sourceType: 'script', globals: globals.browser },
  },
);
