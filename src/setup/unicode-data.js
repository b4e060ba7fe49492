// Writes src/users/names/unicode-security-data.ts from Unicode's own files (UTS #39), which test/unicode keeps compressed.
// For a newer Unicode: replace the files with those of https://www.unicode.org/Public/<version>/security/, then run this.
// `--check` writes nothing, and fails when the file is not what the data gives.
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

const OUTPUT = new URL('../users/names/unicode-security-data.ts', import.meta.url);
/** Identifier types of characters that people write their names with. UTS #39 recommends the first two. */
const ALLOWED_TYPES = ['Recommended', 'Inclusion', 'Limited_Use', 'Uncommon_Use'];
/** A script that Unicode counts among those of the past, and that people write their names with (docs/decisions/0013). */
const MONGOLIAN_NAME_CHARACTER = /^(?=\p{Script=Mongolian})[\p{L}\p{Nd}]$/u;
const LINE_LENGTH = 118;

const official = (name) =>
  gunzipSync(readFileSync(new URL(`../../test/unicode/${name}.gz`, import.meta.url))).toString();
const entriesOf = (text) =>
  text
    .replace(/^\ufeff/, '')
    .split('\n')
    .map((line) => line.split('#', 1)[0].trim())
    .filter((line) => line !== '')
    .map((line) => line.split(';').map((field) => field.trim()));
const hex = (codePoint) => codePoint.toString(16);

function allowedCodePoints(text) {
  return entriesOf(text)
    .flatMap(([range, types]) => {
      const isAllowed = types.split(/\s+/).every((type) => ALLOWED_TYPES.includes(type));
      const [first, last = first] = range.split('..').map((field) => parseInt(field, 16));
      return Array.from({ length: last - first + 1 }, (_, index) => first + index).filter(
        (codePoint) =>
          isAllowed ||
          (types === 'Exclusion' && MONGOLIAN_NAME_CHARACTER.test(String.fromCodePoint(codePoint))),
      );
    })
    .sort((one, other) => one - other);
}

function rangesOf(codePoints) {
  const ranges = [];
  for (const codePoint of codePoints) {
    const range = ranges.at(-1);
    if (range && range[1] === codePoint - 1) {
      range[1] = codePoint;
    } else {
      ranges.push([codePoint, codePoint]);
    }
  }
  return ranges.map(([first, last]) =>
    first === last ? hex(first) : `${hex(first)}-${hex(last)}`,
  );
}

function prototypesOf(text, allowed) {
  const known = new Set(allowed);
  return entriesOf(text)
    .filter(([source]) => known.has(parseInt(source, 16)))
    .map(([source, target]) => {
      const prototype = target.split(/\s+/).map((field) => hex(parseInt(field, 16)));
      return `${hex(parseInt(source, 16))}>${prototype.join('+')}`;
    });
}

function wrap(words) {
  const lines = [''];
  for (const word of words) {
    if (lines.at(-1).length + word.length + 1 > LINE_LENGTH) {
      lines.push('');
    }
    lines[lines.length - 1] += `${lines.at(-1) === '' ? '' : ' '}${word}`;
  }
  return lines.join('\n');
}

const [types, confusables] = ['IdentifierType.txt', 'confusables.txt'].map(official);
const version = /^# Version: (\S+)/m.exec(confusables)[1];
if (/^# Version: (\S+)/m.exec(types)[1] !== version) {
  throw new Error('the files are of different versions of Unicode');
}
const allowed = allowedCodePoints(types);
const text = `// Made by src/setup/unicode-data.js from IdentifierType.txt and confusables.txt of Unicode ${version}: do not edit.
// Copyright © 1991-2025 Unicode, Inc. Unicode License v3, https://www.unicode.org/license.txt

/** Code points of names: Identifier_Type ${ALLOWED_TYPES.join(', ')}; Mongolian. */
export const ALLOWED_CODE_POINTS = \`
${wrap(rangesOf(allowed))}
\`;

/** Of those, the ones that look like others, and the prototype of each: \`source>prototype+prototype\`. */
export const CONFUSABLES = \`
${wrap(prototypesOf(confusables, allowed))}
\`;
`;

if (process.argv.includes('--check')) {
  if (readFileSync(OUTPUT, 'utf8') !== text) {
    process.stderr.write('The data is not what src/setup/unicode-data.js makes. Run it.\n');
    process.exitCode = 1;
  }
} else {
  writeFileSync(OUTPUT, text);
}
