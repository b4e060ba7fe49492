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
  it('are there for each code of the catalogue, and for no other', () => {
    expect(Object.keys(locale('en')['problems']!).sort()).toEqual([...PROBLEM_CODES].sort());
  });

  it('are the same set in both languages, with the same gaps to fill', () => {
    expect(paths(locale('zh'))).toEqual(paths(locale('en')));
    expect(placeholders(locale('zh'))).toEqual(placeholders(locale('en')));
  });
});
