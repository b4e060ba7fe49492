import { AUDIT_EVENTS } from '../audit/index.js';
import { EVENT_TEXTS } from './app/texts/events.js';

describe('the names of audit events in the console', () => {
  it.each(['en', 'zh'] as const)('are complete in %s', (language) => {
    expect(Object.keys(EVENT_TEXTS[language]).sort()).toEqual(Object.keys(AUDIT_EVENTS).sort());
  });
});
