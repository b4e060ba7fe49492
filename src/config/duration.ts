const UNITS = new Map([
  ['', 1],
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
]);

/** Parses `900`, `15m`, `12h` or `30d`. @returns seconds, or undefined for any other text */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd]?)$/.exec(text.trim());
  if (!match) {
    return undefined;
  }
  return Number(match[1]) * (UNITS.get(match[2] ?? '') ?? 1);
}
