// Prints TypeScript types for clients, from the API description of a running instance.
import { SetUpError } from './prerequisites.js';

const NPM_START = 'http://127.0.0.1:3000';

export async function printClientTypes([url = NPM_START]) {
  const description = await readDescription(url);
  // Imported lazily, because it is slow to load.
  const { default: openapiTS, astToString, COMMENT_HEADER } = await import('openapi-typescript');
  const types = await openapiTS(description, {
    // Exports the schemas by name: UserResponse, not components['schemas']['UserResponse'].
    rootTypes: true,
    rootTypesNoSchemaPrefix: true,
  });
  process.stdout.write(`${COMMENT_HEADER}${astToString(types)}`);
}

async function readDescription(url) {
  try {
    const response = await fetch(`${url.replace(/\/$/, '')}/docs-json`);
    if (response.ok) {
      return await response.json();
    }
    throw new Error(`the response has status ${response.status}`);
  } catch (error) {
    const reason = error.cause?.message || error.cause?.code || error.message;
    throw new SetUpError(
      [
        `The API description of ${url} could not be read: ${reason}.`,
        'Start an instance (npm start), or pass another URL: npm run --silent client -- https://api.example.com',
      ].join('\n'),
    );
  }
}
