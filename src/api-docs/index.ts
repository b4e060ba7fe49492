export { ApiDocsModule } from './api-docs.module.js';
export type { ApiDocsOptions } from './api-docs.options.js';
export { setUpApiDocs } from './swagger.js';
