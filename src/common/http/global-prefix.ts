import { Injectable } from '@nestjs/common';

/** The global prefix that the application has set with `setGlobalPrefix`. */
@Injectable()
export class GlobalPrefix {
  /** With a slash before it; empty for none. */
  path = '';
}
