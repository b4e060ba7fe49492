type Values = Readonly<Record<string, unknown>>;

export const USERS_OPTIONS = {
  format: { type: 'string' },
  report: { type: 'string' },
  'dry-run': { type: 'boolean' },
  'from-redis-json': { type: 'boolean' },
  'source-nodes': { type: 'string' },
  match: { type: 'string' },
  'with-password-hashes': { type: 'boolean' },
} as const;

export interface ImportCommand {
  readonly action: 'import';
  readonly source:
    | { readonly kind: 'file'; readonly path: string; readonly format: string | undefined }
    | {
        readonly kind: 'redis-json';
        /** `host:port,…`; undefined: the cluster of Keyslot. */
        readonly nodes: string | undefined;
        readonly pattern: string;
        /** Whether the pattern was given. Otherwise most keys are those of other software. */
        readonly isPatternGiven: boolean;
      };
  readonly isDryRun: boolean;
  /** Where the refused records are written. */
  readonly report: string;
}

export type UsersCommand =
  | { readonly action: 'reindex' }
  | ImportCommand
  | { readonly action: 'remove-factors'; readonly username: string }
  | { readonly action: 'export'; readonly path: string; readonly hasPasswordHashes: boolean };

/** @returns the command that the arguments of `users` describe; undefined when they do not fit together */
export function usersCommand(
  [action, ...paths]: readonly string[],
  values: Values,
): UsersCommand | undefined {
  const has = (...names: (keyof typeof USERS_OPTIONS)[]): boolean =>
    Object.keys(values).every((name) => (names as string[]).includes(name));
  const [path, ...others] = paths;
  if (others.length > 0) {
    return undefined;
  }
  if (action === 'reindex' && path === undefined && has()) {
    return { action };
  }
  if (action === 'export' && path !== undefined && has('with-password-hashes')) {
    return { action, path, hasPasswordHashes: values['with-password-hashes'] === true };
  }
  if (action === 'remove-factors' && path !== undefined && has()) {
    return { action, username: path };
  }
  if (action === 'import' && path !== undefined && has('format', 'dry-run', 'report')) {
    return fileImport(path, values);
  }
  return action === 'import' &&
    path === undefined &&
    has('from-redis-json', 'source-nodes', 'match', 'dry-run', 'report')
    ? redisImport(values)
    : undefined;
}

function fileImport(path: string, values: Values): ImportCommand {
  return {
    action: 'import',
    source: { kind: 'file', path, format: text(values['format']) },
    isDryRun: values['dry-run'] === true,
    report: text(values['report']) ?? `${path}.refused.ndjson`,
  };
}

function redisImport(values: Values): ImportCommand | undefined {
  return values['from-redis-json'] === true
    ? {
        action: 'import',
        source: {
          kind: 'redis-json',
          nodes: text(values['source-nodes']),
          pattern: text(values['match']) ?? '*',
          isPatternGiven: values['match'] !== undefined,
        },
        isDryRun: values['dry-run'] === true,
        report: text(values['report']) ?? 'redis-json.refused.ndjson',
      }
    : undefined;
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}
