import type { Authentication } from '../../src/sessions/index.js';

/** Of a login with a password, when the test started. */
export const PASSWORD_LOGIN: Authentication = {
  time: Math.floor(Date.now() / 1000),
  methods: ['pwd'],
};
