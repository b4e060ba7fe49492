import { SetMetadata, type ExecutionContext } from '@nestjs/common';
import { Reflector } from '@nestjs/core';

import { RouteMetadata } from './route-metadata.js';

const KEY = Symbol('KEY');

class Base {
  @SetMetadata(KEY, 'method')
  decorated(): void {
    // only its decorator matters
  }

  plain(): void {
    // only that it has none matters
  }
}

@SetMetadata(KEY, 'first')
class First extends Base {}

@SetMetadata(KEY, 'second')
class Second extends Base {}

describe('RouteMetadata', () => {
  const metadata = new RouteMetadata<string>(new Reflector(), KEY);
  const read = (controller: typeof Base, method: 'decorated' | 'plain'): string | undefined =>
    metadata.of({
      getHandler: () => Reflect.get(controller.prototype, method) as unknown,
      getClass: () => controller,
    } as unknown as ExecutionContext);

  it('prefers metadata of the method to metadata of the class', () => {
    expect(read(First, 'decorated')).toBe('method');
  });

  it('keeps classes apart that inherit the same method', () => {
    expect([read(First, 'plain'), read(Second, 'plain'), read(Base, 'plain')]).toEqual([
      'first',
      'second',
      undefined,
    ]);
    expect(read(Second, 'plain')).toBe('second');
  });
});
