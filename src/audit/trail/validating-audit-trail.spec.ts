import { Deadline } from '../../common/deadline/index.js';
import { AuditTrailUnavailableError, type TrailPage } from './audit-trail.js';
import { ValidatingAuditTrail } from './validating-audit-trail.js';

const event = { id: 'one', type: 'logged-in', at: new Date(1), ip: '203.0.113.7' };
const listFrom = async (
  answer: () => Promise<unknown>,
  deadline = Deadline.none,
): Promise<TrailPage | undefined> => {
  const trail = { list: async () => answer() as Promise<TrailPage | undefined> };
  return new ValidatingAuditTrail(trail).list({}, undefined, 2, deadline);
};
const returning = async (page: unknown): Promise<TrailPage | undefined> =>
  listFrom(() => Promise.resolve(page));

describe('a trail of the application', () => {
  it('passes on valid pages', async () => {
    const page = { events: [event], next: 'a cursor' };

    expect(await returning(page)).toEqual(page);
    expect(await returning({ events: [], next: null })).toEqual({ events: [], next: undefined });
    expect(await returning(undefined)).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['without its list', { next: 'a cursor' }],
    ['a page of 3 for a limit of 2', { events: [event, event, event] }],
    ['an invalid cursor', { events: [], next: '' }],
    ['an invalid cursor', { events: [], next: 'x'.repeat(2001) }],
    ['an invalid cursor', { events: [], next: 7 }],
    ['without id, type or time', { events: [{ ...event, at: 'now' }] }],
    ['without id, type or time', { events: [{ ...event, at: new Date(NaN) }] }],
    ['without id, type or time', { events: [{ ...event, id: undefined }] }],
    ['without id, type or time', { events: [null] }],
  ])('is reported to the operator if it returns %s, without the values', async (words, page) => {
    const error: unknown = await returning(page).catch((thrown: unknown) => thrown);
    const { name, message } = error as Error;

    expect(name).toBe('AuditTrailError');
    expect(message).toContain(words);
    expect(message).not.toContain('203.0.113.7');
  });

  it('has no members of its errors in ours, because they contain rows', async () => {
    const fault = Object.assign(new Error('a defect'), { detail: '203.0.113.7' });
    const error: unknown = await listFrom(() => Promise.reject(fault)).catch(
      (thrown: unknown) => thrown,
    );

    expect(error).toMatchObject({ name: 'AuditTrailError', message: 'Error: a defect' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('203.0.113.7');
  });

  it('may be unavailable', async () => {
    const error = new AuditTrailUnavailableError('no connection');

    await expect(listFrom(() => Promise.reject(error))).rejects.toBe(error);
  });

  it('is not waited for after the deadline, and not asked when it has passed', async () => {
    let calls = 0;
    const never = async (): Promise<unknown> => {
      calls += 1;
      return new Promise(() => undefined);
    };

    await expect(listFrom(never, Deadline.after(20))).rejects.toThrow(AuditTrailUnavailableError);
    await expect(listFrom(never, Deadline.after(0))).rejects.toThrow(AuditTrailUnavailableError);
    expect(calls).toBe(1);
  });
});
