import { LANGUAGES } from '../../common/problem/index.js';
import { DefaultMailTemplates } from './default-mail-templates.js';
import { MAIL_KINDS, type MailValues } from './mail-templates.js';

const templates = new DefaultMailTemplates();
const values: MailValues = {
  username: 'ada',
  link: 'https://keyslot.test/account/reset-password#token=a.b&c',
  validMinutes: 15,
  newEmail: 'new@example.com',
  at: new Date('2026-11-30T09:05:59Z'),
  ip: '203.0.113.9',
  userAgent: 'Browser/1',
  factor: 'totp',
};
const kinds = LANGUAGES.flatMap((language) => MAIL_KINDS.map((kind) => ({ language, kind })));

describe('the default mail templates', () => {
  it.each(kinds)('have all texts of $kind in $language', ({ language, kind }) => {
    const hasLink = ['password-reset', 'invitation', 'email-verification'].includes(kind);
    const given = hasLink ? values : { ...values, link: undefined };

    const { subject, text, html } = templates.render(kind, language, given);

    for (const part of [subject, text, html]) {
      expect(part).not.toMatch(/\{\{|\bundefined\b|\[object|\w+\.(?:subject|paragraphs|action)/);
    }
    expect(subject).toMatch(/^[^\n]{4,}$/);
    expect(text).toContain('ada');
    expect(/\p{Script=Han}/u.test(subject + text)).toBe(language === 'zh');
  });

  it.each(LANGUAGES)('contain the link and its lifetime in %s', (language) => {
    const { text, html } = templates.render('password-reset', language, values);

    expect(text).toContain(`\n${values.link}\n`);
    expect(text).toMatch(/\b15 (?:minutes|分钟)/);
    expect(html).toContain('href="https://keyslot.test/account/reset-password#token=a.b&amp;c"');
  });

  it('name long lifetimes in hours', () => {
    const day = { ...values, validMinutes: 24 * 60 };

    expect(templates.render('invitation', 'en', day).text).toContain('valid for 24 hours');
    expect(templates.render('invitation', 'zh', day).text).toContain(' 24 小时内');
  });

  it('say that an administrator has requested a new password', () => {
    const asked = { ...values, isByAdministrator: true };

    expect(templates.render('password-reset', 'en', asked).text).toContain('An administrator has');
    expect(templates.render('password-reset', 'zh', asked).text).toContain('管理员请求');
  });

  it('escape the values in HTML, and do not interpret them', () => {
    const hostile = {
      ...values,
      username: '<b>{{link}} $t(footer)',
      displayName: 'https://spam.example',
      userAgent: '"><script>alert(1)</script>',
    };

    const { text, html } = templates.render('new-device', 'en', hostile);

    expect(text).toContain('Hello <b>{{link}} $t(footer),');
    expect(html).toContain('&lt;b&gt;{{link}} $t(footer),');
    expect(html).not.toMatch(/<(?:b|script)>/);
    expect(text + html).not.toContain('spam');
  });

  it.each([
    ['totp', 'an authenticator application'],
    ['badge', 'badge'],
    [undefined, 'all second factors'],
  ])('name the factor %s that was removed', (factor, name) => {
    expect(templates.render('factor-removed', 'en', { ...values, factor }).text).toContain(name);
  });

  it('say when an address was removed', () => {
    const { text } = templates.render('email-changed', 'en', { ...values, newEmail: undefined });

    expect(text).toContain('was removed');
    expect(text).toContain('At 2026-11-30 09:05 UTC');
  });
});
