/** First release of each line with the fixes for CVE-2024-46981 and CVE-2025-49844. Later lines have both fixes. */
const FIXED_RELEASES = ['7.2.11', '7.4.6', '8.0.4', '8.2.2'];

/** Whether the upstream release lacks the fixes. Backports of distributions do not show in the version. */
export function lacksLuaFixes(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split('.').map(Number);
  const lines = FIXED_RELEASES.map((fixed) => fixed.split('.').map(Number));
  const own = lines.find((line) => line[0] === major && line[1] === minor);
  if (own) {
    return patch < own[2]!;
  }
  const [newestMajor, newestMinor] = lines.at(-1) as [number, number];
  return major < newestMajor || (major === newestMajor && minor < newestMinor);
}
