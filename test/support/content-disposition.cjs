// @fastify/static requires this package, which is an ES module. Node can do that from 20.19 on, Jest only from Node 24.9
// on; so Node's own require loads it.
const { createRequire } = process.getBuiltinModule('node:module');

module.exports = createRequire(__filename)('content-disposition');
