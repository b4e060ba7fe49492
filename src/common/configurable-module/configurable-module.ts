import {
  ConfigurableModuleBuilder,
  type FactoryProvider,
  type Provider,
  type Type,
} from '@nestjs/common';

/**
 * What stands in for a module's own adapter of one of its ports: as a Nest provider, but for the token, which is the
 * port's. It may inject whatever the application's global modules export.
 */
export type Replacement<Port> =
  | { readonly useClass: Type<Port> }
  | { readonly useValue: Port }
  | { readonly useExisting: Type<Port> | string | symbol }
  | { readonly useFactory: () => Port | Promise<Port>; readonly inject?: undefined }
  | {
      readonly useFactory: (...injected: never[]) => Port | Promise<Port>;
      readonly inject: NonNullable<FactoryProvider['inject']>;
    };

type Replacements<Ports> = { [Name in keyof Ports]?: Replacement<Ports[Name]> | undefined };

/**
 * `forRoot` and `forRootAsync` for a module that the application has once. What it exports is there for every other
 * module, unless `isGlobal: false`.
 *
 * @param tokens of the ports that an application may replace, by the name that it replaces them under. The module itself
 * provides its own adapters for them
 */
export function configurableModule<Options, Ports extends object = Record<never, never>>(
  moduleName: string,
  tokens = {} as { readonly [Name in keyof Ports]: symbol },
) {
  const names = Object.keys(tokens) as (keyof Ports)[];
  const extras = {
    isGlobal: true,
    ...Object.fromEntries(names.map((name) => [name, undefined])),
  } as { isGlobal?: boolean } & Replacements<Ports>;
  return new ConfigurableModuleBuilder<Options>({ moduleName })
    .setClassMethodName('forRoot')
    .setExtras(extras, (definition, given) => {
      const replaced = names.flatMap((name) => {
        const replacement = given[name];
        return replacement ? [{ provide: tokens[name], ...replacement } as Provider] : [];
      });
      return {
        ...definition,
        global: given.isGlobal ?? true,
        // Nest takes the last provider of a token, and a definition's come after the module's own.
        providers: [...(definition.providers ?? []), ...replaced],
      };
    })
    .build();
}
