/** Whatever has no route: paths that somebody made up are as many as he likes. */
export const UNKNOWN_ROUTE = 'unknown';

/** A route as the OpenAPI document writes it, `/api/users/{id}`, from how it was declared. */
export function routeTemplate(declared: string): string {
  return declared.replace(/:([^/]+)/g, '{$1}');
}
