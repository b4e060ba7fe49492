let lastTime = 0;
let lastText = '';

/** Current time in the format of RFC 3339, in UTC, with milliseconds. The text is cached for a millisecond. */
export function isoTime(): string {
  const time = Date.now();
  if (time !== lastTime) {
    lastTime = time;
    lastText = new Date(time).toISOString();
  }
  return lastText;
}
