import type { MetricSnapshot } from '../../metrics/registry/index.js';
import type { ReadyFacts } from '../ready-message.js';

/** The answer to the first message of a worker. */
export interface StartOrder {
  readonly kind: 'start';
  /** From 1. A replacement has the number of the worker that it replaces. */
  readonly number: number;
  /** Whether the worker opens the ports before it is ready, because no other worker listens. */
  readonly opensPortsAtOnce: boolean;
  /** The embedded cluster. Absent: the settings name the nodes. */
  readonly cluster?: {
    readonly nodes: readonly { readonly host: string; readonly port: number }[];
    readonly password: string;
  };
}

export type MessageToWorker =
  | StartOrder
  | { readonly kind: 'stop' }
  /** Another worker takes over: leave the ports, serve the open connections, then stop. */
  | { readonly kind: 'leave' }
  | { readonly kind: 'ping' }
  | { readonly kind: 'read-metrics'; readonly request: number }
  | {
      readonly kind: 'metrics-of-all';
      readonly request: number;
      readonly metrics: readonly (readonly MetricSnapshot[])[];
    };

export type MessageToPrimary =
  /** The worker listens to messages. Earlier ones are lost. */
  | { readonly kind: 'loaded' }
  | { readonly kind: 'pong' }
  | { readonly kind: 'listening' }
  | { readonly kind: 'ready'; readonly facts: ReadyFacts }
  | { readonly kind: 'failed'; readonly message: string }
  | {
      readonly kind: 'metrics';
      readonly request: number;
      /** Undefined: they could not be read. */
      readonly metrics: readonly MetricSnapshot[] | undefined;
    }
  | { readonly kind: 'collect-metrics'; readonly request: number };
