let lastTime = 0;
let lastText = '';

/** Now, as in RFC 3339, in UTC and with milliseconds. Rendered once for each millisecond. */
export function isoTime(): string {
  const time = Date.now();
  if (time !== lastTime) {
    lastTime = time;
    lastText = new Date(time).toISOString();
  }
  return lastText;
}
