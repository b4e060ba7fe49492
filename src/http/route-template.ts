/** Label of all unknown paths. Otherwise clients could create time series with invented paths. */
export const UNKNOWN_ROUTE = 'unknown';

/** Converts a declared route, `/api/users/:id`, to the form of OpenAPI: `/api/users/{id}`. */
export function routeTemplate(declared: string): string {
  return declared.replace(/:([^/]+)/g, '{$1}');
}
