// Prints TypeScript types for clients, from the API description of an instance that runs.
import { SetUpError } from './prerequisites.js';

const NPM_START = 'http://127.0.0.1:3000';

export async function printClientTypes([url = NPM_START]) {
  const description = await readDescription(url);
  // It takes a while to load.
  const { default: openapiTS, astToString, COMMENT_HEADER } = await import('openapi-typescript');
  const types = await openapiTS(description, {
    // The schemas by their own names: UserResponse, not components['schemas']['UserResponse'].
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
    throw new Error(`it was answered ${response.status}`);
  } catch (error) {
    const reason = error.cause?.message || error.cause?.code || error.message;
    throw new SetUpError(
      [
        `The API description of ${url} could not be read: ${reason}.`,
        'Start an instance (npm start), or name another one: npm run --silent client -- https://api.example.com',
      ].join('\n'),
    );
  }
}
