import { qrPath } from './qr-picture';

describe('a QR picture', () => {
  it('has a quiet zone and the three marks a camera looks for', () => {
    const { size, path } = qrPath('otpauth://totp/Account%20intelligence:maya?secret=ABCDEFGHIJKLMNOP');
    const dark = new Set([...path.matchAll(/M(\d+) (\d+)/g)].map((found) => `${found[1]},${found[2]}`));
    const corners = [[4, 4], [size - 5, 4], [4, size - 5]];

    expect(corners.every(([x, y]) => dark.has(`${x},${y}`))).toBe(true);
    expect([...dark].every((one) => one.split(',').every((at) => +at >= 4 && +at < size - 4))).toBe(true);
  });

  it('is another one for another text', () => {
    expect(qrPath('a').path).not.toBe(qrPath('b').path);
  });
});
