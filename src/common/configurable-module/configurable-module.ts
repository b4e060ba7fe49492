import {
  ConfigurableModuleBuilder,
  type FactoryProvider,
  type Provider,
  type Type,
} from '@nestjs/common';

/**
 * Replaces the default adapter of a module's port: a Nest provider without its token, which is that of the port. It can
 * inject exports of global modules.
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
 * Creates `forRoot` and `forRootAsync` for a module that the application imports once. The module is global, unless
 * `isGlobal: false`.
 *
 * @param tokens tokens of the ports that an application may replace, by the name of the option that replaces them. The module
 * provides the default adapters
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
        // Nest uses the last provider of a token, and providers of the definition come after those of the module.
        providers: [...(definition.providers ?? []), ...replaced],
      };
    })
    .build();
}
