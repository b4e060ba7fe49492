export { ApiDocsModule } from './api-docs.module.js';
export { setUpApiDocs } from './swagger.js';
