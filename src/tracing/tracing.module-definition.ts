import { configurableModule } from '../common/configurable-module/index.js';
import type { TracingOptions } from './tracing.options.js';

export const { ConfigurableModuleClass, MODULE_OPTIONS_TOKEN: TRACING_OPTIONS } =
  configurableModule<TracingOptions>('Tracing');
