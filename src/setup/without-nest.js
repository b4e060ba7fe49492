// Replaces `@nestjs/common` and `@nestjs/core` in the bundle for services without Nest. Keyslot's classes carry decorators for
// Nest, which have no effect there.
const decorator = () => () => undefined;

export const applyDecorators = decorator;
export const createParamDecorator = () => decorator;
export const Global = decorator;
export const Inject = decorator;
export const Injectable = decorator;
export const Module = decorator;
export const Optional = decorator;
export const SetMetadata = decorator;
export const UseGuards = decorator;

export class Reflector {}

export class ConfigurableModuleBuilder {
  setClassMethodName() {
    return this;
  }

  setExtras() {
    return this;
  }

  build() {
    return { ConfigurableModuleClass: class {}, MODULE_OPTIONS_TOKEN: Symbol('options') };
  }
}

let output = {
  log: () => undefined,
  warn: (message, context) => console.warn(`[keyslot] ${context}: ${message}`),
  error: (message, context) => console.error(`[keyslot] ${context}: ${message}`),
};

/** The part of Nest's logger that Keyslot uses. */
export class Logger {
  static overrideLogger(logger) {
    output = logger;
  }

  constructor(context) {
    this.context = context;
  }

  log(message) {
    output.log(message, this.context);
  }

  warn(message) {
    output.warn(message, this.context);
  }

  error(message) {
    output.error(message, this.context);
  }
}
