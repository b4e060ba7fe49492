import { ConfigurableModuleBuilder } from '@nestjs/common';

/**
 * `forRoot` and `forRootAsync` for a module that the application has once. What it exports is there for every other
 * module, unless `isGlobal: false`.
 */
export function configurableModule<Options>(moduleName: string) {
  return new ConfigurableModuleBuilder<Options>({ moduleName })
    .setClassMethodName('forRoot')
    .setExtras({ isGlobal: true }, (definition, extras) => ({
      ...definition,
      global: extras.isGlobal,
    }))
    .build();
}
