export { HealthModule } from './health.module.js';
export { Readiness, type ReadinessReport } from './readiness.js';
