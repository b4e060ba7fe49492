export { callPort, PassedOn, type PortErrors } from './call-port.js';
