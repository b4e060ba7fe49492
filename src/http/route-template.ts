/** Label of all unknown paths, so that invented paths cannot create series. */
export const UNKNOWN_ROUTE = 'unknown';

/** Converts a declared route, `/api/users/:id`, to the form of OpenAPI: `/api/users/{id}`. */
export function routeTemplate(declared: string): string {
  return declared.replace(/:([^/]+)/g, '{$1}');
}
