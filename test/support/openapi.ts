import { Ajv2020 } from 'ajv/dist/2020.js';

import type { HttpClient } from './http-client.js';

export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly example?: unknown;
}

/** One operation of the OpenAPI document. */
export interface Operation {
  readonly method: string;
  /** With placeholders such as `{id}`. */
  readonly path: string;
  readonly isPublic: boolean;
  /** Whether the same route exists for every other method, too. */
  readonly hasEveryMethod: boolean;
  /** Whether its body is a form, and its errors have the format of RFC 6749. Such a body is not described here. */
  readonly isForm: boolean;
  /** Whether it answers with a stream that does not end. */
  readonly isStream: boolean;
  readonly statuses: readonly number[];
  /** Whether it requires a permission. */
  readonly isRestricted: boolean;
  /** The schema of the body, if one is required. */
  readonly body?: BodySchema;
}

export interface BodySchema extends Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly required: readonly string[];
  readonly additionalProperties: false;
}

interface ApiDocument {
  readonly paths: Record<string, Record<string, DocumentedOperation>>;
  readonly components: { readonly schemas: Record<string, Schema> };
}
interface DocumentedOperation {
  readonly security?: readonly object[];
  readonly 'x-any-method'?: boolean;
  readonly 'x-required-permissions'?: readonly string[];
  readonly responses: Record<string, { readonly content?: Record<string, unknown> }>;
  readonly requestBody?: {
    required?: boolean;
    content: { 'application/json'?: { schema: { $ref: string } } };
  };
}

/** Reads all operations from the running application. */
export async function readOperations(api: HttpClient): Promise<Operation[]> {
  const { body: document } = await api.request<ApiDocument>('GET', '/docs-json');
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, documented]) => ({
      method: method.toUpperCase(),
      path,
      isPublic: documented.security?.some((way) => Object.keys(way).length === 0) ?? false,
      hasEveryMethod: documented['x-any-method'] === true,
      isForm: Boolean(
        documented.requestBody && !documented.requestBody.content['application/json'],
      ),
      isStream: Boolean(documented.responses['200']?.content?.['text/event-stream']),
      isRestricted: documented['x-required-permissions'] !== undefined,
      statuses: Object.keys(documented.responses).map(Number),
      ...bodyOf(documented, document),
    })),
  );
}

function bodyOf(
  { requestBody }: DocumentedOperation,
  { components }: ApiDocument,
): { body?: BodySchema } {
  const json = requestBody?.content['application/json'];
  if (requestBody?.required !== true || !json) {
    return {};
  }
  const schema = withoutReferences(json.schema, components.schemas);
  const { properties = {}, required = [] } = schema;
  return { body: { ...schema, properties, required, additionalProperties: false } };
}

function withoutReferences(schema: Schema, all: Readonly<Record<string, Schema>>): Schema {
  const text = JSON.stringify(schema, (_, value: unknown) => {
    const reference = (value as Schema | null)?.$ref;
    return typeof reference === 'string' ? all[reference.split('/').at(-1)!] : value;
  });
  return JSON.parse(text) as Schema;
}

/** A body with the examples of the document. The given members replace examples. */
export function exampleOf(
  { properties }: BodySchema,
  members: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(properties).map(([name, { example }]) => [name, members[name] ?? example]),
  );
}

export function typesOf({ type }: Schema): readonly string[] {
  return typeof type === 'string' ? [type] : (type ?? []);
}

/** The JSON type, with `array` and `null` as separate types. */
export function typeOf(value: unknown): string {
  if (value === null) {
    return 'null';
  }
  return Array.isArray(value) ? 'array' : typeof value;
}

const ajv = new Ajv2020({ strict: false, validateFormats: false });

/** Whether a body matches its schema. Unknown members are errors. */
export function isValid(schema: BodySchema, value: unknown): boolean {
  return ajv.validate(schema, value);
}
