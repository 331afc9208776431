// What a browser fetches before the first page shows must stay below 200 kB compressed: index.html, and every script
// and style sheet it names, with what these import at once.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

const LIMIT = 200_000;
const folder = process.argv[2] ?? join(process.env.STATE_DIR ?? '../.state', 'shell/browser');
const html = readFileSync(join(folder, 'index.html'), 'utf8');
const wanted = [...html.matchAll(/(?:src|href)="([^":]+\.(?:js|css))"/g)].map((found) => found[1].replace(/^\//, ''));
const sizes = new Map([['index.html', gzipSync(html).length]]);
while (wanted.length) {
  const name = wanted.pop();
  if (sizes.has(name)) continue;
  const text = readFileSync(join(folder, name), 'utf8');
  sizes.set(name, gzipSync(text).length);
  if (name.endsWith('.js')) {
    for (const found of text.matchAll(/(?:\bfrom|\bimport)\s*"\.\/([\w.-]+\.js)"/g)) wanted.push(found[1]);
  }
}
const total = [...sizes.values()].reduce((sum, size) => sum + size, 0);
console.log(`initial bundle: ${(total / 1000).toFixed(1)} kB gzip in ${sizes.size} files (limit ${LIMIT / 1000} kB)`);
if (sizes.size < 3 || total > LIMIT) {
  console.error([...sizes].map(([name, size]) => `  ${name} ${size}`).join('\n'));
  process.exit(1);
}
