export { ControlPlane, LeadgateError, type Answer, type Asked, type Operation, type Schemas } from './client.js';
export { LEADEXEC, routeLeadExec, type LeadExecRoutes } from './leadexec.js';
export type * from './result.js';
export { Leadgate, startLeadgate, type StartOptions } from './server.js';
export { DEMONSTRATION, makeNamespace, Namespace, World, type SignIn, type Span } from './world.js';
