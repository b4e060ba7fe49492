import { readFileSync } from 'node:fs';

import { PROBLEM_CODES } from './catalogue.js';

type Tree = { [key: string]: Tree | string };

const locale = (language: string): Tree =>
  JSON.parse(readFileSync(new URL(`./locales/${language}.json`, import.meta.url), 'utf8')) as Tree;
const paths = (tree: Tree, parent = ''): string[] =>
  Object.entries(tree).flatMap(([key, value]) =>
    typeof value === 'string' ? [`${parent}${key}`] : paths(value, `${parent}${key}.`),
  );
const placeholders = (tree: Tree): string[] => JSON.stringify(tree).match(/\{\{\w+\}\}/g) ?? [];

describe('the texts of problems', () => {
  it('exist for exactly the codes of the catalogue', () => {
    expect(Object.keys(locale('en')['problems']!).sort()).toEqual([...PROBLEM_CODES].sort());
  });

  it('have the same keys and the same placeholders in both languages', () => {
    expect(paths(locale('zh'))).toEqual(paths(locale('en')));
    expect(placeholders(locale('zh'))).toEqual(placeholders(locale('en')));
  });
});
