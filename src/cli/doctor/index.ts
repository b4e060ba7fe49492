export { DOCTOR_USAGE, runDoctor } from './doctor.js';
