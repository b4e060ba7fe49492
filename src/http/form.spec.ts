import { parseForm } from './form.js';

describe('a form', () => {
  it.each([
    ['', {}],
    ['a=1', { a: '1' }],
    ['a=1&b=two%20words&c=three+words', { a: '1', b: 'two words', c: 'three words' }],
    ['a', { a: '' }],
    ['a=', { a: '' }],
    ['=1', { '': '1' }],
    ['a=1=2', { a: '1=2' }],
    ['&a=1&&b=2&', { a: '1', b: '2' }],
    ['%C3%A4=%E4%B8%AD', { ä: '中' }],
    ['a=%2B%26%3D', { a: '+&=' }],
    ['a=~*\'()"[]{}|', { a: '~*\'()"[]{}|' }],
  ])('is read: %s', (text, fields) => {
    expect(parseForm(text)).toEqual(fields);
  });

  it.each([
    ['a repeated field', 'a=1&a=1'],
    ['a field that is repeated in another spelling', 'a=1&%61=2'],
    ['bytes that are no UTF-8', 'a=%ff'],
    ['half of a surrogate pair', 'a=%ED%A0%80'],
    ['a percent sign without two digits', 'a=%4'],
    ['a percent sign with other letters', 'a=%zz'],
    ['a space', 'a=1 2'],
    ['a line break', 'a=1\n'],
    ['a byte that is not ASCII', 'a=\xe4'],
    ['the name of the prototype', '__proto__=1'],
  ])('is refused with %s', (_, text) => {
    expect(parseForm(text)).toBeUndefined();
  });
});
