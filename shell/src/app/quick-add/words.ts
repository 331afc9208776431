/** A stored code as words: `executive_reach_out` is read "Executive reach out". */
export function inWords(code: string): string {
  const words = code.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
