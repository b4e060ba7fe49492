export interface User {
  readonly id: string;
  readonly username: string;
  readonly email: string | null;
  readonly emailVerified: boolean;
  readonly displayName: string | null;
  readonly roles: readonly string[];
  readonly createdAt: string;
  readonly disabled?: boolean;
}

export interface Session {
  readonly id: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly ip: string;
  readonly userAgent: string;
  readonly current: boolean;
}

export interface Factor {
  readonly id: string;
  readonly type: string;
  readonly name?: string;
  readonly createdAt: string;
  readonly lastUsedAt: string | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  readonly nextCursor: string | null;
}

export interface TrailEvent {
  readonly id: string;
  readonly type: string;
  readonly at: string;
  readonly result?: 'success' | 'refused' | 'failure';
  readonly ip?: string;
  readonly reason?: string;
  readonly actor?: { readonly kind: string; readonly id?: string };
  readonly subject?: { readonly kind: string; readonly id: string };
  readonly details?: Readonly<Record<string, unknown>>;
  readonly requestId?: string;
}

export interface Role {
  readonly name: string;
  readonly permissions: readonly string[];
}

export interface ClusterNode {
  readonly id: string;
  readonly address: string;
  readonly role: 'master' | 'replica';
  readonly masterId?: string;
  readonly isUp: boolean;
  readonly isReached: boolean;
  readonly slots: readonly (readonly [number, number])[];
  readonly callsPerSecond: number | null;
}

export interface Instance {
  readonly id: string;
  readonly service?: string;
  readonly version: string;
  readonly host: string;
  readonly processId: number;
  readonly startedAt: string;
  readonly reportedMsAgo: number;
  readonly holderId: string;
  readonly leaseMs: number;
  readonly isTrusted: boolean;
  readonly entries: number;
  readonly entryBytes: number;
  readonly processBytes: number;
  readonly lookups: { readonly hit: number; readonly miss: number; readonly untrusted: number };
}

export interface Cluster {
  readonly at: string;
  readonly status: 'ok' | 'degraded' | 'not-ready';
  readonly answeredBy: string;
  readonly redis: {
    readonly uncoveredSlots: number;
    readonly unreachedMasters: number;
    readonly nodes: readonly ClusterNode[];
    readonly singleCopyShards: readonly { master: string; slots: number; since: string }[];
  } | null;
  readonly evictionPolicy: string | null;
  readonly hasSigningKeys: boolean;
  readonly trustsMemory: boolean;
  readonly instances: readonly Instance[] | null;
  readonly changes: {
    readonly boundsMs: readonly number[];
    readonly counts: readonly number[];
  } | null;
}

export type Outcome = 'acknowledged' | 'waited-for-lease' | 'not-confirmed';

interface ChangeStep {
  readonly id: string;
  readonly at: string;
  readonly instance: string;
  readonly subject: { readonly kind: string; readonly id?: string };
}

export interface ChangeAnnounced extends ChangeStep {
  readonly stage: 'announced';
  readonly holders: readonly string[];
}

export interface ChangeSettled extends ChangeStep {
  readonly stage: 'settled';
  readonly outcome: Outcome;
  readonly ms: number;
  readonly holders: readonly { instance: string; ms: number | null; outcome: Outcome }[];
}

export type Change = ChangeAnnounced | ChangeSettled;

export interface SigningKey {
  readonly kid: string;
  readonly state: 'published' | 'signing' | 'retired' | 'withdrawn';
  readonly createdAt?: string;
  readonly signsFrom?: string;
  readonly signsUntil?: string;
  readonly removedAt?: string;
}

export interface ServiceAccount {
  readonly id: string;
  readonly name: string;
  readonly clientId: string;
  readonly permissions: readonly string[];
  readonly audiences: readonly string[];
  readonly disabled: boolean;
  readonly createdAt: string;
  readonly secrets: readonly { readonly id: string; readonly createdAt: string }[];
}
