import { Logger } from '@nestjs/common';
import { pino } from 'pino';

import type { AuditEvent } from '../../src/audit/index.js';
import { LogAuditSink } from '../../src/audit/log-audit-sink.js';
import { auditSinkContract } from '../../src/contracts/index.js';
import { NestLogger } from '../../src/logging/index.js';

describe('the log', () => {
  let lines: string[];
  beforeEach(() => {
    lines = [];
    Logger.overrideLogger(new NestLogger(pino({}, { write: (line) => lines.push(line) })));
  });
  afterEach(() => Logger.overrideLogger(false));

  auditSinkContract({ describe, it }, () => ({
    sink: new LogAuditSink(),
    recorded: () =>
      Promise.resolve(
        lines.map((line) => {
          const { audit, time } = JSON.parse(line) as { audit: AuditEvent; time: number };
          return { event: audit, at: new Date(time) };
        }),
      ),
  }));
});
